/* common/json/decimal: plain decimals, never rounded, and PostgreSQL's binary numeric. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/hex.h"
#include "common/json/decimal.h"

#define SIXTY    "123456789012345678901234567890123456789012345678901234567890"
#define ZEROS_59 "00000000000000000000000000000000000000000000000000000000000"

static const struct {
    const char *text;
    int shift;
    const char *plain; /* NULL: refused */
} rows[] = {
    {"0", 0, "0"},
    {"-0", 0, "0"},
    {"-0.00", 0, "0.00"},
    {"-0e5", 0, "0"},
    {"0e99999999999999999999", 0, "0"},
    {"0.10", 0, "0.10"},
    {"20.00", 0, "20.00"},
    {"-1.5e3", 0, "-1500"},
    {"1.5e3", 0, "1500"},
    {"1.50e1", 0, "15.0"},
    {"1.50e2", 0, "150"},
    {"1.50e3", 0, "1500"},
    {"1.50E+0", 0, "1.50"},
    {"15e-1", 0, "1.5"},
    {"15e-2", 0, "0.15"},
    {"15e-4", 0, "0.0015"},
    {"-15e-4", 0, "-0.0015"},
    {"0.0015e4", 0, "15"},
    {"0.0015e3", 0, "1.5"},
    {"0.00e-1", 0, "0.000"},
    {"0.00e1", 0, "0.0"},
    {"1e000000000000000000000000000000002", 0, "100"},
    {"2000", -2, "20.00"},
    {"-2000", -2, "-20.00"},
    {"5", -2, "0.05"},
    {"0", -2, "0.00"},
    {"-0", -2, "0.00"},
    {"1.5", 2, "150"},
    {"1.555", 2, "155.5"},
    {"0.05", 2, "5"},
    {"1e2", -2, "1.00"},
    {"9007199254740993.0", 0, "9007199254740993.0"},
    {"1e59", 0, "1" ZEROS_59},
    {"1e-60", 0, "0." ZEROS_59 "1"},
    {SIXTY, 0, SIXTY},
    {"-" SIXTY "." SIXTY, 0, "-" SIXTY "." SIXTY},
    {"0." SIXTY, 60, SIXTY},
    {SIXTY, -60, "0." SIXTY},
    {"0.0" ZEROS_59 "1e60", 0, "0.1"},

    {"1e60", 0, NULL},
    {"1" ZEROS_59 "0", 0, NULL},
    {"1e-61", 0, NULL},
    {"0e-61", 0, NULL},
    {SIXTY "0", 0, NULL},
    {"0." SIXTY "0", 0, NULL},
    {"1e99999999999999999999", 0, NULL},
    {"1e-99999999999999999999", 0, NULL},
    {SIXTY, 1, NULL},
    {"1", 2147483647, NULL},
    {"1", -2147483647 - 1, NULL},
    {"", 0, NULL},
    {"-", 0, NULL},
    {"+1", 0, NULL},
    {"01", 0, NULL},
    {"-01", 0, NULL},
    {".5", 0, NULL},
    {"1.", 0, NULL},
    {"1.e1", 0, NULL},
    {"1e", 0, NULL},
    {"1e+", 0, NULL},
    {"1e1.5", 0, NULL},
    {"1,50", 0, NULL},
    {"1 ", 0, NULL},
    {" 1", 0, NULL},
    {"--1", 0, NULL},
    {"NaN", 0, NULL},
    {"Infinity", 0, NULL},
    {"0x10", 0, NULL},
    {"\"1\"", 0, NULL},
};

static void test_normalise(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *wanted = rows[i].plain;
        struct fault fault = {.pointer = "/unset"};
        struct span out = {0};
        /* A copy of exactly that size, so that a sanitizer sees one byte too many. */
        size_t len = strlen(rows[i].text);
        char *copy = malloc(len + (len == 0));
        memcpy(copy, rows[i].text, len);
        int rc = decimal_normalise(&arena, (struct span){copy, len}, rows[i].shift, &out, &fault);
        free(copy);
        if (wanted ? rc || !span_is(out, wanted) : rc != ERR_INVALID || !*fault.detail)
            fail_msg("%s shifted by %d gave %d \"%.*s\", wanted %s", rows[i].text, rows[i].shift,
                     rc, SPAN_ARGS(out), wanted ? wanted : "a refusal");
        if (!wanted)
            assert_string_equal(fault.pointer, "");
    }
    struct span absent = {NULL, 0}, none;
    assert_int_equal(decimal_normalise(&arena, absent, 0, &none, NULL), ERR_INVALID);
    arena_free(&arena);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct arena arena;
    struct span out;
    arena_init(&arena, 2);
    assert_int_equal(decimal_normalise(&arena, span_of("123456789"), 0, &out, NULL), ERR_MEMORY);
    arena_free(&arena);
}

/* What PostgreSQL 15's numeric_send answers. */
static const struct {
    const char *decimal, *numeric;
} numerics[] = {
    {"0", "0000000000000000"},
    {"0.00", "0000000000000002"},
    {"1", "00010000000000000001"},
    {"-1", "00010000400000000001"},
    {"0.10", "0001ffff0000000203e8"},
    {"20.00", "00010000000000020014"},
    {"1234.50", "000200000000000204d21388"},
    {"9999", "0001000000000000270f"},
    {"10000", "00010001000000000001"},
    {"10001", "000200010000000000010001"},
    {"100000000", "00010002000000000001"},
    {"99999.9999", "00030001000000040009270f270f"},
    {"0.0001", "0001ffff000000040001"},
    {"0.00001", "0001fffe0000000503e8"},
    {"-0.00000000012", "0001fffd4000000b0078"},
    {"100000000.00000001", "000500020000000800010000000000000001"},
    {"-12345678901234567890.123456789", "000800044000000904d2162e23340d801ed204d2162e2328"},
    {"1500", "000100000000000005dc"},
    {"50000.5", "0003000100000001000500001388"},
    {SIXTY "." SIXTY, "001e000e0000003c"
                      "04d2162e23340d801ed204d2162e23340d801ed204d2162e23340d801ed2"
                      "04d2162e23340d801ed204d2162e23340d801ed204d2162e23340d801ed2"},
};

static void test_numeric(void **state)
{
    (void)state;
    struct buffer numeric, hex;
    buffer_init(&numeric, 256);
    buffer_init(&hex, 512);
    for (size_t i = 0; i < sizeof numerics / sizeof *numerics; i++) {
        buffer_clear(&numeric);
        buffer_clear(&hex);
        decimal_append_numeric(&numeric, span_of(numerics[i].decimal));
        hex_append(&hex, buffer_span(&numeric));
        if (!span_is(buffer_span(&hex), numerics[i].numeric))
            fail_msg("%s became %.*s", numerics[i].decimal, SPAN_ARGS(buffer_span(&hex)));
    }
    static const char *const others[] = {"", "-", "1e5", "abc", "1" SIXTY, "0.1" SIXTY, "1.5x"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        buffer_clear(&numeric);
        decimal_append_numeric(&numeric, span_of(others[i]));
        assert_true(numeric.failed);
    }
    buffer_free(&numeric);
    buffer_free(&hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normalise),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_numeric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
