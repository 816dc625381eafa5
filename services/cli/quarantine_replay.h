/*
 * A quarantined record once more: decoded, or mapped from its webhook, by today's configuration,
 * and put on the timeline under its own partition and offset. The books move its count in
 * the same transaction. One thread.
 */
#ifndef SERVICES_CLI_QUARANTINE_REPLAY_H
#define SERVICES_CLI_QUARANTINE_REPLAY_H

#include "common/base/config.h"
#include "common/pg/pg.h"

struct quarantine_replay;

enum replay_outcome {
    REPLAY_ON_TIMELINE,
    REPLAY_DUPLICATE, /* the event was on the timeline already */
    REPLAY_IGNORED, /* today's mapping ignores it: now discarded, with the rule's reason as note */
};

/* Loads what decoding needs; `config` and `pg` are borrowed. */
int quarantine_replay_new(const struct config *config, struct pg *pg,
                          struct quarantine_replay **out, struct fault *fault) CHECKED;
void quarantine_replay_free(struct quarantine_replay *replay); /* NULL is fine */

/* ERR_NOT_FOUND: no such record waits. ERR_INVALID: it still cannot go on the
 * timeline; it goes on waiting, for today's reason (the fault says which). ERR_CONFLICT: somebody
 * else decided on it meanwhile. */
int quarantine_replay_one(struct quarantine_replay *replay, int64_t quarantine_id,
                          enum replay_outcome *outcome, struct fault *fault) CHECKED;

#endif
