/* CloudEvents' Kafka binding: what we write, what we read, and facts without parsing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/event/event_kafka.h"
#include "tests/unit/event_world.h"

static struct world world;

static int set_up(void **state)
{
    (void)state;
    return world_make(&world);
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static void assert_text(struct span actual, const char *expected)
{
    if (!expected)
        assert_null(actual.ptr);
    else if (!actual.ptr || !span_is(actual, expected))
        fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARGS(actual), expected);
}

static void assert_same(struct span a, struct span b)
{
    assert_int_equal(a.ptr != NULL, b.ptr != NULL);
    if (!span_equal(a, b))
        fail_msg("\"%.*s\" is not \"%.*s\"", SPAN_ARGS(a), SPAN_ARGS(b));
}

static struct event event_of(const char *data)
{
    return (struct event){
        .id = span_of("1"),
        .source = span_of("/crm"),
        .type = span_of("sales.note.taken"),
        .time = span_of("2026-01-08T10:12:07.672717Z"),
        .data_kind = data ? EVENT_DATA_JSON : EVENT_DATA_NONE,
        .data = span_of(data),
    };
}

static void write_record(const struct event *event, struct record *record)
{
    struct event_facts facts = {.occurred_at = 0};
    struct fault fault = {.detail = ""};
    *record = (struct record){.partition = -1};
    if (event_admit(&world.admission, event, NULL, &world.arena, &facts, &fault) != 0)
        fail_msg("%s: %s", fault.pointer, fault.detail);
    assert_int_equal(event_to_record(event, &facts, &world.arena, record), 0);
}

static const char full_data[] =
    "{\"customer\": {\"email\": \"Ann@acme.example\", \"account\": {\"domain\": \"acme.example\"}},"
    " \"amount\": 20.00, \"currency\": \"EUR\", \"owner\": {\"name\": \"Bob\"}, \"promises\": "
    "[\"x\"],"
    " \"summary\": \"Zo\\u00eb called\"}";

static void writes_the_contract(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } expected[] = {
        {"ce_specversion", "1.0"},
        {"ce_id", "1"},
        {"ce_source", "/crm"},
        {"ce_type", "sales.note.taken"},
        {"ce_time", "2026-01-08T10:12:07.672717Z"},
        {"content-type", "application/json"},
        {"ce_customer", "email=ann%40acme.example&account.domain=acme.example"},
        {"ce_owner", "Bob"},
        {"ce_summary", "Zo\xC3\xAB called"},
        {"ce_amount", "20.00"},
        {"ce_currency", "EUR"},
        {"ce_facts", "owner,promises"},
        {"ce_traceparent", "00-ab-cd-01"},
    };
    struct event event = event_of(full_data);
    struct record record;
    assert_int_equal(event_set_extension(&event, "traceparent", span_of("00-ab-cd-01")), 0);
    assert_int_equal(event_set_extension(&event, "owner", span_of("Bob")), 0);
    write_record(&event, &record);
    assert_int_equal(record.header_count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < record.header_count; i++) {
        assert_text(record.headers[i].name, expected[i].name);
        assert_text(record.headers[i].value, expected[i].value);
    }
    assert_text(record.key, "email=ann%40acme.example");
    assert_ptr_equal(record.value.ptr, full_data);
    assert_int_equal(record.value.len, strlen(full_data));
}

static void writes_no_tombstone(void **state)
{
    (void)state;
    struct event event = event_of(NULL);
    struct record record;
    assert_int_equal(
        event_set_extension(&event, "customer", span_of("account.domain=acme.example")), 0);
    event.subject = span_of("s");
    event.dataschema = span_of("https://acme.example/schema");
    write_record(&event, &record);
    assert_text(record.value, "");
    assert_text(record.key, "account.domain=acme.example");
    assert_text(record_header_value(&record, "ce_facts"), "");
    assert_text(record_header_value(&record, "ce_subject"), "s");
    assert_text(record_header_value(&record, "ce_dataschema"), "https://acme.example/schema");
    assert_text(record_header_value(&record, "content-type"), NULL);
    assert_text(record_header_value(&record, "ce_owner"), NULL);
}

/* Data, and the facts that must come back the same by the fast way. */
static const char *const round_trips[] = {
    "{\"customer\": {\"email\": \"ann@acme.example\"}}",
    "{\"customer\": {\"name\": \"Ann & Lee = 100%\"}, \"owner\": \"Bob\", \"summary\": "
    "\"a\\tb\\u0085\\uffff\"}",
    "{\"customer\": {\"stripe\": [\"b\", \"a\"], \"account\": {\"domain\": \"ACME.example\"}}, "
    "\"amount\": 1e3}",
    "{\"customer\": {\"email\": \"ann@acme.example\"}, \"currency\": \"USD\", \"amount\": "
    "\"-0.50\","
    " \"issue\": {\"id\": \"7\", \"summary\": \"late\"}, \"promises\": []}",
    full_data,
};

