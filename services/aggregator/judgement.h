/*
 * Until when may be judged what is overdue, stale or untold? Until a moment of which it is known
 * that everything Kafka had then is on the timeline: else, after an outage, a handoff would be
 * called overdue whose closing event waits in Kafka.
 *
 * Each look is a moment, by the database's clock, and afterwards the ends of all partitions, as the
 * brokers tell them; once the offsets in the database have reached these ends, the moment is
 * judged. So no clock but the database's counts, and a step of it does no more harm than the step
 * is long. Where writers do not keep up a look is kept until they have reached it. Pure.
 */
#ifndef SERVICES_AGGREGATOR_JUDGEMENT_H
#define SERVICES_AGGREGATOR_JUDGEMENT_H

#include "common/kafka/kafka_admin.h"

/* How far a partition was brought to the timeline. */
struct judgement_position {
    const char *topic;
    int32_t partition;
    int64_t next;
};

struct judgement {
    int64_t until_us; /* what may be judged; 0: nothing yet */
    int64_t kept_us;  /* the moment of `kept` */
    struct kafka_cluster kept;
};

void judgement_free(struct judgement *judgement);

/* The partitions of `cluster` are taken over; they and `positions` are sorted by topic and number.
 * Then, or at any later look, `until_us` moves on. *behind: the first partition, in `cluster`'s
 * order, that is not read as far as it was at the look that is waited for; NULL where there is
 * none. Good until the next look. */
void judgement_look(struct judgement *judgement, int64_t now_us, struct kafka_cluster *cluster,
                    const struct judgement_position *positions, size_t count,
                    const struct kafka_watermarks **behind);

#endif
