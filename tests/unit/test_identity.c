/* Identities: kinds from files, normal forms, deny lists, order, the attribute and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/event/identity.h"
#include "tests/unit/folder.h"

static const char identities_json[] =
    "{\"kinds\": {"
    "\"email\": {\"strong\": true, \"rank\": 10, \"normalise\": \"email\","
    "            \"deny\": [\"info@*\", \"*@example.test\", \"*SPAM*\", \"exact@acme.example\"]},"
    "\"phone\": {\"strong\": true, \"rank\": 90, \"normalise\": \"phone\"},"
    "\"name\": {\"strong\": false},"
    "\"account.domain\": {\"strong\": true, \"rank\": 10, \"normalise\": \"domain\","
    "                     \"deny\": [\"gmail.com\"]},"
    "\"account.vat\": {\"strong\": true, \"rank\": 5, \"normalise\": \"code\"},"
    "\"account.name\": {\"strong\": false, \"rank\": 95}}}";

static const char stripe_json[] = "{\"source\": \"anything else\", \"identity_kinds\": {"
                                  "\"stripe\": {\"strong\": true, \"rank\": 20}, \"hubspot.deal\": "
                                  "{\"strong\": true, \"rank\": 30}}}";

static struct identity_kinds *kinds;
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    struct folder folder;
    struct fault fault = {.detail = ""};
    folder_make(&folder);
    folder_write(&folder, "identities.json", identities_json);
    folder_write(&folder, "sources/stripe.json", stripe_json);
    folder_write(&folder, "departments/sales.json", "{\"events\": {}}");
    int result = identity_kinds_load(folder.path, &kinds, &fault);
    if (result != 0)
        print_error("%s%s: %s\n", fault.file, fault.pointer, fault.detail);
    folder_remove(&folder);
    arena_init(&arena, 1 << 20);
    return result;
}

static int tear_down(void **state)
{
    (void)state;
    identity_kinds_free(kinds);
    arena_free(&arena);
    return 0;
}

static void assert_text(struct span actual, const char *expected)
{
    if (!span_is(actual, expected))
        fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARGS(actual), expected);
}

static const struct {
    const char *kind, *value, *normalised;
    bool ties;
} forms[] = {
    {"email", "ann@acme.example", "ann@acme.example", true},
    {"email", "  Ann.Lee@ACME.Example \t", "ann.lee@acme.example", true},
    {"email", "ann@acme.example.", "ann@acme.example", true},
    {"email", "ann@acme.example..", "ann@acme.example..", false},
    {"email", "ann@acme.example .", "ann@acme.example .", false},
    {"email", "ann+tag@acme.example", "ann+tag@acme.example", true},
    {"email", "ann@m\xC3\xBCller.example", "ann@m\xC3\xBCller.example", true},
    {"email", "Info@acme.example", "info@acme.example", false},
    {"email", "information@acme.example", "information@acme.example", true},
    {"email", "bob@example.test", "bob@example.test", false},
    {"email", "nospamplease@acme.example", "nospamplease@acme.example", false},
    {"email", "exact@acme.example", "exact@acme.example", false},
    {"email", "exact@acme.example.org", "exact@acme.example.org", true},
    {"email", "n/a", "n/a", false},
    {"email", "@acme.example", "@acme.example", false},
    {"email", "ann@", "ann@", false},
    {"email", "ann@localhost", "ann@localhost", false},
    {"email", "ann@acme..example", "ann@acme..example", false},
    {"email", "ann@bob@acme.example", "ann@bob@acme.example", false},
    {"email", "Ann <ann@acme.example>", "ann <ann@acme.example>", false},
    {"phone", "+49 (0)30 123456-78", "+493012345678", true},
    {"phone", "+1 (555) 010.9999", "+15550109999", true},
    {"phone", "0049 30 12345678", "+493012345678", true},
    {"phone", "(0049) 30 12345678", "+493012345678", true},
    {"phone", "0 0 49 30 12345678", "+493012345678", true},
    {"phone", "(+49) 30 12345678", "+493012345678", true},
    {"phone", "(030) 12345678", "03012345678", false},
    {"phone", "030/12345678", "03012345678", false},
    {"phone", "555-0100", "5550100", false},
    {"phone", "+0301234567", "+0301234567", false},
    {"phone", "+12", "+12", false},
    {"phone", "+1234567890123456", "+1234567890123456", false},
    {"phone", "+49 30 123 ext. 4", "+49 30 123 ext. 4", false},
    {"name", "  Ann Lee ", "Ann Lee", false},
    {"account.domain", "ACME.Example.", "acme.example", true},
    {"account.domain", "www.acme.example", "www.acme.example", true},
    {"account.domain", "GMAIL.com", "gmail.com", false},
    {"account.domain", "mail.gmail.com", "mail.gmail.com", true},
    {"account.domain", "https://acme.example/", "https://acme.example/", false},
    {"account.domain", "acme", "acme", false},
    {"account.vat", " de 123.456-789", "DE123456789", true},
    {"stripe", " cus_9aB ", "cus_9aB", true},
    {"stripe", "a&b=c%", "a&b=c%", true},
};

static void brings_values_into_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct identities all = {.count = 0};
        struct fault fault = {.detail = ""};
        print_message("%s=%s\n", forms[i].kind, forms[i].value);
        assert_int_equal(identities_add(kinds, &arena, &all, span_of(forms[i].kind),
                                        span_of(forms[i].value), &fault),
                         0);
        assert_int_equal(all.count, 1);
        assert_text(all.items[0].value, forms[i].normalised);
        assert_int_equal(all.items[0].ties, forms[i].ties);
        /* What is in form stays as it is: the aggregator normalises again. */
        struct identities again = {.count = 0};
        assert_int_equal(identities_add(kinds, &arena, &again, span_of(forms[i].kind),
                                        all.items[0].value, &fault),
                         0);
        assert_true(identities_equal(&all, &again));
        assert_int_equal(again.items[0].ties, forms[i].ties);
    }
}

