/*
 * May this event go on the timeline, and what must be known about it without
 * opening its data? Pure: no I/O. The intake asks it for every event, the
 * aggregator for records that did not come through an intake.
 */
#ifndef COMMON_EVENT_ADMISSION_H
#define COMMON_EVENT_ADMISSION_H

#include "common/event/event.h"
#include "common/event/identity.h"
#include "common/event/vocabulary.h"

#define EVENT_SUMMARY_LIMIT 1024 /* bytes; cut at a character with "…" */
#define EVENT_OWNER_LIMIT   256
#define EVENT_ROLE_LIMIT    100 /* bytes of an owner's role, and of the region; */
#define EVENT_ISSUE_LIMIT   200 /* of an issue's id; these are keys of tables */
#define EVENT_PROMISE_LIMIT 1000
#define EVENT_PROMISES      100 /* promises in one event, and promises kept */
#define EVENT_FACTS         6   /* extensions that the facts travel as */

/* What travels beside the standard attributes, as extensions of these names. */
struct event_facts {
    struct identities identities;
    struct span customer; /* the canonical attribute */
    struct span owner, summary, amount, currency;
    struct span facts;   /* "issue,promises": members of data the aggregator folds; "" for none */
    int64_t occurred_at; /* microseconds since 1970, from time */
};

struct admission {
    const struct identity_kinds *kinds;
    const struct department *department; /* whose vocabulary counts */
    int64_t now;                         /* microseconds; what "in the future" is measured from */
};

/*
 * The checks of the contract ("Events" in docs/protocol.md), in this order: type
 * known and of this department; time not before 1970 nor over 24 h ahead; data
 * is an object where members are required, each there with its JSON type;
 * customer known from the attribute or data.customer, and the same in both;
 * owner, amount, currency (ISO 4217 form), promises, kept, issue of the right shape;
 * with the facts no more extensions than an event may have.
 * The summary is data.summary, else the attribute, else the vocabulary's template.
 * Where data and an attribute both say something they must say the same; `facts`
 * follows from data alone. Null members count as absent.
 *
 * `data` is the event's data as a tree where the caller has parsed it already,
 * else NULL and it is parsed here. ERR_INVALID with pointers "/type",
 * "/data/amount", …; ERR_MEMORY.
 */
int event_admit(const struct admission *admission, const struct event *event, json_t *data,
                struct arena *arena, struct event_facts *facts, struct fault *fault) CHECKED;

#endif
