/* Admission: every check of the contract, with the pointer it names, and what is derived. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

/* An event about ann, said by the attribute, with these data; NULL: none. */
static struct event event_of(const char *type, const char *data)
{
    struct event event = {
        .id = span_of("1"),
        .source = span_of("/crm"),
        .type = span_of(type),
        .time = span_of("2026-01-08T10:12:07.672717Z"),
        .data_kind = data ? EVENT_DATA_JSON : EVENT_DATA_NONE,
        .data = span_of(data),
    };
    assert_int_equal(event_set_extension(&event, "customer", span_of("email=ann%40acme.example")),
                     0);
    return event;
}

static int admit(const struct event *event, struct event_facts *facts, struct fault *fault)
{
    memset(facts, 0x5A, sizeof *facts); /* whatever is not set would show */
    *fault = (struct fault){.detail = ""};
    return event_admit(&world.admission, event, NULL, &world.arena, facts, fault);
}

static void assert_text(struct span actual, const char *expected)
{
    if (!expected)
        assert_null(actual.ptr);
    else if (!span_is(actual, expected))
        fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARGS(actual), expected);
}

static void assert_refused(int result, const struct fault *fault, const char *pointer)
{
    if (result != ERR_INVALID || strcmp(fault->pointer, pointer) != 0)
        fail_msg("result %d, pointer %s: %s", result, fault->pointer, fault->detail);
    assert_true(fault->detail[0] != '\0');
}

/* What data say, and what is derived; NULL: absent. */
static const struct {
    const char *type, *data;
    const char *owner, *summary, *amount, *currency, *facts;
} derived[] = {
    {"sales.note.taken", NULL, NULL, NULL, NULL, NULL, ""},
    {"sales.note.taken", "{}", NULL, NULL, NULL, NULL, ""},
    {"sales.note.taken", "[1]", NULL, NULL, NULL, NULL, ""},
    {"sales.note.taken", "null", NULL, NULL, NULL, NULL, ""},
    {"sales.note.taken", "\"text\"", NULL, NULL, NULL, NULL, ""},
    {"sales.note.taken",
     "{\"owner\": null, \"summary\": null, \"amount\": null, \"currency\": null, \"issue\": null,"
     " \"promises\": null, \"customer\": null}",
     NULL, NULL, NULL, NULL, ""},
    {"sales.deal.won", "{\"amount\": 1200.50, \"currency\": \"EUR\"}", NULL,
     "Deal won: 1200.50 EUR", "1200.50", "EUR", ""},
    {"sales.deal.won", "{\"amount\": \"1.5e3\", \"currency\": \"EUR\"}", NULL,
     "Deal won: 1.5e3 EUR", "1500", "EUR", ""},
    {"sales.deal.won",
     "{\"amount\": 9007199254740993.10, \"currency\": \"EUR\", \"summary\": \"Big\"}", NULL, "Big",
     "9007199254740993.10", "EUR", ""},
    {"sales.note.taken", "{\"amount\": -5}", NULL, NULL, "-5", NULL, ""},
    {"sales.note.taken", "{\"currency\": \"USD\"}", NULL, NULL, NULL, "USD", ""},
    {"sales.note.taken", "{\"owner\": \" Bob \"}", "Bob", NULL, NULL, NULL, ""},
    {"sales.note.taken", "{\"owner\": \" \", \"summary\": \"\\n\"}", NULL, NULL, NULL, NULL, ""},
    {"sales.note.taken", "{\"owner\": {\"name\": \"Bob\", \"role\": \"AE\", \"region\": null}}",
     "Bob", NULL, NULL, NULL, "owner"},
    {"sales.note.taken", "{\"summary\": \"two\\nlines\\u0085 \\ufffe\\ud83d\\ude00\"}", NULL,
     "two lines   \xF0\x9F\x98\x80", NULL, NULL, ""},
    {"sales.note.taken", "{\"promises\": [\"a\", \"b\"]}", NULL, NULL, NULL, NULL, "promises"},
    {"sales.note.taken", "{\"kept\": [\"a\"]}", NULL, NULL, NULL, NULL, "kept"},
    {"sales.note.taken", "{\"kept\": null}", NULL, NULL, NULL, NULL, ""},
    {"sales.note.taken", "{\"issue\": {\"id\": \"7\", \"summary\": \"late\"}}", NULL, NULL, NULL,
     NULL, "issue"},
    {"sales.note.taken", "{\"issue\": {\"id\": \"7\", \"closed\": true}}", NULL, NULL, NULL, NULL,
     "issue"},
    {"sales.note.taken", "{\"issue\": {\"id\": \"7\", \"told\": true, \"summary\": null}}", NULL,
     NULL, NULL, NULL, "issue"},
    {"sales.note.taken",
     "{\"promises\": [], \"owner\": {\"name\": \"Bob\"}, \"issue\": {\"id\": \"7\", \"summary\": "
     "\"x\"}}",
     "Bob", NULL, NULL, NULL, "issue,owner,promises"},
    {"sales.note.taken",
     "{\"promises\": [\"a\"], \"kept\": [\"b\"], \"owner\": {\"name\": \"Bob\"}, \"issue\": "
     "{\"id\": \"7\", \"told\": true}}",
     "Bob", NULL, NULL, NULL, "issue,kept,owner,promises"},
    {"sales.form.sent", "{\"text\": \"\", \"count\": 1, \"yes\": false, \"all\": {}, \"some\": []}",
     NULL, NULL, NULL, NULL, ""},
    {"sales.form.sent",
     "{\"text\": \"\", \"count\": 1.5, \"yes\": true, \"all\": {}, \"some\": [1]}", NULL, NULL,
     NULL, NULL, ""},
};

