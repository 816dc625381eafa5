/* The mapping engine: every form of a value, every outcome. */
#include "tests/unit/mapping_depot.h"

static struct mapping *new_mapping(const char *members)
{
    struct fault fault = {.pointer = ""};
    struct mapping *mapping = NULL;
    json_t *root = source_file(members);
    kit_expect(mapping_new("test", root, depot(), kit.kinds, &mapping, &fault), &fault);
    json_decref(root); /* the mapping keeps what it needs */
    return mapping;
}

static const struct record_header headers[] = {
    {{"X-Event-Id", 10}, {"h-7", 3}},    {{"x-topic", 7}, {"orders/create", 13}},
    {{"X-Empty", 7}, {"", 0}},           {{"X-At", 4}, {"2026-01-08T10:12:07.5+01:00", 27}},
    {{"x-event-id", 10}, {"second", 6}},
};
#define HEADERS (sizeof headers / sizeof headers[0])

static struct mapped map(const char *members, const char *body, size_t index)
{
    struct mapping *mapping = new_mapping(members);
    struct mapped mapped = kit_map(&kit, mapping, depot(), span_of(body), index, headers, HEADERS);
    mapped.event.source = arena_copy(&kit.arena, mapped.event.source); /* the mapping's own */
    if (mapped.reason)
        mapped.reason = arena_strdup(&kit.arena, span_of(mapped.reason));
    mapping_free(mapping);
    return mapped;
}

static const char *text(struct span span)
{
    return kit_text(&kit, span);
}

static void expect_event(const struct mapped *mapped)
{
    if (mapped->outcome != MAPPED_EVENT)
        fail_msg("no event: %s", mapped->reason);
}

/* One member of data, as it stands there; NULL where it does not. */
static const char *member(const struct mapped *mapped, const char *pointer)
{
    struct span value;
    expect_event(mapped);
    int rc = json_scan_pointer(mapped->event.data, pointer, &value);
    return rc ? NULL : text(value);
}

static void a_payload_becomes_an_event(void **state)
{
    (void)state;
    struct mapped mapped = map("{\"data\": {\"thing\": \"/thing\"}}",
                               "{ \"id\":\"a1\",\n\t\"at\":1767867127,\"who\":\"Ann\",  "
                               "\"thing\": [1.50, {\"b\":  null}], \"u\": \"\\u00e4\" } \n",
                               0);
    expect_event(&mapped);
    assert_int_equal(mapped.rule, 0);
    assert_string_equal(text(mapped.event.id), "a1");
    assert_string_equal(text(mapped.event.source), "/webhooks/test");
    assert_string_equal(text(mapped.event.type), "depot.thing.seen");
    assert_string_equal(text(mapped.event.time), "2026-01-08T10:12:07Z");
    assert_string_equal(text(mapped.event.datacontenttype), "application/json");
    assert_int_equal(mapped.event.data_kind, EVENT_DATA_JSON);
    assert_string_equal(text(mapped.facts.customer), "ref=Ann");
    assert_true(mapped.facts.occurred_at == INT64_C(1767867127000000));
    /* The original, byte for byte, and members as they were written. */
    assert_string_equal(member(&mapped, "/thing"), "[1.50, {\"b\":  null}]");
    assert_string_equal(member(&mapped, "/payload"),
                        "{ \"id\":\"a1\",\n\t\"at\":1767867127,\"who\":\"Ann\",  "
                        "\"thing\": [1.50, {\"b\":  null}], \"u\": \"\\u00e4\" }");
}

