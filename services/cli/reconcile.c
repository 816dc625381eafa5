#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/stop.h"
#include "services/cli/books.h"
#include "services/cli/cli.h"
#include "services/cli/table.h"

#define KAFKA_MS 10000 /* how long the brokers may take to answer */
#define LOOK_MS  200   /* between two looks at the offsets while waiting */

/* Waits until everything that is in Kafka now has been read, at most `ms`. 0, ERR_BUSY (not in
 * time), or what went wrong. */
static int wait_until_read(struct kafka_admin *kafka, struct pg *pg, int64_t ms)
{
    struct kafka_cluster goal;
    int rc = kafka_admin_look(kafka, BOOKS_TOPICS, KAFKA_MS, &goal);
    if (rc != 0)
        return rc;
    int64_t deadline = clock_monotonic_ms() + ms;
    struct books books;
    books_init(&books);
    while ((rc = books_read_offsets(&books, pg)) == 0 && !books_reached(&books, &goal)) {
        if (clock_monotonic_ms() >= deadline)
            rc = ERR_BUSY;
        else if (stop_wait(LOOK_MS))
            rc = ERR_STOPPED;
        if (rc != 0)
            break;
    }
    books_free(&books);
    kafka_cluster_free(&goal);
    return rc;
}

static void print_json(const struct books *books, bool caught_up, bool balanced)
{
    printf("{\"balanced\": %s, \"caught_up\": %s, \"brokers\": %s, \"partitions\": [",
           balanced ? "true" : "false", caught_up ? "true" : "false",
           books->kafka_known ? "true" : "false");
    for (size_t i = 0; i < books->count; i++) {
        const struct book *b = &books->items[i];
        char text[200];
        const char *wrong = book_wrong(books, b, text, sizeof text);
        printf("%s\n  {\"topic\": \"%s\", \"partition\": %d, \"records\": %lld, \"on_timeline\": "
               "%lld, "
               "\"duplicates\": %lld, \"quarantined\": %lld, \"void\": %lld, \"skipped\": %lld, "
               "\"difference\": %lld, ",
               i ? "," : "", b->topic, b->partition, (long long)b->records,
               (long long)b->on_timeline, (long long)b->duplicates, (long long)b->quarantined,
               (long long)b->void_, (long long)b->skipped, (long long)b->difference);
        if (b->in_kafka)
            printf("\"low\": %lld, \"high\": %lld, \"lag\": %lld, ", (long long)b->low,
                   (long long)b->high, (long long)book_lag(b));
        printf("\"wrong\": %s%s%s}", wrong ? "\"" : "", wrong ? wrong : "null", wrong ? "\"" : "");
    }
    puts("]}");
}

static const struct table_column columns[] = {
    {"topic", false, true},       {"partition", true, false},  {"records", true, false},
    {"on_timeline", true, false}, {"duplicates", true, false}, {"quarantined", true, false},
    {"void", true, false},        {"difference", true, false}, {"low", true, false},
    {"high", true, false},        {"lag", true, false},        {"", false, true},
    {NULL, false, false},
};

static int print_table(const struct books *books)
{
    struct table table;
    table_init(&table, columns);
    for (size_t i = 0; i < books->count; i++) {
        const struct book *b = &books->items[i];
        char text[200];
        const int64_t counts[] = {b->partition,   b->records, b->on_timeline, b->duplicates,
                                  b->quarantined, b->void_,   b->difference};
        table_cell_text(&table, b->topic);
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
            table_cell_int(&table, counts[c]);
        const int64_t marks[] = {b->low, b->high, book_lag(b)};
        for (size_t c = 0; c < sizeof marks / sizeof marks[0]; c++) {
            if (b->in_kafka)
                table_cell_int(&table, marks[c]);
            else
                table_cell_text(&table, "?");
        }
        table_cell_text(&table, book_wrong(books, b, text, sizeof text));
    }
    int rc = table_print(&table);
    table_free(&table);
    return rc;
}