static void derives_facts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof derived / sizeof *derived; i++) {
        struct event event = event_of(derived[i].type, derived[i].data);
        struct event_facts facts;
        struct fault fault;
        print_message("%s %s\n", derived[i].type, derived[i].data ? derived[i].data : "-");
        int result = admit(&event, &facts, &fault);
        if (result != 0)
            fail_msg("%s: %s", fault.pointer, fault.detail);
        assert_text(facts.owner, derived[i].owner);
        assert_text(facts.summary, derived[i].summary);
        assert_text(facts.amount, derived[i].amount);
        assert_text(facts.currency, derived[i].currency);
        assert_text(facts.facts, derived[i].facts);
        assert_text(facts.customer, "email=ann%40acme.example");
        assert_int_equal(facts.identities.count, 1);
        assert_int_equal(facts.occurred_at, INT64_C(1767867127672717));
    }
}

/* What must not come in, and whom the fault blames. */
static const struct {
    const char *type, *data, *pointer;
} refused[] = {
    {"sales.deal.lost", "{}", "/type"},
    {"billing.invoice.paid", "{}", "/type"},
    {"throughline.customer.stale", "{}", "/type"},
    {"sales.note.taken", "{", "/data"},
    {"sales.note.taken", "{\"a\": 1, \"a\": 2}", "/data/a"},
    {"sales.note.taken", "{\"a\": \"\\u0000\"}", "/data"},
    {"sales.deal.won", NULL, "/data"},
    {"sales.deal.won", "[]", "/data"},
    {"sales.deal.won", "{}", "/data/amount"},
    {"sales.deal.won", "{\"amount\": null, \"currency\": \"EUR\"}", "/data/amount"},
    {"sales.deal.won", "{\"amount\": 5}", "/data/currency"},
    {"sales.deal.won", "{\"amount\": 5, \"currency\": 978}", "/data/currency"},
    {"sales.deal.won", "{\"amount\": true, \"currency\": \"EUR\"}", "/data/amount"},
    {"sales.form.sent", "{\"text\": 1}", "/data/text"},
    {"sales.form.sent", "{\"text\": \"\", \"count\": \"1\"}", "/data/count"},
    {"sales.form.sent", "{\"text\": \"\", \"count\": 1, \"yes\": 1}", "/data/yes"},
    {"sales.form.sent", "{\"text\": \"\", \"count\": 1, \"yes\": true, \"all\": []}", "/data/all"},
    {"sales.form.sent", "{\"text\": \"\", \"count\": 1, \"yes\": true, \"all\": {}, \"some\": {}}",
     "/data/some"},
    {"sales.note.taken", "{\"customer\": \"ann\"}", "/data/customer"},
    {"sales.note.taken", "{\"customer\": {\"fax\": 1}}", "/data/customer/fax"},
    {"sales.note.taken", "{\"customer\": {\"email\": \"bob@acme.example\"}}", "/customer"},
    {"sales.note.taken", "{\"customer\": {\"email\": \"ann@acme.example\", \"stripe\": 1}}",
     "/customer"},
    {"sales.note.taken", "{\"owner\": 7}", "/data/owner"},
    {"sales.note.taken", "{\"owner\": []}", "/data/owner"},
    {"sales.note.taken", "{\"owner\": {}}", "/data/owner/name"},
    {"sales.note.taken", "{\"owner\": {\"name\": \"\"}}", "/data/owner/name"},
    {"sales.note.taken", "{\"owner\": {\"name\": \"Bob\", \"role\": 1}}", "/data/owner/role"},
    {"sales.note.taken", "{\"owner\": {\"name\": \"Bob\", \"region\": []}}", "/data/owner/region"},
    {"sales.note.taken", "{\"summary\": {}}", "/data/summary"},
    {"sales.note.taken", "{\"amount\": {}}", "/data/amount"},
    {"sales.note.taken", "{\"amount\": false}", "/data/amount"},
    {"sales.note.taken", "{\"amount\": \"\"}", "/data/amount"},
    {"sales.note.taken", "{\"amount\": \"1,50\"}", "/data/amount"},
    {"sales.note.taken", "{\"amount\": \"NaN\"}", "/data/amount"},
    {"sales.note.taken", "{\"amount\": \"1e400\"}", "/data/amount"},
    {"sales.note.taken", "{\"currency\": \"usd\"}", "/data/currency"},
    {"sales.note.taken", "{\"currency\": \"EURO\"}", "/data/currency"},
    {"sales.note.taken", "{\"currency\": \"\"}", "/data/currency"},
    {"sales.note.taken", "{\"promises\": \"soon\"}", "/data/promises"},
    {"sales.note.taken", "{\"promises\": [\"a\", 1]}", "/data/promises/1"},
    {"sales.note.taken", "{\"promises\": [\"\"]}", "/data/promises/0"},
    {"sales.note.taken", "{\"kept\": \"all\"}", "/data/kept"},
    {"sales.note.taken", "{\"kept\": [\"a\", null]}", "/data/kept/1"},
    {"sales.note.taken", "{\"kept\": [\"\"]}", "/data/kept/0"},
    {"sales.note.taken", "{\"issue\": \"late\"}", "/data/issue"},
    {"sales.note.taken", "{\"issue\": {\"summary\": \"late\"}}", "/data/issue/id"},
    {"sales.note.taken", "{\"issue\": {\"id\": 7, \"summary\": \"late\"}}", "/data/issue/id"},
    {"sales.note.taken", "{\"issue\": {\"id\": \"7\"}}", "/data/issue/summary"},
    {"sales.note.taken", "{\"issue\": {\"id\": \"7\", \"closed\": false}}", "/data/issue/summary"},
    {"sales.note.taken", "{\"issue\": {\"id\": \"7\", \"closed\": \"yes\"}}", "/data/issue/closed"},
    {"sales.note.taken", "{\"issue\": {\"id\": \"7\", \"told\": 1}}", "/data/issue/told"},
    {"sales.note.taken", "{\"issue\": {\"id\": \"7\", \"closed\": true, \"summary\": 1}}",
     "/data/issue/summary"},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct event event = event_of(refused[i].type, refused[i].data);
        struct event_facts facts;
        struct fault fault;
        print_message("%s %s\n", refused[i].type, refused[i].data ? refused[i].data : "-");
        int result = admit(&event, &facts, &fault);
        assert_refused(result, &fault, refused[i].pointer);
    }
}