static void values_come_from_where_they_are_said_to(void **state)
{
    (void)state;
    static const char body[] = "{\"id\": 1, \"at\": 1, \"who\": \"x\", \"s\": \"a\\\"b\\u00e4\", "
                               "\"n\": 12345678901234567890.10, "
                               "\"t\": true, \"f\": false, \"z\": null, \"e\": \"\", \"o\": "
                               "{\"k\": [1, 2]}, \"a~b/c\": 5, "
                               "\"cents\": 2000, \"text\": \"19.90\", \"big\": "
                               "1234567890123456.789, \"exp\": 1.5e3, "
                               "\"usd\": \"usd\", \"list\": [{\"v\": \"first\"}]}";
    static const struct {
        const char *value, *expected; /* NULL: absent */
    } cases[] = {
        {"\"/s\"", "\"a\\\"b\xc3\xa4\""},
        {"{\"pointer\": \"/n\"}", "12345678901234567890.10"},
        {"\"/t\"", "true"},
        {"\"/f\"", "false"},
        {"\"/o\"", "{\"k\": [1, 2]}"},
        {"\"/o/k/1\"", "2"},
        {"\"/list/0/v\"", "\"first\""},
        {"\"/a~0b~1c\"", "5"},
        {"\"/z\"", NULL},
        {"\"/e\"", NULL},
        {"\"/nothing/here\"", NULL},
        {"{\"header\": \"x-EVENT-id\"}", "\"h-7\""},
        {"{\"header\": \"X-Empty\"}", NULL},
        {"{\"header\": \"X-None\"}", NULL},
        {"{\"constant\": \"fixed\"}", "\"fixed\""},
        {"{\"constant\": {\"a\": [1, true]}}", "{\"a\":[1,true]}"},
        {"{\"constant\": false}", "false"},
        {"{\"template\": \"{/usd}-{/n}-{{}}\"}", "\"usd-12345678901234567890.10-{}\""},
        {"{\"template\": \"{/usd}-{/nothing}\"}", NULL},
        {"{\"first\": [\"/z\", \"/e\", \"/nothing\", \"/usd\", \"/s\"]}", "\"usd\""},
        {"{\"first\": [\"/z\", {\"constant\": 7}]}", "7"},
        {"{\"first\": [\"/z\", \"/e\"]}", NULL},
        {"{\"object\": {\"a\": \"/usd\", \"b\": \"/z\", \"c\": {\"object\": {\"d\": \"/t\"}}}}",
         "{\"a\":\"usd\",\"c\":{\"d\":true}}"},
        {"{\"object\": {\"a\": \"/z\"}}", NULL},
        {"{\"list\": [\"/usd\", \"/z\", \"/o/k\"]}", "[\"usd\",[1, 2]]"},
        {"{\"list\": [\"/z\"]}", NULL},
        {"{\"pointer\": \"/usd\", \"upper\": true}", "\"USD\""},
        {"{\"pointer\": \"/n\", \"upper\": true}", "12345678901234567890.10"},
        {"{\"pointer\": \"/usd\", \"map\": {\"usd\": \"dollars\"}}", "\"dollars\""},
        {"{\"pointer\": \"/cents\", \"map\": {\"2000\": \"many\"}}", "\"many\""},
        {"{\"pointer\": \"/t\", \"map\": {\"true\": \"yes\"}}", "\"yes\""},
        {"{\"pointer\": \"/usd\", \"map\": {\"eur\": \"euros\"}}", NULL},
        {"{\"first\": [{\"pointer\": \"/usd\", \"map\": {\"eur\": \"x\"}}, {\"constant\": \"?\"}]}",
         "\"?\""},
        {"{\"pointer\": \"/cents\", \"scale\": -2}", "20.00"},
        {"{\"pointer\": \"/cents\", \"scale\": 3}", "2000000"},
        {"{\"pointer\": \"/text\", \"scale\": 0}", "19.90"},
        {"{\"pointer\": \"/exp\", \"scale\": -1}", "150.0"},
        {"{\"pointer\": \"/big\", \"scale\": -2}", "12345678901234.56789"},
        {"{\"pointer\": \"/z\", \"scale\": -2}", NULL},
        {"{\"pointer\": \"/usd\", \"if\": {\"/t\": true}}", "\"usd\""},
        {"{\"pointer\": \"/usd\", \"if\": {\"/t\": false}}", NULL},
        {"{\"pointer\": \"/usd\", \"unless\": {\"/t\": true}}", NULL},
        {"{\"pointer\": \"/usd\", \"unless\": {\"/t\": false}}", "\"usd\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char members[512];
        snprintf(members, sizeof members, "{\"data\": {\"it\": %s}}", cases[i].value);
        struct mapped mapped = map(members, body, 0);
        const char *got = member(&mapped, "/it");
        if (!got != !cases[i].expected || (got && strcmp(got, cases[i].expected) != 0))
            fail_msg("%s: %s, not %s", cases[i].value, got ? got : "(absent)",
                     cases[i].expected ? cases[i].expected : "(absent)");
    }
}

static void conditions_compare(void **state)
{
    (void)state;
    static const char body[] =
        "{\"id\": 1, \"at\": 1, \"who\": \"x\", \"type\": \"a\", \"n\": 7, \"t\": true, "
        "\"z\": null, \"e\": \"\", \"o\": {}}";
    static const struct {
        const char *condition;
        bool holds;
    } cases[] = {
        {"{\"/type\": \"a\"}", true},
        {"{\"/type\": \"b\"}", false},
        {"{\"/type\": [\"b\", \"a\"]}", true},
        {"{\"/type\": [\"b\", \"c\"]}", false},
        {"{\"/n\": 7}", true},
        {"{\"/n\": \"7\"}", false},
        {"{\"/n\": [8, 7]}", true},
        {"{\"/t\": true}", true},
        {"{\"/t\": false}", false},
        {"{\"/z\": null}", true},
        {"{\"/nothing\": null}", false},
        {"{\"/z\": [\"a\", null]}", true},
        {"{\"/type\": \"a\", \"/n\": 7}", true},
        {"{\"/type\": \"a\", \"/n\": 8}", false},
        {"{\"/o\": {\"present\": true}}", true},
        {"{\"/z\": {\"present\": true}}", false},
        {"{\"/e\": {\"present\": true}}", false},
        {"{\"/e\": {\"present\": false}}", true},
        {"{\"/nothing\": {\"present\": false}}", true},
        {"{\"/n\": {\"present\": false}}", false},
        {"{\"headers\": {\"X-Topic\": \"orders/create\"}}", true},
        {"{\"headers\": {\"X-Topic\": [\"a\", \"orders/create\"]}}", true},
        {"{\"headers\": {\"X-Topic\": \"orders/paid\"}}", false},
        {"{\"headers\": {\"X-Topic\": \"Orders/Create\"}}", false},
        {"{\"headers\": {\"X-None\": \"a\"}}", false},
        {"{\"headers\": {\"X-Topic\": {\"present\": true}}}", true},
        {"{\"headers\": {\"X-Empty\": {\"present\": false}}}", true},
        {"{\"headers\": {\"X-Topic\": \"orders/create\", \"X-None\": \"a\"}}", false},
        {"{\"/type\": \"a\", \"headers\": {\"X-Topic\": \"orders/create\"}}", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char members[512];
        snprintf(
            members, sizeof members,
            "{\"rules\": [{\"if\": %s, \"type\": \"depot.thing.seen\"}, {\"ignore\": \"no\"}]}",
            cases[i].condition);
        struct mapped mapped = map(members, body, 0);
        if ((mapped.outcome == MAPPED_EVENT) != cases[i].holds)
            fail_msg("%s: %s", cases[i].condition, mapped.reason ? mapped.reason : "holds");
        snprintf(
            members, sizeof members,
            "{\"rules\": [{\"unless\": %s, \"type\": \"depot.thing.seen\"}, {\"ignore\": \"no\"}]}",
            cases[i].condition);
        mapped = map(members, body, 0);
        if ((mapped.outcome == MAPPED_EVENT) == cases[i].holds)
            fail_msg("unless %s: %s", cases[i].condition, mapped.reason ? mapped.reason : "holds");
    }
}

static void times_are_read_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *format, *at, *time; /* NULL: quarantined */
    } cases[] = {
        {"unix_s", "1767867127", "2026-01-08T10:12:07Z"},
        {"unix_s", "1767867127.672717030", "2026-01-08T10:12:07.672717Z"},
        {"unix_s", "\"1767867127.5\"", "2026-01-08T10:12:07.500000Z"},
        {"unix_s", "0", "1970-01-01T00:00:00Z"},
        {"unix_s", "1.767867127e9", "2026-01-08T10:12:07Z"},
        {"unix_ms", "1767867127672", "2026-01-08T10:12:07.672000Z"},
        {"unix_ms", "\"1767867127672\"", "2026-01-08T10:12:07.672000Z"},
        {"unix_ms", "1767867127672.7171", "2026-01-08T10:12:07.672717Z"},
        {"rfc3339", "\"2026-01-08T10:12:07.672717030Z\"", "2026-01-08T10:12:07.672717030Z"},
        {"rfc3339", "\"2026-01-08T11:12:07+01:00\"", "2026-01-08T11:12:07+01:00"},
        {"unix_s", "-1", NULL},
        {"unix_s", "1767867127672", NULL},
        {"unix_s", "\"99999999999999999999\"", NULL},
        {"unix_s", "1e60", NULL},
        {"unix_s", "\"yesterday\"", NULL},
        {"unix_s", "true", NULL},
        {"unix_s", "{}", NULL},
        {"unix_ms", "\"2026-01-08T10:12:07Z\"", NULL},
        {"rfc3339", "1767867127", NULL},
        {"rfc3339", "\"February 3, 2025\"", NULL},
        {"rfc3339", "\"2026-01-08\"", NULL},
        {"rfc3339", "\"2027-01-08T10:12:07Z\"", NULL}, /* more than a day ahead */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char members[256], body[256];
        snprintf(members, sizeof members, "{\"time\": {\"pointer\": \"/at\", \"format\": \"%s\"}}",
                 cases[i].format);
        snprintf(body, sizeof body, "{\"id\": 1, \"at\": %s, \"who\": \"x\"}", cases[i].at);
        struct mapped mapped = map(members, body, 0);
        if (cases[i].time) {
            expect_event(&mapped);
            assert_string_equal(text(mapped.event.time), cases[i].time);
        } else if (mapped.outcome != MAPPED_QUARANTINE) {
            fail_msg("%s %s was taken for %s", cases[i].format, cases[i].at,
                     text(mapped.event.time));
        }
    }
    struct mapped mapped = map("{\"time\": {\"first\": [{\"pointer\": \"/z\", \"format\": "
                               "\"unix_s\"}, {\"header\": \"X-At\", \"format\": \"rfc3339\"}]}}",
                               "{\"id\": 1, \"who\": \"x\"}", 0);
    expect_event(&mapped);
    assert_true(mapped.facts.occurred_at == INT64_C(1767863527500000));
}