static bool all_balanced(const struct books *books)
{
    char text[200];
    for (size_t i = 0; i < books->count; i++)
        if (book_wrong(books, &books->items[i], text, sizeof text))
            return false;
    return true;
}

static int show(const struct cli *cli, const struct books *books, bool caught_up)
{
    bool balanced = all_balanced(books);
    if (cli->json) {
        print_json(books, caught_up, balanced);
    } else if (print_table(books) != 0) {
        return cli_failed("no memory");
    } else {
        int64_t records = 0, lag = 0, skipped = 0;
        for (size_t i = 0; i < books->count; i++) {
            records += books->items[i].records;
            lag += book_lag(&books->items[i]);
            skipped += books->items[i].skipped;
        }
        char to_come[24] = "?";
        if (books->kafka_known)
            snprintf(to_come, sizeof to_come, "%lld", (long long)lag);
        printf("\n%lld records read, %s to come: the books %s\n", (long long)records, to_come,
               balanced ? "balance" : "do not balance");
        if (skipped > 0)
            printf("of void, %lld records were left out by throughline replay\n",
                   (long long)skipped);
    }
    return balanced && books->kafka_known ? EXIT_OK : EXIT_FAILED;
}

static int reconcile(struct cli *cli, struct pg *pg, struct kafka_admin *kafka, int64_t wait_ms)
{
    int waited = wait_ms >= 0 ? wait_until_read(kafka, pg, wait_ms) : 0;
    if (waited == ERR_STOPPED)
        return EXIT_FAILED;
    struct books books;
    struct kafka_cluster cluster = {0};
    books_init(&books);
    int rc = books_read(&books, pg);
    if (rc != 0) {
        books_free(&books);
        return cli_query_failed(pg, rc);
    }
    rc = kafka_admin_look(kafka, BOOKS_TOPICS, KAFKA_MS, &cluster);
    if (rc == 0)
        rc = books_join(&books, &cluster);
    else
        (void)cli_failed("the brokers do not answer: %s", kafka_admin_why(kafka));
    int status = show(cli, &books, rc == 0 && waited == 0);
    if (rc == 0 && waited != 0)
        status = cli_failed("the timeline has not caught up within the time");
    kafka_cluster_free(&cluster);
    books_free(&books);
    return rc == 0 ? status : EXIT_FAILED;
}

static int run(struct cli *cli, int argc, char **argv)
{
    int64_t wait_ms = -1;
    const struct cli_option choices[] = {{"--wait", CLI_DURATION, &wait_ms}, {0}};
    int status;
    if (!cli_arguments(cli, argc, argv, choices, NULL, 0, 0, &status))
        return status;
    struct pg *pg;
    status = cli_connect_migrated(cli, &pg);
    if (status != 0)
        return status;
    pg_set_answer_ms(pg, PG_LONG_WORK_MS); /* it counts every row */
    struct fault fault = {0};
    struct kafka_admin *kafka;
    int rc = kafka_admin_open(cli->config, &kafka, &fault);
    if (rc == 0)
        status = reconcile(cli, pg, kafka, wait_ms);
    else
        status = rc == ERR_INVALID ? cli_fault(&fault) : EXIT_FAILED;
    if (rc == 0)
        kafka_admin_close(kafka);
    pg_close(pg);
    return status;
}

const struct command command_reconcile = {
    "reconcile",
    "[--wait TIME]",
    "the books: every record read, recounted against the brokers",
    "For each partition, records = on_timeline + duplicates + quarantined + void: rows on the\n"
    "timeline and in quarantine are counted now, so that one taken away by hand shows as a\n"
    "difference. low and high are Kafka's watermarks (what is below low cannot be read again),\n"
    "lag is what has not been read yet.\n"
    "\n"
    "  --wait TIME   first waits so long until what is in Kafka now has been read\n"
    "\n"
    "exit status: 0 the books balance; 1 they do not, Kafka lost records before they were read,\n"
    "or (with --wait) the timeline has not caught up\n",
    run,
};