static void reads_back_what_it_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof round_trips / sizeof *round_trips; i++) {
        struct event event = event_of(round_trips[i]), back;
        struct event_facts facts, again;
        struct record record;
        struct fault fault = {.detail = ""};
        bool complete;
        print_message("%s\n", round_trips[i]);
        write_record(&event, &record);
        assert_int_equal(event_admit(&world.admission, &event, NULL, &world.arena, &facts, &fault),
                         0);
        if (event_from_record(&record, &world.arena, &back, &fault) != 0)
            fail_msg("%s: %s", fault.pointer, fault.detail);
        assert_same(back.id, event.id);
        assert_same(back.time, event.time);
        assert_same(back.data, event.data);
        assert_int_equal(back.data_kind, EVENT_DATA_JSON);
        memset(&again, 0x5A, sizeof again);
        if (event_facts_from_extensions(&world.admission, &back, &world.arena, &again, &complete,
                                        &fault) != 0)
            fail_msg("%s: %s", fault.pointer, fault.detail);
        assert_true(complete);
        assert_same(again.customer, facts.customer);
        assert_true(identities_equal(&again.identities, &facts.identities));
        assert_same(again.owner, facts.owner);
        assert_same(again.summary, facts.summary);
        assert_same(again.amount, facts.amount);
        assert_same(again.currency, facts.currency);
        assert_same(again.facts, facts.facts);
        assert_int_equal(again.occurred_at, facts.occurred_at);
        /* And an intake that gets it again admits it as the same. */
        assert_int_equal(event_admit(&world.admission, &back, NULL, &world.arena, &again, &fault),
                         0);
        assert_same(again.facts, facts.facts);
    }
}

/* The headers of a good record in binary mode, and up to two more or others. */
struct pair {
    const char *name, *value;
};

static size_t headers_of(struct record_header *headers, const struct pair *changes, size_t count)
{
    static const struct pair usual[] = {
        {"ce_specversion", "1.0"},
        {"ce_id", "1"},
        {"ce_source", "/crm"},
        {"ce_type", "sales.note.taken"},
        {"ce_time", "2026-01-08T10:12:07Z"},
        {"content-type", "application/json"},
        {"ce_customer", "email=ann%40acme.example"},
        {"ce_facts", ""},
    };
    size_t written = 0;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        bool changed = false;
        for (size_t j = 0; j < count; j++)
            changed = changed || (changes[j].name && changes[j].name[0] == '=' &&
                                  strcmp(changes[j].name + 1, usual[i].name) == 0);
        if (!changed)
            headers[written++] =
                (struct record_header){span_of(usual[i].name), span_of(usual[i].value)};
    }
    for (size_t j = 0; j < count; j++) { /* "=name" replaces, with NULL removes; "name" adds */
        const char *name = changes[j].name;
        if (!name || (name[0] == '=' && !changes[j].value))
            continue;
        headers[written++] =
            (struct record_header){span_of(name + (name[0] == '=')), span_of(changes[j].value)};
    }
    return written;
}