static void minor_units_follow_the_currency(void **state)
{
    (void)state;
    static const struct {
        const char *amount, *currency, *expected; /* NULL: quarantined */
    } cases[] = {
        {"2000", "\"usd\"", "20.00"}, {"2000", "\"EUR\"", "20.00"},
        {"5", "\"gbp\"", "0.05"},     {"-150", "\"chf\"", "-1.50"},
        {"500", "\"jpy\"", "500"},    {"1000", "\"KRW\"", "1000"},
        {"5124", "\"kwd\"", "5.124"}, {"12345", "\"clf\"", "1.2345"},
        {"500", "\"isk\"", "5.00"}, /* the source says otherwise than ISO 4217 */
        {"700", "\"mga\"", "700"},    {"90071992547409931", "\"usd\"", "900719925474099.31"},
        {"2000", "\"xyz\"", NULL},    {"2000", "\"\"", NULL},
        {"2000", "null", NULL},       {"\"many\"", "\"usd\"", NULL},
        {"{}", "\"usd\"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"id\": 1, \"at\": 1, \"who\": \"x\", \"m\": %s, \"c\": %s}",
                 cases[i].amount, cases[i].currency);
        struct mapped mapped =
            map("{\"minor_units\": {\"ISK\": 2, \"MGA\": 0}, \"rules\": [{\"type\": "
                "\"depot.thing.sold\"}], \"data\": {\"amount\": {\"pointer\": \"/m\", \"scale\": "
                "\"minor_units\"}, \"currency\": {\"pointer\": \"/c\", \"upper\": true}}}",
                body, 0);
        if (!cases[i].expected && mapped.outcome == MAPPED_QUARANTINE)
            continue;
        expect_event(&mapped);
        if (!cases[i].expected)
            fail_msg("%s %s was mapped", cases[i].amount, cases[i].currency);
        assert_string_equal(text(mapped.facts.amount), cases[i].expected);
        assert_string_equal(member(&mapped, "/amount"), cases[i].expected);
    }
}

