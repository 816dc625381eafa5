/* The parts of `throughline quarantine` that have a file of their own. */
#ifndef SERVICES_CLI_QUARANTINE_H
#define SERVICES_CLI_QUARANTINE_H

#include "services/cli/cli.h"

struct quarantine_options {
    const char *reason, *state, *note; /* reason, note: NULL where not given */
    bool all;
    int64_t limit;
};

/* Both return the exit status. `id` has been checked to be a number. */
int quarantine_show(const struct cli *cli, struct pg *pg, const char *id);

/* One record, or (`id` NULL) all that wait now, or those of options->reason. */
int quarantine_replay_run(const struct cli *cli, struct pg *pg, const char *id,
                          const struct quarantine_options *options);

#endif
