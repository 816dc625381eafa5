/* common/base/program: what the command line of every program answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/program.h"
#include "tests/unit/folder.h"

static struct folder folder;

/* A check that reads a file of the folder and finds a mistake in it. */
static int check_file(const struct config *config, struct fault *fault)
{
    json_t *json;
    int rc = config_read_json(config_dir(config), "check.json", &json, fault);
    if (rc)
        return rc;
    json_decref(json);
    return fault_set(fault, "/rules/0", "must not be");
}

/* One that waits for something; of tl-shipping only. */
static int ask(const struct config *config, struct fault *fault)
{
    if (strcmp(config_section(config), "tl-shipping") == 0)
        return 0;
    (void)fault_set(fault, "", "not ready (503): no broker answers");
    return ERR_BUSY;
}

static const struct program sales = {"tl-sales", "intake of sales", PROGRAM_DEPARTMENT,
                                     false,      check_file,        ask};
static const struct program any = {
    "tl-department", "any intake", PROGRAM_DEPARTMENT, true, NULL, ask};
static const struct program deaf = {"tl-sales", "no listener", PROGRAM_DEPARTMENT,
                                    false,      NULL,          NULL};

/* Runs program_start in a process of its own. 100: it went on, and printed its
 * section and where it listens. */
static int start(const struct program *program, const char *const *words, char *out, size_t size)
{
    FILE *output = tmpfile();
    assert_non_null(output);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *argv[10] = {strdup("program")};
        int argc = 1;
        for (; *words; words++)
            argv[argc++] = strdup(*words);
        dup2(fileno(output), 1);
        dup2(fileno(output), 2);
        struct config *config;
        int status = program_start(program, argc, argv, &config);
        if (status < 0) {
            printf("%s of %s on %s", config_section(config), config_department(config),
                   config_text(config, "listen"));
            config_free(config);
        } else if (config) {
            status = 99; /* no configuration is left behind */
        }
        fflush(stdout);
        _exit(status < 0 ? 100 : status);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    rewind(output);
    out[fread(out, 1, size - 1, output)] = '\0';
    fclose(output);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const struct {
    const struct program *program;
    const char *words[8];
    int status;
    const char *output; /* a part of it */
} rows[] = {
    {&sales, {"--config", "."}, 100, "tl-sales of sales on 127.0.0.1:1"},
    {&sales, {"--config=."}, 100, "tl-sales of sales on 127.0.0.1:1"},
    {&any,
     {"--config", ".", "--department", "shipping"},
     100,
     "tl-shipping of shipping on [::1]:2"},
    {&sales, {"--version"}, 0, "tl-sales " THROUGHLINE_VERSION "\n"},
    {&sales,
     {"--help"},
     0,
     "tl-sales: intake of sales\n\nusage: tl-sales [--config DIR] [--check | --healthy]\n"},
    {&sales, {"--help"}, 0, "TL_PUBLISH_TIMEOUT "},
    {&any, {"--help"}, 0, "usage: tl-department --department NAME [--config DIR]"},
    {&any, {"--help", "--nonsense"}, 0, "usage: "},
    {&sales, {"--nonsense"}, 2, "unrecognized option '--nonsense'"},
    {&sales, {"--config"}, 2, "requires an argument"},
    {&sales, {"-x"}, 2, "invalid option -- 'x'"},
    {&sales, {"more"}, 2, "tl-sales: takes no arguments"},
    {&sales, {"--department", "x"}, 2, "tl-sales: --department is fixed"},
    {&any, {"--config", "."}, 2, "--department NAME is missing"},
    {&any, {"--department", ""}, 2, "a department is named by"},
    {&any, {"--department", "../x"}, 2, "a department is named by"},
    {&any, {"--department", "1x"}, 2, "a department is named by"},
    {&any, {"--department", "Shipping"}, 2, "a department is named by"},
    {&any, {"--department", "abcdefghijklmnopqrstuvwxyz0123456"}, 2, "a department is named by"},
    {&any,
     {"--config", ".", "--department", "abcdefghijklmnopqrstuvwxyz012345"},
     100,
     "tl-abcdefghijklmnopqrstuvwxyz012345 of abcdefghijklmnopqrstuvwxyz012345 "},
    {&sales, {"--config", "/nowhere"}, 2, "tl-sales: --config: there is no folder /nowhere\n"},
    {&sales,
     {NULL},
     2,
     "tl-sales: there is no folder config here: name it by --config or TL_CONFIG\n"},
    {&sales, {"--config", "wrong"}, 2, "tl-sales: wrong/throughline.json: /listne: is unknown"},
    {&sales, {"--config", "wrong", "--check"}, 2, "tl-sales: wrong/throughline.json: /listne: "},
    {&sales, {"--config", ".", "--check"}, 2, "tl-sales: ./check.json: /rules/0: must not be\n"},
    {&sales, {"--config", "empty", "--check"}, 2, "tl-sales: empty/check.json: the file cannot be"},
    {&any, {"--config", "empty", "--department", "x", "--check"}, 0, "configuration is valid\n"},
    {&any, {"--config", ".", "--department", "shipping", "--healthy"}, 0, "ready\n"},
    {&sales, {"--config", ".", "--healthy"}, 1, "tl-sales: not ready (503): no broker answers\n"},
    {&sales, {"--config", "wrong", "--healthy"}, 1, "tl-sales: wrong/throughline.json: /listne: "},
    {&sales, {"--config", "/nowhere", "--healthy"}, 1, "tl-sales: --config: there is no folder"},
    {&sales, {"--healthy", "--nonsense"}, 2, "unrecognized option '--nonsense'"},
    {&deaf, {"--healthy"}, 2, "tl-sales: it has no listener to ask"},
    {&deaf, {"--help"}, 0, "usage: tl-sales [--config DIR] [--check]\n"},
};

static void test_table(void **state)
{
    (void)state;
    char out[8192];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int status = start(rows[i].program, rows[i].words, out, sizeof out);
        if (status != rows[i].status || !strstr(out, rows[i].output))
            fail_msg("row %zu (%s …) gave %d: %s", i, rows[i].words[0], status, out);
    }
}