static void the_customer_is_what_the_payload_names(void **state)
{
    (void)state;
    static const char members[] =
        "{\"customer\": {\"ref\": \"/who\", \"email\": {\"first\": [\"/mail\", \"/other\"]}, "
        "\"account\": {\"ref\": \"/firm\"}}}";
    struct mapped mapped =
        map(members,
            "{\"id\": 1, \"at\": 1, \"who\": 42, \"other\": \"Ann@Acme.example\", \"firm\": 7}", 0);
    assert_string_equal(member(&mapped, "/customer"),
                        "{\"ref\":\"42\",\"email\":\"Ann@Acme.example\","
                        "\"account\":{\"ref\":\"7\"}}");
    assert_string_equal(text(mapped.facts.customer),
                        "email=ann%40acme.example&ref=42&account.ref=7");
    mapped = map(members, "{\"id\": 1, \"at\": 1, \"firm\": \"acme\"}", 0);
    assert_string_equal(member(&mapped, "/customer"), "{\"account\":{\"ref\":\"acme\"}}");
    mapped = map(members, "{\"id\": 1, \"at\": 1, \"who\": {\"id\": 3}, \"mail\": null}", 0);
    assert_int_equal(mapped.outcome, MAPPED_QUARANTINE);
    assert_string_equal(mapped.reason,
                        "no customer identity: none of /who, /mail, /other, /firm has a value");
    mapped = map(members, "{\"id\": 1, \"at\": 1, \"mail\": \"a\\u0001b\"}", 0);
    assert_int_equal(mapped.outcome, MAPPED_QUARANTINE);
}

