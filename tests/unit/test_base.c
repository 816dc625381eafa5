/* The base: arenas, buffers, encodings, durations, retries, spans, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/duration.h"
#include "common/base/fault.h"
#include "common/base/hash.h"
#include "common/base/hex.h"
#include "common/base/retry.h"

static void test_arena(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 100000);
    for (int round = 0; round < 3; round++) {
        char *texts[100];
        for (int i = 0; i < 100; i++)
            texts[i] = arena_printf(&arena, "text number %d", i);
        for (int i = 0; i < 100; i++) {
            char expected[32];
            snprintf(expected, sizeof expected, "text number %d", i);
            assert_string_equal(texts[i], expected);
            assert_int_equal((uintptr_t)texts[i] % _Alignof(max_align_t), 0);
        }
        assert_non_null(arena_alloc(&arena, 50000));
        assert_null(arena_alloc(&arena, 60000)); /* past the limit */
        assert_null(arena_alloc(&arena, SIZE_MAX));
        assert_null(arena_alloc(&arena, SIZE_MAX - 7));
        arena_reset(&arena);
    }
    arena_free(&arena);
}

static void test_buffer(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 10);
    buffer_append_text(&b, "12345");
    buffer_printf(&b, "%d", 67890);
    assert_false(b.failed);
    assert_string_equal(b.data, "1234567890");
    buffer_append_char(&b, 'x');
    assert_true(b.failed); /* sticks */
    assert_int_equal(b.len, 10);
    buffer_append_text(&b, "");
    assert_true(b.failed);
    buffer_clear(&b);
    buffer_append_be32(&b, 0x01020304);
    buffer_append_be16(&b, 0x0506);
    assert_memory_equal(b.data, "\1\2\3\4\5\6", 6);
    buffer_free(&b);

    buffer_init(&b, 1000);
    buffer_append_json_string(&b, (struct span){"a\"\\\n\t\x01é", 8});
    assert_string_equal(b.data, "\"a\\\"\\\\\\n\\t\\u0001é\"");
    buffer_free(&b);
}

