#include <stdio.h>
#include <string.h>

#include "common/pg/pg.h"
#include "services/cli/customer.h"
#include "services/cli/result.h"
#include "services/cli/text.h"
#include "sql.h"

#define LIMIT 10000 /* customers in one answer */

static const struct table_column columns[] = {
    {"customer", true, false},    {"kind", false, false},  {"name", false, true},
    {"account", true, false},     {"events", true, false}, {"last touch", false, false},
    {"departments", false, true}, {"value", false, true},  {"known by", false, true},
    {NULL, false, false},
};

/* One customer alone has room: a line for each of his figures, and for each identity. */
static int show_one(const struct pg_result *result)
{
    struct buffer out;
    buffer_init(&out, (size_t)4 * 1024 * 1024);
    for (int c = 0; columns[c].title; c++) {
        if (pg_is_null(result, 0, c))
            continue;
        buffer_printf(&out, "%-12s ", columns[c].title);
        text_append_lines(&out, pg_span(result, 0, c), "             ");
        buffer_append_char(&out, '\n');
    }
    int status = out.failed ? cli_failed("no memory") : EXIT_OK;
    if (status == EXIT_OK)
        fwrite(out.data, 1, out.len, stdout);
    buffer_free(&out);
    return status;
}

static int show(const struct cli *cli, struct pg *pg, const char *ids)
{
    struct pg_result *result;
    int rc = pg_query(pg, SQL_CUSTOMERS_SHOW, &ids, 1, &result);
    if (rc != 0)
        return cli_query_failed(pg, rc);
    int status = cli->json              ? result_print_json(result)
                 : pg_rows(result) == 1 ? show_one(result)
                                        : result_print_table(result, columns);
    pg_result_free(result);
    return status;
}

static int search(const struct cli *cli, struct pg *pg, const char *word, int64_t limit)
{
    struct buffer ids;
    int64_t count;
    buffer_init(&ids, (size_t)LIMIT * 24);
    int status = customer_find(cli, pg, word, true, limit, &ids, &count);
    if (status == 0 && (count > 0 || cli->json))
        status = show(cli, pg, ids.data);
    if (status == 0 && count == 0)
        status = cli_failed("no customer is known by %s", word);
    else if (status == 0 && count == limit && !cli->json)
        printf("\nthe first %lld; --limit shows more\n", (long long)limit);
    buffer_free(&ids);
    return status;
}

static int run(struct cli *cli, int argc, char **argv)
{
    int64_t limit = 50;
    const struct cli_option choices[] = {{"--limit", CLI_NUMBER, &limit}, {0}};
    const char *word;
    int status;
    if (!cli_arguments(cli, argc, argv, choices, &word, 1, 1, &status))
        return status;
    if (limit < 1 || limit > LIMIT)
        return cli_usage(cli, "--limit wants 1 to %d", LIMIT);
    struct pg *pg;
    status = cli_connect_migrated(cli, &pg);
    if (status != 0)
        return status;
    status = search(cli, pg, word, limit);
    pg_close(pg);
    return status;
}

const struct command command_customers = {
    "customers",
    "SEARCH [--limit N]",
    "find customers by id, identity, e-mail or name",
    "SEARCH is a customer id, an identity (email=ann@acme.example, stripe=cus_9), an e-mail\n"
    "address, or a part of a name or of any other value.\n"
    "\n"
    "  --limit N   at most so many; 50 unless told\n"
    "\n"
    "exit status: 0 found; 1 there is none\n",
    run,
};