static void the_first_rule_that_matches_wins(void **state)
{
    (void)state;
    static const char members[] =
        "{\"rules\": [{\"if\": {\"/k\": \"a\"}, \"ignore\": \"a is nothing\"},"
        "{\"if\": {\"/k\": [\"a\", \"b\"]}, \"quarantine\": \"b is for people\"},"
        "{\"if\": {\"/k\": \"c\"}, \"type\": {\"pointer\": \"/k\", \"map\": {\"c\": "
        "\"depot.thing.told\"}}, \"id\": {\"template\": \"{/id}-c\"}, \"source\": {\"constant\": "
        "\"https://c.example\"}, \"customer\": {\"email\": \"/mail\"}, \"data\": {\"summary\": "
        "{\"template\": \"C {/id}\"}, \"shared\": null}, \"note\": \"c\"}], "
        "\"data\": {\"shared\": \"/k\"}}";
    struct mapped mapped = map(members, "{\"id\": 1, \"at\": 1, \"k\": \"a\"}", 0);
    assert_int_equal(mapped.outcome, MAPPED_IGNORED);
    assert_int_equal(mapped.rule, 0);
    assert_string_equal(mapped.reason, "a is nothing");
    mapped = map(members, "{\"k\": \"b\"}", 0);
    assert_int_equal(mapped.outcome, MAPPED_QUARANTINE);
    assert_int_equal(mapped.rule, 1);
    assert_string_equal(mapped.reason, "b is for people");
    mapped = map(members, "{\"id\": 9, \"at\": 1, \"k\": \"c\", \"mail\": \"a@b.example\"}", 0);
    expect_event(&mapped);
    assert_int_equal(mapped.rule, 2);
    assert_string_equal(text(mapped.event.id), "9-c");
    assert_string_equal(text(mapped.event.source), "https://c.example");
    assert_string_equal(text(mapped.event.type), "depot.thing.told");
    assert_string_equal(text(mapped.facts.summary), "C 9");
    assert_null(member(&mapped, "/shared"));
    mapped = map(members, "{\"k\": \"d\"}", 0);
    assert_int_equal(mapped.outcome, MAPPED_QUARANTINE);
    assert_int_equal(mapped.rule, -1);
    mapped =
        map("{\"otherwise\": \"ignore\", \"rules\": [{\"if\": {\"/k\": 1}, \"ignore\": \"x\"}]}",
            "{}", 0);
    assert_int_equal(mapped.outcome, MAPPED_IGNORED);
    assert_int_equal(mapped.rule, -1);
}