/* An attribute and its canonical form; NULL: refused, with a piece of the detail. */
static const struct {
    const char *attribute, *canonical, *detail;
} attributes[] = {
    {"email=ann%40acme.example&stripe=cus_9&account.domain=acme.example",
     "email=ann%40acme.example&stripe=cus_9&account.domain=acme.example", NULL},
    {"account.domain=acme.example&stripe=cus_9&email=Ann@Acme.example",
     "email=ann%40acme.example&stripe=cus_9&account.domain=acme.example", NULL},
    {"stripe=b&stripe=a&stripe=b", "stripe=a&stripe=b", NULL},
    {"name=Ann%20Lee", "name=Ann%20Lee", NULL},
    {"name=A+B&email=info%40acme.example&account.domain=acme.example",
     "account.domain=acme.example&email=info%40acme.example&name=A%2BB", NULL},
    {"name=Zo%C3%AB", "name=Zo%C3%AB", NULL},
    {"stripe=a=b", "stripe=a%3Db", NULL},
    {"stripe=%2541", "stripe=%2541", NULL},
    {"hubspot.deal=7&stripe=1", "stripe=1&hubspot.deal=7", NULL},
    {"account.vat=DE1&account.domain=acme.example", "account.vat=DE1&account.domain=acme.example",
     NULL},
    {"", NULL, "kind=value"},
    {"email", NULL, "kind=value"},
    {"email=ann%40acme.example&", NULL, "kind=value"},
    {"&email=ann%40acme.example", NULL, "kind=value"},
    {"email=", NULL, "empty"},
    {"email=%20%09", NULL, "empty"},
    {"phone=-", NULL, "empty"},
    {"fax=1", NULL, "not known"},
    {"=1", NULL, "not known"},
    {"Email=ann%40acme.example", NULL, "not known"},
    {"stripe=%", NULL, "hex"},
    {"stripe=%4", NULL, "hex"},
    {"stripe=%zz", NULL, "hex"},
    {"stripe=a%00b", NULL, "UTF-8"},
    {"stripe=a%0Ab", NULL, "UTF-8"},
    {"stripe=a%C2%85b", NULL, "UTF-8"},
    {"stripe=%C0%A0", NULL, "UTF-8"},
    {"stripe=%FF", NULL, "UTF-8"},
    {"stripe=%ED%A0%80", NULL, "UTF-8"},
};

static void reads_the_attribute(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        struct identities all, again;
        struct fault fault = {.detail = ""};
        print_message("%s\n", attributes[i].attribute);
        int result = identities_from_attribute(kinds, &arena, span_of(attributes[i].attribute),
                                               &all, &fault);
        if (!attributes[i].canonical) {
            assert_int_equal(result, ERR_INVALID);
            assert_string_equal(fault.pointer, "/customer");
            assert_non_null(strstr(fault.detail, attributes[i].detail));
            continue;
        }
        assert_int_equal(result, 0);
        struct span canonical = identities_to_attribute(&all, &arena);
        assert_text(canonical, attributes[i].canonical);
        assert_int_equal(identities_from_attribute(kinds, &arena, canonical, &again, &fault), 0);
        assert_true(identities_equal(&all, &again));
    }
}