static const struct {
    struct pair changes[2];
    const char *value;
    const char *pointer, *detail; /* NULL: it decodes */
} binary[] = {
    {{{NULL, NULL}}, "{}", NULL, NULL},
    {{{"throughline_source", "x"}, {"traceparent", "y"}}, "{}", NULL, NULL},
    {{{"CE_ID", "other"}, {"Content-Type", "x"}}, "{}", NULL, NULL},
    {{{"ce_subject", "100%"}, {NULL, NULL}}, "{}", NULL, NULL},
    {{{"=content-type", NULL}, {NULL, NULL}}, "{}", NULL, NULL},
    {{{"=ce_id", NULL}, {NULL, NULL}}, "{}", "/id", "required"},
    {{{"=ce_specversion", NULL}, {NULL, NULL}}, "{}", "/specversion", "required"},
    {{{"=ce_specversion", "0.3"}, {NULL, NULL}}, "{}", "/specversion", "1.0"},
    {{{"=ce_time", NULL}, {NULL, NULL}}, "{}", "/time", "required"},
    {{{"=ce_time", "later"}, {NULL, NULL}}, "{}", "/time", "RFC 3339"},
    {{{"ce_id", "1"}, {NULL, NULL}}, "{}", "/id", "twice"},
    {{{"ce_facts", ""}, {NULL, NULL}}, "{}", "/facts", "twice"},
    {{{"content-type", "application/json"}, {NULL, NULL}}, "{}", "/datacontenttype", "twice"},
    {{{"ce_subject", NULL}, {NULL, NULL}}, "{}", "", "no value"},
    {{{"ce_subject", "a\nb"}, {NULL, NULL}}, "{}", "/subject", "control"},
    {{{"ce_subject", "\xFF"}, {NULL, NULL}}, "{}", "/subject", "UTF-8"},
    {{{"ce_datacontenttype", "a/b"}, {NULL, NULL}}, "{}", "", "content-type says it"},
    {{{"ce_", "x"}, {NULL, NULL}}, "{}", "", "attribute name"},
    {{{"ce_Ext", "x"}, {NULL, NULL}}, "{}", "", "attribute name"},
    {{{"=content-type", "application/cloudevents-batch+json"}, {NULL, NULL}},
     "[]",
     "",
     "no batches"},
    {{{"=content-type", "application/cloudevents+avro"}, {NULL, NULL}},
     "x",
     "",
     "other event formats"},
};

static void reads_binary_mode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++) {
        struct record_header headers[16];
        struct record record = {.headers = headers, .value = span_of(binary[i].value)};
        struct event event;
        struct fault fault = {.detail = ""};
        record.header_count = headers_of(headers, binary[i].changes, 2);
        print_message("%zu %s\n", i, binary[i].changes[0].name ? binary[i].changes[0].name : "-");
        int result = event_from_record(&record, &world.arena, &event, &fault);
        assert_int_equal(result, binary[i].pointer ? ERR_INVALID : 0);
        if (!binary[i].pointer)
            continue;
        assert_string_equal(fault.pointer, binary[i].pointer);
        if (!strstr(fault.detail, binary[i].detail))
            fail_msg("%s", fault.detail);
    }
}

#define HEAD                                                                                       \
    "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/crm\",\"type\":\"sales.note.taken\","      \
    "\"time\":\"2026-01-08T10:12:07Z\""

static const struct {
    const char *type, *value, *data, *pointer;
} structured[] = {
    {"application/cloudevents+json", "{" HEAD ",\"data\": {\"a\": 1.0}}", "{\"a\": 1.0}", NULL},
    {"Application/CloudEvents+JSON; charset=utf-8", "\xEF\xBB\xBF{" HEAD ",\"data\":1}", "1", NULL},
    {"application/cloudevents+json", "{" HEAD "}", NULL, NULL},
    {"application/cloudevents+json", "{" HEAD ",\"id\":\"2\"}", NULL, "/id"},
    {"application/cloudevents+json", "{" HEAD, NULL, ""},
    {"application/cloudevents+json", "", NULL, ""},
    {"application/cloudevents+json", "[{" HEAD "}]", NULL, ""},
};

