/*
 * The commit path with every call failed in turn: records from Kafka, decoded into batches, applied
 * to the database, committed; the writer's sessions included. Kafka is failing_stream, PostgreSQL
 * failing_server. Whatever fails, what is committed has its offsets, rows and books agree at every
 * moment, no book is settled that was not committed, and the sessions after it bring everything to
 * the same end as if nothing had happened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/base/stop.h"
#include "common/event/event_json.h"
#include "common/metrics.h"
#include "services/aggregator/database.h"
#include "services/aggregator/session.h"
#include "services/aggregator/stage_metrics.h"
#include "tests/unit/event_world.h"
#include "tests/unit/failing.h"
#include "tests/unit/failing_server.h"
#include "tests/unit/failing_store.h"
#include "tests/unit/failing_stream.h"

#define EVENT(id, time, data)                                                                      \
    "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"/crm\",\"time\":\"2026-01-" time      \
    "\",\"type\":\"sales.note.taken\",\"data\":" data "}"
#define ANN  "{\"customer\":{\"email\":\"ann@acme.example\",\"stripe\":\"cus_9\",\"name\":\"Ann\"}}"
#define ACME "{\"customer\":{\"account\":{\"domain\":\"acme.example\"}}}"
#define BOB  "{\"customer\":{\"email\":\"bob@acme.example\"},\"summary\":\"unstorable\"}"
#define CAT  "{\"customer\":{\"stripe\":\"cus_9\",\"email\":\"cat@acme.example\"}}"

enum shape { BINARY, STRUCTURED, GARBAGE, UNMAPPED };

/* In partition 0 offsets 4 and 5 are gone, in partition 1 the last one. */
static const struct {
    int32_t partition;
    int64_t offset;
    enum shape shape;
    const char *text;
} plan[] = {
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
#define RECORDS   (sizeof plan / sizeof *plan)
#define COLLIDING 2 /* the offset in partition 1 */

static const struct record_header cloudevents[] = {
    {{"content-type", 12}, {"application/cloudevents+json", 28}}};
static const struct record_header refused[] = {{{"throughline_reason", 18}, {"unheard of", 10}},
                                               {{"x", 1}, {"y", 1}}};

static struct world world;
static struct folder folder;
static struct config *config;
static struct failing_server server;
static struct record records[RECORDS];
static struct writer_setup setup_of_writers;
static const char *const topics[] = {STREAM_TOPIC, NULL};
static struct store_row there[1]; /* beforehand: an event with the key of the colliding one */
static size_t there_count;
static struct store reference; /* what it comes to when nothing fails */
static struct metric *settled[4];
static size_t breaches;

static struct store_partition sum(const struct store *store)
{
    struct store_partition all = {0};
    for (int i = 0; i < STORE_PARTITIONS; i++) {
        const struct store_partition *p = &store->partition[i];
        all.next += p->next;
        all.timeline += p->timeline;
        all.duplicates += p->duplicates;
        all.quarantined += p->quarantined;
        all.voided += p->voided;
    }
    return all;
}

static bool done(void)
{
    const struct store store = store_committed();
    return store.partition[0].next == 9 && store.partition[1].next == 4;
}

static const struct failing_stream stream = {records, RECORDS, {9, 4}, done};

static void complain(const char *what, int rc)
{
    print_error("%s: %s (%s)\n", failing_point(), what, error_name(rc));
    breaches++;
}

static void read_settled(int64_t now[4])
{
    for (int i = 0; i < 4; i++)
        now[i] = metric_value(settled[i]);
}

/* What was counted since `before` must have been committed. */
static void check_books(const int64_t before[4])
{
    const struct store store = store_committed();
    const struct store_partition all = sum(&store);
    const int64_t most[4] = {all.timeline, all.duplicates, all.quarantined, all.voided};
    int64_t now[4];
    read_settled(now);
    for (int i = 0; i < 4; i++)
        if (now[i] - before[i] > most[i])
            complain("books were settled that are not committed", 0);
    for (int i = 0; i < STREAM_PARTITIONS; i++)
        if (failing_stream_noted(i) > store.partition[i].next)
            complain("Kafka was told of more than is committed", 0);
    if (store_breach())
        complain(store_breach(), 0);
}

static int by_place(const void *a, const void *b)
{
    const struct store_row *x = a, *y = b;
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static bool same_rows(struct store_rows a, struct store_rows b)
{
    qsort(a.row, a.count, sizeof *a.row, by_place);
    qsort(b.row, b.count, sizeof *b.row, by_place);
    return a.count == b.count && memcmp(a.row, b.row, a.count * sizeof *a.row) == 0;
}

static bool struck(const char *call)
{
    return failing_struck() && strcmp(failing_struck(), call) == 0;
}

/* Where one partition was held up, another copy of an event came first: then only the sums agree.
 */
static bool same_end(const struct store *a, const struct store *b)
{
    const struct store_partition x = sum(a), y = sum(b);
    return memcmp(&x, &y, sizeof x) == 0 &&
           (struck("rd_kafka_consumer_poll") ||
            (same_rows(a->events, b->events) && same_rows(a->quarantine, b->quarantine)));
}

static int run_session(struct session *session)
{
    bool worked = false;
    failing_stream_open(&stream);
    int rc = session_run(session, &worked);
    if (failing_stream_held() != 0)
        complain("messages were not given back", rc);
    return rc;
}

/* The server says of a row of its own accord that it is refused: then it is in quarantine. */
static bool refused_a_row(void)
{
    return failing_struck() && failing_server_refused_data();
}

static void from_start_to_end(void *unused)
{
    (void)unused;
    static struct session session;
    int64_t before[4];
    read_settled(before);
    store_reset(there, there_count);
    int rc = session_init(&session, &setup_of_writers, 0);
    bool begun = rc == 0;
    if (begun)
        rc = run_session(&session);
    failing_disarm();
    if (rc != 0 && !failing_struck())
        complain("nothing failed, and yet", rc);
    if (rc == 0 && !done() && !struck("rd_kafka_consumer_poll"))
        complain("ended as if all were well", rc);
    check_books(before);
    if (!begun) {
        session_free(&session);
        rc = session_init(&session, &setup_of_writers, 0);
    }
    if (rc != 0 || !done())
        rc = run_session(&session);
    check_books(before);
    session_free(&session);
    const struct store end = store_committed();
    if (rc != 0 || !done())
        complain("the next session does not bring it to the end", rc);
    if (reference.events.count > 0 && !refused_a_row() && !same_end(&end, &reference))
        complain("it came to another end", rc);
}

static void each_call(enum failing_kind kind, size_t least)
{
    breaches = 0;
    assert_true(failing_each("records to rows", kind, from_start_to_end, NULL) >= least);
    assert_int_equal(breaches, 0);
}

static void allocations(void **state)
{
    (void)state;
    each_call(FAILING_ALLOCATION, 100);
}

static void kafka_calls(void **state)
{
    (void)state;
    each_call(FAILING_KAFKA, 50);
}

static void database_calls(void **state)
{
    (void)state;
    each_call(FAILING_DATABASE, 100);
}

static void statements(void **state)
{
    (void)state;
    each_call(FAILING_STATEMENT, 40);
}

/* --- the records, and where they end without a failure --- */

static void make_record(size_t i)
{
    struct event event;
    struct event_facts facts;
    struct fault fault = {.detail = ""};
    struct record *record = &records[i];
    const struct span text = span_of(plan[i].text);
    if (plan[i].shape == BINARY) {
        assert_int_equal(event_from_json(text, &world.arena, &event, &fault), 0);
        if (event_admit(&world.admission, &event, NULL, &world.arena, &facts, &fault) != 0)
            fail_msg("%s: %s", fault.pointer, fault.detail);
        assert_int_equal(event_to_record(&event, &facts, &world.arena, record), 0);
    } else {
        *record = (struct record){.value = text, .key = span_of("email=x")};
        record->headers = plan[i].shape == STRUCTURED ? cloudevents : refused;
        record->header_count = plan[i].shape == STRUCTURED ? 1 : plan[i].shape == UNMAPPED ? 2 : 0;
    }
    record->topic = span_of(STREAM_TOPIC);
    record->partition = plan[i].partition;
    record->offset = plan[i].offset;
}

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
    struct fault fault = {.detail = ""};
    assert_int_equal(world_make(&world), 0);
    failing_server_start(&server);
    folder_make(&folder);
    folder_write(
        &folder, "throughline.json",
        "{\"tl-aggregator\": {\"writers\": 1, \"batch_events\": 5, \"batch_wait\": \"10s\","
        " \"identity_cache\": \"64 KiB\", \"batch_bytes\": \"64 KiB\"}}");
    setenv("TL_DATABASE", server.conninfo, 1);
    if (config_load(folder.path, "tl-aggregator", PROGRAM_AGGREGATOR, &config, &fault) != 0)
        fail_msg("%s%s: %s", fault.file, fault.pointer, fault.detail);
    setup_of_writers =
        (struct writer_setup){config, world.kinds, world.vocabulary, NULL, topics, NULL};
    for (size_t i = 0; i < RECORDS; i++)
        make_record(i);
    stage_metrics_init(config_number(config, "quarantine_limit"));
    database_init();
    static const char *const results[] = {"timeline", "duplicate", "quarantined", "void"};
    for (int i = 0; i < 4; i++) {
        char label[32];
        snprintf(label, sizeof label, "result=\"%s\"", results[i]);
        settled[i] = metric_counter("throughline_aggregator_records_total", label, "");
    }
    learn();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    failing_stream_close();
    failing_server_stop(&server);
    config_free(config);
    folder_remove(&folder);
    world_end(&world);
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
