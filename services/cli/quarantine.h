/* The parts of `throughline quarantine` that have a file of their own. */
#ifndef SERVICES_CLI_QUARANTINE_H
#define SERVICES_CLI_QUARANTINE_H

#include "services/cli/cli.h"

struct quarantine_options {
    const char *reason, *state, *note; /* reason, note: NULL where not given */
    int64_t limit;
};

/* Returns the exit status. `id` has been checked to be a number. */
int quarantine_show(const struct cli *cli, struct pg *pg, const char *id);

#endif
