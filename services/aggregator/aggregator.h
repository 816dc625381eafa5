/* The program tl-aggregator: its writers, and its listener for health and metrics. */
#ifndef SERVICES_AGGREGATOR_AGGREGATOR_H
#define SERVICES_AGGREGATOR_AGGREGATOR_H

int aggregator_main(int argc, char **argv);

#endif
