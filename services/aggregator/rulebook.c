#include "services/aggregator/rulebook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/event/system_events.h"

static void free_rulebook(struct snapshot *snapshot)
{
    struct rulebook *rulebook = (struct rulebook *)(void *)snapshot;
    for (const char **topic = rulebook->topics; topic && *topic; topic++)
        free((void *)(uintptr_t)*topic);
    free(rulebook->topics);
    handoff_rules_free(rulebook->rules);
    vocabulary_free(rulebook->vocabulary);
    identity_kinds_free(rulebook->kinds);
    free(rulebook);
}

static int name_topics(struct rulebook *rulebook)
{
    const struct vocabulary *vocabulary = rulebook->vocabulary;
    rulebook->topics = calloc(vocabulary->count + 2, sizeof *rulebook->topics);
    if (!rulebook->topics)
        return ERR_MEMORY;
    for (size_t i = 0; i <= vocabulary->count; i++) {
        char topic[64] = SYSTEM_TOPIC;
        if (i < vocabulary->count)
            snprintf(topic, sizeof topic, "events.%s", vocabulary->departments[i].name);
        rulebook->topics[i] = strdup(topic);
        if (!rulebook->topics[i])
            return ERR_MEMORY;
    }
    return 0;
}

static int load(const char *dir, struct rulebook *rulebook, struct fault *fault)
{
    int rc = identity_kinds_load(dir, &rulebook->kinds, fault);
    if (rc == 0)
        rc = vocabulary_load(dir, &rulebook->vocabulary, fault);
    if (rc == 0 && rulebook->vocabulary->count == 0)
        rc = fault_set(fault, "", "the folder departments has no department");
    if (rc == 0)
        rc = handoff_rules_load(dir, rulebook->vocabulary, &rulebook->rules, fault);
    return rc ? rc : name_topics(rulebook);
}

int rulebook_load(const struct config *config, struct rulebook **out, struct fault *fault)
{
    struct rulebook *rulebook = calloc(1, sizeof *rulebook);
    if (!rulebook)
        return ERR_MEMORY;
    snapshot_init(&rulebook->snapshot, free_rulebook);
    int rc = load(config_dir(config), rulebook, fault);
    if (rc != 0) {
        rulebook_release(rulebook);
        return rc;
    }
    rulebook->stale_after_ms = config_number(config, "stale_after");
    rulebook->untold_after_ms = config_number(config, "untold_after");
    rulebook->watch_max_age_ms = config_number(config, "watch_max_age");
    rulebook->watch_every_ms = config_number(config, "watch_every");
    *out = rulebook;
    return 0;
}

struct rulebook *rulebook_take(struct snapshot_place *place)
{
    return (struct rulebook *)(void *)snapshot_take(place);
}

void rulebook_release(struct rulebook *rulebook)
{
    if (rulebook)
        snapshot_release(&rulebook->snapshot);
}

bool rulebook_same_topics(const struct rulebook *a, const struct rulebook *b)
{
    size_t i = 0;
    while (a->topics[i] && b->topics[i] && strcmp(a->topics[i], b->topics[i]) == 0)
        i++;
    return !a->topics[i] && !b->topics[i];
}