static void bounds_values_and_their_number(void **state)
{
    (void)state;
    struct identities all;
    struct fault fault = {.detail = ""};
    char text[IDENTITY_VALUE_LIMIT + 16] = "stripe=";
    memset(text + 7, 'a', IDENTITY_VALUE_LIMIT);
    assert_int_equal(identities_from_attribute(kinds, &arena, span_of(text), &all, &fault), 0);
    text[7 + IDENTITY_VALUE_LIMIT] = 'a';
    assert_int_equal(identities_from_attribute(kinds, &arena, span_of(text), &all, &fault),
                     ERR_INVALID);
    assert_non_null(strstr(fault.detail, "longer than 256"));

    char many[33 * 12] = "", *end = many;
    for (int i = 0; i < 32; i++)
        end += sprintf(end, "%sstripe=%d", i ? "&" : "", i);
    assert_int_equal(identities_from_attribute(kinds, &arena, span_of(many), &all, &fault), 0);
    assert_int_equal(all.count, 32);
    strcpy(end, "&stripe=7"); /* one that is there already needs no room */
    assert_int_equal(identities_from_attribute(kinds, &arena, span_of(many), &all, &fault), 0);
    strcpy(end, "&stripe=x");
    assert_int_equal(identities_from_attribute(kinds, &arena, span_of(many), &all, &fault),
                     ERR_INVALID);
    assert_non_null(strstr(fault.detail, "more than 32"));
}

static const struct {
    const char *customer, *canonical, *pointer;
} customers[] = {
    {"{\"email\": \"ann@acme.example\", \"stripe\": \"cus_9\", \"account\": {\"domain\": "
     "\"acme.example\"}}",
     "email=ann%40acme.example&stripe=cus_9&account.domain=acme.example", NULL},
    {"{\"stripe\": [\"b\", \"a\"], \"hubspot.deal\": 77}", "stripe=a&stripe=b&hubspot.deal=77",
     NULL},
    {"{\"account.domain\": \"acme.example\"}", "account.domain=acme.example", NULL},
    {"{\"account\": {\"domain\": [\"a.example\", \"b.example\"], \"name\": null}}",
     "account.domain=a.example&account.domain=b.example", NULL},
    {"{\"email\": null, \"stripe\": 1, \"account\": null}", "stripe=1", NULL},
    {"{\"stripe\": []}", "", NULL},
    {"{}", "", NULL},
    {"{\"stripe\": -5}", "stripe=-5", NULL},
    {"{\"fax\": \"1\"}", NULL, "/data/customer/fax"},
    {"{\"a/b~\": \"1\"}", NULL, "/data/customer/a~1b~0"},
    {"{\"email\": \"\"}", NULL, "/data/customer/email"},
    {"{\"stripe\": 1.5}", NULL, "/data/customer/stripe"},
    {"{\"stripe\": true}", NULL, "/data/customer/stripe"},
    {"{\"stripe\": {}}", NULL, "/data/customer/stripe"},
    {"{\"stripe\": [\"a\", \"\"]}", NULL, "/data/customer/stripe/1"},
    {"{\"stripe\": [[\"a\"]]}", NULL, "/data/customer/stripe/0"},
    {"{\"stripe\": [null]}", NULL, "/data/customer/stripe/0"},
    {"{\"stripe\": \"a\\nb\"}", NULL, "/data/customer/stripe"},
    {"{\"account\": \"acme.example\"}", NULL, "/data/customer/account"},
    {"{\"account\": {\"fax\": 1}}", NULL, "/data/customer/account/fax"},
    {"{\"account\": {\"domain\": [1, false]}}", NULL, "/data/customer/account/domain/1"},
    {"\"ann@acme.example\"", NULL, "/data/customer"},
    {"[]", NULL, "/data/customer"},
};

static void reads_the_member_of_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof customers / sizeof *customers; i++) {
        struct identities all;
        struct fault fault = {.pointer = "/left/over", .detail = ""};
        print_message("%s\n", customers[i].customer);
        json_t *customer = json_loads(customers[i].customer, JSON_DECODE_ANY, NULL);
        int result = identities_from_data(kinds, &arena, customer, &all, &fault);
        json_decref(customer);
        if (customers[i].pointer) {
            assert_int_equal(result, ERR_INVALID);
            assert_string_equal(fault.pointer, customers[i].pointer);
            continue;
        }
        assert_int_equal(result, 0);
        assert_text(identities_to_attribute(&all, &arena), customers[i].canonical);
    }
}

