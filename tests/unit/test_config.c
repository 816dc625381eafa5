/* common/base/config: throughline.json and the environment, read for one program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "tests/unit/folder.h"

static struct folder folder;

static void clear_environment(void)
{
    for (size_t i = 0; i < config_options_count; i++) {
        char name[64];
        option_variable(&config_options[i], name);
        unsetenv(name);
    }
    unsetenv("TL_CONFIG");
    unsetenv("TL_SECRETS");
    unsetenv("TEST_VALUE");
}

/* Each test has an empty folder and no TL_ variable. */
static int set_up(void **state)
{
    (void)state;
    clear_environment();
    folder_make(&folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    clear_environment();
    folder_remove(&folder);
    return 0;
}

static struct config *load(const char *section, enum program_kind kind)
{
    struct config *config = NULL;
    struct fault fault = {0};
    int rc = config_load(folder.path, section, kind, &config, &fault);
    if (rc)
        fail_msg("%d %s: %s: %s", rc, fault.file, fault.pointer, fault.detail);
    assert_string_equal(fault.file, "");
    return config;
}

static void test_defaults(void **state)
{
    (void)state;
    struct config *config = load("tl-sales", PROGRAM_DEPARTMENT);
    assert_string_equal(config_dir(config), folder.path);
    assert_string_equal(config_section(config), "tl-sales");
    assert_string_equal(config_department(config), "sales");
    assert_string_equal(config_text(config, "brokers"), "127.0.0.1:9092");
    assert_null(config_text(config, "listen"));
    assert_int_equal(config_number(config, "request_limit"), 1 << 20);
    assert_int_equal(config_number(config, "http_read_deadline"), 10000);
    assert_int_equal(config_number(config, "http_connections_per_client"), 0);
    assert_int_equal(config_number(config, "log_level"), LOG_LEVEL_INFO);
    assert_null(config_kafka(config)[0].name);
    config_free(config);
    config = load("tl-aggregator", PROGRAM_AGGREGATOR);
    assert_null(config_department(config));
    config_free(config);
    config_free(NULL);
}

/* Default, top level, section, variable: each wins over those before it. */
static void test_order(void **state)
{
    (void)state;
    folder_write(&folder, "throughline.json",
                 "{\"group\": \"top\", \"writers\": 3, \"batch_bytes\": 4096,"
                 " \"batch_wait\": \"${TEST_VALUE}ms\","
                 " \"tl-aggregator\": {\"group\": \"own\", \"writers\": \"4\"},"
                 " \"tl-sales\": {\"request_limit\": \"2 KiB\"}}");
    setenv("TEST_VALUE", "70", 1);
    setenv("TL_WRITERS", "5", 1);
    setenv("TL_GROUP", "", 1);                 /* counts as unset */
    setenv("TL_REQUEST_LIMIT", "nonsense", 1); /* of another program */
    struct config *config = load("tl-aggregator", PROGRAM_AGGREGATOR);
    assert_int_equal(config_number(config, "quarantine_limit"), 100000);
    assert_int_equal(config_number(config, "batch_bytes"), 4096);
    assert_int_equal(config_number(config, "batch_wait"), 70);
    assert_string_equal(config_text(config, "group"), "own");
    assert_int_equal(config_number(config, "writers"), 5);
    config_free(config);
}

static void test_kafka(void **state)
{
    (void)state;
    setenv("TEST_VALUE", "secret", 1);
    folder_write(&folder, "throughline.json",
                 "{\"kafka\": {\"a\": \"top\", \"b\": 1, \"c\": true},"
                 " \"tl-sales\": {\"kafka\": {\"a\": \"own ${TEST_VALUE}\", \"d\": -1}},"
                 " \"tl-billing\": {\"kafka\": {\"e\": \"${NOT_SET_ANYWHERE}\"}}}");
    struct config *config = load("tl-sales", PROGRAM_DEPARTMENT);
    const struct config_pair *pair = config_kafka(config);
    char all[256] = "";
    for (; pair->name; pair++) {
        strcat(all, pair->name);
        strcat(all, "=");
        strcat(all, pair->value);
        strcat(all, " ");
    }
    assert_null(pair->value);
    assert_string_equal(all, "b=1 c=true a=own secret d=-1 ");
    config_free(config);
}

static void test_secrets(void **state)
{
    (void)state;
    char json[512];
    folder_write(&folder, "password", "p\xc3\xa4ss\n\n");
    setenv("TEST_VALUE", "db.example", 1);
    snprintf(json, sizeof json,
             "{\"database\": \"host=${TEST_VALUE} password=${file:%s/password}\","
             " \"token\": \"${NOT_SET_ANYWHERE}\"}",
             folder.path);
    folder_write(&folder, "throughline.json", json);
    struct config *config = load("tl-aggregator", PROGRAM_AGGREGATOR); /* reads no token */
    assert_string_equal(config_text(config, "database"), "host=db.example password=p\xc3\xa4ss\n");
    config_free(config);
    struct fault fault = {0};
    assert_int_equal(config_load(folder.path, "tl-sales", PROGRAM_DEPARTMENT, &config, &fault),
                     ERR_INVALID);
    assert_string_equal(fault.pointer, "/token");
    assert_non_null(strstr(fault.detail, "NOT_SET_ANYWHERE"));
    /* A variable that wins makes the file's value not count. */
    setenv("TL_TOKEN", "${literally}", 1);
    config = load("tl-sales", PROGRAM_DEPARTMENT);
    assert_string_equal(config_text(config, "token"), "${literally}");
    config_free(config);
    /* So does a file in the folder of secrets; one that cannot be read is told by its name. */
    unsetenv("TL_TOKEN");
    setenv("TL_SECRETS", folder.path, 1);
    folder_write(&folder, "TL_TOKEN", "of the file\n");
    config = load("tl-sales", PROGRAM_DEPARTMENT);
    assert_string_equal(config_text(config, "token"), "of the file");
    config_free(config);
    folder_write(&folder, "TL_LISTEN/file", "");
    assert_int_equal(config_load(folder.path, "tl-sales", PROGRAM_DEPARTMENT, &config, &fault),
                     ERR_INVALID);
    assert_string_equal(fault.file, "TL_LISTEN");
    assert_non_null(strstr(fault.detail, "cannot be read"));
    unsetenv("TL_SECRETS");
}

/* A file of secrets can change while a program runs, its variables cannot. */
static void test_load_again(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct config *fresh = NULL;
    folder_write(&folder, "TL_TOKEN", "first\n");
    setenv("TL_SECRETS", folder.path, 1);
    struct config *running = load("tl-sales", PROGRAM_DEPARTMENT);
    folder_write(&folder, "TL_TOKEN", "second\n");
    assert_int_equal(config_load_again(running, &fresh, &fault), 0);
    assert_string_equal(config_text(running, "token"), "first");
    assert_string_equal(config_text(fresh, "token"), "second");
    assert_string_equal(config_section(fresh), "tl-sales");
    config_free(fresh);
    folder_write(&folder, "throughline.json", "{\"tokne\": 1}");
    assert_int_equal(config_load_again(running, &fresh, &fault), ERR_INVALID);
    assert_string_equal(fault.pointer, "/tokne");
    config_free(running);
}

static const struct {
    const char *json;
    const char *keys; /* that need a restart */
} changes[] = {
    {"{\"token\": \"a\", \"http_idle\": \"60s\", \"kafka\": {\"x\": 1}}", ""},
    {"{\"token\": \"b\", \"http_idle\": \"1m\", \"kafka\": {\"x\": \"1\"}}", ""},
    {"{\"kafka\": {\"x\": 1}, \"log_level\": \"debug\", \"deliver_url\": \"http://h/\"}", ""},
    {"{\"http_idle\": \"61s\", \"listen\": \"[::1]:1\", \"kafka\": {\"x\": 1}}",
     "listen http_idle"},
    {"{\"writers\": 7, \"database\": \"x\", \"kafka\": {\"x\": 1}}", ""}, /* of other programs */
    {"{\"kafka\": {\"x\": 2}}", "kafka"},
    {"{\"kafka\": {\"y\": 1}}", "kafka"},
    {"{\"kafka\": {\"x\": 1, \"y\": 1}}", "kafka"},
    {"{\"brokers\": \"other:1\"}", "brokers kafka"},
};

static void test_what_a_running_program_keeps(void **state)
{
    (void)state;
    folder_write(&folder, "throughline.json", changes[0].json);
    struct config *running = load("tl-sales", PROGRAM_DEPARTMENT);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct buffer keys;
        folder_write(&folder, "throughline.json", changes[i].json);
        struct config *fresh = load("tl-sales", PROGRAM_DEPARTMENT);
        buffer_init(&keys, 256);
        config_keep_fixed(fresh, running, &keys);
        if (strcmp(keys.data ? keys.data : "", changes[i].keys) != 0)
            fail_msg("%s: %s", changes[i].json, keys.data ? keys.data : "nothing");
        assert_int_equal(config_number(fresh, "http_idle"), 60000);
        assert_null(config_text(fresh, "listen"));
        assert_string_equal(config_text(fresh, "brokers"), "127.0.0.1:9092");
        assert_string_equal(config_kafka(fresh)[0].name, "x");
        assert_string_equal(config_kafka(fresh)[0].value, "1");
        assert_null(config_kafka(fresh)[1].name);
        if (i == 1)
            assert_string_equal(config_text(fresh, "token"), "b");
        buffer_free(&keys);
        config_free(fresh);
    }
    config_free(running);
}

