#include <stdio.h>

#include "common/event/event_uid.h"
#include "common/event/vocabulary.h"
#include "common/pg/pg.h"
#include "services/cli/customer.h"
#include "services/cli/result.h"
#include "services/cli/text.h"
#include "sql.h"

#define PAGE        200 /* rows of one query: their briefs, of up to 64 KiB, are in memory at once */
#define LIMIT       100000                /* rows of one answer */
#define BRIEF_LIMIT ((size_t)1024 * 1024) /* of 64 KiB, printed for people */

enum { COLUMN_ID = 0, COLUMN_DUE_AT = 8, COLUMN_BRIEF = 9 }; /* of handoffs_page.sql */

static const struct table_column columns[] = {
    {"handoff", false, false}, {"due (UTC)", false, false}, {"state", false, false},
    {"from", false, false},    {"to", false, false},        {"ask", false, true},
    {"customer", false, true}, {"who", false, true},        {NULL, false, false},
};

struct listing {
    const char *department, *customer; /* NULL: all */
    const char *handoff;               /* this one alone, with its brief; NULL: any */
    bool overdue, all, json, first;
    int64_t left;
    char due_at[64], id[64]; /* of the last row; "": none */
    struct table table;
    struct buffer brief;
    bool more; /* the last page was full */
};

static const char *flag(bool set)
{
    return set ? "t" : "f";
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

/* Fetches and takes in one page. 0, or the exit status. */
static int next_page(struct pg *pg, struct listing *listing)
{
    int64_t wanted = listing->left < PAGE ? listing->left : PAGE;
    char limit[24];
    snprintf(limit, sizeof limit, "%lld", (long long)wanted);
    const char *params[] = {listing->department,
                            flag(listing->overdue),
                            flag(listing->all),
                            listing->customer,
                            or_null(listing->due_at),
                            or_null(listing->id),
                            limit,
                            flag(listing->json),
                            listing->handoff};
    struct pg_result *result;
    int rc = pg_query(pg, SQL_HANDOFFS_PAGE, params, 9, &result);
    if (rc != 0)
        return cli_query_failed(pg, rc);
    int rows = pg_rows(result);
    if (listing->json)
        result_print_elements(result, &listing->first);
    else
        result_to_table(result, &listing->table);
    if (rows == 1 && listing->handoff)
        text_append_lines(&listing->brief, pg_span(result, 0, COLUMN_BRIEF), "");
    if (rows > 0) {
        snprintf(listing->due_at, sizeof listing->due_at, "%s",
                 pg_text(result, rows - 1, COLUMN_DUE_AT));
        snprintf(listing->id, sizeof listing->id, "%s", pg_text(result, rows - 1, COLUMN_ID));
    }
    pg_result_free(result);
    listing->left -= rows;
    listing->more = rows == wanted;
    return 0;
}

static int print_people(const struct listing *listing)
{
    if (table_rows(&listing->table) == 0) {
        const char *kind = listing->all ? "such" : "open";
        printf("no %s handoff%s\n", listing->overdue ? "overdue" : kind,
               listing->all ? "" : "; --all shows closed ones");
        return 0;
    }
    if (listing->brief.failed || table_print(&listing->table) != 0)
        return cli_failed("no memory");
    if (listing->brief.len > 0)
        printf("\nbrief %s\n", listing->brief.data);
    if (listing->more)
        printf("\nthe first %zu, those due first; --limit shows more\n",
               table_rows(&listing->table));
    return 0;
}

static int list(struct pg *pg, struct listing *listing)
{
    int status = 0;
    table_init(&listing->table, columns);
    buffer_init(&listing->brief, BRIEF_LIMIT);
    if (listing->json)
        putchar('[');
    do
        status = next_page(pg, listing);
    while (status == 0 && listing->more && listing->left > 0);
    if (listing->json)
        puts("]");
    else if (status == 0 && !(listing->handoff && table_rows(&listing->table) == 0))
        status = print_people(listing);
    bool none = listing->json ? listing->first : table_rows(&listing->table) == 0;
    if (status == 0 && listing->handoff && none)
        status = cli_failed("there is no handoff %s", listing->handoff);
    table_free(&listing->table);
    buffer_free(&listing->brief);
    return status;
}

/* A name mistyped would have no handoffs either, and look as if all were done. */
static int check_department(const struct cli *cli, const char *name)
{
    struct fault fault = {0};
    struct vocabulary *vocabulary;
    if (!name)
        return 0;
    int rc = vocabulary_load(cli->config_dir, &vocabulary, &fault);
    if (rc != 0)
        return rc == ERR_INVALID ? cli_fault(&fault) : cli_failed("no memory");
    bool known = vocabulary_department(vocabulary, span_of(name)) != NULL;
    vocabulary_free(vocabulary);
    return known ? 0
                 : cli_usage(cli, "there is no department \"%s\" in %s/departments", name,
                             cli->config_dir);
}

static int run(struct cli *cli, int argc, char **argv)
{
    int64_t limit = 100;
    struct listing listing = {.first = true};
    const struct cli_option choices[] = {{"--department", CLI_TEXT, &listing.department},
                                         {"--overdue", CLI_FLAG, &listing.overdue},
                                         {"--all", CLI_FLAG, &listing.all},
                                         {"--limit", CLI_NUMBER, &limit},
                                         {0}};
    const char *word;
    struct event_uid uid;
    char id[24];
    int status;
    if (!cli_arguments(cli, argc, argv, choices, &word, 0, 1, &status))
        return status;
    if (limit < 1 || limit > LIMIT)
        return cli_usage(cli, "--limit wants 1 to %d", LIMIT);
    status = check_department(cli, listing.department);
    struct pg *pg = NULL;
    if (status == 0)
        status = cli_connect_migrated(cli, &pg);
    if (status != 0)
        return status;
    if (word && event_uid_parse(span_of(word), &uid) == 0)
        listing.handoff = word;
    else if (word)
        status = customer_find_one(cli, pg, word, id);
    if (status == 0) {
        listing.customer = word && !listing.handoff ? id : NULL;
        listing.all = listing.all || listing.handoff;
        listing.json = cli->json;
        listing.left = limit;
        status = list(pg, &listing);
    }
    pg_close(pg);
    return status;
}

const struct command command_handoffs = {
    "handoffs",
    "[CUSTOMER|HANDOFF] [--department D] [--overdue] [--all] [--limit N]",
    "work handed over between departments",
    "Those that are not closed, due first. CUSTOMER is an id, an identity\n"
    "(email=ann@acme.example) or just an e-mail address. HANDOFF is a handoff's id: that one,\n"
    "whatever its state, with its brief.\n"
    "\n"
    "  --department D  those that this department has to do\n"
    "  --overdue       those whose due time has passed\n"
    "  --all           closed ones too\n"
    "  --limit N       at most so many; 100 unless told\n"
    "\n"
    "With --json all that is known of each, its brief too.\n"
    "\n"
    "exit status: 0 done, also where there are none; 1 failed, or there is no such customer or "
    "handoff\n",
    run,
};
