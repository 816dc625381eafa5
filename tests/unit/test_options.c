/* common/base/options: the table itself, and that the documents tell the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "common/base/log.h"
#include "common/base/options.h"
#include "common/base/suggest.h"

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_options_count; i++) {
        const struct config_option *option = &config_options[i];
        int64_t number;
        struct fault fault = {0};
        if (option->key[strspn(option->key, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
            fail_msg("%s is no key", option->key);
        if (option_find(option->key) != option)
            fail_msg("%s stands twice in the table", option->key);
        if (option->programs == 0 || (option->programs & ~(unsigned)PROGRAM_ALL) || !*option->help)
            fail_msg("%s is for no program or has no help", option->key);
        if (option->fallback && option_parse(option, option->fallback, &number, &fault) != 0)
            fail_msg("the default of %s %s", option->key, fault.detail);
        if ((option->flags & OPTION_SECRET) && option->fallback)
            fail_msg("%s is a secret with a default", option->key);
        bool bounded = option->type != OPTION_TEXT && option->type != OPTION_LEVEL &&
                       option->type != OPTION_FORMAT;
        if (bounded != (option->most > option->least))
            fail_msg("%s has no bounds, or has them for nothing", option->key);
    }
    assert_null(option_find("nothing"));
    assert_null(option_find(""));
}

static void test_variable(void **state)
{
    (void)state;
    char name[64];
    option_variable(option_find("http_connections_per_client"), name);
    assert_string_equal(name, "TL_HTTP_CONNECTIONS_PER_CLIENT");
}

static const struct {
    const char *key, *text;
    int64_t number; /* -1: refused, and `detail` says why */
    const char *detail;
} values[] = {
    {"brokers", "a:1,b:2", 0, NULL},
    {"brokers", "", -1, "not empty"},
    {"log_format", "logfmt", LOG_FORMAT_LOGFMT, NULL},
    {"log_format", "json", LOG_FORMAT_JSON, NULL},
    {"log_format", "JSON", -1, "logfmt or json"},
    {"writers", "1", 1, NULL},
    {"writers", "62", 62, NULL},
    {"writers", "0", -1, "from 1 to 62"},
    {"writers", "63", -1, "from 1 to 62"},
    {"writers", "", -1, "whole number"},
    {"writers", "two", -1, "whole number"},
    {"writers", "-1", -1, "whole number"},
    {"writers", "+1", -1, "whole number"},
    {"writers", "1.5", -1, "whole number"},
    {"writers", " 1", -1, "whole number"},
    {"writers", "1 ", -1, "whole number"},
    {"writers", "99999999999999999999", -1, "whole number"},
    {"writers", "9223372036854775807", -1, "must be"},
    {"http_idle", "500ms", 500, NULL},
    {"http_idle", "2m", 120000, NULL},
    {"http_idle", "99ms", -1, "from 100 to 86400000 ms"},
    {"http_idle", "2d", -1, "from 100 to 86400000 ms"},
    {"http_idle", "10", -1, "a duration like"},
    {"http_idle", "10 parsecs", -1, "a duration like"},
    {"request_limit", "4 MiB", 4 << 20, NULL},
    {"request_limit", "64KiB", 64 << 10, NULL},
    {"request_limit", "2048", 2048, NULL},
    {"request_limit", "1023", -1, "bytes"},
    {"request_limit", "4 MB", -1, "a size like"},
    {"log_level", "error", 0, NULL},
    {"log_level", "debug", 3, NULL},
    {"log_level", "loud", -1, "error, warn, info and debug"},
};

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct fault fault = {.pointer = "/unset"};
        int64_t number = -2;
        int rc = option_parse(option_find(values[i].key), values[i].text, &number, &fault);
        bool right =
            values[i].detail
                ? rc == ERR_INVALID && strstr(fault.detail, values[i].detail) && !*fault.pointer
                : rc == 0 && number == values[i].number;
        if (!right)
            fail_msg("%s \"%s\" gave %d %lld \"%s\"", values[i].key, values[i].text, rc,
                     (long long)number, fault.detail);
    }
}

