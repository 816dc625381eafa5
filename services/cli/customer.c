#include "services/cli/customer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/event/identity.h"
#include "common/pg/pg.h"
#include "sql.h"

#define ARENA_LIMIT ((size_t)64 * 1024)

static bool is_id(const char *word)
{
    size_t digits = strspn(word, "0123456789");
    return digits > 0 && digits <= 18 && !word[digits];
}

/* Appends the ids of a result's first column. */
static void collect(const struct pg_result *result, struct buffer *ids, int64_t *count)
{
    for (int row = 0; row < pg_rows(result); row++) {
        pg_array_int(ids, pg_int(result, row, 0));
        (*count)++;
    }
}

static int query_ids(struct pg *pg, const char *sql, const char *const *params, int param_count,
                     struct buffer *ids, int64_t *count)
{
    struct pg_result *result;
    int rc = pg_query(pg, sql, params, param_count, &result);
    if (rc != 0)
        return cli_query_failed(pg, rc);
    collect(result, ids, count);
    pg_result_free(result);
    return 0;
}

/* "email=Ann@ACME.example" as it is stored. Kinds that the configuration does not know stay as
 * they were typed. NULL without memory. */
static char *normalised(const struct cli *cli, struct arena *arena, const char *kind,
                        size_t kind_len, const char *value)
{
    struct identity_kinds *kinds;
    struct identities one = {0};
    struct span name = {kind, kind_len};
    if (identity_kinds_load(cli->config_dir, &kinds, NULL) != 0)
        return arena_printf(arena, "%.*s=%s", (int)kind_len, kind, value);
    char *text;
    if (identities_add(kinds, arena, &one, name, span_of(value), NULL) == 0 && one.count == 1)
        text = arena_printf(arena, "%.*s=%.*s", (int)kind_len, kind, SPAN_ARGS(one.items[0].value));
    else
        text = arena_printf(arena, "%.*s=%s", (int)kind_len, kind, value);
    identity_kinds_free(kinds);
    return text;
}

/* What find_customers is asked first: an identity, or NULL where the word is none. */
static char *as_identity(const struct cli *cli, struct arena *arena, const char *word)
{
    const char *equals = strchr(word, '=');
    if (equals && equals > word && equals[1])
        return normalised(cli, arena, word, (size_t)(equals - word), equals + 1);
    const char *at = strchr(word, '@');
    if (at && at > word && strchr(at, '.') && !strchr(word, ' '))
        return normalised(cli, arena, "email", 5, word);
    return NULL;
}

static int find_by_words(const struct cli *cli, struct pg *pg, const char *word, bool parts,
                         const char *limit, struct buffer *ids, int64_t *count)
{
    struct arena arena;
    arena_init(&arena, ARENA_LIMIT);
    const char *identity = as_identity(cli, &arena, word);
    int status = 0;
    if (identity)
        status = query_ids(pg, SQL_CUSTOMERS_BY_WORD, (const char *const[]){identity, limit}, 2,
                           ids, count);
    if (status == 0 && *count == 0 && parts && !strchr(word, '='))
        status =
            query_ids(pg, SQL_CUSTOMERS_BY_WORD, (const char *const[]){word, limit}, 2, ids, count);
    arena_free(&arena);
    return status;
}

int customer_find(const struct cli *cli, struct pg *pg, const char *word, bool parts, int64_t limit,
                  struct buffer *ids, int64_t *count)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)limit);
    *count = 0;
    int status = 0;
    if (is_id(word))
        status = query_ids(pg, SQL_CUSTOMERS_BY_ID, &word, 1, ids, count);
    if (status == 0 && *count == 0 && (parts || !is_id(word)))
        status = find_by_words(cli, pg, word, parts, number, ids, count);
    pg_array_end(ids);
    return status;
}

int customer_find_one(const struct cli *cli, struct pg *pg, const char *word, char id[24])
{
    struct buffer ids;
    int64_t count;
    buffer_init(&ids, 4096);
    int status = customer_find(cli, pg, word, false, 10, &ids, &count);
    if (status == 0 && count == 0)
        status = cli_failed("there is no customer %s (an id, kind=value or an e-mail address; "
                            "throughline customers searches)",
                            word);
    else if (status == 0 && count > 1)
        status = cli_failed("%s is known of several customers: %.*s", word, (int)ids.len - 2,
                            ids.data + 1);
    else if (status == 0)
        snprintf(id, 24, "%.*s", (int)ids.len - 2, ids.data + 1);
    buffer_free(&ids);
    return status;
}
