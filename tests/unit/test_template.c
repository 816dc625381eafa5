/* Templates: braces, places, what stands there and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/event/template.h"

#define DOCUMENT                                                                                   \
    "{\"amount\": 9007199254740993.10, \"currency\": \"EUR\", \"deal\": {\"name\": \"Big "         \
    "\\\"one\\\"\","                                                                               \
    " \"a/b\": 1, \"tags\": [\"x\", \"y\"]}, \"open\": true, \"none\": null, \"empty\": \"\","     \
    " \"umlaut\": \"\\u00e4 \\ud83d\\ude00\"}"

static const struct {
    const char *text, *expanded;
    bool missing;
} rows[] = {
    {"", "", false},
    {"Deal won", "Deal won", false},
    {"Deal won: {/amount} {/currency}", "Deal won: 9007199254740993.10 EUR", false},
    {"{/currency}", "EUR", false},
    {"{/currency}{/currency}", "EUREUR", false},
    {"{/deal/name}", "Big \"one\"", false},
    {"{/deal/a~1b}", "1", false},
    {"{/deal/tags/1}", "y", false},
    {"{/deal/tags/2}.", ".", true},
    {"{/deal/tags}.", ".", true},
    {"{/deal}.", ".", true},
    {"{/nothing}{/currency}", "EUR", true},
    {"{/open} {/none}.", "true .", true},
    {"[{/empty}]", "[]", true},
    {"{/umlaut}", "\xC3\xA4 \xF0\x9F\x98\x80", false},
    {"{{{/currency}}}", "{EUR}", false},
    {"{{}}", "{}", false},
    {"a{{b}}c", "a{b}c", false},
};

static const char *const wrong[] = {"{",        "}",     "{/a",    "/a}",   "{amount}", "{}",
                                    "{/a{/b}}", "a } b", "{/a~2}", "{/a}}", "{{/a}"};

static struct arena arena;

static void expands(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool missing = !rows[i].missing;
        print_message("%s\n", rows[i].text);
        assert_int_equal(template_check(rows[i].text, NULL), 0);
        struct span text = template_expand(rows[i].text, span_of(DOCUMENT), &arena, &missing);
        assert_non_null(text.ptr);
        if (!span_is(text, rows[i].expanded))
            fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARGS(text), rows[i].expanded);
        assert_int_equal(missing, rows[i].missing);
    }
}

static void expands_without_a_document(void **state)
{
    (void)state;
    bool missing;
    struct span none = {NULL, 0};
    assert_true(span_is(template_expand("a {/b}.", none, &arena, &missing), "a ."));
    assert_true(missing);
    assert_true(span_is(template_expand("a {/b}.", span_of("7"), &arena, NULL), "a ."));
}

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct fault fault = {.pointer = "/summary"};
        print_message("%s\n", wrong[i]);
        assert_int_equal(template_check(wrong[i], &fault), ERR_INVALID);
        assert_string_equal(fault.pointer, "/summary");
    }
}

static void bounds_pieces(void **state)
{
    (void)state;
    char text[65 * 4 + 1] = "";
    for (int i = 0; i < 64; i++)
        strcat(text, "{/a}");
    assert_int_equal(template_check(text, NULL), 0);
    assert_true(span_is(template_expand(text, span_of("{\"a\": 1}"), &arena, NULL),
                        "1111111111111111111111111111111111111111111111111111111111111111"));
    strcat(text, "{/a}");
    assert_int_equal(template_check(text, NULL), ERR_INVALID);
}

static void tells_when_memory_ends(void **state)
{
    (void)state;
    struct arena small;
    arena_init(&small, 16);
    assert_null(template_expand("longer than sixteen bytes", span_of("{}"), &small, NULL).ptr);
    arena_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands),
        cmocka_unit_test(expands_without_a_document),
        cmocka_unit_test(refuses),
        cmocka_unit_test(bounds_pieces),
        cmocka_unit_test(tells_when_memory_ends),
    };
    arena_init(&arena, 1 << 16);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
