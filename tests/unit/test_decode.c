/* From a record to a place in the batch: what of an event interests rules of handoffs, requests of
 * departments, and types of the system's own on a topic where they do not belong. */
#include "tests/unit/kafka_mock.h"

#include "common/event/system_department.h"
#include "common/event/system_events.h"
#include "services/aggregator/decode.h"
#include "tests/unit/event_world.h"

#define SALES  "events.sales"
#define SYSTEM "events.throughline"
#define TODAY  "2026-01-08T11:00:00Z"
#define ID     "c0ffee00-0123-4567-89ab-cdef00112233"
#define ASKED  "{\"handoff\":\"" ID "\",\"by\":\"ann\"}"

/* The world's now is 2026-01-08T12:00:00Z. */
static const char rules_text[] =
    "[{\"rule\": \"large\", \"when\": \"sales.deal.won\", \"if\": {\"/amount\": {\"min\": 100}},"
    "  \"unless\": {\"/test\": true}, \"to\": \"sales\", \"ask\": \"Look\", \"due\": \"4h\","
    "  \"max_age\": \"1d\", \"done_when\": \"sales.form.sent\"},"
    " {\"rule\": \"huge\", \"when\": \"sales.deal.won\", \"if\": {\"/amount\": {\"min\": 1000}},"
    "  \"while\": {\"first\": true},"
    "  \"to\": \"sales\", \"ask\": \"Look again\", \"due\": \"4h\", \"max_age\": \"7d\","
    "  \"cancel_when\": \"sales.deal.won\"},"
    " {\"rule\": \"call\", \"when\": \"throughline.customer.stale\", \"to\": \"sales\","
    "  \"ask\": \"Call them\", \"due\": \"4h\"}]";

static struct world world;
static struct handoff_rules *rules;
static struct decoder decoder;
static struct decoder without_rules;

