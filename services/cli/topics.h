/* The topics of the configuration: which they are, and making or checking them. */
#ifndef SERVICES_CLI_TOPICS_H
#define SERVICES_CLI_TOPICS_H

#include "services/cli/topics_judge.h"

struct cli;
struct vocabulary;

struct topics {
    struct kafka_topic *items; /* by kind, then by department */
    size_t count;
    struct kafka_topic_plan plan;
    const char *brokers; /* the configuration's */
};

/* As planned by the configuration, without asking anybody. ERR_MEMORY. topics_free in any case. */
int topics_plan(const struct config *config, const struct vocabulary *vocabulary,
                struct topics *topics) CHECKED;
void topics_free(struct topics *topics);

enum topics_mode { TOPICS_MAKE, TOPICS_CHECK, TOPICS_SKIP };

/* "make", "check" or "skip". */
bool topics_mode(const char *word, enum topics_mode *mode);

/* For `throughline migrate`: makes what is missing (TOPICS_MAKE), looks at what there is, and tells
 * of both, on standard output; as JSON by another member, "topics", of an object that is open.
 * Waits at most `wait_ms` for the brokers. Returns the exit status; what was not done is told on
 * standard error. */
int topics_migrate(const struct cli *cli, enum topics_mode mode, int64_t wait_ms);

#endif
