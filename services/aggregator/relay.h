/*
 * The relay: publishes the rows of store.outbox to Kafka, each with the same CloudEvents id
 * whenever it goes, and deletes a row only when Kafka has it. One aggregator at a time does it
 * (lease `relay`), in a thread with a connection and a producer of its own. At least once, in the
 * order of relay_window.h; at most RELAY_ROWS_LIMIT rows and RELAY_BYTES of data are on their way.
 */
#ifndef SERVICES_AGGREGATOR_RELAY_H
#define SERVICES_AGGREGATOR_RELAY_H

#include "common/base/config.h"
#include "common/base/snapshot.h"

#define RELAY_BYTES (4 * 1024 * 1024)

struct relay;

/* Both must outlive the relay. It goes by the rulebook (rulebook.h) that is in its place at the
 * moment. */
int relay_start(const struct config *config, struct snapshot_place *rulebooks,
                struct relay **out) CHECKED;

/* Any thread: rows may just have been put into the outbox. Where this aggregator is the one that
 * relays, it looks at once; another one finds them with its next look. NULL is fine. */
void relay_nudge(struct relay *relay);

/* As writer_join. NULL is fine. */
int relay_join(struct relay *relay, int64_t deadline) CHECKED;

#endif
