/* The command line's frame and the books: options, suggestions, what is wrong with a partition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "services/cli/books.h"
#include "services/cli/cli.h"

static const struct command command = {"try", "A [B] [--limit N]", "a test", "help\n", NULL};

struct taken {
    bool go_on, flag, json;
    const char *text, *config, *words[2];
    int64_t number, ms;
    int status;
};

/* Reads a command line of words separated by spaces. */
static struct taken take(const char *line)
{
    static char words[256];
    static char *argv[16];
    int argc = 0;
    snprintf(words, sizeof words, "%s", line);
    char *rest = words;
    for (char *word; (word = strsep(&rest, " "));)
        argv[argc++] = word;
    struct taken taken = {0};
    struct cli cli = {.command = &command, .config_dir = "config"};
    const struct cli_option choices[] = {{"--flag", CLI_FLAG, &taken.flag},
                                         {"--text", CLI_TEXT, &taken.text},
                                         {"--number", CLI_NUMBER, &taken.number},
                                         {"--wait", CLI_DURATION, &taken.ms},
                                         {0}};
    taken.go_on = cli_arguments(&cli, argc, argv, choices, taken.words, 1, 2, &taken.status);
    taken.json = cli.json;
    taken.config = cli.config_dir;
    return taken;
}

static void options_stand_anywhere(void **state)
{
    (void)state;
    struct taken t = take("try --flag a --text x --number=12 b --wait 5m --json --config=/etc/tl");
    assert_true(t.go_on && t.flag && t.json);
    assert_string_equal(t.text, "x");
    assert_int_equal(t.number, 12);
    assert_int_equal(t.ms, 300000);
    assert_string_equal(t.words[0], "a");
    assert_string_equal(t.words[1], "b");
    assert_string_equal(t.config, "/etc/tl");
    t = take("try a");
    assert_true(t.go_on && !t.flag && !t.json);
    assert_null(t.words[1]);
    t = take("try -"); /* standard input is an argument */
    assert_true(t.go_on);
    assert_string_equal(t.words[0], "-");
    t = take("try --text --flag -- --json"); /* a value may look like an option */
    assert_true(t.go_on && !t.flag && !t.json);
    assert_string_equal(t.text, "--flag");
    assert_string_equal(t.words[0], "--json");
    t = take("try --text= a");
    assert_true(t.go_on);
    assert_string_equal(t.text, "");
}

static void wrong_usage_is_told(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "try",
        "try a b c",
        "try a --nothing",
        "try a --number",
        "try a --number x",
        "try a --number -1",
        "try a --number 9999999999999999999",
        "try a --number=",
        "try a --wait 5",
        "try a --wait soon",
        "try a --flag=yes",
        "try a --fla",
        "try a -x",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct taken t = take(lines[i]);
        assert_false(t.go_on);
        assert_int_equal(t.status, EXIT_USAGE);
    }
}

static void help_wins_over_what_is_missing(void **state)
{
    (void)state;
    struct taken t = take("try --help");
    assert_false(t.go_on);
    assert_int_equal(t.status, EXIT_OK);
}

static void slips_are_understood(void **state)
{
    (void)state;
    static const struct command migrate = {.name = "migrate"}, status = {.name = "status"},
                                timeline = {.name = "timeline"}, send = {.name = "send"};
    const struct command *const commands[] = {&migrate, &status, &timeline, &send, NULL};
    static const struct {
        const char *word, *meant;
    } cases[] = {
        {"stauts", "status"}, {"timelnie", "timeline"}, {"migrat", "migrate"}, {"time", "timeline"},
        {"sned", "send"},     {"export", NULL},         {"x", NULL},           {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct command *meant = cli_suggest(commands, cases[i].word);
        if (!cases[i].meant)
            assert_null(meant);
        else
            assert_string_equal(meant ? meant->name : "nothing", cases[i].meant);
    }
}

static void a_partition_is_judged(void **state)
{
    (void)state;
    static const struct {
        struct book book;
        bool kafka_known;
        int64_t lag;
        const char *wrong; /* how it begins; NULL: nothing */
    } cases[] = {
        /* read up to the end, and behind */
        {{.begun = true, .next = 10, .in_kafka = true, .low = 0, .high = 10}, true, 0, NULL},
        {{.begun = true, .next = 4, .in_kafka = true, .low = 2, .high = 10}, true, 6, NULL},
        /* not begun: all that is there is to come */
        {{.in_kafka = true, .low = 3, .high = 10}, true, 7, NULL},
        {{.in_kafka = true, .low = 5, .high = 5}, true, 0, NULL},
        /* brokers away: nothing is known about lag */
        {{.begun = true, .next = 4}, false, 0, NULL},
        {{.begun = true, .next = 4, .difference = 2}, false, 0, "2 rows are missing"},
        {{.begun = true, .next = 4, .difference = -1, .in_kafka = true, .high = 4},
         true,
         0,
         "1 rows too many"},
        {{.begun = true, .next = 4}, true, 0, "Kafka does not have this partition"},
        {{.begun = true, .next = 4, .in_kafka = true, .low = 9, .high = 12},
         true,
         3,
         "Kafka dropped 5 records"},
        {{.begun = true, .next = 40, .in_kafka = true, .low = 0, .high = 12},
         true,
         0,
         "read to offset 40, but Kafka ends at 12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct books books = {.kafka_known = cases[i].kafka_known};
        char text[200];
        const char *wrong = book_wrong(&books, &cases[i].book, text, sizeof text);
        assert_int_equal(book_lag(&cases[i].book), cases[i].lag);
        if (!cases[i].wrong)
            assert_null(wrong);
        else
            assert_int_equal(strncmp(wrong ? wrong : "", cases[i].wrong, strlen(cases[i].wrong)),
                             0);
    }
}

static void the_goal_is_reached_when_all_is_read(void **state)
{
    (void)state;
    struct kafka_watermarks seen[] = {{.topic = "events.a", .partition = 0, .low = 0, .high = 5},
                                      {.topic = "events.a", .partition = 1, .low = 7, .high = 7},
                                      {.topic = "events.b", .partition = 0, .low = 2, .high = 3}};
    struct kafka_cluster goal = {.partitions = seen, .count = 3};
    struct books books;
    books_init(&books);
    assert_false(books_reached(&books, &goal));
    assert_int_equal(books_join(&books, &goal), 0);
    assert_int_equal(books.count, 3);
    assert_false(books_reached(&books, &goal)); /* known, but not begun */
    for (size_t i = 0; i < books.count; i++) {
        books.items[i].begun = i != 1; /* an empty partition need not be */
        books.items[i].next = books.items[i].high;
    }
    assert_true(books_reached(&books, &goal));
    books.items[2].next--;
    assert_false(books_reached(&books, &goal));
    books_free(&books);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(wrong_usage_is_told),
        cmocka_unit_test(help_wins_over_what_is_missing),
        cmocka_unit_test(slips_are_understood),
        cmocka_unit_test(a_partition_is_judged),
        cmocka_unit_test(the_goal_is_reached_when_all_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
