#include <stdio.h>
#include <string.h>

#include "common/event/event_time.h"
#include "common/pg/pg.h"
#include "services/cli/customer.h"
#include "services/cli/result.h"
#include "sql.h"

#define PAGE  500     /* rows of one query: their data is in memory at once */
#define LIMIT 1000000 /* rows of one answer */

enum { COLUMN_OCCURRED = 6, COLUMN_UID = 7 }; /* of timeline_page.sql */

static const struct table_column columns[] = {
    {"occurred (UTC)", false, false},
    {"department", false, false},
    {"type", false, false},
    {"summary", false, true},
    {"owner", false, true},
    {"amount", true, false},
    {NULL, false, false},
};

struct place { /* where a page begins: before this event */
    char occurred_at[64], event_uid[64];
};

struct listing {
    const char *customer;
    bool json, first;
    int64_t left;
    struct place before;
    struct table table;
    bool more; /* the last page was full */
};

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
    const char *params[] = {listing->customer, or_null(listing->before.occurred_at),
                            or_null(listing->before.event_uid), limit, listing->json ? "t" : "f"};
    struct pg_result *result;
    int rc = pg_query(pg, SQL_TIMELINE_PAGE, params, 5, &result);
    if (rc != 0)
        return cli_query_failed(pg, rc);
    int rows = pg_rows(result);
    if (listing->json)
        result_print_elements(result, &listing->first);
    else
        result_to_table(result, &listing->table);
    if (rows > 0) {
        struct place *last = &listing->before;
        snprintf(last->occurred_at, sizeof last->occurred_at, "%s",
                 pg_text(result, rows - 1, COLUMN_OCCURRED));
        snprintf(last->event_uid, sizeof last->event_uid, "%s",
                 pg_text(result, rows - 1, COLUMN_UID));
    }
    pg_result_free(result);
    listing->left -= rows;
    listing->more = rows == wanted;
    return 0;
}

static int list(struct pg *pg, struct listing *listing)
{
    int status = 0;
    table_init(&listing->table, columns);
    if (listing->json)
        putchar('[');
    do
        status = next_page(pg, listing);
    while (status == 0 && listing->more && listing->left > 0);
    if (listing->json)
        puts("]");
    else if (status == 0 && table_print(&listing->table) != 0)
        status = cli_failed("no memory");
    /* For whoever reads it, not for a pipe. */
    if (status == 0 && !listing->json && listing->more && table_terminal_width() > 0) {
        char *space = strchr(listing->before.occurred_at, ' ');
        if (space)
            *space = 'T';
        printf("\nmore: --before %s,%s\n", listing->before.occurred_at, listing->before.event_uid);
    }
    table_free(&listing->table);
    return status;
}

/* "TIME" or "TIME,UID". PostgreSQL's own "+00" for the offset is taken too. */
static bool parse_place(const char *text, struct place *place)
{
    const char *comma = strchr(text, ',');
    size_t len = comma ? (size_t)(comma - text) : strlen(text);
    char padded[64];
    int64_t moment;
    if (len >= sizeof padded - 3 || (comma && strlen(comma + 1) != 36))
        return false;
    bool short_offset = len > 3 && strncmp(text + len - 3, "+00", 3) == 0;
    snprintf(padded, sizeof padded, "%.*s%s", (int)len, text, short_offset ? ":00" : "");
    if (event_time_parse(span_of(padded), &moment) != 0)
        return false;
    event_time_format(moment, place->occurred_at);
    snprintf(place->event_uid, sizeof place->event_uid, "%s", comma ? comma + 1 : "");
    return true;
}

static int run(struct cli *cli, int argc, char **argv)
{
    int64_t limit = 50;
    const char *before = NULL, *word;
    const struct cli_option choices[] = {
        {"--limit", CLI_NUMBER, &limit}, {"--before", CLI_TEXT, &before}, {0}};
    struct listing listing = {.first = true};
    int status;
    if (!cli_arguments(cli, argc, argv, choices, &word, 1, 1, &status))
        return status;
    if (limit < 1 || limit > LIMIT)
        return cli_usage(cli, "--limit wants 1 to %d", LIMIT);
    if (before && !parse_place(before, &listing.before))
        return cli_usage(cli, "--before wants a time like 2026-01-08T10:12:07Z, or that and an "
                              "event_uid behind a comma");
    struct pg *pg;
    status = cli_connect_migrated(cli, &pg);
    if (status != 0)
        return status;
    char id[24];
    status = customer_find_one(cli, pg, word, id);
    if (status == 0) {
        listing.customer = id;
        listing.json = cli->json;
        listing.left = limit;
        status = list(pg, &listing);
    }
    pg_close(pg);
    return status;
}

const struct command command_timeline = {
    "timeline",
    "CUSTOMER [--limit N] [--before TIME[,UID]]",
    "what happened to one customer, in all departments",
    "Newest first. CUSTOMER is an id, an identity (email=ann@acme.example) or just an e-mail\n"
    "address. An account's timeline is the events that name it.\n"
    "\n"
    "  --limit N            at most so many; 50 unless told\n"
    "  --before TIME[,UID]  only what occurred before: RFC 3339, and the event_uid with which\n"
    "                       the last page ended\n"
    "\n"
    "exit status: 0 found; 1 there is no such customer\n",
    run,
};
