/* What events say of owners, issues and promises, as the parameters of the statements that keep it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/aggregator/events.h"
#include "services/aggregator/facts.h"

static const struct identity_kind email = {.name = "email", .strong = true, .rank = 10};

struct told {
    const char *who;
    int64_t at;
    const char *id, *department, *owner, *data;
};

static void add(struct batch *batch, struct partition *partition, const struct told *told)
{
    const struct record record = {.topic = span_of("events.sales")};
    const struct event event = {.id = span_of(told->id),
                                .source = span_of("/tests"),
                                .type = span_of("sales.note.taken"),
                                .data_kind = told->data ? EVENT_DATA_JSON : EVENT_DATA_NONE,
                                .data = span_of(told->data ? told->data : "")};
    struct event_facts facts = {.occurred_at = told->at,
                                .facts = span_of(told->data ? "owner" : "")};
    if (told->owner)
        facts.owner = span_of(told->owner);
    facts.identities.items[facts.identities.count++] =
        (struct identity){&email, span_of(told->who), true};
    assert_int_equal(batch_add_event(batch, partition, &record, told->department, &event, &facts,
                                     &(struct batch_interest){.facts = facts_wanted(&facts)}, NULL),
                     0);
}

/* The customer "1" has the identity 1, and so on. */
static void collect(struct facts *facts, const struct told *told, size_t count)
{
    struct partition partition = {.topic = "events.sales"};
    struct batch batch;
    assert_int_equal(batch_init(&batch, 1 << 20), 0);
    for (size_t i = 0; i < count; i++)
        add(&batch, &partition, &told[i]);
    assert_int_equal(events_prepare(&batch), 0);
    for (size_t i = 0; i < batch.identity_count; i++)
        batch.identity[i].identity_id = batch.identity[i].value.ptr[0] - '0';
    facts_init(facts);
    assert_int_equal(facts_collect(facts, &batch), 0);
    batch_free(&batch);
}

static void assert_column(struct columns *columns, int column, const char *expected)
{
    struct buffer *buffer = &columns->column[column];
    pg_array_end(buffer);
    buffer_append_char(buffer, '\0');
    assert_false(buffer->failed);
    assert_string_equal(buffer->data, expected);
}

/* Once a key, in the order of the keys; the latest by time, since the first of its row. */
static void owners_are_folded(void **state)
{
    (void)state;
    static const struct told told[] = {
        {"2", 50, "a", "sales", "Eve", NULL},
        {"1", 30, "b", "sales", "Bob", NULL},
        {"1", 10, "c", "sales", "Bob", NULL},
        {"1", 20, "d", "sales", "Ann", NULL},
        {"1", 40, "e", "sales", "Bob", NULL},
        {"1", 40, "e", "sales", "Bob", NULL}, /* repeated */
        {"1", 5, "f", "sales", "Eve", "{\"owner\": {\"name\": \"Eve\", \"role\": \"CS\"}}"},
        {"1", 5, "g", "billing", "Eve", "{\"owner\": {\"name\": \"Eve\", \"region\": \"EMEA\"}}"},
        {"1", 6, "h", "billing", "Max", "{\"owner\": {\"name\": \"Max\", \"region\": \"EMEA\"}}"},
        {"3", 1, "i", "sales", NULL, NULL},
    };
    struct facts facts;
    collect(&facts, told, sizeof told / sizeof *told);
    assert_int_equal(facts.owners.rows, 4);
    assert_column(&facts.owners, 0, "{1,1,1,2}");
    assert_column(&facts.owners, 1, "{\"billing\",\"sales\",\"sales\",\"sales\"}");
    assert_column(&facts.owners, 2, "{\"\",\"\",\"CS\",\"\"}");
    assert_column(&facts.owners, 3, "{\"EMEA\",\"\",\"\",\"\"}");
    assert_column(&facts.owners, 4, "{\"Max\",\"Bob\",\"Eve\",\"Eve\"}");
    assert_column(&facts.owners, 5, "{6,30,5,50}");
    assert_column(&facts.owners, 6, "{6,40,5,50}");
    facts_free(&facts);
}

