/* Source files: a system nobody thought of is a file and nothing else; what is
 * wrong in one is told with its place; a missing secret turns it off. */
#include "tests/unit/mapping_depot.h"

/* A parcel carrier: a batch of scans in an envelope, ids and topic in headers,
 * milliseconds, prices as text, the customer's own number as a new identity. */
static const char parcelwolf[] =
    "{\"department\": \"depot\","
    " \"signature\": {\"scheme\": \"hmac\", \"secret\": \"${PARCELWOLF_SECRET}\", \"hash\": "
    "\"sha256\","
    "   \"encoding\": \"hex\", \"header\": \"X-Wolf-Signature\", \"format\": \"plain\","
    "   \"prefix\": \"sha256=\", \"template\": \"{body}\"},"
    " \"identity_kinds\": {\"parcelwolf\": {\"strong\": true, \"rank\": 50}},"
    " \"each\": \"/batch/scans\","
    " \"id\": {\"template\": \"{/scan}\"},"
    " \"source\": {\"first\": [{\"header\": \"X-Wolf-Depot\"}, {\"constant\": "
    "\"urn:parcelwolf\"}]},"
    " \"time\": {\"pointer\": \"/at_ms\", \"format\": \"unix_ms\"},"
    " \"customer\": {\"parcelwolf\": \"/to/number\", \"email\": \"/to/mail\"},"
    " \"data\": {\"parcel\": \"/parcel\", \"driver\": {\"object\": {\"name\": \"/driver\"}}},"
    " \"rules\": ["
    "   {\"if\": {\"headers\": {\"X-Wolf-Topic\": \"cod\"}, \"/state\": \"delivered\"},"
    "    \"type\": \"depot.thing.sold\","
    "    \"data\": {\"amount\": {\"pointer\": \"/cod/price\", \"scale\": 0},"
    "             \"currency\": {\"pointer\": \"/cod/currency\", \"upper\": true}}},"
    "   {\"if\": {\"/state\": [\"delivered\", \"returned\"]},"
    "    \"type\": \"depot.thing.told\","
    "    \"data\": {\"summary\": {\"template\": \"Parcel {/parcel} {/state}\"}}},"
    "   {\"if\": {\"/state\": \"sorted\"}, \"ignore\": \"a step inside the depot\"}],"
    " \"otherwise\": \"quarantine\"}";

static const char body[] =
    "{\"batch\": {\"no\": 7, \"scans\": ["
    "{\"scan\": \"s-1\", \"at_ms\": 1767867127672, \"state\": \"delivered\", \"parcel\": \"P1\","
    " \"to\": {\"number\": 4711, \"mail\": \"Ann@Acme.example\"}, \"driver\": \"Kim\","
    " \"cod\": {\"price\": \"49.90\", \"currency\": \"eur\"}},"
    "{\"scan\": \"s-2\", \"at_ms\": 1767867127673, \"state\": \"sorted\"},"
    "{\"scan\": \"s-3\", \"at_ms\": 1767867127674, \"state\": \"returned\", \"parcel\": \"P3\","
    " \"to\": {\"number\": \"4712\"}},"
    "{\"scan\": \"s-4\", \"at_ms\": 1767867127675, \"state\": \"lost\"}]}}";

static int load(struct sources **sources, struct fault *fault)
{
    struct identity_kinds *kinds = NULL;
    int rc = identity_kinds_load(folder, &kinds, fault);
    if (rc)
        return rc;
    identity_kinds_free(kit.kinds);
    kit.kinds = kinds;
    return sources_load(folder, kit.vocabulary, kit.kinds, sources, fault);
}

static struct mapped map_scan(const struct source *source, size_t index, const char *topic)
{
    const struct record_header headers[] = {{span_of("x-wolf-topic"), span_of(topic)}};
    return kit_map(&kit, source->mapping, source->department, span_of(body), index, headers, 1);
}

/* The body, signed with "howl": openssl dgst -sha256 -hmac howl */
#define SIGNATURE "sha256=29a4d3729d42420f0c2f712bacbfe71e3f4d4c9163c3719f5e99b461955c37d6"

static void expect_signed(const struct source *source, const char *signature, int expected)
{
    const struct record_header header = {span_of("x-wolf-signature"), span_of(signature)};
    const struct signed_message message = {span_of("POST"), span_of("/webhooks/parcelwolf"),
                                           span_of(body), &header, 1};
    struct fault fault = {.pointer = ""};
    assert_int_equal(signature_verify(source->signature, &message, KIT_NOW, &fault), expected);
}

