#include "services/department/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What handling a request may take for records and their headers, in bodies: a
 * body of nothing but the smallest events becomes some 15 times as large. */
#define SCRATCH_BODIES 32

static void free_settings(struct snapshot *snapshot)
{
    struct settings *settings = (struct settings *)(void *)snapshot;
    sources_free(settings->sources);
    vocabulary_free(settings->vocabulary);
    identity_kinds_free(settings->kinds);
    free(settings->token);
    free(settings->listen);
    free(settings);
}

static int find_department(const struct config *config, const struct vocabulary *vocabulary,
                           const struct department **department, struct fault *fault)
{
    const char *name = config_department(config);
    *department = vocabulary_department(vocabulary, span_of(name));
    if (*department)
        return 0;
    return fault_set(fault, "", "there is no %s/departments/%s.json", config_dir(config), name);
}

int settings_check_listen(const struct settings *settings, const char *listen, struct fault *fault)
{
    bool loopback;
    if (http_listen_is_loopback(listen, &loopback))
        return fault_set(fault, "/listen", "%s is no address: write it like 127.0.0.1:8101",
                         listen);
    if (loopback || settings->token)
        return 0;
    return fault_set(fault, "/listen",
                     "%s can be reached from other machines, but there is no token: set TL_TOKEN, "
                     "or listen on 127.0.0.1",
                     listen);
}

static int find_listen(const struct config *config, const struct department *department,
                       char **listen, struct fault *fault)
{
    const char *set = config_text(config, "listen");
    const char *found = set ? set : department->listen;
    if (!found)
        return fault_set(fault, "/listen",
                         "where to listen is not known: set TL_LISTEN, or \"listen\" in "
                         "throughline.json or departments/%s.json",
                         department->name);
    *listen = strdup(found);
    return *listen ? 0 : ERR_MEMORY;
}

int settings_find_listen(const struct config *config, char **listen, struct fault *fault)
{
    struct vocabulary *vocabulary = NULL;
    const struct department *department;
    int rc = vocabulary_load(config_dir(config), &vocabulary, fault);
    if (!rc)
        rc = find_department(config, vocabulary, &department, fault);
    if (!rc)
        rc = find_listen(config, department, listen, fault);
    vocabulary_free(vocabulary);
    return rc;
}

static int take_token(const struct config *config, struct settings *settings, struct fault *fault)
{
    const char *token = config_text(config, "token");
    struct span rest = span_of(token), first;
    if (!token)
        return 0;
    if (!span_next_line(&rest, &first))
        return fault_set(fault, "/token", "must be a text that is not empty");
    settings->token = strdup(token);
    return settings->token ? 0 : ERR_MEMORY;
}

/* A body that never has room, with its request's head, would be answered 503 for ever. */
static int check_limits(const struct config *config, struct fault *fault)
{
    int64_t least = config_number(config, "request_limit") + HTTP_HEAD_MEMORY;
    if (config_number(config, "http_memory") >= least)
        return 0;
    return fault_set(fault, "/http_memory", "must be at least %d KiB more than request_limit",
                     HTTP_HEAD_MEMORY / 1024);
}

static int load(const struct config *config, struct settings *settings, struct fault *fault)
{
    const char *dir = config_dir(config);
    int rc = identity_kinds_load(dir, &settings->kinds, fault);
    if (!rc)
        rc = vocabulary_load(dir, &settings->vocabulary, fault);
    if (!rc)
        rc = find_department(config, settings->vocabulary, &settings->intake.department, fault);
    if (!rc)
        rc = sources_load(dir, settings->vocabulary, settings->kinds, &settings->sources, fault);
    if (!rc)
        rc = take_token(config, settings, fault);
    if (!rc)
        rc = find_listen(config, settings->intake.department, &settings->listen, fault);
    if (!rc)
        rc = settings_check_listen(settings, settings->listen, fault);
    if (!rc)
        rc = check_limits(config, fault);
    return rc;
}

int settings_load(const struct config *config, struct settings **out, struct fault *fault)
{
    struct settings *settings = calloc(1, sizeof *settings);
    if (!settings)
        return ERR_MEMORY;
    snapshot_init(&settings->snapshot, free_settings);
    int rc = load(config, settings, fault);
    if (rc) {
        settings_release(settings);
        return rc;
    }
    settings->intake.vocabulary = settings->vocabulary;
    settings->intake.kinds = settings->kinds;
    settings->intake.sources = settings->sources;
    settings->intake.token = settings->token;
    settings->intake.event_limit = (size_t)config_number(config, "event_limit");
    settings->intake.scratch_limit =
        (size_t)config_number(config, "request_limit") * SCRATCH_BODIES;
    *out = settings;
    return 0;
}

int settings_check_change(const struct settings *fresh, const struct settings *running,
                          struct fault *fault)
{
    if (running->token && !fresh->token)
        return fault_set(fault, "/token",
                         "is not set any more: to let everybody in wants a restart");
    for (size_t i = 0; i < running->sources->count; i++) {
        const struct source *source = &running->sources->items[i];
        const struct source *now = sources_find(fresh->sources, span_of(source->name));
        if (source->off || source->department != running->intake.department || !now || !now->off)
            continue;
        if (fault)
            snprintf(fault->file, sizeof fault->file, "sources/%s.json", source->name);
        return fault_set(fault, "/signature",
                         "%s: a source is turned off by a restart, or by taking its file away",
                         now->off);
    }
    return 0;
}

struct settings *settings_take(struct snapshot_place *place)
{
    return (struct settings *)(void *)snapshot_take(place);
}

void settings_release(struct settings *settings)
{
    if (settings)
        snapshot_release(&settings->snapshot);
}