/* PostgreSQL would refuse it, and what looks into data expects none. */
static void leaves_a_byte_order_mark_out(void **state)
{
    (void)state;
    static const struct pair none[2], bytes[2] = {{"=content-type", "text/plain"}};
    struct record_header headers[16];
    struct record record = {.headers = headers, .value = span_of("\xEF\xBB\xBF{}")};
    struct event event;
    record.header_count = headers_of(headers, none, 2);
    assert_int_equal(event_from_record(&record, &world.arena, &event, NULL), 0);
    assert_text(event.data, "{}");
    record.header_count = headers_of(headers, bytes, 2);
    assert_int_equal(event_from_record(&record, &world.arena, &event, NULL), 0);
    assert_text(event.data, "\xEF\xBB\xBF{}");
}

static void reads_structured_mode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof structured / sizeof *structured; i++) {
        struct record_header headers[] = {
            {span_of("content-type"), span_of(structured[i].type)},
            {span_of("ce_id"), span_of("of the headers, which do not count")},
        };
        struct record record = {
            .headers = headers, .header_count = 2, .value = span_of(structured[i].value)};
        struct event event;
        struct fault fault = {.detail = ""};
        print_message("%s\n", structured[i].value);
        int result = event_from_record(&record, &world.arena, &event, &fault);
        if (structured[i].pointer) {
            assert_int_equal(result, ERR_INVALID);
            assert_string_equal(fault.pointer, structured[i].pointer);
            continue;
        }
        assert_int_equal(result, 0);
        assert_text(event.id, "1");
        assert_text(event.data, structured[i].data);
    }
    struct record_header twice[] = {
        {span_of("content-type"), span_of("application/cloudevents+json")},
        {span_of("content-type"), span_of("application/cloudevents+json")},
    };
    struct record record = {.headers = twice, .header_count = 2, .value = span_of("{" HEAD "}")};
    struct event event;
    assert_int_equal(event_from_record(&record, &world.arena, &event, NULL), ERR_INVALID);
}

/* Extensions that another program wrote: nothing is taken on trust. */
static const struct {
    struct pair changes[2];
    const char *value, *pointer;
} extensions[] = {
    {{{NULL, NULL}}, "{}", NULL},
    {{{NULL, NULL}}, "", NULL},
    {{{"ce_owner", "Bob"}, {"ce_summary", "S"}}, "{}", NULL},
    {{{"ce_owner", ""}, {"ce_summary", " "}}, "{}", NULL},
    {{{"=ce_facts", "issue,owner,promises"}, {NULL, NULL}}, "{}", NULL},
    {{{"=ce_facts", "issue,kept,owner,promises"}, {NULL, NULL}}, "{}", NULL},
    {{{"=ce_customer", "email=Ann%40ACME.example"}, {NULL, NULL}}, "{}", NULL},
    {{{"=ce_type", "sales.deal.won"}, {"ce_amount", "1e2"}}, "{}", "/currency"},
    {{{"=ce_type", "sales.note.forgotten"}, {NULL, NULL}}, "{}", "/type"},
    {{{"=ce_type", "billing.invoice.paid"}, {NULL, NULL}}, "{}", "/type"},
    {{{"=ce_time", "2026-01-10T00:00:00Z"}, {NULL, NULL}}, "{}", "/time"},
    {{{"=ce_time", "1969-12-31T23:59:59Z"}, {NULL, NULL}}, "{}", "/time"},
    {{{"=ce_customer", ""}, {NULL, NULL}}, "{}", "/customer"},
    {{{"=ce_customer", "fax=1"}, {NULL, NULL}}, "{}", "/customer"},
    {{{"ce_amount", "1,5"}, {NULL, NULL}}, "{}", "/amount"},
    {{{"ce_amount", "1e400"}, {NULL, NULL}}, "{}", "/amount"},
    {{{"ce_currency", "eur"}, {NULL, NULL}}, "{}", "/currency"},
    {{{"=ce_facts", "promises,issue"}, {NULL, NULL}}, "{}", "/facts"},
    {{{"=ce_facts", "customer"}, {NULL, NULL}}, "{}", "/facts"},
    {{{"=ce_facts", "issue"}, {NULL, NULL}}, "", "/facts"},
    {{{"=ce_facts", "issue"}, {"=content-type", "text/plain"}}, "{}", "/facts"},
    {{{NULL, NULL}}, "{\"a\":", "/data"},
    {{{NULL, NULL}}, "{\"a\":\"\\u0000\"}", "/data"},
    {{{NULL, NULL}}, "\xFF", "/data"},
    {{{"=content-type", "text/plain"}, {NULL, NULL}}, "\xFF", NULL},
};