static const struct {
    const char *json, *pointer, *detail; /* pointer NULL: fine */
} files[] = {
    {"{}", NULL, NULL},
    {"\xef\xbb\xbf{}", NULL, NULL},
    {"{\"tl-timeline\": {\"listen\": \"[::1]:8100\", \"database\": \"x\", \"kafka\": {}}}", NULL,
     NULL},
    {"{\"tl-shipping\": {\"request_limit\": 2048, \"kafka\": {\"x\": 1}}}", NULL, NULL},
    {"{\"throughline\": {\"database\": \"x\", \"token\": \"y\", \"group\": \"z\"}}", NULL, NULL},
    {"{\"writers\": 2, \"request_limit\": \"4 KiB\"}", NULL, NULL},
    {"{\"writers\": \"2\"}", NULL, NULL},
    {"{\"tl-sales\": {\"token\": \"${X_NOT_SET}\"}}", NULL, NULL}, /* of another program */

    {"", "", "empty"},
    {"[]", "", "must be an object"},
    {"\"x\"", "", "must be an object"},
    {"{\"a\":", "", "not valid JSON"},
    {"{\"writers\": 1, \"writers\": 1}", "/writers", "twice"},
    {"{\"listne\": \"x\"}", "/listne", "did you mean \"listen\"?"},
    {"{\"zzz\": 1}", "/zzz", "is unknown"},
    {"{\"a/b~c\": 1}", "/a~1b~0c", "is unknown"},
    {"{\"tl-sales\": {\"request_limits\": 1}}", "/tl-sales/request_limits",
     "did you mean \"request_limit\"?"},
    {"{\"tl-sales\": {\"writers\": 1}}", "/tl-sales/writers", "no setting of this program"},
    {"{\"tl-sales\": {\"tl-sales\": {}}}", "/tl-sales/tl-sales", "is unknown"},
    {"{\"tl-aggregator\": {\"token\": \"x\"}}", "/tl-aggregator/token",
     "no setting of this program"},
    {"{\"throughline\": {\"listen\": \"x:1\"}}", "/throughline/listen",
     "no setting of this program"},
    {"{\"tl-timeline\": {\"x\": 1}}", "/tl-timeline/x", "is unknown"},
    {"{\"tl-sales\": 1}", "/tl-sales", "must be an object"},
    {"{\"tl-sales\": null}", "/tl-sales", "must be an object"},
    {"{\"throughline\": []}", "/throughline", "must be an object"},
    {"{\"writers\": 0}", "/writers", "from 1 to 62"},
    {"{\"writers\": 1.5}", "/writers", "whole number"},
    {"{\"writers\": -1}", "/writers", "whole number"},
    {"{\"writers\": true}", "/writers", "whole number"},
    {"{\"writers\": null}", "/writers", "whole number"},
    {"{\"writers\": [1]}", "/writers", "whole number"},
    {"{\"writers\": {}}", "/writers", "whole number"},
    {"{\"batch_wait\": 50}", "/batch_wait", "a duration like"},
    {"{\"batch_bytes\": \"4 MB\"}", "/batch_bytes", "a size like"},
    {"{\"group\": 5}", "/group", "a text"},
    {"{\"group\": \"\"}", "/group", "a text"},
    {"{\"log_level\": \"verbose\"}", "/log_level", "error, warn, info and debug"},
    {"{\"log_level\": 3}", "/log_level", "error, warn, info and debug"},
    {"{\"tl-sales\": {\"http_idle\": \"soon\"}}", "/tl-sales/http_idle", "a duration like"},
    {"{\"kafka\": []}", "/kafka", "settings for librdkafka"},
    {"{\"kafka\": {\"a.b\": null}}", "/kafka/a.b", "must be a string"},
    {"{\"kafka\": {\"a\": 0.5}}", "/kafka/a", "must be a string"},
    {"{\"tl-sales\": {\"kafka\": {\"a\": {}}}}", "/tl-sales/kafka/a", "must be a string"},
    {"{\"group\": \"${X_NOT_SET}\"}", "/group", "X_NOT_SET is not set"},
    {"{\"tl-aggregator\": {\"group\": \"${X_NOT_SET}\"}}", "/tl-aggregator/group", "is not set"},
    {"{\"kafka\": {\"a\": \"${X_NOT_SET}\"}}", "/kafka/a", "is not set"},
    {"{\"tl-aggregator\": {\"kafka\": {\"a\": \"${}\"}}}", "/tl-aggregator/kafka/a",
     "must be ${NAME}"},
    {"{\"writers\": \"${TEST_VALUE}\"}", "/writers", "whole number"},
};