static void a_new_system_is_a_file(void **state)
{
    (void)state;
    struct fault fault = {.pointer = ""};
    struct sources *sources;
    setenv("PARCELWOLF_SECRET", "howl", 1);
    write_file("sources/parcelwolf.json", parcelwolf);
    kit_expect(load(&sources, &fault), &fault);
    assert_null(sources_find(sources, span_of("parcel")));
    const struct source *source = sources_find(sources, span_of("parcelwolf"));
    assert_non_null(source);
    assert_null(source->off);
    assert_ptr_equal(source->department, depot());

    expect_signed(source, SIGNATURE, 0);
    expect_signed(source, "sha256=00", ERR_INVALID);

    const char *const *names;
    assert_int_equal(mapping_headers(source->mapping, &names), 2);
    assert_string_equal(names[0], "X-Wolf-Depot");
    assert_string_equal(names[1], "X-Wolf-Topic");

    struct mapped mapped = map_scan(source, 0, "cod");
    assert_int_equal(mapped.outcome, MAPPED_EVENT);
    assert_string_equal(kit_text(&kit, mapped.event.type), "depot.thing.sold");
    assert_string_equal(kit_text(&kit, mapped.event.id), "s-1");
    assert_string_equal(kit_text(&kit, mapped.event.source), "urn:parcelwolf");
    assert_true(mapped.facts.occurred_at == INT64_C(1767867127672000));
    assert_string_equal(kit_text(&kit, mapped.facts.customer),
                        "email=ann%40acme.example&parcelwolf=4711");
    assert_string_equal(kit_text(&kit, mapped.facts.amount), "49.90");
    assert_string_equal(kit_text(&kit, mapped.facts.currency), "EUR");
    assert_string_equal(kit_text(&kit, mapped.facts.summary), "Sold: 49.90 EUR");

    mapped = map_scan(source, 0, "scan");
    assert_string_equal(kit_text(&kit, mapped.event.type), "depot.thing.told");
    assert_string_equal(kit_text(&kit, mapped.facts.summary), "Parcel P1 delivered");
    mapped = map_scan(source, 1, "scan");
    assert_int_equal(mapped.outcome, MAPPED_IGNORED);
    mapped = map_scan(source, 2, "scan");
    assert_string_equal(kit_text(&kit, mapped.facts.customer), "parcelwolf=4712");
    mapped = map_scan(source, 3, "scan");
    assert_int_equal(mapped.outcome, MAPPED_QUARANTINE);
    sources_free(sources);
}

static void a_missing_secret_turns_a_source_off(void **state)
{
    (void)state;
    struct fault fault = {.pointer = ""};
    struct sources *sources;
    unsetenv("PARCELWOLF_SECRET");
    write_file("sources/parcelwolf.json", parcelwolf);
    kit_expect(load(&sources, &fault), &fault);
    const struct source *source = sources_find(sources, span_of("parcelwolf"));
    assert_non_null(source);
    assert_null(source->signature);
    assert_non_null(strstr(source->off, "PARCELWOLF_SECRET"));
    /* Replay needs no secret. */
    assert_int_equal(map_scan(source, 0, "cod").outcome, MAPPED_EVENT);
    sources_free(sources);
}

static void mistakes_name_file_and_place(void **state)
{
    (void)state;
#define RULES                                                                                      \
    "\"id\": \"/i\", \"time\": {\"pointer\": \"/t\", \"format\": \"unix_s\"}, "                    \
    "\"customer\": {\"ref\": \"/r\"}, \"rules\": [{\"type\": \"depot.thing.seen\"}]"
#define OPEN "\"signature\": {\"scheme\": \"none\"}, "
    static const struct {
        const char *text, *pointer;
    } cases[] = {
        {"[]", ""},
        {"{}", "/department"},
        {"{\"department\": \"cellar\", " OPEN RULES "}", "/department"},
        {"{\"department\": \"depot\", " RULES "}", "/signature"},
        {"{\"department\": \"depot\", \"signature\": {}, " RULES "}", "/signature/scheme"},
        {"{\"department\": \"depot\", \"signature\": {\"scheme\": \"rot13\"}, " RULES "}",
         "/signature/scheme"},
        {"{\"department\": \"depot\", \"signature\": {\"scheme\": \"none\", \"secret\": "
         "\"x\"}, " RULES "}",
         "/signature/secret"},
        {"{\"department\": \"depot\", " OPEN "\"mapping\": {}, " RULES "}", "/mapping"},
        {"{\"department\": \"depot\", " OPEN RULES ", \"data\": {\"a\": \"b\"}}", "/data/a"},
        {"{\"department\": \"depot\", " OPEN "\"customer\": {\"wolf\": \"/a\"}}", "/rules"},
        {"{\"department\": \"depot\", " OPEN RULES ", \"identity_kinds\": {\"ref\": {\"strong\": "
         "false, \"rank\": 2}}}",
         "/identity_kinds/ref"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault fault = {.pointer = ""};
        struct sources *sources = NULL;
        write_file("sources/parcelwolf.json", cases[i].text);
        if (load(&sources, &fault) != ERR_INVALID || strcmp(fault.pointer, cases[i].pointer) != 0 ||
            !strstr(fault.file, "sources/parcelwolf.json") || !fault.detail[0])
            fail_msg("%s: \"%s\" in %s: %s", cases[i].text, fault.pointer, fault.file,
                     fault.detail);
    }
}

static void a_source_is_named_for_a_path(void **state)
{
    (void)state;
    static const char *const names[] = {"Wolf", "7wolf", "wolf_pack", "wolf.pack"};
    remove_file("sources/parcelwolf.json");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct fault fault = {.pointer = ""};
        struct sources *sources = NULL;
        char name[64];
        snprintf(name, sizeof name, "sources/%s.json", names[i]);
        write_file(name, "{\"department\": \"depot\", " OPEN RULES "}");
        int rc = load(&sources, &fault);
        remove_file(name);
        if (rc != ERR_INVALID)
            fail_msg("a source may be called %s", names[i]);
    }
}

static int add_sources_folder(void **state)
{
    int rc = set_up(state);
    char path[128];
    snprintf(path, sizeof path, "%s/sources", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    return rc;
}

static int remove_sources_folder(void **state)
{
    remove_file("sources/parcelwolf.json");
    remove_file("sources");
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_system_is_a_file),
        cmocka_unit_test(a_missing_secret_turns_a_source_off),
        cmocka_unit_test(mistakes_name_file_and_place),
        cmocka_unit_test(a_source_is_named_for_a_path),
    };
    return cmocka_run_group_tests(tests, add_sources_folder, remove_sources_folder);
}