/* What is folded into tables has bounds: one byte or element more is refused. */
static void bounds_what_is_folded(void **state)
{
    (void)state;
    static const struct {
        const char *before, *filling;
        int limit;
        const char *after, *pointer;
    } cases[] = {
        {"{\"owner\": {\"name\": \"Bob\", \"role\": \"", "x", 100, "\"}}", "/data/owner/role"},
        {"{\"owner\": {\"name\": \"Bob\", \"region\": \"", "x", 100, "\"}}", "/data/owner/region"},
        {"{\"issue\": {\"closed\": true, \"id\": \"", "x", 200, "\"}}", "/data/issue/id"},
        {"{\"promises\": [\"", "x", 1000, "\"]}", "/data/promises/0"},
        {"{\"kept\": [\"a\", \"", "x", 1000, "\"]}", "/data/kept/1"},
        {"{\"promises\": [\"a\"", ",\"a\"", 99, "]}", "/data/promises"},
        {"{\"kept\": [\"a\"", ",\"a\"", 99, "]}", "/data/kept"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int more = 0; more < 2; more++) {
            char data[2048];
            size_t len = (size_t)snprintf(data, sizeof data, "%s", cases[i].before);
            for (int n = 0; n < cases[i].limit + more; n++)
                len += (size_t)snprintf(data + len, sizeof data - len, "%s", cases[i].filling);
            snprintf(data + len, sizeof data - len, "%s", cases[i].after);
            struct event event = event_of("sales.note.taken", data);
            struct event_facts facts;
            struct fault fault;
            int result = admit(&event, &facts, &fault);
            if (more)
                assert_refused(result, &fault, cases[i].pointer);
            else
                assert_int_equal(result, 0);
        }
    }
}

