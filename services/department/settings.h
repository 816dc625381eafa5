/*
 * What a department's requests are judged by: all that the configuration says of events, sources,
 * tokens and limits. A snapshot (common/base/snapshot.h): another configuration makes another one,
 * and a request keeps the one that it began with.
 */
#ifndef SERVICES_DEPARTMENT_SETTINGS_H
#define SERVICES_DEPARTMENT_SETTINGS_H

#include "common/base/config.h"
#include "common/base/snapshot.h"
#include "services/department/intake.h"

struct settings {
    struct snapshot snapshot;
    struct identity_kinds *kinds;
    struct vocabulary *vocabulary;
    struct sources *sources;
    char *token;
    char *listen;         /* as configured, throughline.json or the department's file */
    struct intake intake; /* its publisher is left to the caller */
};

/* Reads and checks all of it. The settings outlive `config`. One hold, the caller's. */
int settings_load(const struct config *config, struct settings **out, struct fault *fault) CHECKED;

/* May `listen`, which may be another address than the configured one, be served with this token?
 * ERR_INVALID at "/listen" where it can be reached from other machines and there is none. */
int settings_check_listen(const struct settings *settings, const char *listen,
                          struct fault *fault) CHECKED;

/* Where the configuration has the department listen, read without the rest. The caller frees it. */
int settings_find_listen(const struct config *config, char **listen, struct fault *fault) CHECKED;

/* What a file that is missing for a moment must not do to a service that runs: let everybody in, or
 * turn a source away. ERR_INVALID where `fresh` has no token, or lacks the secret of a source that
 * it has, and `running` has it. */
int settings_check_change(const struct settings *fresh, const struct settings *running,
                          struct fault *fault) CHECKED;

struct settings *settings_take(struct snapshot_place *place);
void settings_release(struct settings *settings); /* NULL is fine */

#endif
