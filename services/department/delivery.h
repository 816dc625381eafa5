/*
 * Changes of handoffs on their way to the department's system: the queue, a few threads that POST
 * from it, and the reports of what became of openings, published on events.<department>.
 *
 * A change is done with when the receiver took it, or it was given up, and, of an opening, Kafka
 * has acknowledged the report; only then may the offset move past it. Thread-safe; nothing here
 * waits but delivery_end.
 */
#ifndef SERVICES_DEPARTMENT_DELIVERY_H
#define SERVICES_DEPARTMENT_DELIVERY_H

#include "common/base/config.h"
#include "common/kafka/kafka_producer.h"
#include "services/department/handoff_change.h"

struct delivery_desk;

/* Starts the threads. `config`, `department` and `producer` must outlive it. ERR_MEMORY, ERR_IO. */
int delivery_open(const struct config *config, const char *department,
                  struct kafka_producer *producer, struct delivery_desk **out) CHECKED;

/* Another configuration, in two steps, so that only the first can fail: the receiver by its
 * settings in `config`, which is read now (ERR_MEMORY); and deliveries that begin from here on go
 * by it, while tries under way end by the old one. The renewal is gone then; NULL changes nothing.
 */
struct delivery_renewal;
int delivery_prepare(struct delivery_desk *desk, const struct config *config,
                     struct delivery_renewal **out) CHECKED;
void delivery_renew(struct delivery_desk *desk, struct delivery_renewal *renewal);
void delivery_renewal_free(struct delivery_renewal *renewal); /* NULL is fine */

/* Room for another change? After a false answer, only once there is some to spare. */
bool delivery_has_room(struct delivery_desk *desk);

/* 0: the change is the desk's. ERR_LIMIT, ERR_MEMORY: it stays the caller's, to be read again
 * later. Offsets of a partition ascend. */
int delivery_put(struct delivery_desk *desk, int32_t partition, int64_t offset,
                 struct handoff_change *change) CHECKED;

/* The first change of a partition that is not done with, from which a restart must read; behind
 * the last one where all are done with; -1 where there was none. */
int64_t delivery_offset(struct delivery_desk *desk, int32_t partition);

/* The partitions are somebody else's. What is being sent is sent to its end, unreported. */
void delivery_revoke(struct delivery_desk *desk);

/* Every 100 ms or so: publishes what reports Kafka did not take, shows how things stand. */
void delivery_tick(struct delivery_desk *desk);

/* From here on no delivery begins; those under way are cut off after `grace_ms`. */
void delivery_stop(struct delivery_desk *desk, int grace_ms);

/* After delivery_stop: nothing is under way, and no report waits for Kafka. */
bool delivery_at_rest(struct delivery_desk *desk);

/* After delivery_stop: waits at most `ms` for the threads. False where one does not end (libcurl
 * may wait for the name service without a bound): then the desk must be left as it is. */
bool delivery_end(struct delivery_desk *desk, int ms);

/* After delivery_end, and after the producer was closed: no report may be on its way. NULL is fine.
 */
void delivery_free(struct delivery_desk *desk);

#endif
