/* What common/pg does without a server: array literals, COPY fields, codes for SQLSTATEs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/pg/pg.h"

static void expect_bytes(const struct buffer *got, const char *bytes, size_t len)
{
    assert_false(got->failed);
    assert_int_equal(got->len, len);
    assert_memory_equal(got->data, bytes, len);
}

static void arrays_are_literals(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1024);
    pg_array_end(&b);
    expect_bytes(&b, "{}", 2);

    static const struct {
        const char *element, *literal;
    } cases[] = {
        {"plain", "{\"plain\"}"},
        {"", "{\"\"}"},
        {"NULL", "{\"NULL\"}"},
        {NULL, "{NULL}"},
        {"a,b {c}", "{\"a,b {c}\"}"},
        {"say \"hi\"", "{\"say \\\"hi\\\"\"}"},
        {"back\\slash", "{\"back\\\\slash\"}"},
        {"\\", "{\"\\\\\"}"},
        {"J\xc3\xbcrgen", "{\"J\xc3\xbcrgen\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_clear(&b);
        pg_array_text(&b, span_of(cases[i].element));
        pg_array_end(&b);
        expect_bytes(&b, cases[i].literal, strlen(cases[i].literal));
    }

    buffer_clear(&b);
    pg_array_int(&b, INT64_MIN);
    pg_array_null(&b);
    pg_array_int(&b, 7);
    pg_array_end(&b);
    expect_bytes(&b, "{-9223372036854775808,NULL,7}", 29);
    buffer_free(&b);
}

static void a_text_element_may_hold_any_byte(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1024);
    pg_array_text(&b, (struct span){"a\0\"b", 4});
    pg_array_text(&b, span_of("c"));
    pg_array_end(&b);
    expect_bytes(&b, "{\"a\0\\\"b\",\"c\"}", 13);
    buffer_free(&b);
}

static void fields_are_binary_copy(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1024);
    pg_field_text(&b, span_of("ab"));
    pg_field_text(&b, span_of(""));
    pg_field_text(&b, (struct span){NULL, 0});
    expect_bytes(&b, "\0\0\0\2ab\0\0\0\0\377\377\377\377", 14);

    buffer_clear(&b);
    pg_field_int64(&b, -2);
    pg_field_int32(&b, 258);
    pg_field_null(&b);
    expect_bytes(&b, "\0\0\0\10\377\377\377\377\377\377\377\376\0\0\0\4\0\0\1\2\377\377\377\377",
                 24);

    buffer_clear(&b);
    pg_field_time(&b, INT64_C(946684800000001)); /* a microsecond into 2000 */
    pg_field_time(&b, INT64_C(946684799999999));
    expect_bytes(&b, "\0\0\0\10\0\0\0\0\0\0\0\1\0\0\0\10\377\377\377\377\377\377\377\377", 24);
    buffer_free(&b);
}

static void a_row_over_its_bound_sticks_as_failed(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 8);
    pg_field_text(&b, span_of("123456789"));
    assert_true(b.failed);
    buffer_free(&b);
}

static void sqlstates_have_codes(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        int code;
    } cases[] = {
        {"08006", ERR_BUSY},    {"40P01", ERR_BUSY},     {"40001", ERR_BUSY},
        {"53300", ERR_BUSY},    {"53100", ERR_BUSY},     {"57P01", ERR_BUSY},
        {"57014", ERR_BUSY},    {"58030", ERR_BUSY},     {"25006", ERR_BUSY},
        {"55P03", ERR_BUSY},    {"TL001", ERR_CONFLICT}, {"22P04", ERR_INVALID},
        {"23505", ERR_INVALID}, {"54001", ERR_INVALID},  {"25P03", ERR_BUSY},
        {"25P02", ERR_IO},      {"42P01", ERR_IO},       {"42501", ERR_IO},
        {"55000", ERR_IO},      {"XX000", ERR_IO},       {"TL002", ERR_IO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(pg_code_of(cases[i].sqlstate), cases[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_literals),
        cmocka_unit_test(a_text_element_may_hold_any_byte),
        cmocka_unit_test(fields_are_binary_copy),
        cmocka_unit_test(a_row_over_its_bound_sticks_as_failed),
        cmocka_unit_test(sqlstates_have_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
