/*
 * A running program takes another configuration: at SIGHUP the folder is read anew and checked as
 * --check does. What is wrong with it is told in one log line, with file and JSON Pointer, and the
 * old one goes on; what is right is handed to the program. What needs a restart keeps its old
 * value, and is named in a warning.
 *
 * Environment variables of a process do not change: what is to be changed while it runs stands in
 * the folder, a secret in a file that the folder names ("${file:PATH}").
 *
 * Metrics: throughline_config_reload_failed, throughline_config_loaded_timestamp_seconds.
 */
#ifndef COMMON_RELOAD_H
#define COMMON_RELOAD_H

#include "common/base/config.h"

struct reload {
    const struct config *running; /* what the program was started with; outlives all others */
    /* All that the program reads, as --check does; may be NULL. */
    int (*check)(const struct config *config, struct fault *fault);
    /* Goes over to `fresh`, which is gone afterwards; where it fails, nothing has changed. Adds to
     * `restart`, by reload_restart, what of it cannot change while the program runs. */
    int (*apply)(void *context, const struct config *fresh, struct buffer *restart,
                 struct fault *fault);
    void *context;
};

/* Until stop is requested, on the program's first thread: what its main does when all is open. */
void reload_until_stop(const struct reload *reload);

void reload_restart(struct buffer *restart, const char *name);

/* Once, as at SIGHUP. An error code: it was refused, and told. */
int reload_now(const struct reload *reload) CHECKED;

#endif
