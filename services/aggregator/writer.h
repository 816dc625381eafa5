/*
 * A writer: a thread with a Kafka consumer and a database connection of its own,
 * which brings its share of the partitions to the timeline, batch by batch. Kafka's
 * group protocol shares the partitions out among the writers of all aggregators
 * alike, so that a process with several writers needs no second way to do it.
 *
 * It lives in sessions: database, then Kafka, then batches, until something
 * fails; then all is let go, and the next session begins where the offset rows say.
 */
#ifndef SERVICES_AGGREGATOR_WRITER_H
#define SERVICES_AGGREGATOR_WRITER_H

#include "common/base/config.h"
#include "common/base/snapshot.h"
#include "services/aggregator/relay.h"
#include "services/aggregator/rulebook.h"

struct writer;

struct writer_setup { /* shared by all writers; must outlive them */
    const struct config *config;
    struct snapshot_place *rulebooks; /* the one that counts; a writer follows between batches */
    struct relay *relay;              /* is told of what they put into the outbox; may be NULL */
};

/* Starts the thread of writer `number` (0, 1, …). It ends when stop is requested. */
int writer_start(const struct writer_setup *setup, int number, struct writer **out) CHECKED;

/* Any thread: what keeps the writer from reading, or NULL when nothing does. */
const char *writer_waits_for(const struct writer *writer);

/* Any thread: no record is judged by another rulebook any more. */
bool writer_follows(const struct writer *writer, const struct rulebook *rulebook);

/* Waits for the thread until `deadline` (clock_monotonic_ms) and frees. ERR_BUSY: it has not ended
 * by then; nothing is freed, and the program can only leave. NULL is fine. */
int writer_join(struct writer *writer, int64_t deadline) CHECKED;

#endif