/* At one moment the higher uid wins, whichever came first. */
static void one_moment_has_one_owner(void **state)
{
    (void)state;
    static const struct told told[] = {{"1", 10, "a", "sales", "Ann", NULL},
                                       {"1", 10, "b", "sales", "Bob", NULL}};
    const struct told turned[] = {told[1], told[0]};
    struct facts facts, other;
    collect(&facts, told, 2);
    collect(&other, turned, 2);
    assert_int_equal(facts.owners.rows, 1);
    pg_array_end(&other.owners.column[4]);
    buffer_append_char(&other.owners.column[4], '\0');
    assert_column(&facts.owners, 4, other.owners.column[4].data);
    facts_free(&facts);
    facts_free(&other);
}

static void issues_and_promises_are_collected(void **state)
{
    (void)state;
    static const struct told told[] = {
        {"1", 1, "a", "service", NULL,
         "{\"issue\": {\"id\": \"7\", \"summary\": \" two\\nlines \"}}"},
        {"1", 2, "b", "sales", NULL,
         "{\"issue\": {\"id\": \"7\", \"told\": true, \"summary\": null}}"},
        {"1", 3, "c", "service", NULL,
         "{\"issue\": {\"id\": \"7\", \"closed\": true, \"summary\": \"\"}}"},
        {"1", 4, "d", "sales", NULL, "{\"promises\": [\"a\", \"b\"], \"kept\": [\"c\"]}"},
    };
    struct facts facts;
    collect(&facts, told, sizeof told / sizeof *told);
    assert_int_equal(facts.issues.rows, 3);
    assert_column(&facts.issues, 1, "{\"7\",\"7\",\"7\"}");
    assert_column(&facts.issues, 2, "{\"service\",\"sales\",\"service\"}");
    assert_column(&facts.issues, 3, "{\"two lines\",NULL,NULL}");
    assert_column(&facts.issues, 4, "{1,2,3}");
    assert_column(&facts.issues, 5, "{\"false\",\"true\",\"false\"}");
    assert_column(&facts.issues, 6, "{\"false\",\"false\",\"true\"}");
    assert_int_equal(facts.promises.rows, 3);
    assert_column(&facts.promises, 1, "{\"a\",\"b\",\"c\"}");
    assert_column(&facts.promises, 4, "{\"false\",\"false\",\"true\"}");
    assert_int_equal(facts.owners.rows, 0);
    facts_free(&facts);
}

/* Who wrote the extensions by himself may have any data beside them: no row refuses the batch. */
static void what_no_intake_lets_in_is_passed_over(void **state)
{
    (void)state;
    char long_id[1100], long_promise[1100], long_role[1100];
    char x[1002];
    memset(x, 'x', sizeof x - 1);
    x[sizeof x - 1] = '\0';
    snprintf(long_id, sizeof long_id, "{\"issue\": {\"id\": \"%.201s\"}}", x);
    snprintf(long_promise, sizeof long_promise, "{\"promises\": [\"%s\", \"\", 5, \"a\"]}", x);
    snprintf(long_role, sizeof long_role, "{\"owner\": {\"role\": \"%.101s\", \"region\": 7}}", x);
    const struct told told[] = {
        {"1", 1, "a", "sales", NULL, long_id},
        {"1", 2, "b", "sales", NULL, long_promise},
        {"1", 3, "c", "sales", "Bob", long_role},
        {"1", 4, "d", "sales", NULL, "{\"issue\": [], \"promises\": {}, \"kept\": \"all\"}"},
        {"1", 5, "e", "sales", NULL, "{\"issue\": {\"id\": \"8\", \"summary\": 5, \"told\": 1}}"},
        {"1", 6, "f", "sales", NULL, "[\"issue\"]"},
    };
    struct facts facts;
    collect(&facts, told, sizeof told / sizeof *told);
    assert_column(&facts.issues, 1, "{\"8\"}");
    assert_column(&facts.issues, 3, "{NULL}");
    assert_column(&facts.issues, 5, "{\"false\"}");
    assert_column(&facts.promises, 1, "{\"a\"}");
    assert_column(&facts.owners, 2, "{\"\"}");
    assert_column(&facts.owners, 3, "{\"\"}");
    facts_free(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners_are_folded),
        cmocka_unit_test(one_moment_has_one_owner),
        cmocka_unit_test(issues_and_promises_are_collected),
        cmocka_unit_test(what_no_intake_lets_in_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