/* Attributes that a sender gave beside data. `pointer` NULL: admitted. */
static const struct {
    const char *name, *value, *data, *pointer;
} attributes[] = {
    {"customer", "email=Ann%40ACME.example", "{\"customer\": {\"email\": \"ann@acme.example\"}}",
     NULL},
    {"customer", "email=ann%40acme.example", "{\"customer\": {}}", NULL},
    {"customer", "mail", "{}", "/customer"},
    {"owner", "Bob", "{}", NULL},
    {"owner", "Bob", "{\"owner\": {\"name\": \" Bob\"}}", NULL},
    {"owner", "Bob", "{\"owner\": \"Eve\"}", "/owner"},
    {"summary", "A note", "{}", NULL},
    {"summary", "A note", "{\"summary\": \"A\\nnote\"}", NULL},
    {"summary", "A note", "{\"summary\": \"Another\"}", "/summary"},
    {"amount", "20", "{}", NULL},
    {"amount", "20", "{\"amount\": 20.00}", NULL},
    {"amount", "20.10", "{\"amount\": \"20.1\"}", NULL},
    {"amount", "200", "{\"amount\": 20}", "/amount"},
    {"amount", "a lot", "{}", "/amount"},
    {"currency", "EUR", "{}", NULL},
    {"currency", "EUR", "{\"currency\": \"EUR\"}", NULL},
    {"currency", "EUR", "{\"currency\": \"USD\"}", "/currency"},
    {"currency", "eur", "{}", "/currency"},
    {"facts", "", "{}", NULL},
    {"facts", "promises", "{\"promises\": [\"a\"]}", NULL},
    {"facts", "", "{\"promises\": [\"a\"]}", "/facts"},
    {"facts", "promises", "{}", "/facts"},
    {"other", "anything", "{\"other\": 1}", NULL},
};

static void compares_attributes_with_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        struct event event = event_of("sales.note.taken", attributes[i].data);
        struct event_facts facts;
        struct fault fault;
        print_message("%s=%s %s\n", attributes[i].name, attributes[i].value, attributes[i].data);
        assert_int_equal(
            event_set_extension(&event, attributes[i].name, span_of(attributes[i].value)), 0);
        int result = admit(&event, &facts, &fault);
        if (attributes[i].pointer) {
            assert_refused(result, &fault, attributes[i].pointer);
            continue;
        }
        if (result != 0)
            fail_msg("%s: %s", fault.pointer, fault.detail);
        if (strcmp(attributes[i].name, "owner") == 0)
            assert_text(facts.owner, "Bob");
        if (strcmp(attributes[i].name, "summary") == 0)
            assert_text(facts.summary, "A note");
        if (strcmp(attributes[i].name, "amount") == 0)
            assert_true(facts.amount.ptr && span_starts_with(facts.amount, "20"));
        if (strcmp(attributes[i].name, "currency") == 0)
            assert_text(facts.currency, "EUR");
    }
}

