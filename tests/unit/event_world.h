/* A small configuration for tests of events: a department, kinds, an event to start from. */
#ifndef TESTS_UNIT_EVENT_WORLD_H
#define TESTS_UNIT_EVENT_WORLD_H

#include "common/event/admission.h"
#include "common/event/event_time.h"
#include "tests/unit/folder.h"

struct world {
    struct identity_kinds *kinds;
    struct vocabulary *vocabulary;
    struct admission admission; /* for the department sales, now = 2026-01-08T12:00:00Z */
    struct arena arena;
};

static const char world_identities[] =
    "{\"kinds\": {\"email\": {\"strong\": true, \"rank\": 10, \"normalise\": \"email\"},"
    " \"stripe\": {\"strong\": true, \"rank\": 30}, \"name\": {\"strong\": false},"
    " \"account.domain\": {\"strong\": true, \"rank\": 10, \"normalise\": \"domain\"}}}";

static const char world_sales[] =
    "{\"events\": {"
    "\"sales.deal.won\": {\"required\": {\"amount\": \"number\", \"currency\": \"string\"},"
    "  \"summary\": \"Deal won: {/amount} {/currency}\", \"money\": \"promised\"},"
    "\"sales.note.taken\": {},"
    "\"sales.form.sent\": {\"required\": {\"text\": \"string\", \"count\": \"number\","
    "  \"yes\": \"boolean\", \"all\": \"object\", \"some\": \"array\"}}}}";

static inline int world_make(struct world *world)
{
    struct folder folder;
    struct fault fault = {.detail = ""};
    *world = (struct world){.kinds = NULL};
    folder_make(&folder);
    folder_write(&folder, "identities.json", world_identities);
    folder_write(&folder, "departments/sales.json", world_sales);
    int result = identity_kinds_load(folder.path, &world->kinds, &fault);
    if (result == 0)
        result = vocabulary_load(folder.path, &world->vocabulary, &fault);
    folder_remove(&folder);
    if (result != 0) {
        fprintf(stderr, "%s%s: %s\n", fault.file, fault.pointer, fault.detail);
        return result;
    }
    arena_init(&world->arena, 1 << 20);
    world->admission =
        (struct admission){.kinds = world->kinds, .department = &world->vocabulary->departments[0]};
    return event_time_parse(span_of("2026-01-08T12:00:00Z"), &world->admission.now);
}

static inline void world_end(struct world *world)
{
    identity_kinds_free(world->kinds);
    vocabulary_free(world->vocabulary);
    arena_free(&world->arena);
}

#endif
