/*
 * Partitions that are held: their next record has to go to quarantine, and quarantine is full. The
 * others of the writer go on. Looked at again every few seconds, and read on by itself once there
 * is room. Told once when it begins, once when it is over. The writer's thread.
 */
#ifndef SERVICES_AGGREGATOR_HOLD_H
#define SERVICES_AGGREGATOR_HOLD_H

#include "services/aggregator/session.h"

/* At the begin of a session: how much room is there? */
int hold_begin(struct session *session) CHECKED;

/* Stops reading a partition; what is in the batch of it, before the record at hand, stays. */
void hold_partition(struct session *session, struct partition *partition);

/* Quarantine has no room for the batch, which is about to be read again: looks how much room there
 * is, and holds the partitions of which PostgreSQL refused rows, as decoding will not stop there.
 */
int hold_batch(struct session *session) CHECKED;

/* Between batches: reads on where there is room again. */
int hold_look(struct session *session) CHECKED;

/* The partitions are no longer ours. */
void hold_forget(struct session *session);

#endif