static void test_files(void **state)
{
    (void)state;
    char file[128];
    setenv("TEST_VALUE", "many", 1);
    snprintf(file, sizeof file, "%s/throughline.json", folder.path);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct config *config = NULL;
        struct fault fault = {0};
        folder_write(&folder, "throughline.json", files[i].json);
        int rc = config_load(folder.path, "tl-aggregator", PROGRAM_AGGREGATOR, &config, &fault);
        bool right = files[i].pointer
                         ? rc == ERR_INVALID && strcmp(fault.pointer, files[i].pointer) == 0 &&
                               strcmp(fault.file, file) == 0 &&
                               strstr(fault.detail, files[i].detail)
                         : rc == 0;
        if (!right)
            fail_msg("%s gave %d %s: %s: %s", files[i].json, rc, fault.file, fault.pointer,
                     fault.detail);
        config_free(config);
        config = NULL;
        if (config_load(folder.path, "tl-aggregator", PROGRAM_AGGREGATOR, &config, NULL) == 0)
            config_free(config); /* nobody asks why */
    }
}

static void test_variables(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *detail;
    } table[] = {
        {"TL_WRITERS", "none", "whole number"},
        {"TL_WRITERS", "65", "from 1 to 62"},
        {"TL_BATCH_WAIT", "50", "a duration like"},
        {"TL_BATCH_BYTES", "1 TB", "a size like"},
        {"TL_LOG_LEVEL", "INFO", "error, warn, info and debug"},
    };
    folder_write(&folder, "throughline.json", "{\"writers\": 2}");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct config *config;
        struct fault fault = {0};
        setenv(table[i].name, table[i].value, 1);
        assert_int_equal(
            config_load(folder.path, "tl-aggregator", PROGRAM_AGGREGATOR, &config, &fault),
            ERR_INVALID);
        assert_string_equal(fault.file, table[i].name);
        assert_string_equal(fault.pointer, "");
        assert_non_null(strstr(fault.detail, table[i].detail));
        unsetenv(table[i].name);
    }
}

