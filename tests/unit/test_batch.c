/* A batch before it meets the database: what it ties together, what it keeps of bad records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/aggregator/batch.h"
#include "services/aggregator/events.h"

#define OFFSETS 8

static const struct identity_kind email = {.name = "email", .strong = true, .rank = 10};

/* Adds an event that names these e-mail addresses, as the record of that offset. */
static void add(struct batch *batch, struct partition *partition, int64_t offset,
                const char *const *addresses)
{
    const struct record record = {.topic = span_of("events.sales"), .offset = offset};
    const struct event event = {
        .id = span_of("1"), .source = span_of("/tests"), .type = span_of("sales.deal.won")};
    struct event_facts facts = {.occurred_at = 1};
    for (; *addresses; addresses++)
        facts.identities.items[facts.identities.count++] =
            (struct identity){&email, span_of(*addresses), true};
    assert_int_equal(batch_add_event(batch, partition, &record, "sales", &event, &facts,
                                     &(struct batch_interest){.facts = false}, NULL),
                     0);
}

static void the_records_that_tie_are_the_evidence(void **state)
{
    (void)state;
    static const char *const events[][3] = {
        {"a", NULL}, {"b", NULL}, {"c", NULL}, {"b", "c", NULL}, {"c", "b", NULL}, {"a", "c", NULL},
    };
    static const bool ties[OFFSETS] = {
        [0] = true /* named the root first */, [3] = true, [5] = true};
    struct partition partition = {.topic = "events.sales"};
    struct batch batch;
    assert_int_equal(batch_init(&batch, 1 << 20), 0);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        add(&batch, &partition, (int64_t)i, events[i]);

    bool found[OFFSETS] = {false};
    batch_tie(&batch, batch.row_count);
    assert_int_equal(batch.identity_count, 3);
    for (uint32_t i = 0; i < batch.identity_count; i++) {
        assert_int_equal(batch_component(&batch, i), 0);
        found[batch.identity[i].offset] = true;
    }
    assert_memory_equal(found, ties, sizeof ties);
    batch_free(&batch);
}

static void a_reason_is_text_whatever_it_quotes(void **state)
{
    (void)state;
    static const struct {
        const char *given, *kept;
    } cases[] = {
        {"J\xc3\xbcrgen", "J\xc3\xbcrgen"}, {"\xff", "?"},      {"a\xc3", "a?"},
        {"\xed\xa0\x80x", "???x"},          {"\xe2\x82", "??"}, {"", ""},
    };
    struct partition partition = {.topic = "events.sales"};
    const struct record record = {.topic = span_of("events.sales")};
    struct batch batch;
    assert_int_equal(batch_init(&batch, 1 << 20), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(
            batch_add_quarantine(&batch, &partition, &record, REASON_UNMAPPED, cases[i].given), 0);
        assert_string_equal(batch.quarantine[i].detail, cases[i].kept);
    }
    batch_free(&batch);
}

static void a_batch_of_quarantine_alone_is_prepared(void **state)
{
    (void)state;
    struct partition partition = {.topic = "events.sales"};
    struct batch batch;
    const struct record record = {.topic = span_of("events.sales")};
    assert_int_equal(batch_init(&batch, 1 << 20), 0);
    assert_int_equal(batch_add_quarantine(&batch, &partition, &record, REASON_UNMAPPED, "why"), 0);
    assert_int_equal(events_prepare(&batch), 0);
    assert_int_equal(batch.unique_count, 0);
    assert_int_equal(partition.books.quarantined, 1);
    batch_free(&batch);
}

/* A request's row hangs on what its handoff hangs on, which another event may have named. */
static void a_request_is_placed_on_its_handoffs_identity(void **state)
{
    (void)state;
    static const char *const first[] = {"a", "b", NULL}, *const nobody[] = {NULL};
    struct partition partition = {.topic = "events.sales"};
    struct batch batch;
    assert_int_equal(batch_init(&batch, 1 << 20), 0);
    add(&batch, &partition, 0, first);
    for (int64_t i = 1; i <= 3; i++)
        add(&batch, &partition, i, nobody);
    assert_int_equal(batch.row[1].identity, BATCH_NONE);
    assert_int_equal(batch_place(&batch, &batch.row[1], span_of("email"), span_of("b")), 0);
    assert_int_equal(batch_place(&batch, &batch.row[2], span_of("email"), span_of("c")), 0);
    assert_int_equal(batch_place(&batch, &batch.row[3], span_of("stripe"), span_of("c")), 0);
    assert_int_equal(batch.identity_count, 4);
    batch_tie(&batch, batch.row_count);

    static const struct {
        const char *key;
        uint32_t root;
        int64_t evidence;
    } expected[] = {{"email=a", 0, 0}, {"email=b", 0, 0}, {"email=c", 2, 2}, {"stripe=c", 3, 3}};
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(span_is(batch.identity[i].key, expected[i].key));
        assert_true(batch.identity[i].named);
        assert_int_equal(batch_component(&batch, i), expected[i].root);
        assert_int_equal(batch.identity[i].offset, expected[i].evidence);
        assert_int_equal(batch.row[i].account, BATCH_NONE);
    }
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(batch.row[i].identity, i);
    batch_free(&batch);
}

static void no_place_is_longer_than_identities_can_be(void **state)
{
    (void)state;
    static const char *const nobody[] = {NULL};
    static char value[IDENTITY_VALUE_LIMIT + 65];
    struct partition partition = {.topic = "events.sales"};
    struct batch batch;
    memset(value, 'x', sizeof value - 1);
    assert_int_equal(batch_init(&batch, 1 << 20), 0);
    add(&batch, &partition, 0, nobody);
    assert_int_equal(batch_place(&batch, &batch.row[0], span_of("email"), span_of(value)), ERR_IO);
    assert_int_equal(batch.row[0].identity, BATCH_NONE);
    assert_int_equal(batch.identity_count, 0);
    batch_free(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_records_that_tie_are_the_evidence),
        cmocka_unit_test(a_batch_of_quarantine_alone_is_prepared),
        cmocka_unit_test(a_reason_is_text_whatever_it_quotes),
        cmocka_unit_test(a_request_is_placed_on_its_handoffs_identity),
        cmocka_unit_test(no_place_is_longer_than_identities_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