static void wants_a_customer(void **state)
{
    (void)state;
    struct event event = event_of("sales.note.taken", "{\"customer\": {\"email\": null}}");
    struct event_facts facts;
    struct fault fault;
    event.extension_count = 0;
    int result = admit(&event, &facts, &fault);
    assert_refused(result, &fault, "/data/customer");
    event.data = span_of("{\"customer\": {\"email\": \"ann@acme.example\"}}");
    assert_int_equal(admit(&event, &facts, &fault), 0);
    assert_text(facts.customer, "email=ann%40acme.example");
}

static void wants_a_time_that_can_be(void **state)
{
    (void)state;
    static const struct {
        const char *time;
        bool admitted;
    } times[] = {
        {"1970-01-01T00:00:00Z", true},  {"1969-12-31T23:59:59.999999Z", false},
        {"2026-01-09T12:00:00Z", true},  {"2026-01-09T12:00:00.000001Z", false},
        {"9999-12-31T00:00:00Z", false}, {"yesterday", false},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct event event = event_of("sales.note.taken", "{}");
        struct event_facts facts;
        struct fault fault;
        event.time = span_of(times[i].time);
        int result = admit(&event, &facts, &fault);
        if (times[i].admitted)
            assert_int_equal(result, 0);
        else
            assert_refused(result, &fault, "/time");
    }
}

static void cuts_summaries_and_bounds_owners(void **state)
{
    (void)state;
    char data[2048] = "{\"summary\": \"", *end = data + strlen(data);
    for (int i = 0; i < 600; i++) /* two bytes each */
        end = stpcpy(end, "\xC3\xA4");
    strcpy(end, "\"}");
    struct event event = event_of("sales.note.taken", data);
    struct event_facts facts;
    struct fault fault;
    assert_int_equal(admit(&event, &facts, &fault), 0);
    assert_int_equal(facts.summary.len, 1020 + 3); /* 1021 would cut a character */
    assert_memory_equal(facts.summary.ptr + 1018, "\xC3\xA4\xE2\x80\xA6", 5);

    memcpy(data, "{\"owner\":   \"", 13);
    event.data = span_of(data);
    int result = admit(&event, &facts, &fault);
    assert_refused(result, &fault, "/data/owner");
}

/* The tree of a caller is used as it is, and the facts outlive it. */
static void takes_the_callers_tree(void **state)
{
    (void)state;
    const char *text = "{\"owner\": \"Bob\", \"currency\": \"EUR\", \"summary\": \"S\"}";
    json_t *tree = json_loads(text, 0, NULL);
    struct event event = event_of("sales.note.taken", text);
    struct event_facts facts;
    assert_int_equal(event_admit(&world.admission, &event, tree, &world.arena, &facts, NULL), 0);
    json_decref(tree);
    assert_text(facts.owner, "Bob");
    assert_text(facts.currency, "EUR");
    assert_text(facts.summary, "S");
}

static void leaves_other_data_alone(void **state)
{
    (void)state;
    struct event event = event_of("sales.note.taken", "<a/>");
    struct event_facts facts;
    struct fault fault;
    event.data_kind = EVENT_DATA_BINARY;
    assert_int_equal(admit(&event, &facts, &fault), 0);
    assert_text(facts.facts, "");
    assert_int_equal(event_set_extension(&event, "facts", span_of("promises")), 0);
    int result = admit(&event, &facts, &fault);
    assert_refused(result, &fault, "/facts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derives_facts),
        cmocka_unit_test(refuses),
        cmocka_unit_test(bounds_what_is_folded),
        cmocka_unit_test(compares_attributes_with_data),
        cmocka_unit_test(wants_a_customer),
        cmocka_unit_test(wants_a_time_that_can_be),
        cmocka_unit_test(cuts_summaries_and_bounds_owners),
        cmocka_unit_test(takes_the_callers_tree),
        cmocka_unit_test(leaves_other_data_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
