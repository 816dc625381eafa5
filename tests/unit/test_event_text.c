/* Text that may be an attribute, lines for people, and the identifier of an event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/hex.h"
#include "common/event/event_text.h"
#include "common/event/event_uid.h"
#include "common/kafka/record.h"

static struct arena arena;

static const struct {
    const char *text;
    bool valid;
    const char *line; /* cut at 16 bytes; NULL: no UTF-8, no line */
} rows[] = {
    {"", true, ""},
    {"plain", true, "plain"},
    {"  a b\t", false, "a b"},
    {"Zo\xC3\xAB", true, "Zo\xC3\xAB"},
    {"\xE2\x82\xAC\xF0\x9F\x98\x80", true, "\xE2\x82\xAC\xF0\x9F\x98\x80"},
    {"a\nb", false, "a b"},
    {"a\x7F", false, "a"},
    {"a\xC2\x85z", false, "a z"},
    {"a\xC2\x9Fz", false, "a z"},
    {"a\xC2\xA0z", true, "a\xC2\xA0z"},
    {"a\xEF\xBF\xBEz", false, "a z"},
    {"a\xEF\xB7\x90z", false, "a z"},
    {"a\xEF\xB7\xAFz", false, "a z"},
    {"a\xEF\xB7\xB0z", true, "a\xEF\xB7\xB0z"},
    {"a\xF4\x8F\xBF\xBFz", false, "a z"},
    {"a\xF0\x9F\xBF\xBEz", false, "a z"},
    {"\xC3", false, NULL},
    {"\xED\xA0\x80", false, NULL},
    {"\xC0\xAF", false, NULL},
    {"1234567890123456", true, "1234567890123456"},
    {"12345678901234567", true, "1234567890123\xE2\x80\xA6"},
    {"123456789012\xC3\xAB"
     "567",
     true, "123456789012\xE2\x80\xA6"},
    {"123456789012 567", true, "123456789012 567"},
    {"123456789012 5678", true, "123456789012\xE2\x80\xA6"},
};

static void tells_and_makes_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span text = span_of(rows[i].text);
        print_message("%s\n", rows[i].text);
        assert_int_equal(event_text_valid(text), rows[i].valid);
        if (!rows[i].line)
            continue;
        struct span line = event_text_line(&arena, text, 16);
        assert_true(line.ptr && span_is(line, rows[i].line));
        assert_true(event_text_valid(line));
    }
}

static void quotes_for_faults(void **state)
{
    (void)state;
    char quoted[EVENT_TEXT_QUOTE], longer[101] = "";
    assert_string_equal(event_text_quote(span_of("a\n\xC3\xAB\"b"), quoted), "a???\"b");
    memset(longer, 'x', 100);
    event_text_quote(span_of(longer), quoted);
    assert_int_equal(strlen(quoted), EVENT_TEXT_QUOTE - 1);
    assert_string_equal(quoted + EVENT_TEXT_QUOTE - 5, "x...");
    assert_string_equal(event_text_quote((struct span){NULL, 0}, quoted), "");
}

/* Made with hashlib: SHA-256 over 4 bytes of length, source, 4 bytes of length, id. */
static const struct {
    const char *source, *id, *hex;
} uids[] = {
    {"/crm", "1", "2319d2d06c1a7f1529048b93a84334e7"},
    {"/crm1", "", "271519412deff116c28d4eb9e99c0d9a"},
    {"", "", "af5570f5a1810b7af78caf4bc70a660f"},
};

static void makes_identifiers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof uids / sizeof *uids; i++) {
        struct event_uid uid = event_uid_of(span_of(uids[i].source), span_of(uids[i].id));
        unsigned char expected[16];
        size_t len;
        assert_int_equal(hex_decode(span_of(uids[i].hex), expected, sizeof expected, &len), 0);
        assert_memory_equal(uid.bytes, expected, 16);
    }
}

static void finds_the_last_header(void **state)
{
    (void)state;
    struct record_header headers[] = {
        {span_of("a"), span_of("1")}, {span_of("A"), span_of("2")}, {span_of("a"), span_of("3")}};
    struct record record = {.headers = headers, .header_count = 3};
    assert_true(span_is(record_header_value(&record, "a"), "3"));
    assert_true(span_is(record_header_value(&record, "A"), "2"));
    assert_null(record_header_value(&record, "b").ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_and_makes_lines),
        cmocka_unit_test(quotes_for_faults),
        cmocka_unit_test(makes_identifiers),
        cmocka_unit_test(finds_the_last_header),
    };
    arena_init(&arena, 1 << 16);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
