/* common/base/config_files: reading, listing, expanding, unknown keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "common/base/config.h"
#include "tests/unit/folder.h"

static struct folder folder; /* a new one for each test */

static int set_up(void **state)
{
    (void)state;
    unsetenv("TL_CONFIG");
    folder_make(&folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

static void test_expand(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
        const char *result; /* or a part of the fault's detail */
    } table[] = {
        {"", 0, ""},
        {"plain $5 {x} }", 0, "plain $5 {x} }"},
        {"${TEST_VALUE}", 0, "v}a${l"},
        {"<${TEST_VALUE}${TEST_VALUE}>", 0, "<v}a${lv}a${l>"}, /* not expanded again */
        {"$${TEST_VALUE}", 0, "$v}a${l"},
        {"${X_NOT_SET}", ERR_NOT_FOUND, "X_NOT_SET is not set"},
        {"${X_EMPTY}", ERR_NOT_FOUND, "X_EMPTY is not set"},
        {"${file:/nowhere/at/all}", ERR_NOT_FOUND, "/nowhere/at/all cannot be read: No such file"},
        {"${file:/dev/null}", ERR_NOT_FOUND, "is empty"},
        {"${file:/dev/zero}", ERR_INVALID, "more than 64 KiB"},
        {"${file:/}", ERR_INVALID, "cannot be read: Is a directory"},
        {"${file:}", ERR_INVALID, "must be ${NAME}"},
        {"${}", ERR_INVALID, "must be ${NAME}"},
        {"${1A}", ERR_INVALID, "must be ${NAME}"},
        {"${A B}", ERR_INVALID, "must be ${NAME}"},
        {"${TEST_VALUE", ERR_INVALID, "needs its \"}\""},
        {"x${", ERR_INVALID, "needs its \"}\""},
    };
    setenv("TEST_VALUE", "v}a${l", 1);
    setenv("X_EMPTY", "", 1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fault fault = {0};
        char *out = NULL;
        int rc = config_expand(table[i].text, &out, &fault);
        if (rc != table[i].rc ||
            (rc ? !strstr(fault.detail, table[i].result) : strcmp(out, table[i].result) != 0))
            fail_msg("%s gave %d \"%s\" %s", table[i].text, rc, out ? out : "", fault.detail);
        free(out);
    }
    unsetenv("X_EMPTY");
}

static void test_expand_files(void **state)
{
    (void)state;
    static const struct {
        const char *content, *result;
    } table[] = {{"secret\n", "secret"}, {"secret", "secret"}, {"a\nb\n\n", "a\nb\n"}};
    char text[128], *out;
    snprintf(text, sizeof text, "<${file:%s/secret}>", folder.path);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char wanted[64];
        folder_write(&folder, "secret", table[i].content);
        assert_int_equal(config_expand(text, &out, NULL), 0);
        snprintf(wanted, sizeof wanted, "<%s>", table[i].result);
        assert_string_equal(out, wanted);
        free(out);
    }
    folder_write(&folder, "secret", "\n");
    assert_int_equal(config_expand(text, &out, NULL), ERR_NOT_FOUND);
}

/* A variable that is not set is taken from the file of its name in the folder TL_SECRETS. */
static void test_variable_files(void **state)
{
    (void)state;
    struct fault fault = {0};
    char *out, path[300];
    folder_write(&folder, "X_SECRET", "from the file\n");
    assert_int_equal(config_variable("X_SECRET", &out, &fault), ERR_NOT_FOUND);
    setenv("TL_SECRETS", folder.path, 1);
    assert_int_equal(config_variable("X_SECRET", &out, &fault), 0);
    assert_string_equal(out, "from the file");
    free(out);
    assert_int_equal(config_expand("<${X_SECRET}>", &out, &fault), 0);
    assert_string_equal(out, "<from the file>");
    free(out);
    setenv("X_SECRET", "set", 1);
    assert_int_equal(config_variable("X_SECRET", &out, &fault), 0);
    assert_string_equal(out, "set");
    free(out);
    setenv("X_SECRET", "", 1); /* counts as unset */
    assert_int_equal(config_variable("X_SECRET", &out, &fault), 0);
    assert_string_equal(out, "from the file");
    free(out);
    unsetenv("X_SECRET");
    folder_write(&folder, "X_SECRET", "\n"); /* counts as none */
    assert_int_equal(config_variable("X_SECRET", &out, &fault), ERR_NOT_FOUND);
    snprintf(path, sizeof path, "%s/X_NONE", folder.path);
    assert_int_equal(config_variable("X_NONE", &out, &fault), ERR_NOT_FOUND);
    assert_non_null(strstr(fault.detail, path));
    folder_write(&folder, "X_FOLDER/file", "");
    assert_int_equal(config_variable("X_FOLDER", &out, &fault), ERR_INVALID);
    assert_non_null(strstr(fault.detail, "cannot be read"));
    unsetenv("TL_SECRETS");
}