static void what_is_missing_is_told_by_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *members, *body, *reason;
    } cases[] = {
        {"{}", "{\"at\": 1, \"who\": \"x\"}", "no id: none of /id has a value"},
        {"{}", "{\"id\": {}, \"at\": 1, \"who\": \"x\"}", "no id: none of /id has a value"},
        {"{}", "{\"id\": 1, \"who\": \"x\"}", "no time: none of /at has a value"},
        {"{\"id\": {\"first\": [{\"header\": \"X-Id\"}, \"/a\", \"/b\"]}}", "{}",
         "no id: none of header X-Id, /a, /b has a value"},
        {"{\"rules\": [{\"type\": {\"pointer\": \"/t\", \"map\": {\"a\": \"depot.thing.seen\"}}}]}",
         "{\"t\": \"b\"}", "no type: none of /t has a value that is known"},
        {"{}", "{\"id\": 1, \"at\": \"soon\", \"who\": \"x\"}", "/at is no Unix time in seconds"},
        {"{}", "7", "no id: none of /id has a value"},
        {"{\"data\": {\"amount\": {\"pointer\": \"/m\", \"scale\": -2}}}",
         "{\"id\": 1, \"at\": 1, \"who\": \"x\", \"m\": \"much\"}",
         "/m is no decimal number that can be scaled"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mapped mapped = map(cases[i].members, cases[i].body, 0);
        assert_int_equal(mapped.outcome, MAPPED_QUARANTINE);
        assert_string_equal(mapped.reason, cases[i].reason);
    }
    /* What event_admit refuses is for quarantine too, with the member's pointer. */
    struct mapped mapped =
        map("{\"rules\": [{\"type\": \"depot.thing.told\", \"data\": {\"summary\": \"/s\"}}]}",
            "{\"id\": 1, \"at\": 1, \"who\": \"x\"}", 0);
    assert_int_equal(mapped.outcome, MAPPED_QUARANTINE);
    assert_true(strncmp(mapped.reason, "/data/summary ", 14) == 0);
    mapped = map("{\"rules\": [{\"type\": {\"pointer\": \"/t\"}}]}",
                 "{\"id\": 1, \"at\": 1, \"who\": \"x\", \"t\": \"depot.thing.unheard\"}", 0);
    assert_int_equal(mapped.outcome, MAPPED_QUARANTINE);
    assert_true(strncmp(mapped.reason, "/type ", 6) == 0);
}