static void test_environment(void **state)
{
    (void)state;
    char out[8192];
    setenv("TL_CONFIG", "wrong", 1);
    assert_int_equal(start(&sales, (const char *const[]){NULL}, out, sizeof out), EXIT_USAGE);
    setenv("TL_CONFIG", ".", 1);
    assert_int_equal(start(&sales, (const char *const[]){NULL}, out, sizeof out), 100);
    setenv("TL_LISTEN", "127.0.0.1:3", 1);
    assert_int_equal(start(&sales, (const char *const[]){NULL}, out, sizeof out), 100);
    assert_string_equal(out, "tl-sales of sales on 127.0.0.1:3");
    setenv("TL_LOG_LEVEL", "loud", 1);
    assert_int_equal(start(&sales, (const char *const[]){NULL}, out, sizeof out), EXIT_USAGE);
    assert_non_null(strstr(out, "tl-sales: TL_LOG_LEVEL: must be one of"));
}

static int set_up(void **state)
{
    (void)state;
    folder_make(&folder);
    folder_write(&folder, "throughline.json",
                 "{\"listen\": \"127.0.0.1:1\","
                 " \"tl-shipping\": {\"listen\": \"[::1]:2\"}}");
    folder_write(&folder, "check.json", "{}");
    folder_write(&folder, "wrong/throughline.json", "{\"listne\": 1}");
    folder_write(&folder, "empty/nothing", "");
    for (size_t i = 0; i < config_options_count; i++) {
        char name[64];
        option_variable(&config_options[i], name);
        unsetenv(name);
    }
    unsetenv("TL_CONFIG");
    return chdir(folder.path);
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_environment),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