static int read_extensions(const struct pair *changes, const char *value, struct event_facts *facts,
                           bool *complete, struct fault *fault)
{
    struct record_header headers[16];
    struct record record = {.headers = headers, .value = span_of(value)};
    struct event event;
    *fault = (struct fault){.detail = ""};
    record.header_count = headers_of(headers, changes, 2);
    assert_int_equal(event_from_record(&record, &world.arena, &event, fault), 0);
    return event_facts_from_extensions(&world.admission, &event, &world.arena, facts, complete,
                                       fault);
}

static void trusts_no_extension(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        struct event_facts facts;
        struct fault fault;
        bool complete = false;
        print_message("%zu %s\n", i, extensions[i].value);
        int result =
            read_extensions(extensions[i].changes, extensions[i].value, &facts, &complete, &fault);
        if (result != (extensions[i].pointer ? ERR_INVALID : 0))
            fail_msg("%d %s: %s", result, fault.pointer, fault.detail);
        assert_true(complete);
        if (extensions[i].pointer)
            assert_string_equal(fault.pointer, extensions[i].pointer);
        else
            assert_text(facts.customer, "email=ann%40acme.example");
    }
    char owner[EVENT_OWNER_LIMIT + 2] = "";
    memset(owner, 'a', EVENT_OWNER_LIMIT + 1);
    struct pair changes[2] = {{"ce_owner", owner}, {NULL, NULL}};
    struct event_facts facts;
    struct fault fault;
    bool complete;
    assert_int_equal(read_extensions(changes, "{}", &facts, &complete, &fault), ERR_INVALID);
    assert_string_equal(fault.pointer, "/owner");
}

static void says_when_extensions_are_missing(void **state)
{
    (void)state;
    static const struct pair missing[][2] = {
        {{"=ce_customer", NULL}, {NULL, NULL}},
        {{"=ce_facts", NULL}, {NULL, NULL}},
        {{"=ce_facts", NULL}, {"=ce_type", "nobody.asked.yet"}},
    };
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        struct event_facts facts;
        struct fault fault;
        bool complete = true;
        assert_int_equal(read_extensions(missing[i], "{", &facts, &complete, &fault), 0);
        assert_false(complete);
    }
}

/* What is admitted with the most there can be must come back from Kafka. */
static void holds_all_an_event_can_have(void **state)
{
    (void)state;
    static char names[EVENT_EXTENSIONS_LIMIT][8];
    struct event event = event_of(full_data), back;
    struct event_facts facts;
    struct record record;
    struct fault fault = {.detail = ""};
    event.subject = event.datacontenttype = span_of("application/json");
    event.dataschema = span_of("a:b");
    for (int i = 0; i < EVENT_EXTENSIONS_LIMIT - EVENT_FACTS; i++) {
        sprintf(names[i], "x%d", i);
        assert_int_equal(event_set_extension(&event, names[i], span_of("1")), 0);
    }
    assert_int_equal(event_set_extension(&event, "owner", span_of("Bob")), 0);
    write_record(&event, &record);
    assert_int_equal(event_from_record(&record, &world.arena, &back, &fault), 0);
    assert_int_equal(back.extension_count, EVENT_EXTENSIONS_LIMIT);
    assert_int_equal(event_set_extension(&event, "onemore", span_of("1")), 0);
    assert_int_equal(event_admit(&world.admission, &event, NULL, &world.arena, &facts, &fault),
                     ERR_INVALID);
    assert_non_null(strstr(fault.detail, "more than 26"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_contract),
        cmocka_unit_test(writes_no_tombstone),
        cmocka_unit_test(reads_back_what_it_writes),
        cmocka_unit_test(reads_binary_mode),
        cmocka_unit_test(leaves_a_byte_order_mark_out),
        cmocka_unit_test(reads_structured_mode),
        cmocka_unit_test(trusts_no_extension),
        cmocka_unit_test(says_when_extensions_are_missing),
        cmocka_unit_test(holds_all_an_event_can_have),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
