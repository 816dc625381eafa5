/*
 * One request's records on their way to Kafka, and the answer when all of them
 * are acknowledged: 202, or 503 as soon as it is known that one is not, or
 * when the time for an answer is over (what Kafka stores later is recognised as
 * a duplicate when the sender repeats the request).
 *
 * Thread-safe. No caller waits: the answer comes from another thread.
 */
#ifndef SERVICES_DEPARTMENT_PUBLISH_H
#define SERVICES_DEPARTMENT_PUBLISH_H

#include "common/base/config.h"
#include "common/http/http_server.h"
#include "common/kafka/kafka_producer.h"
#include "common/kafka/record.h"

struct publisher;

/* What a 202 tells. */
struct publish_counts {
    bool webhook; /* tell of ignored and quarantined too */
    size_t accepted, ignored, quarantined;
};

/* `topic` must outlive the publisher; so must `config`. */
int publisher_open(const struct config *config, const char *topic, struct publisher **out) CHECKED;

/* Kafka answers and knows the topic; else `why`. Does not wait. */
bool publisher_ready(struct publisher *publisher, char *why, size_t why_size);

/* Sends the records (their topic is the publisher's) and answers the request,
 * now or later. Everything is copied before it returns. */
void publish_and_respond(struct publisher *publisher, struct http_request *request,
                         const struct record *records, size_t count,
                         const struct publish_counts *counts);

/* For others of the service: they share its bounds. */
struct kafka_producer *publisher_producer(const struct publisher *publisher);

/* Waits at most `ms` for what Kafka has not acknowledged. The HTTP server must
 * have been stopped: requests that were not answered are gone. NULL is fine. */
void publisher_close(struct publisher *publisher, int ms);

#endif