static void test_hex(void **state)
{
    (void)state;
    unsigned char out[8];
    size_t len;
    assert_int_equal(hex_decode(span_of("00fFa9"), out, sizeof out, &len), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(out, "\x00\xff\xa9", 3);
    assert_int_equal(hex_decode(span_of("0"), out, sizeof out, &len), ERR_INVALID);
    assert_int_equal(hex_decode(span_of("0g"), out, sizeof out, &len), ERR_INVALID);
    assert_int_equal(hex_decode(span_of("001122334455667788"), out, sizeof out, &len), ERR_INVALID);
}

static void test_base64(void **state)
{
    (void)state;
    static const struct {
        const char *text, *bytes; /* RFC 4648, section 10 */
    } vectors[] = {{"", ""},
                   {"Zg==", "f"},
                   {"Zm8=", "fo"},
                   {"Zm9v", "foo"},
                   {"Zm9vYg==", "foob"},
                   {"Zm9vYmE=", "fooba"},
                   {"Zm9vYmFy", "foobar"}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct buffer b;
        buffer_init(&b, 100);
        base64_append(&b, span_of(vectors[i].bytes));
        assert_true(span_is(buffer_span(&b), vectors[i].text));
        unsigned char out[8];
        size_t len;
        assert_int_equal(base64_decode(span_of(vectors[i].text), out, sizeof out, &len), 0);
        assert_true(span_is((struct span){(char *)out, len}, vectors[i].bytes));
        buffer_free(&b);
    }
    unsigned char out[8];
    size_t len;
    assert_int_equal(base64_decode(span_of("Zm8"), out, sizeof out, &len),
                     0); /* padding may be missing */
    static const char *const bad[] = {"Z",    "Zm9vY", "Zm 8", "Zm8*",
                                      "Zh==", "Zm9=",  "====", "Zg==Zg=="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(base64_decode(span_of(bad[i]), out, sizeof out, &len), ERR_INVALID);
}

static void test_percent(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 10000);
    struct span out;
    assert_int_equal(percent_decode(&arena, span_of("ann%40acme.example+1"), &out), 0);
    assert_true(span_is(out, "ann@acme.example+1")); /* plus is a plus */
    static const char *const bad[] = {"%", "%4", "a%4g", "%%41"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(percent_decode(&arena, span_of(bad[i]), &out), ERR_INVALID);
    struct buffer b;
    buffer_init(&b, 100);
    percent_append(&b, span_of("a~b&ü="));
    assert_string_equal(b.data, "a~b%26%C3%BC%3D");
    buffer_free(&b);
    arena_free(&arena);
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } table[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xbc", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xc3", false},
        {"\xc0\x80", false},
        {"\xc1\xbf", false},
        {"\xe0\x80\xa0", false},
        {"\xed\xa0\x80", false},
        {"\xf0\x80\x80\x80", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\x80", false},
        {"a\xffz", false},
        {"\xe2\x82", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(utf8_valid(span_of(table[i].text)), table[i].valid);
    assert_false(utf8_valid((struct span){"a\0b", 3}));
}

static void test_durations(void **state)
{
    (void)state;
    int64_t value;
    assert_int_equal(duration_parse("250ms", &value), 0);
    assert_int_equal(value, 250);
    assert_int_equal(duration_parse("4h", &value), 0);
    assert_int_equal(value, 4 * 3600 * 1000);
    assert_int_equal(duration_parse("7d", &value), 0);
    assert_int_equal(value, INT64_C(7) * 24 * 3600 * 1000);
    static const char *const bad[] = {"",    "4",   "h", "-1s", "1.5h", "4 hours", "99999999999d",
                                      "1h ", "0x1s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(duration_parse(bad[i], &value), ERR_INVALID);
    assert_int_equal(size_parse("4 MiB", &value), 0);
    assert_int_equal(value, 4 << 20);
    assert_int_equal(size_parse("1048576", &value), 0);
    assert_int_equal(value, 1 << 20);
    assert_int_equal(size_parse("4MB", &value), ERR_INVALID);
    assert_int_equal(size_parse("99999999999999999999", &value), ERR_INVALID);
}

static void test_retry(void **state)
{
    (void)state;
    struct retry retry;
    retry_init(&retry, 100, 1000, 12);
    for (int i = 0; i < 12; i++)
        assert_in_range(retry_next_ms(&retry), 100, i == 0 ? 100 : 1000);
    assert_int_equal(retry_next_ms(&retry), -1); /* the budget is spent */
    retry_reset(&retry);
    assert_int_equal(retry_next_ms(&retry), 100);
}

static void test_spans(void **state)
{
    (void)state;
    assert_true(span_compare(span_of("a"), span_of("b")) < 0);
    assert_true(span_compare(span_of("a"), span_of("ab")) < 0);
    assert_true(span_compare(span_of("\xff"), span_of("a")) > 0);
    assert_int_equal(span_compare(span_of(""), (struct span){NULL, 0}), 0);
    assert_true(span_is_nocase(span_of("Content-Type"), "content-type"));
    assert_false(span_is_nocase(span_of("Content-Typ"), "content-type"));
    assert_true(hash_span(span_of("a")) == hash_span(span_of("a")));
    assert_false(hash_span(span_of("a")) == hash_span(span_of("b")));
    assert_false(hash_span((struct span){"a\0", 2}) == hash_span(span_of("a")));
}

static void test_lines(void **state)
{
    (void)state;
    struct span rest = span_of("\n\r\n a \r\n\nb\rc"), line;
    assert_true(span_next_line(&rest, &line) && span_is(line, " a "));
    assert_true(span_next_line(&rest, &line) && span_is(line, "b"));
    assert_true(span_next_line(&rest, &line) && span_is(line, "c"));
    assert_false(span_next_line(&rest, &line));
    assert_false(span_next_line(&rest, &line));
    rest = (struct span){NULL, 0};
    assert_false(span_next_line(&rest, &line));
}

/* A fault's text is sent to clients as JSON: it is never cut within a character. */
static void test_fault_is_cut_at_a_character(void **state)
{
    (void)state;
    struct fault fault = {.file = ""};
    char text[2 * sizeof fault.detail] = "";
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "ü", 3);
    for (int shift = 0; shift < 2; shift++) {
        assert_int_equal(fault_set(&fault, text + shift * 2, "%.*s%s", shift, "x", text),
                         ERR_INVALID);
        assert_true(utf8_valid(span_of(fault.detail)));
        assert_true(utf8_valid(span_of(fault.pointer)));
    }
    fault_set(&fault, "/id", "must be a string");
    fault_prefix(&fault, "/3");
    assert_string_equal(fault.pointer, "/3/id");
    assert_int_equal(fault_set(NULL, "/id", "nobody asks"), ERR_INVALID);
}

/* Nor is its pointer cut within an escape, which would make it none. */
static void test_pointer_is_cut_at_an_escape(void **state)
{
    (void)state;
    struct fault fault = {.file = ""};
    char pointer[sizeof fault.pointer] = "/";
    for (size_t i = 1; i + 2 < sizeof pointer; i += 2)
        memcpy(pointer + i, "~1", 3);
    for (int shift = 0; shift < 2; shift++) {
        char prefix[8] = "/data";
        prefix[4 + shift] = '\0';
        fault_set(&fault, pointer, "too long");
        fault_prefix(&fault, prefix);
        assert_int_not_equal(fault.pointer[strlen(fault.pointer) - 1], '~');
        assert_true(strlen(fault.pointer) >= sizeof pointer - 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_percent),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_fault_is_cut_at_a_character),
        cmocka_unit_test(test_pointer_is_cut_at_an_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
