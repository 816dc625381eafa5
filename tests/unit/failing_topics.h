/*
 * Brokers for the tests of kafka_topics.c: what librdkafka's admin API tells of topics, which its
 * mock cluster cannot. A topic that is made is there in the mock cluster, and has the settings that
 * it was made with. Every call fails in the ways that it has.
 */
#ifndef TESTS_UNIT_FAILING_TOPICS_H
#define TESTS_UNIT_FAILING_TOPICS_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

/* From here on, without a topic. */
void failing_topics_open(rd_kafka_mock_cluster_t *cluster);

/* What was made here and not given back: requests, lists, answers. */
int failing_topics_held(void);

#endif
