/* What the tests of mappings and sources share: a configuration read from a
 * folder, and one payload taken through json_read, the mapping and event_admit. */
#ifndef TESTS_UNIT_MAPPING_KIT_H
#define TESTS_UNIT_MAPPING_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"
#include "services/department/source_config.h"

/* 2026-12-01T00:00:00Z: what "in the future" is measured from. */
#define KIT_NOW INT64_C(1796083200000000)

struct kit {
    struct identity_kinds *kinds;
    struct vocabulary *vocabulary;
    struct arena arena;
};

static inline void kit_expect(int rc, const struct fault *fault)
{
    if (rc)
        fail_msg("%s: %s%s %s", error_name(rc), fault->file, fault->pointer, fault->detail);
}

static inline void kit_open(struct kit *kit, const char *config_dir)
{
    struct fault fault = {.pointer = ""};
    kit_expect(identity_kinds_load(config_dir, &kit->kinds, &fault), &fault);
    kit_expect(vocabulary_load(config_dir, &kit->vocabulary, &fault), &fault);
    arena_init(&kit->arena, (size_t)64 * 1024 * 1024);
}

static inline void kit_close(struct kit *kit)
{
    arena_free(&kit->arena);
    vocabulary_free(kit->vocabulary);
    identity_kinds_free(kit->kinds);
}

/* Maps the `index`th element of a body. The tree lives no longer than the call. */
static inline struct mapped kit_map(struct kit *kit, const struct mapping *mapping,
                                    const struct department *department, struct span body,
                                    size_t index, const struct record_header *headers,
                                    size_t header_count)
{
    const struct admission admission = {kit->kinds, department, KIT_NOW};
    struct fault fault = {.pointer = ""};
    struct mapping_cursor cursor = {.started = false};
    struct mapping_element element = {.index = 0};
    struct mapped mapped = {.rule = -1};
    struct span text;
    json_t *tree;
    kit_expect(json_read(body, &tree, &text, &fault), &fault);
    do
        assert_true(mapping_next(mapping, text, tree, &cursor, &element));
    while (element.index < index);
    kit_expect(
        mapping_apply(mapping, &admission, &element, headers, header_count, &kit->arena, &mapped),
        &fault);
    json_decref(tree);
    return mapped;
}

#define KIT_HEADERS_LIMIT 8

/* The request headers of a test's file, {"name": "value"}; borrowed from it. */
static inline size_t kit_headers(json_t *object, struct record_header headers[KIT_HEADERS_LIMIT])
{
    const char *name;
    json_t *value;
    size_t count = 0;
    assert_true(json_object_size(object) <= KIT_HEADERS_LIMIT);
    json_object_foreach(object, name, value) headers[count++] =
        (struct record_header){span_of(name), span_of(json_string_value(value))};
    return count;
}

/* A text that is not terminated, as one for messages and comparisons; never freed
 * before the kit. Absent gives "(none)". */
static inline const char *kit_text(struct kit *kit, struct span span)
{
    return span.ptr ? arena_strdup(&kit->arena, span) : "(none)";
}

/* A whole file in malloc'ed memory. */
static inline char *kit_read_file(const char *path, size_t *len)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &status) != 0)
        fail_msg("cannot read %s", path);
    char *text = malloc((size_t)status.st_size + 1);
    assert_non_null(text);
    *len = fread(text, 1, (size_t)status.st_size, file);
    text[*len] = '\0';
    fclose(file);
    return text;
}

#endif