static void test_read_json(void **state)
{
    (void)state;
    struct fault fault = {0};
    json_t *json;
    char file[128];
    snprintf(file, sizeof file, "%s/departments/sales.json", folder.path);
    assert_int_equal(config_read_json(folder.path, "departments/sales.json", &json, &fault),
                     ERR_NOT_FOUND);
    assert_string_equal(fault.file, file);
    assert_non_null(strstr(fault.detail, "cannot be read"));
    folder_write(&folder, "departments/sales.json", "{\"a\": \"${B}\"}");
    assert_int_equal(config_read_json(folder.path, "departments/sales.json", &json, &fault), 0);
    assert_string_equal(fault.file, file);
    assert_string_equal(json_string_value(json_object_get(json, "a")), "${B}");
    json_decref(json);
    folder_write(&folder, "departments/sales.json", "{\"a\": {\"b\": 1, \"b\": 2}}");
    assert_int_equal(config_read_json(folder.path, "departments/sales.json", &json, &fault),
                     ERR_INVALID);
    assert_string_equal(fault.pointer, "/a/b");
    size_t limit = 1 << 20;
    char *large = malloc(limit + 2);
    memset(large, ' ', limit + 1);
    large[0] = '1';
    large[limit] = '\0';
    folder_write(&folder, "large.json", large);
    assert_int_equal(config_read_json(folder.path, "large.json", &json, &fault), 0);
    json_decref(json);
    large[limit] = ' ';
    large[limit + 1] = '\0';
    folder_write(&folder, "large.json", large);
    free(large);
    assert_int_equal(config_read_json(folder.path, "large.json", &json, &fault), ERR_INVALID);
    assert_non_null(strstr(fault.detail, "more than 1024 KiB"));
}

struct seen {
    char names[256];
    const char *stop_at;
};

static int see(const char *name, json_t *root, void *context, struct fault *fault)
{
    struct seen *seen = context;
    char file[128];
    snprintf(file, sizeof file, "%s/sources/%s.json", folder.path, name);
    assert_string_equal(fault->file, file);
    assert_true(json_is_object(root));
    strcat(strcat(seen->names, name), " ");
    if (seen->stop_at && strcmp(name, seen->stop_at) == 0)
        return fault_set(fault, "/x", "no");
    return 0;
}

static void test_each(void **state)
{
    (void)state;
    struct seen seen = {"", NULL};
    struct fault fault = {0};
    assert_int_equal(config_each(folder.path, "sources", see, &seen, &fault), 0);
    static const char *const names[] = {"b.json", "a.json",  "B.json", "a-b.json", ".hidden.json",
                                        "x.txt",  "y.json~", ".json",  "json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        snprintf(name, sizeof name, "sources/%s", names[i]);
        folder_write(&folder, name, "{}");
    }
    assert_int_equal(config_each(folder.path, "sources", see, &seen, &fault), 0);
    assert_string_equal(seen.names, "B a-b a b ");
    assert_string_equal(fault.file, "");
    seen = (struct seen){"", "a-b"};
    assert_int_equal(config_each(folder.path, "sources", see, &seen, &fault), ERR_INVALID);
    assert_string_equal(seen.names, "B a-b ");
    assert_non_null(strstr(fault.file, "/sources/a-b.json"));
    assert_string_equal(fault.pointer, "/x");
    folder_write(&folder, "sources/a.json", "{");
    seen = (struct seen){"", NULL};
    assert_int_equal(config_each(folder.path, "sources", see, &seen, &fault), ERR_INVALID);
    assert_non_null(strstr(fault.file, "/sources/a.json"));
    folder_write(&folder, "file", "x");
    assert_int_equal(config_each(folder.path, "file", see, &seen, &fault), ERR_INVALID);
    assert_non_null(strstr(fault.detail, "Not a directory"));
}

static void test_only_keys(void **state)
{
    (void)state;
    static const char *const allowed[] = {"header", "secret", NULL};
    static const struct {
        const char *json, *pointer, *detail;
    } table[] = {
        {"{\"header\": 1, \"secret\": 2}", NULL, NULL},
        {"{}", NULL, NULL},
        {"{\"haeder\": 1}", "/at/haeder", "did you mean \"header\"?"},
        {"{\"secret\": 1, \"a/b\": 1}", "/at/a~1b", "is unknown"},
        {"[]", "/at", "must be an object"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fault fault = {0};
        json_t *json = json_loads(table[i].json, 0, NULL);
        int rc = config_only_keys(json, "/at", allowed, &fault);
        json_decref(json);
        assert_int_equal(rc, table[i].pointer ? ERR_INVALID : 0);
        if (!rc)
            continue;
        assert_string_equal(fault.pointer, table[i].pointer);
        assert_non_null(strstr(fault.detail, table[i].detail));
    }
}

static void test_find_dir(void **state)
{
    (void)state;
    const char *dir;
    struct fault fault = {0};
    assert_int_equal(config_find_dir(NULL, &dir, &fault), 0);
    assert_string_equal(dir, "config");
    setenv("TL_CONFIG", folder.path, 1);
    assert_int_equal(config_find_dir(NULL, &dir, &fault), 0);
    assert_string_equal(dir, folder.path);
    assert_int_equal(config_find_dir("/tmp", &dir, &fault), 0);
    assert_string_equal(dir, "/tmp");
    assert_int_equal(config_find_dir("/nowhere", &dir, &fault), ERR_INVALID);
    assert_string_equal(fault.file, "--config");
    setenv("TL_CONFIG", "/nowhere", 1);
    assert_int_equal(config_find_dir(NULL, &dir, &fault), ERR_INVALID);
    assert_string_equal(fault.file, "TL_CONFIG");
    setenv("TL_CONFIG", "", 1);
    assert_int_equal(config_find_dir(NULL, &dir, &fault), 0);
    assert_string_equal(dir, "config");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_expand), TEST(test_expand_files), TEST(test_variable_files), TEST(test_read_json),
        TEST(test_each),   TEST(test_only_keys),    TEST(test_find_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
