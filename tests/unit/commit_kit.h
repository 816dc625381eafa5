/*
 * The commit path from start to end, for tests that fail every call of it in turn: a plan of
 * records, a writer's sessions over failing_stream and failing_server, and what must hold whatever
 * failed.
 */
#ifndef TESTS_UNIT_COMMIT_KIT_H
#define TESTS_UNIT_COMMIT_KIT_H

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

enum shape { BINARY, STRUCTURED, GARBAGE, UNMAPPED };

struct planned {
    int32_t partition;
    int64_t offset;
    enum shape shape;
    const char *text;
};

#define RECORDS_LIMIT 20

/* Of the test. */
struct commit_plan {
    const struct planned *records;
    size_t count;
    int64_t end[STREAM_PARTITIONS];
    void (*reset)(void); /* the store, to what is there beforehand */
    int (*after)(
        void); /* the sessions: what others do then, until there is no more of it; or NULL */
};

static const struct record_header cloudevents[] = {
    {{"content-type", 12}, {"application/cloudevents+json", 28}}};
static const struct record_header refused[] = {{{"throughline_reason", 18}, {"unheard of", 10}},
                                               {{"x", 1}, {"y", 1}}};

static const struct commit_plan *plan;
static struct record records[RECORDS_LIMIT];

static struct world world;
static struct folder folder;
static struct config *config;
static struct handoff_rules *rules;
static struct failing_server server;
static struct writer_setup setup_of_writers;
static struct snapshot_place rulebooks;
static struct rulebook rulebook; /* of what the kit has made: it is not freed */
static const char *topics[] = {STREAM_TOPIC, NULL};
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
    for (int i = 0; i < STREAM_PARTITIONS; i++)
        if (store.partition[i].next != plan->end[i])
            return false;
    return true;
}

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
            (same_rows(a->events, b->events) && same_rows(a->quarantine, b->quarantine) &&
             store_same_handoffs(a, b)));
}

static int run_session(struct session *session)
{
    static struct failing_stream stream;
    bool worked = false;
    stream = (struct failing_stream){records, plan->count, {plan->end[0], plan->end[1]}, done};
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

static int run_after(void)
{
    return plan->after ? plan->after() : 0;
}

static void from_start_to_end(void *unused)
{
    (void)unused;
    static struct session session;
    int64_t before[4];
    read_settled(before);
    plan->reset();
    int rc = session_init(&session, &setup_of_writers, 0);
    bool begun = rc == 0;
    if (begun)
        rc = run_session(&session);
    const bool whole = rc == 0 && done();
    int after = whole ? run_after() : 0;
    failing_disarm();
    if ((rc != 0 || after != 0) && !failing_struck())
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
    if (rc == 0 && (!whole || after != 0))
        rc = run_after();
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

/* --- the tests of every plan --- */

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

/* --- the records --- */

static void make_record(size_t i)
{
    struct event event;
    struct event_facts facts;
    struct fault fault = {.detail = ""};
    struct record *record = &records[i];
    const struct span text = span_of(plan->records[i].text);
    if (plan->records[i].shape == BINARY) {
        assert_int_equal(event_from_json(text, &world.arena, &event, &fault), 0);
        if (event_admit(&world.admission, &event, NULL, &world.arena, &facts, &fault) != 0)
            fail_msg("%s: %s", fault.pointer, fault.detail);
        assert_int_equal(event_to_record(&event, &facts, &world.arena, record), 0);
    } else {
        *record = (struct record){.value = text, .key = span_of("email=x")};
        record->headers = plan->records[i].shape == STRUCTURED ? cloudevents : refused;
        record->header_count = plan->records[i].shape == STRUCTURED ? 1
                               : plan->records[i].shape == UNMAPPED ? 2
                                                                    : 0;
    }
    record->topic = span_of(STREAM_TOPIC);
    record->partition = plan->records[i].partition;
    record->offset = plan->records[i].offset;
}

/* rules_text: handoffs.json; NULL: no rules. */
static void kit_setup(const struct commit_plan *of, const char *rules_text)
{
    struct fault fault = {.detail = ""};
    plan = of;
    assert_true(plan->count <= RECORDS_LIMIT);
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
    if (rules_text) {
        folder_write(&folder, "handoffs.json", rules_text);
        if (handoff_rules_load(folder.path, world.vocabulary, &rules, &fault) != 0)
            fail_msg("%s%s: %s", fault.file, fault.pointer, fault.detail);
    }
    rulebook = (struct rulebook){
        .kinds = world.kinds, .vocabulary = world.vocabulary, .rules = rules, .topics = topics};
    snapshot_init(&rulebook.snapshot, NULL); /* the place keeps its hold */
    snapshot_place_init(&rulebooks);
    snapshot_put(&rulebooks, &rulebook.snapshot);
    setup_of_writers = (struct writer_setup){config, &rulebooks, NULL};
    for (size_t i = 0; i < plan->count; i++)
        make_record(i);
    stage_metrics_init(config_number(config, "quarantine_limit"), topics);
    database_init();
    static const char *const results[] = {"timeline", "duplicate", "quarantined", "void"};
    for (int i = 0; i < 4; i++) {
        char label[32];
        snprintf(label, sizeof label, "result=\"%s\"", results[i]);
        settled[i] = metric_counter("throughline_aggregator_records_total", label, "");
    }
}

static void kit_teardown(void)
{
    failing_stream_close();
    failing_server_stop(&server);
    handoff_rules_free(rules);
    config_free(config);
    folder_remove(&folder);
    world_end(&world);
}

#endif
