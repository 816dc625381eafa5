/*
 * What events are judged by: kinds of identities, vocabularies, rules of handoffs, and when the
 * watch speaks up. A snapshot (common/base/snapshot.h): another configuration makes another one.
 * Who works by one holds it: a writer for whole batches, the relay and the watch from look to look.
 */
#ifndef SERVICES_AGGREGATOR_RULEBOOK_H
#define SERVICES_AGGREGATOR_RULEBOOK_H

#include "common/base/config.h"
#include "common/base/snapshot.h"
#include "common/event/identity.h"
#include "common/event/vocabulary.h"
#include "services/aggregator/handoff_rules.h"

struct rulebook {
    struct snapshot snapshot;
    struct identity_kinds *kinds;
    struct vocabulary *vocabulary;
    struct handoff_rules *rules;
    const char *
        *topics; /* "events.<department>" for each department, and the system's; ends with NULL */
    int64_t stale_after_ms, untold_after_ms, watch_max_age_ms, watch_every_ms;
};

/* Reads and checks all of it. It outlives `config`. One hold, the caller's. */
int rulebook_load(const struct config *config, struct rulebook **out, struct fault *fault) CHECKED;

/* The one that counts now, to be released. */
struct rulebook *rulebook_take(struct snapshot_place *place);
void rulebook_release(struct rulebook *rulebook); /* NULL is fine */

/* As many topics of the same names. */
bool rulebook_same_topics(const struct rulebook *a, const struct rulebook *b);

#endif