static void tells_persons_from_accounts(void **state)
{
    (void)state;
    struct identities all;
    struct fault fault;
    assert_int_equal(
        identities_from_attribute(
            kinds, &arena, span_of("account.domain=acme.example&name=Ann%20Lee"), &all, &fault),
        0);
    assert_text(identity_key(identities_person(&all), &arena), "name=Ann%20Lee");
    assert_text(identity_key(identities_account(&all), &arena), "account.domain=acme.example");
    assert_true(all.items[0].kind->account); /* it ties, the name does not */
    all.count = 1;
    assert_null(identities_person(&all));
    all.count = 0;
    assert_null(identities_account(&all));
}

static void lists_kinds_by_rank(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "account.vat",  "account.domain", "email",        "stripe",
        "hubspot.deal", "phone",          "account.name", "name"};
    const struct identity_kind *const *all;
    assert_int_equal(identity_kinds_all(kinds, &all), sizeof expected / sizeof *expected);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_string_equal(all[i]->name, expected[i]);
        assert_ptr_equal(identity_kind_find(kinds, span_of(expected[i])), all[i]);
    }
    assert_null(identity_kind_find(kinds, span_of("e")));
    assert_null(identity_kind_find(kinds, span_of("")));
}

/* Files that must not load, and what the fault names. */
static const struct {
    const char *identities, *source, *file, *pointer;
} wrong_files[] = {
    {"{}", NULL, "identities.json", "/kinds"},
    {"{\"kinds\": []}", NULL, "identities.json", "/kinds"},
    {"{\"kinds\": {}, \"more\": 1}", NULL, "identities.json", "/more"},
    {"{\"kinds\": {\"Email\": {\"strong\": true}}}", NULL, "identities.json", "/kinds/Email"},
    {"{\"kinds\": {\"a..b\": {\"strong\": true}}}", NULL, "identities.json", "/kinds/a..b"},
    {"{\"kinds\": {\"a.\": {\"strong\": true}}}", NULL, "identities.json", "/kinds/a."},
    {"{\"kinds\": {\"9a\": {\"strong\": true}}}", NULL, "identities.json", "/kinds/9a"},
    {"{\"kinds\": {\"account\": {\"strong\": true}}}", NULL, "identities.json", "/kinds/account"},
    {"{\"kinds\": {\"a\": true}}", NULL, "identities.json", "/kinds/a"},
    {"{\"kinds\": {\"a\": {}}}", NULL, "identities.json", "/kinds/a/strong"},
    {"{\"kinds\": {\"a\": {\"strong\": 1}}}", NULL, "identities.json", "/kinds/a/strong"},
    {"{\"kinds\": {\"a\": {\"strong\": true, \"weak\": 1}}}", NULL, "identities.json",
     "/kinds/a/weak"},
    {"{\"kinds\": {\"a\": {\"strong\": true, \"rank\": -1}}}", NULL, "identities.json",
     "/kinds/a/rank"},
    {"{\"kinds\": {\"a\": {\"strong\": true, \"rank\": 1.5}}}", NULL, "identities.json",
     "/kinds/a/rank"},
    {"{\"kinds\": {\"a\": {\"strong\": true, \"normalise\": \"fax\"}}}", NULL, "identities.json",
     "/kinds/a/normalise"},
    {"{\"kinds\": {\"a\": {\"strong\": true, \"deny\": \"x\"}}}", NULL, "identities.json",
     "/kinds/a/deny"},
    {"{\"kinds\": {\"a\": {\"strong\": true, \"deny\": [\"a*b\"]}}}", NULL, "identities.json",
     "/kinds/a/deny"},
    {"{\"kinds\": {\"a\": {\"strong\": true, \"deny\": [\"*\"]}}}", NULL, "identities.json",
     "/kinds/a/deny"},
    {"{\"kinds\": {\"a\": {\"strong\": true, \"deny\": [\"\"]}}}", NULL, "identities.json",
     "/kinds/a/deny"},
    {"{\"kinds\": {\"a\": {\"strong\": true}}}",
     "{\"identity_kinds\": {\"a\": {\"strong\": false}}}", "sources/x.json", "/identity_kinds/a"},
    {"{\"kinds\": {\"a\": {\"strong\": true, \"deny\": [\"b\"]}}}",
     "{\"identity_kinds\": {\"a\": {\"strong\": true}}}", "sources/x.json", "/identity_kinds/a"},
    {"{\"kinds\": {\"a\": {\"strong\": true, \"rank\": 1}}}",
     "{\"identity_kinds\": {\"a\": {\"strong\": true, \"rank\": 2}}}", "sources/x.json",
     "/identity_kinds/a"},
    {"{\"kinds\": {\"a\": {\"strong\": true, \"normalise\": \"code\"}}}",
     "{\"identity_kinds\": {\"a\": {\"strong\": true}}}", "sources/x.json", "/identity_kinds/a"},
    {"{\"kinds\": {}}", "{\"identity_kinds\": []}", "sources/x.json", "/identity_kinds"},
};