/* The signal that ends a process which asks so; 0: none. */
static int signal_after(bool text, const char *key)
{
    struct config *config = load("tl-sales", PROGRAM_DEPARTMENT);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr))
            _exit(9);
        if (text)
            (void)config_text(config, key);
        else
            (void)config_number(config, key);
        _exit(0);
    }
    config_free(config);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_bugs_abort(void **state)
{
    (void)state;
    assert_int_equal(signal_after(true, "brokers"), 0);
    assert_int_equal(signal_after(true, "nothing"), SIGABRT);
    assert_int_equal(signal_after(true, "http_idle"), SIGABRT);
    assert_int_equal(signal_after(false, "brokers"), SIGABRT);
    assert_int_equal(signal_after(false, "writers"), SIGABRT); /* of another program */
}

/* The configuration that the tree ships. */
static void test_shipped(void **state)
{
    (void)state;
    static const struct {
        const char *section;
        enum program_kind kind;
        const char *listen;
    } table[] = {
        {"tl-sales", PROGRAM_DEPARTMENT, "127.0.0.1:8101"},
        {"tl-billing", PROGRAM_DEPARTMENT, "127.0.0.1:8102"},
        {"tl-service", PROGRAM_DEPARTMENT, "127.0.0.1:8103"},
        {"tl-aggregator", PROGRAM_AGGREGATOR, "127.0.0.1:8110"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct config *config;
        struct fault fault = {0};
        int rc = config_load("config", table[i].section, table[i].kind, &config, &fault);
        if (rc)
            fail_msg("%s: %s: %s", fault.file, fault.pointer, fault.detail);
        assert_string_equal(config_text(config, "listen"), table[i].listen);
        config_free(config);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults), TEST(test_order),      TEST(test_kafka),
        TEST(test_secrets),  TEST(test_load_again), TEST(test_what_a_running_program_keeps),
        TEST(test_files),    TEST(test_variables),  TEST(test_bugs_abort),
        TEST(test_shipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
