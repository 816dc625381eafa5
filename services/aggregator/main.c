/* tl-aggregator: from Kafka to the customers' timeline. */
#include "services/aggregator/aggregator.h"

int main(int argc, char **argv)
{
    return aggregator_main(argc, argv);
}