static void refuses_wrong_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong_files / sizeof *wrong_files; i++) {
        struct folder folder;
        struct identity_kinds *none = NULL;
        struct fault fault = {.detail = ""};
        print_message("%s %s\n", wrong_files[i].identities,
                      wrong_files[i].source ? wrong_files[i].source : "");
        folder_make(&folder);
        folder_write(&folder, "identities.json", wrong_files[i].identities);
        if (wrong_files[i].source)
            folder_write(&folder, "sources/x.json", wrong_files[i].source);
        int result = identity_kinds_load(folder.path, &none, &fault);
        folder_remove(&folder);
        assert_int_equal(result, ERR_INVALID);
        assert_true(folder_file_is(fault.file, wrong_files[i].file));
        assert_string_equal(fault.pointer, wrong_files[i].pointer);
        if (wrong_files[i].source && strstr(wrong_files[i].identities, "\"a\""))
            assert_non_null(strstr(fault.detail, "identities.json"));
    }
}

static void wants_the_general_file(void **state)
{
    (void)state;
    struct folder folder;
    struct identity_kinds *none = NULL;
    struct fault fault = {.detail = ""};
    folder_make(&folder);
    assert_int_equal(identity_kinds_load(folder.path, &none, &fault), ERR_INVALID);
    folder_remove(&folder);
    assert_true(folder_file_is(fault.file, "identities.json"));
}

static void takes_a_kind_told_alike_twice(void **state)
{
    (void)state;
    struct folder folder;
    struct identity_kinds *same = NULL;
    struct fault fault = {.detail = ""};
    folder_make(&folder);
    folder_write(&folder, "identities.json", "{\"kinds\": {}}");
    folder_write(&folder, "sources/a.json", stripe_json);
    folder_write(&folder, "sources/b.json", stripe_json);
    folder_write(&folder, "departments/c.json", stripe_json);
    int result = identity_kinds_load(folder.path, &same, &fault);
    folder_remove(&folder);
    assert_int_equal(result, 0);
    const struct identity_kind *const *all;
    assert_int_equal(identity_kinds_all(same, &all), 2);
    identity_kinds_free(same);
}

/* The general kinds that come with the tree, and whom they do not tie. */
static void ships_general_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *value;
        bool ties;
    } rows[] = {
        {"customer", "10023", true},
        {"email", "ann@acme.example", true},
        {"email", "Info@acme.example", false},
        {"email", "no-reply@acme.example", false},
        {"email", "sales@acme.example", false},
        {"email", "salesperson@acme.example", true},
        {"email", "jane@example.test", false},
        {"email", "jane@gmail.com", true},
        {"phone", "+49 30 1234567", false},
        {"name", "Ann Lee", false},
        {"account.id", "A-7", true},
        {"account.vat", "de 123456789", true},
        {"account.vat", "n/a", false},
        {"account.domain", "acme.example", true},
        {"account.domain", "Gmail.com", false},
        {"account.name", "Acme", false},
    };
    struct identity_kinds *shipped = NULL;
    struct fault fault = {.detail = ""};
    if (identity_kinds_load("config", &shipped, &fault) != 0)
        fail_msg("%s%s: %s", fault.file, fault.pointer, fault.detail);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct identities all = {.count = 0};
        print_message("%s=%s\n", rows[i].kind, rows[i].value);
        assert_int_equal(identities_add(shipped, &arena, &all, span_of(rows[i].kind),
                                        span_of(rows[i].value), &fault),
                         0);
        assert_int_equal(all.items[0].ties, rows[i].ties);
    }
    identity_kinds_free(shipped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_values_into_form),
        cmocka_unit_test(reads_the_attribute),
        cmocka_unit_test(bounds_values_and_their_number),
        cmocka_unit_test(reads_the_member_of_data),
        cmocka_unit_test(tells_persons_from_accounts),
        cmocka_unit_test(lists_kinds_by_rank),
        cmocka_unit_test(refuses_wrong_files),
        cmocka_unit_test(wants_the_general_file),
        cmocka_unit_test(takes_a_kind_told_alike_twice),
        cmocka_unit_test(ships_general_kinds),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
