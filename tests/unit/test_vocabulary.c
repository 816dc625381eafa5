/* Vocabularies: what a department file may say, and which types are known then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/event/vocabulary.h"
#include "tests/unit/folder.h"

static const char sales_json[] =
    "{\"listen\": \"127.0.0.1:8101\", \"events\": {"
    "\"sales.deal.won\": {\"required\": {\"amount\": \"number\", \"currency\": \"string\"},"
    "  \"summary\": \"Deal won: {/amount} {/currency}\", \"money\": \"promised\", \"touch\": true},"
    "\"sales.deal.lost\": {\"required\": {\"a\": \"boolean\", \"b\": \"object\", \"c\": "
    "\"array\"}},"
    "\"sales.customer.linked\": {}}}";

static const char shipping_json[] =
    "{\"unknown_events\": \"accept\", \"identity_kinds\": {}, \"events\": "
    "{\"shipping.parcel.sent\": {\"money\": \"none\", \"touch\": false}}}";

static struct vocabulary *vocabulary;

static int load(const char *name, const char *text, struct vocabulary **out, struct fault *fault)
{
    struct folder folder;
    folder_make(&folder);
    folder_write(&folder, "departments/sales.json", sales_json);
    folder_write(&folder, name, text);
    int result = vocabulary_load(folder.path, out, fault);
    folder_remove(&folder);
    return result;
}

static int set_up(void **state)
{
    (void)state;
    struct fault fault = {.detail = ""};
    int result = load("departments/shipping.json", shipping_json, &vocabulary, &fault);
    if (result != 0)
        print_error("%s%s: %s\n", fault.file, fault.pointer, fault.detail);
    return result;
}

static int tear_down(void **state)
{
    (void)state;
    vocabulary_free(vocabulary);
    return 0;
}

static void reads_what_files_say(void **state)
{
    (void)state;
    assert_int_equal(vocabulary->count, 2);
    const struct department *sales = vocabulary_department(vocabulary, span_of("sales"));
    const struct department *shipping = vocabulary_department(vocabulary, span_of("shipping"));
    assert_ptr_equal(sales, &vocabulary->departments[0]);
    assert_string_equal(sales->listen, "127.0.0.1:8101");
    assert_false(sales->accept_unknown);
    assert_int_equal(sales->type_count, 3);
    const struct event_type *won = &sales->types[2];
    assert_string_equal(won->name, "sales.deal.won");
    assert_string_equal(won->summary, "Deal won: {/amount} {/currency}");
    assert_int_equal(won->money, MONEY_PROMISED);
    assert_true(won->touch);
    assert_int_equal(won->required_count, 2);
    assert_string_equal(won->required[0].name, "amount");
    assert_int_equal(won->required[0].test.type, JSON_REAL);
    assert_int_equal(won->required[1].test.type, JSON_STRING);
    assert_int_equal(sales->types[1].required[0].test.type, JSON_TRUE);
    assert_int_equal(sales->types[1].required[1].test.type, JSON_OBJECT);
    assert_int_equal(sales->types[1].required[2].test.type, JSON_ARRAY);
    assert_null(sales->types[0].summary);
    assert_int_equal(sales->types[0].money, MONEY_NONE);
    assert_false(sales->types[0].touch);
    assert_null(shipping->listen);
    assert_true(shipping->accept_unknown);
    assert_null(vocabulary_department(vocabulary, span_of("ship")));
}

static const struct {
    const char *department, *type;
    bool known, admitted;
    const char *detail;
} types[] = {
    {"sales", "sales.deal.won", true, true, NULL},
    {"sales", "sales.deal.lost", true, true, NULL},
    {"sales", "sales.customer.linked", true, true, NULL},
    {"sales", "sales.deal.wo", false, false, "vocabulary"},
    {"sales", "sales.deal.won2", false, false, "vocabulary"},
    {"sales", "sales.", false, false, "vocabulary"},
    {"sales", "sales", false, false, "begin with \"sales.\""},
    {"sales", "salesforce.deal.won", false, false, "begin with \"sales.\""},
    {"sales", "shipping.parcel.sent", false, false, "begin with \"sales.\""},
    {"sales", "throughline.customer.stale", false, false, "system's own"},
    {"shipping", "shipping.parcel.sent", true, true, NULL},
    {"shipping", "shipping.parcel.lost", false, true, NULL},
    {"shipping", "sales.deal.won", false, false, "begin with \"shipping.\""},
    {"shipping", "throughline.handoff.accept", false, false, "system's own"},
};

static void finds_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const struct department *department =
            vocabulary_department(vocabulary, span_of(types[i].department));
        const struct event_type *type;
        struct fault fault = {.detail = ""};
        print_message("%s %s\n", types[i].department, types[i].type);
        int result = department_type(department, span_of(types[i].type), &type, &fault);
        assert_int_equal(result, types[i].admitted ? 0 : ERR_INVALID);
        if (types[i].known)
            assert_string_equal(type->name, types[i].type);
        else
            assert_null(type);
        if (types[i].detail) {
            assert_string_equal(fault.pointer, "/type");
            assert_non_null(strstr(fault.detail, types[i].detail));
        }
    }
}

#define ONE(body) "{\"events\": {\"x.a.b\": " body "}}"

static const struct {
    const char *file, *text, *pointer;
} wrong[] = {
    {"departments/Sales.json", "{}", ""},
    {"departments/9.json", "{}", ""},
    {"departments/a_b.json", "{}", ""},
    {"departments/throughline.json", "{}", ""},
    {"departments/abcdefghijklmnopqrstuvwxyz1234567.json", "{}", ""},
    {"departments/x.json", "[]", ""},
    {"departments/x.json", "{}", "/events"},
    {"departments/x.json", "{\"events\": {}}", "/events"},
    {"departments/x.json", "{\"events\": []}", "/events"},
    {"departments/x.json", "{\"event\": {}}", "/event"},
    {"departments/x.json", "{\"listen\": 8100}", "/listen"},
    {"departments/x.json", "{\"unknown_events\": true}", "/unknown_events"},
    {"departments/x.json", "{\"unknown_events\": \"ignore\"}", "/unknown_events"},
    {"departments/x.json", "{\"events\": {\"sales.deal.won\": {}}}", "/events/sales.deal.won"},
    {"departments/x.json", "{\"events\": {\"x.a\": {}}}", "/events/x.a"},
    {"departments/x.json", "{\"events\": {\"x.a.\": {}}}", "/events/x.a."},
    {"departments/x.json", "{\"events\": {\"x..b\": {}}}", "/events/x..b"},
    {"departments/x.json", "{\"events\": {\"x.a.B\": {}}}", "/events/x.a.B"},
    {"departments/x.json", "{\"events\": {\"x.a/b.c\": {}}}", "/events/x.a~1b.c"},
    {"departments/x.json", ONE("1"), "/events/x.a.b"},
    {"departments/x.json", ONE("{\"moneys\": 1}"), "/events/x.a.b/moneys"},
    {"departments/x.json", ONE("{\"money\": \"lent\"}"), "/events/x.a.b/money"},
    {"departments/x.json", ONE("{\"money\": null}"), "/events/x.a.b/money"},
    {"departments/x.json", ONE("{\"touch\": 1}"), "/events/x.a.b/touch"},
    {"departments/x.json", ONE("{\"summary\": 1}"), "/events/x.a.b/summary"},
    {"departments/x.json", ONE("{\"summary\": \"{a}\"}"), "/events/x.a.b/summary"},
    {"departments/x.json", ONE("{\"required\": [\"a\"]}"), "/events/x.a.b/required"},
    {"departments/x.json", ONE("{\"required\": {\"a\": \"int\"}}"), "/events/x.a.b/required"},
    {"departments/x.json", ONE("{\"required\": {\"a\": 1}}"), "/events/x.a.b/required"},
};

static void refuses_wrong_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct vocabulary *none = NULL;
        struct fault fault = {.detail = ""};
        print_message("%s %s\n", wrong[i].file, wrong[i].text);
        assert_int_equal(load(wrong[i].file, wrong[i].text, &none, &fault), ERR_INVALID);
        assert_true(folder_file_is(fault.file, wrong[i].file));
        assert_string_equal(fault.pointer, wrong[i].pointer);
        assert_true(fault.detail[0] != '\0');
    }
}

static void names_money(void **state)
{
    (void)state;
    assert_string_equal(money_name(MONEY_NONE), "none");
    assert_string_equal(money_name(MONEY_REFUNDED), "refunded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_files_say),
        cmocka_unit_test(finds_types),
        cmocka_unit_test(refuses_wrong_files),
        cmocka_unit_test(names_money),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
