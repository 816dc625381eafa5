/* A configuration of its own for the tests of the mapping engine: the department
 * "depot" and a plain source file, to which a test adds what it is about. */
#ifndef TESTS_UNIT_MAPPING_DEPOT_H
#define TESTS_UNIT_MAPPING_DEPOT_H

#include "tests/unit/mapping_kit.h"

static struct kit kit;
static char folder[] = "/tmp/throughline-mapping-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static inline void remove_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    remove(path);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    char path[128];
    snprintf(path, sizeof path, "%s/departments", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file("identities.json", "{\"kinds\": {\"email\": {\"strong\": true, \"rank\": 1, "
                                  "\"normalise\": \"email\"}, \"ref\": {\"strong\": true, "
                                  "\"rank\": 2}, \"account.ref\": {\"strong\": true, "
                                  "\"rank\": 3}}}");
    write_file("departments/depot.json",
               "{\"events\": {"
               "\"depot.thing.seen\": {\"money\": \"none\", \"touch\": false},"
               "\"depot.thing.told\": {\"required\": {\"summary\": \"string\"}, "
               "\"money\": \"none\", \"touch\": true},"
               "\"depot.thing.sold\": {\"required\": {\"amount\": \"number\", \"currency\": "
               "\"string\"}, \"summary\": \"Sold: {/amount} {/currency}\", "
               "\"money\": \"received\", \"touch\": false}}}");
    kit_open(&kit, folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"identities.json", "departments/depot.json", "departments",
                                        ""};
    kit_close(&kit);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        remove_file(names[i]);
    return 0;
}

static inline const struct department *depot(void)
{
    return vocabulary_department(kit.vocabulary, span_of("depot"));
}

/* A source file with these members beside, or instead of, the plain ones. */
static inline json_t *source_file(const char *members)
{
    json_error_t error;
    json_t *plain = json_loads("{\"id\": \"/id\", \"time\": {\"pointer\": \"/at\", \"format\": "
                               "\"unix_s\"}, \"customer\": {\"ref\": \"/who\"}, \"rules\": "
                               "[{\"type\": \"depot.thing.seen\"}]}",
                               0, &error);
    json_t *more = json_loads(members, JSON_ALLOW_NUL, &error);
    if (!more)
        fail_msg("%s: %s", error.text, members);
    assert_int_equal(json_object_update(plain, more), 0);
    json_decref(more);
    return plain;
}

#endif
