/*
 * The commit path with every call failed in turn: records from Kafka, decoded into batches, applied
 * to the database, committed; the writer's sessions included. Kafka is failing_stream, PostgreSQL
 * failing_server. Whatever fails, what is committed has its offsets, rows and books agree at every
 * moment, no book is settled that was not committed, and the sessions after it bring everything to
 * the same end as if nothing had happened.
 */
#include "tests/unit/commit_kit.h"

#define EVENT(id, time, data)                                                                      \
    "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"/crm\",\"time\":\"2026-01-" time      \
    "\",\"type\":\"sales.note.taken\",\"data\":" data "}"
#define ANN  "{\"customer\":{\"email\":\"ann@acme.example\",\"stripe\":\"cus_9\",\"name\":\"Ann\"}}"
#define ACME "{\"customer\":{\"account\":{\"domain\":\"acme.example\"}}}"
#define BOB  "{\"customer\":{\"email\":\"bob@acme.example\"},\"summary\":\"unstorable\"}"
#define CAT  "{\"customer\":{\"stripe\":\"cus_9\",\"email\":\"cat@acme.example\"}}"

/* In partition 0 offsets 4 and 5 are gone, in partition 1 the last one. */
static const struct planned planned[] = {
    {0, 0, BINARY, EVENT("a", "08T10:00:00Z", ANN)},
    {0, 1, BINARY, EVENT("b", "07T10:00:00Z", ACME)},
    {0, 2, BINARY, EVENT("a", "08T10:00:00Z", ANN)}, /* again, in the same batch */
    {0, 3, GARBAGE, "no event"},
    {0, 6, STRUCTURED, EVENT("c", "06T10:00:00Z", CAT)},
    {0, 7, UNMAPPED, "{\"of\": \"a webhook\"}"},
    {0, 8, BINARY, EVENT("d", "05T10:00:00Z", BOB)}, /* which PostgreSQL refuses */
    {1, 0, BINARY, EVENT("e", "04T10:00:00Z", ANN)},
    {1, 1, BINARY, EVENT("a", "08T10:00:00Z", ANN)}, /* again, in another batch */
    {1, 2, BINARY, EVENT("f", "03T10:00:00Z", CAT)}, /* whose key another event has */
};
#define COLLIDING 2 /* the offset in partition 1 */

static struct store_row there[1]; /* beforehand: an event with the key of the colliding one */
static size_t there_count;

static void reset(void)
{
    store_reset(there, there_count);
}

static const struct commit_plan the_plan = {
    planned, sizeof planned / sizeof *planned, {9, 4}, reset, NULL};

/* --- where they end without a failure --- */

/* Once to learn the colliding event's key, once more with another event there before it. */
static void learn(void)
{
    failing_arm(FAILING_ALLOCATION, 0, 0);
    from_start_to_end(NULL);
    const struct store first = store_committed();
    for (size_t i = 0; i < first.events.count; i++)
        if (first.events.row[i].partition == 1 && first.events.row[i].offset == COLLIDING)
            there[0] = first.events.row[i];
    assert_true(there[0].key != 0);
    there[0].partition = -1;
    there[0].event++; /* another event */
    there_count = 1;
    from_start_to_end(NULL);
    assert_int_equal(breaches, 0);
    reference = store_committed();
    const struct store_partition all = sum(&reference);
    assert_int_equal(all.timeline, 4);
    assert_int_equal(all.duplicates, 2);
    assert_int_equal(all.quarantined, 4);
    assert_int_equal(all.voided, 3);
}

static int setup(void **state)
{
    (void)state;
    kit_setup(&the_plan, NULL);
    learn();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_teardown();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations),
        cmocka_unit_test(kafka_calls),
        cmocka_unit_test(database_calls),
        cmocka_unit_test(statements),
    };
    failing_init();
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return failing_report(cmocka_run_group_tests(tests, setup, teardown));
}