static int setup(void **state)
{
    (void)state;
    struct folder folder;
    struct fault fault = {.detail = ""};
    assert_int_equal(world_make(&world), 0);
    folder_make(&folder);
    folder_write(&folder, "handoffs.json", rules_text);
    if (handoff_rules_load(folder.path, world.vocabulary, &rules, &fault) != 0)
        fail_msg("%s%s: %s", fault.file, fault.pointer, fault.detail);
    folder_remove(&folder);
    decoder_init(&decoder, world.kinds, world.vocabulary, rules);
    decoder_init(&without_rules, world.kinds, world.vocabulary, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    decoder_free(&decoder);
    decoder_free(&without_rules);
    handoff_rules_free(rules);
    world_end(&world);
    return 0;
}

static const struct record_header structured[] = {
    {{"content-type", 12}, {"application/cloudevents+json", 28}}};

/* An event in structured mode; `more`: attributes, each with its comma before it. */
static const char *event_text(const char *type, const char *time, const char *more)
{
    static char text[4096];
    snprintf(text, sizeof text,
             "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/tests\",\"type\":\"%s\","
             "\"time\":\"%s\"%s}",
             type, time, more);
    return text;
}

static struct record record_of(const char *topic, const char *text)
{
    return (struct record){
        .topic = span_of(topic), .value = span_of(text), .headers = structured, .header_count = 1};
}

static int decode(struct decoder *by, const char *topic, const char *text, struct decoded *decoded,
                  const char **reason, struct fault *fault)
{
    const struct record record = record_of(topic, text);
    *fault = (struct fault){.detail = ""};
    return decode_record(by, &record, world.admission.now, decoded, reason, fault);
}

static struct batch_interest assert_interest(const char *topic, const char *text, bool opens,
                                             bool closes)
{
    struct decoded decoded;
    struct fault fault;
    const char *reason;
    if (decode(&decoder, topic, text, &decoded, &reason, &fault) != 0)
        fail_msg("%s: %s: %s", text, fault.pointer, fault.detail);
    if (decoded.interest.opens != opens || decoded.interest.closes != closes)
        fail_msg("opens %d, closes %d: %s", decoded.interest.opens, decoded.interest.closes, text);
    assert_null(decoded.interest.asked);
    struct batch_interest interest = decoded.interest;
    assert_int_equal(decode(&without_rules, topic, text, &decoded, &reason, &fault), 0);
    assert_false(decoded.interest.opens || decoded.interest.closes);
    return interest;
}

#define DEAL(amount, more)                                                                         \
    ",\"data\":{\"customer\":{\"email\":\"a@b.example\"},\"amount\":" amount                       \
    ",\"currency\":\"EUR\"" more "}"

/* One rule suffices, whichever it is. */
static void what_opens_is_young_and_meets_the_conditions(void **state)
{
    (void)state;
    static const struct {
        const char *time, *more;
        bool opens;
    } cases[] = {
        {TODAY, DEAL("100", ""), true},
        {TODAY, DEAL("99.99", ""), false},
        {TODAY, DEAL("100", ",\"test\":true"), false},
        {TODAY, DEAL("100", ",\"test\":false"), true},
        {TODAY, DEAL("1000", ",\"test\":true"), true}, /* the other rule does not mind */
        {"2026-01-07T12:00:00Z", DEAL("100", ""), true},
        {"2026-01-07T11:59:59.999999Z", DEAL("100", ""), false},
        {"2026-01-07T11:59:59.999999Z", DEAL("1000", ""), true},
        {"2026-01-01T12:00:00Z", DEAL("1000", ""), true},
        {"2026-01-01T11:59:59.999999Z", DEAL("1000", ""), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_interest(SALES, event_text("sales.deal.won", cases[i].time, cases[i].more),
                        cases[i].opens, true);
}

/* Whichever rule comes first: a customer's first handoff is looked for under a lock. */
static void what_opens_a_first_one_says_so(void **state)
{
    (void)state;
    const char *large = event_text("sales.deal.won", TODAY, DEAL("100", ""));
    assert_false(assert_interest(SALES, large, true, true).opens_first);
    const char *huge = event_text("sales.deal.won", TODAY, DEAL("1000", ""));
    assert_true(assert_interest(SALES, huge, true, true).opens_first);
}

/* Of any age: what they close may be as old. */
static void what_closes_is_told_by_its_type(void **state)
{
    (void)state;
    static const char form[] = ",\"data\":{\"customer\":{\"email\":\"a@b.example\"},\"text\":\"x\","
                               "\"count\":1,\"yes\":true,\"all\":{},\"some\":[]}";
    static const char note[] = ",\"data\":{\"customer\":{\"email\":\"a@b.example\"}}";
    assert_interest(SALES, event_text("sales.form.sent", TODAY, form), false, true);
    assert_interest(SALES, event_text("sales.form.sent", "2020-01-01T00:00:00Z", form), false,
                    true);
    assert_interest(SALES, event_text("sales.note.taken", TODAY, note), false, false);
}

static void what_the_system_says_opens_too(void **state)
{
    (void)state;
    assert_interest(SYSTEM,
                    event_text(TYPE_CUSTOMER_STALE, TODAY,
                               ",\"customer\":\"email=a%40b.example\",\"facts\":\"\","
                               "\"data\":{\"stale_after\":\"30d\"}"),
                    true, false);
}

static void a_request_names_its_handoff_and_no_customer(void **state)
{
    (void)state;
    struct decoded decoded;
    struct fault fault;
    const char *reason;
    char id[EVENT_UID_TEXT];
    const char *text = event_text(TYPE_HANDOFF_ACCEPT, TODAY, ",\"data\":" ASKED);
    if (decode(&decoder, SALES, text, &decoded, &reason, &fault) != 0)
        fail_msg("%s: %s", fault.pointer, fault.detail);
    assert_string_equal(decoded.department->name, "sales");
    assert_ptr_equal(decoded.interest.asked, &decoded.asked);
    assert_false(decoded.interest.opens || decoded.interest.closes || decoded.interest.facts);
    assert_int_equal(decoded.asked.action, ACTION_ACCEPT);
    event_uid_text(&decoded.asked.handoff, id);
    assert_string_equal(id, ID);
    assert_int_equal(decoded.facts.identities.count, 0);
    assert_int_equal(decoded.facts.occurred_at, world.admission.now - INT64_C(3600000000));
    assert_true(span_is(decoded.facts.summary, "Asked: accept (ann)"));
}

static void what_does_not_belong_is_refused_with_its_place(void **state)
{
    (void)state;
#define CUSTOMER ",\"customer\":\"email=a%40b.example\",\"facts\":\"\",\"data\":{}"
    static const struct {
        const char *topic, *type, *time, *more, *pointer;
    } cases[] = {
        /* requests */
        {SYSTEM, TYPE_HANDOFF_ACCEPT, TODAY, ",\"data\":" ASKED, "/type"},
        {SYSTEM, TYPE_HANDOFF_ACCEPT, TODAY, CUSTOMER, "/type"},
        {SYSTEM, TYPE_HANDOFF_DELIVERED, TODAY, CUSTOMER, "/type"},
        {"events.unheard", TYPE_HANDOFF_ACCEPT, TODAY, ",\"data\":" ASKED, ""},
        {"handoffs.sales", TYPE_HANDOFF_ACCEPT, TODAY, ",\"data\":" ASKED, ""},
        {SALES, TYPE_HANDOFF_ACCEPT, "2026-01-10T11:00:00Z", ",\"data\":" ASKED, "/time"},
        {SALES, TYPE_HANDOFF_ACCEPT, "1969-12-31T23:59:59Z", ",\"data\":" ASKED, "/time"},
        {SALES, TYPE_HANDOFF_ACCEPT, TODAY, "", "/data"},
        {SALES, TYPE_HANDOFF_ACCEPT, TODAY, ",\"data\":{\"by\":\"ann\"}", "/data/handoff"},
        {SALES, TYPE_HANDOFF_DECLINE, TODAY, ",\"data\":" ASKED, "/data/note"},
        /* what only the system says, and what nobody does */
        {SALES, TYPE_HANDOFF_OPENED, TODAY, CUSTOMER, "/type"},
        {SALES, TYPE_CUSTOMER_STALE, TODAY, CUSTOMER, "/type"},
        {SALES, TYPE_HANDOFF_REFUSED, TODAY, CUSTOMER, "/type"},
        {SALES, "throughline.handoff.forget", TODAY, CUSTOMER, "/type"},
        {SYSTEM, TYPE_HANDOFF_REFUSED, TODAY, CUSTOMER, "/type"},
        {SYSTEM, "throughline.handoff.forget", TODAY, CUSTOMER, "/type"},
        {SYSTEM, "sales.note.taken", TODAY, CUSTOMER, "/type"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decoded decoded;
        struct fault fault;
        const char *reason = NULL;
        const char *text = event_text(cases[i].type, cases[i].time, cases[i].more);
        int rc = decode(&decoder, cases[i].topic, text, &decoded, &reason, &fault);
        if (rc != ERR_INVALID || strcmp(reason, REASON_INADMISSIBLE) != 0 ||
            strcmp(fault.pointer, cases[i].pointer) != 0)
            fail_msg("%s on %s: %s, %s, %s: %s", text, cases[i].topic, error_name(rc), reason,
                     fault.pointer, fault.detail);
    }
}

/* --- into the batch --- */

static struct kafka_mock mock;

/* The next message as kafka_consumer_poll gives it; its record points into it. */
static void make_message(const char *text, struct kafka_message *message)
{
    mock_start(&mock);
    assert_int_equal(
        rd_kafka_brokers_add(mock.host, rd_kafka_mock_cluster_bootstraps(mock.cluster)), 1);
    rd_kafka_mock_topic_create(mock.cluster, SALES, MOCK_PARTITIONS, 1);
    rd_kafka_resp_err_t err = rd_kafka_producev(
        mock.host, RD_KAFKA_V_TOPIC(SALES), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)text, strlen(text)),
        RD_KAFKA_V_HEADER("content-type", structured[0].value.ptr, -1), RD_KAFKA_V_END);
    assert_int_equal(err, 0);
    assert_int_equal(rd_kafka_flush(mock.host, 30000), 0);
    mock_read_from_start(&mock, SALES);
    assert_non_null(mock_next(&mock, 30000));
    kafka_message_view(mock.message, message);
    message->handle = mock.message;
    mock.message = NULL;
}

static void put_in_batch(const char *text, bool kept)
{
    struct partition partition = {.topic = SALES};
    struct batch batch;
    struct kafka_message message;
    make_message(text, &message);
    void *handle = message.handle;
    assert_int_equal(batch_init(&batch, 1 << 20), 0);
    assert_int_equal(decode_into_batch(&decoder, &batch, &partition, &message, world.admission.now),
                     0);
    assert_int_equal(batch.row_count, 1);
    assert_int_equal(batch.quarantine_count, 0);
    assert_ptr_equal(batch.row[0].message, kept ? handle : NULL);
    assert_ptr_equal(message.handle, kept ? NULL : handle);
    if (kept) { /* with it goes what the row needs once its handoff is found, or is not */
        const struct batch_note *note = &batch.note[batch.row[0].note];
        assert_int_equal(batch.row[0].identity, BATCH_NONE);
        assert_true(span_is(note->asked->by, "ann") && span_is(note->asked_id, "1"));
        assert_string_equal(note->department, "sales");
        struct kafka_message again;
        kafka_message_view(batch.row[0].message, &again);
        assert_true(span_is(again.record.value, text));
        assert_int_equal(again.record.header_count, 1);
    }
    kafka_message_release(&message);
    batch_free(&batch);
    mock_stop(&mock);
}

static void a_request_keeps_its_message(void **state)
{
    (void)state;
    put_in_batch(event_text(TYPE_HANDOFF_ACCEPT, TODAY, ",\"data\":" ASKED), true);
}

static void an_event_does_not(void **state)
{
    (void)state;
    put_in_batch(event_text("sales.deal.won", TODAY, DEAL("100", "")), false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_opens_is_young_and_meets_the_conditions),
        cmocka_unit_test(what_opens_a_first_one_says_so),
        cmocka_unit_test(what_closes_is_told_by_its_type),
        cmocka_unit_test(what_the_system_says_opens_too),
        cmocka_unit_test(a_request_names_its_handoff_and_no_customer),
        cmocka_unit_test(what_does_not_belong_is_refused_with_its_place),
        cmocka_unit_test(a_request_keeps_its_message),
        cmocka_unit_test(an_event_does_not),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