static void test_suggest(void **state)
{
    (void)state;
    static const struct {
        const char *name, *meant;
    } table[] = {
        {"listne", "listen"},
        {"lisen", "listen"},
        {"listten", "listen"},
        {"tokne", "token"},
        {"Brokers", "brokers"},
        {"http_iddle", "http_idle"},
        {"publish_queue_byte", "publish_queue_bytes"},
        {"x", NULL},
        {"", NULL},
        {"something_else", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *meant = option_suggest(table[i].name, PROGRAM_DEPARTMENT);
        if (table[i].meant ? !meant || strcmp(meant, table[i].meant) != 0 : meant != NULL)
            fail_msg("%s was taken for %s", table[i].name, meant ? meant : "nothing");
    }
    assert_null(option_suggest("writer", PROGRAM_DEPARTMENT)); /* of another program */
    assert_string_equal(option_suggest("writer", PROGRAM_AGGREGATOR), "writers");
    char *longest = calloc(1, 100001);
    memset(longest, 'a', 100000);
    assert_null(option_suggest(longest, PROGRAM_ALL));
    assert_null(suggest_name("abc", (const char *const[]){longest, NULL}));
    free(longest);
}

static void test_help(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    options_print_help(PROGRAM_AGGREGATOR, out);
    fclose(out);
    for (size_t i = 0; i < config_options_count; i++) {
        const struct config_option *option = &config_options[i];
        char line[256], name[64];
        option_variable(option, name);
        snprintf(line, sizeof line, "  %-31s %s\n", name, option->help);
        if (!!strstr(text, line) != !!(option->programs & PROGRAM_AGGREGATOR))
            fail_msg("%s stands wrongly in the help, or does not", name);
    }
    assert_non_null(strstr(text, "(default 50ms)"));
    free(text);
}

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s is missing; unit tests run at the top of the tree", path);
    char *text = calloc(1, 1 << 20);
    size_t n = fread(text, 1, (1 << 20) - 1, file);
    assert_true(n > 0);
    fclose(file);
    return text;
}

static const char *readers(unsigned programs)
{
    static const char *const names[] = {
        [PROGRAM_DEPARTMENT] = "departments",
        [PROGRAM_AGGREGATOR] = "aggregator",
        [PROGRAM_CLI] = "command line",
        [PROGRAM_DEPARTMENT | PROGRAM_AGGREGATOR] = "services",
        [PROGRAM_DEPARTMENT | PROGRAM_CLI] = "departments, command line",
        [PROGRAM_AGGREGATOR | PROGRAM_CLI] = "aggregator, command line",
        [PROGRAM_ALL] = "all",
    };
    return names[programs];
}

/* The line of an option as .env.example and docs/protocol.md have it. */
static void test_documents(void **state)
{
    (void)state;
    char *example = read_text(".env.example"), *protocol = read_text("docs/protocol.md");
    for (size_t i = 0; i < config_options_count; i++) {
        const struct config_option *option = &config_options[i];
        const char *fallback = option->fallback ? option->fallback : "";
        char line[512], name[64];
        option_variable(option, name);
        snprintf(line, sizeof line, "\n# %s\n#%s=%s\n", option->help, name, fallback);
        if (!strstr(example, line))
            fail_msg(".env.example lacks this:%s", line);
        snprintf(line, sizeof line, "\n| `%s`, `%s` | %s | %s | %s | %s |\n", name, option->key,
                 option->fallback ? fallback : "–", readers(option->programs),
                 option->flags & OPTION_RELOADS ? "SIGHUP" : "restart", option->help);
        if (!strstr(protocol, line))
            fail_msg("docs/protocol.md lacks this:%s", line);
    }
    free(protocol);
    free(example);
}

static void test_example_has_no_other(void **state)
{
    (void)state;
    char *example = read_text(".env.example"), *rest = example, *line;
    while ((line = strsep(&rest, "\n"))) {
        char key[64];
        if (sscanf(line, "%*[#]TL_%63[A-Z_]", key) != 1 && sscanf(line, "TL_%63[A-Z_]", key) != 1)
            continue;
        for (char *c = key; *c; c++)
            *c = *c == '_' ? '_' : (char)(*c + ('a' - 'A'));
        if (!option_find(key) && strcmp(key, "config") != 0 && strcmp(key, "secrets") != 0)
            fail_msg(".env.example has %s, which is no setting", line);
    }
    free(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_variable),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_suggest),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_example_has_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
