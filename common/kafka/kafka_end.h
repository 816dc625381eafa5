/*
 * Ends a librdkafka client, in bounded time. rd_kafka_destroy waits for its threads without a
 * bound, and librdkafka 2.0.2's may never end once a topic was deleted and made anew under a
 * consumer: a reference to a partition is left over. Such a client, which was closed before and
 * does nothing any more, is left behind with its threads, counted and told, and the caller goes on.
 */
#ifndef COMMON_KAFKA_KAFKA_END_H
#define COMMON_KAFKA_KAFKA_END_H

#include <librdkafka/rdkafka.h>

void kafka_end(rd_kafka_t *client);

void kafka_end_metrics(void); /* so that the count is told before it is above 0 */

#endif