static void elements_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *members, *body;
        const char *elements[4];
    } cases[] = {
        {"{}", "{\"a\": 1}", {"{\"a\": 1}"}},
        {"{}", "[{\"a\":1} , {\"a\" : 2},3]", {"{\"a\":1}", "{\"a\" : 2}", "3"}},
        {"{}", "[]", {NULL}},
        {"{\"each\": \"/x/y\"}", "{\"x\": {\"y\": [ 1,[2] ]}}", {"1", "[2]"}},
        {"{\"each\": \"/x\"}", "{\"x\": []}", {NULL}},
        {"{\"each\": \"/x\"}", "{\"x\": {}}", {"{\"x\": {}}"}},
        {"{\"each\": \"/x\"}", "{\"y\": [1]}", {"{\"y\": [1]}"}},
        {"{}", "\xef\xbb\xbf{\"a\": 1}", {"{\"a\": 1}"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mapping *mapping = new_mapping(cases[i].members);
        struct fault fault = {.pointer = ""};
        struct mapping_cursor cursor = {.started = false};
        struct mapping_element element;
        struct span body;
        size_t count = 0;
        json_t *tree;
        kit_expect(json_read(span_of(cases[i].body), &tree, &body, &fault), &fault);
        while (mapping_next(mapping, body, tree, &cursor, &element)) {
            json_t *same = json_loadb(element.text.ptr, element.text.len, JSON_DECODE_ANY, NULL);
            assert_non_null(cases[i].elements[count]);
            assert_string_equal(text(element.text), cases[i].elements[count]);
            assert_true(json_equal(same, element.tree));
            json_decref(same);
            assert_int_equal(element.index, count++);
        }
        assert_null(cases[i].elements[count]);
        assert_false(mapping_next(mapping, body, tree, &cursor, &element));
        json_decref(tree);
        mapping_free(mapping);
    }
}

static void an_element_keeps_its_own_bytes(void **state)
{
    (void)state;
    struct mapped mapped =
        map("{\"each\": \"/all\", \"data\": {\"n\": \"/n\"}}",
            "{\"all\": [{}, {\"id\":\"2\", \"at\":1, \"who\":\"b\", \"n\":1.10}]}", 1);
    assert_string_equal(member(&mapped, "/n"), "1.10");
    assert_string_equal(member(&mapped, "/payload"),
                        "{\"id\":\"2\", \"at\":1, \"who\":\"b\", \"n\":1.10}");
    mapped = map("{\"payload\": false}", "{\"id\":\"2\", \"at\":1, \"who\":\"b\"}", 0);
    assert_string_equal(text(mapped.event.data), "{\"customer\":{\"ref\":\"b\"}}");
}

/* One bad element is quarantined; it is no lack of memory, which would be tried again for ever. */
static void what_grows_too_large_is_quarantined(void **state)
{
    (void)state;
    size_t len = 600 * 1024;
    char *body = malloc(len + 100), *at;
    assert_non_null(body);
    at = stpcpy(body, "{\"id\": 1, \"at\": 1, \"who\": \"x\", \"big\": [\"");
    memset(at, 'x', len);
    strcpy(at + len, "\"]}");
    struct mapped mapped = map("{\"data\": {\"a\": \"/big\", \"b\": \"/big\"}}", body, 0);
    expect_event(&mapped);
    mapped = map("{\"data\": {\"a\": \"/big\", \"b\": \"/big\", \"c\": \"/big\"}}", body, 0);
    assert_int_equal(mapped.outcome, MAPPED_QUARANTINE);
    assert_string_equal(mapped.reason, "what is mapped comes to more than 1984 KiB");
    mapped = map("{\"payload\": false, \"data\": {\"a\": {\"list\": [\"/big\", \"/big\", \"/big\", "
                 "\"/big\"]}}}",
                 body, 0);
    assert_int_equal(mapped.outcome, MAPPED_QUARANTINE);
    free(body);
}

static void the_headers_read_are_listed(void **state)
{
    (void)state;
    struct mapping *mapping = new_mapping(
        "{\"id\": {\"first\": [{\"header\": \"X-Id\"}, {\"pointer\": \"/id\", \"unless\": "
        "{\"headers\": {\"X-Old\": \"1\"}}}]}, \"time\": {\"header\": \"X-At\", \"format\": "
        "\"rfc3339\"}, \"rules\": [{\"if\": {\"headers\": {\"x-topic\": \"a\"}}, \"type\": "
        "\"depot.thing.seen\", \"customer\": {\"ref\": {\"header\": \"X-Who\"}}, \"data\": {\"o\": "
        "{\"object\": {\"p\": {\"header\": \"X-Deep\"}}}}}, {\"unless\": {\"headers\": "
        "{\"X-Topic\": \"b\", \"X-Kind\": \"c\"}}, \"ignore\": \"x\"}]}");
    static const char *const expected[] = {"X-At",  "X-Deep",  "X-Id", "X-Kind",
                                           "X-Old", "x-topic", "X-Who"};
    const char *const *names;
    assert_int_equal(mapping_headers(mapping, &names), sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_string_equal(names[i], expected[i]);
    mapping_free(mapping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payload_becomes_an_event),
        cmocka_unit_test(values_come_from_where_they_are_said_to),
        cmocka_unit_test(conditions_compare),
        cmocka_unit_test(times_are_read_exactly),
        cmocka_unit_test(minor_units_follow_the_currency),
        cmocka_unit_test(the_customer_is_what_the_payload_names),
        cmocka_unit_test(the_first_rule_that_matches_wins),
        cmocka_unit_test(what_is_missing_is_told_by_its_place),
        cmocka_unit_test(elements_are_found),
        cmocka_unit_test(an_element_keeps_its_own_bytes),
        cmocka_unit_test(what_grows_too_large_is_quarantined),
        cmocka_unit_test(the_headers_read_are_listed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
