/* common/json: the scanner, the walk through scanned text, JSON Pointers, json_read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"

#define TEXT(literal) ((struct span){literal, sizeof(literal) - 1})

struct row {
    struct span text;
    const char *problem; /* NULL: well-formed */
    size_t at;           /* the byte that is named */
};

static const struct row rows[] = {
    /* well-formed */
    {TEXT("{}"), NULL, 0},
    {TEXT("[]"), NULL, 0},
    {TEXT(" \t\r\n{ } \t\r\n"), NULL, 0},
    {TEXT("[ ]"), NULL, 0},
    {TEXT("null"), NULL, 0},
    {TEXT("true"), NULL, 0},
    {TEXT("false"), NULL, 0},
    {TEXT("0"), NULL, 0},
    {TEXT("-0"), NULL, 0},
    {TEXT("-0.10"), NULL, 0},
    {TEXT("1e5"), NULL, 0},
    {TEXT("1E+05"), NULL, 0},
    {TEXT("1.25e-3"), NULL, 0},
    {TEXT("123456789012345678901234567890.123456789"), NULL, 0},
    {TEXT("1e399"), NULL, 0},
    {TEXT("1e-399"), NULL, 0},
    {TEXT("0.1e399"), NULL, 0},
    {TEXT("1e0000000000000000000000000000000000001"), NULL, 0},
    {TEXT("\"\""), NULL, 0},
    {TEXT("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\""), NULL, 0},
    {TEXT("\"\\uD83D\\uDE00 \\ud83d\\ude00\""), NULL, 0},
    {TEXT("\"\x7f\""), NULL, 0},
    {TEXT("\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf\""), NULL, 0},
    {TEXT("\"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\""), NULL, 0},
    {TEXT("[1,\"two\",{\"three\":[null,true,false]},-4.5]"), NULL, 0},
    {TEXT("{\"a\":{\"b\":{\"c\":[[[]]]}},\"a\":1}"), NULL, 0}, /* duplicates are not looked for */
    {TEXT("\"12345678\xc3\xa4"
          "1234567\\n12345678901234567890\""),
     NULL, 0},

    /* truncated */
    {TEXT(""), "the text is empty", 0},
    {TEXT("  "), "the text ends where a value is expected", 2},
    {TEXT("{"), "the text ends inside an object", 1},
    {TEXT("{\"a\""), "':' is expected", 4},
    {TEXT("{\"a\":"), "the text ends where a value is expected", 5},
    {TEXT("{\"a\":1"), "the text ends inside an object", 6},
    {TEXT("{\"a\":1,"), "the text ends inside an object", 7},
    {TEXT("["), "the text ends where a value is expected", 1},
    {TEXT("[1"), "the text ends inside an array", 2},
    {TEXT("[1,"), "the text ends where a value is expected", 3},
    {TEXT("\"abc"), "the text ends inside a string", 4},
    {TEXT("\"abcdefgh"), "the text ends inside a string", 9},
    {TEXT("\"a\\"), "the text ends inside a string", 3},
    {TEXT("\"a\\u00"), "\\u needs four hexadecimal digits", 2},
    {TEXT("tru"), "a JSON value is expected", 0},
    {TEXT("-"), "a number needs a digit here", 1},
    {TEXT("1."), "a number needs a digit after its point", 2},
    {TEXT("1e"), "a number's exponent needs a digit", 2},
    {TEXT("1e+"), "a number's exponent needs a digit", 3},

    /* structure */
    {TEXT("{} x"), "nothing may follow the JSON value", 3},
    {TEXT("{}{}"), "nothing may follow the JSON value", 2},
    {TEXT("1 2"), "nothing may follow the JSON value", 2},
    {TEXT("[1,]"), "a JSON value is expected", 3},
    {TEXT("[,1]"), "a JSON value is expected", 1},
    {TEXT("[1 2]"), "',' or ']' is expected", 3},
    {TEXT("[1}"), "',' or ']' is expected", 2},
    {TEXT("{\"a\":1]"), "',' or '}' is expected", 6},
    {TEXT("{\"a\":1,}"), "a member's name in double quotes is expected", 7},
    {TEXT("{a:1}"), "a member's name in double quotes is expected", 1},
    {TEXT("{\"a\" 1}"), "':' is expected", 5},
    {TEXT("{'a':1}"), "a member's name in double quotes is expected", 1},
    {TEXT("]"), "a JSON value is expected", 0},
    {TEXT("/* c */ 1"), "a JSON value is expected", 0},
    {TEXT("NaN"), "a JSON value is expected", 0},
    {TEXT("-Infinity"), "a number needs a digit here", 1},
    {TEXT("TRUE"), "a JSON value is expected", 0},
    {TEXT("nul1"), "a JSON value is expected", 0},
    {TEXT("truex"), "nothing may follow the JSON value", 4},
    {TEXT("\f1"), "a JSON value is expected", 0},
    {TEXT("\xc2\xa0"
          "1"),
     "a JSON value is expected", 0},
    {TEXT("\xef\xbb\xbf{}"), "a JSON value is expected", 0}, /* json_read skips the mark */

    /* numbers */
    {TEXT("01"), "must not begin with a zero", 0},
    {TEXT("-01"), "must not begin with a zero", 0},
    {TEXT("+1"), "a JSON value is expected", 0},
    {TEXT(".5"), "a JSON value is expected", 0},
    {TEXT("0x10"), "nothing may follow the JSON value", 1},
    {TEXT("1.e5"), "a number needs a digit after its point", 2},
    {TEXT("[1e400]"), "more than 400 digits", 1},
    {TEXT("1e131071"), "more than 400 digits", 0},
    {TEXT("1e-400"), "more than 400 digits", 0},
    {TEXT("0e400"), "more than 400 digits", 0},
    {TEXT("1e99999999999999999999"), "more than 400 digits", 0},
    {TEXT("-1E-99999999999999999999"), "more than 400 digits", 0},

    /* strings */
    {TEXT("\"a\tb\""), "a control character in a string must be escaped", 2},
    {TEXT("\"12345678\x1f\""), "a control character in a string must be escaped", 9},
    {TEXT("\"1234567\x1f-12345678\""), "a control character in a string must be escaped", 8},
    {TEXT("\"1234567\0-12345678\""), "a control character in a string must be escaped", 8},
    {TEXT("\"a\0b\""), "a control character in a string must be escaped", 2},
    {TEXT("{}\0"), "nothing may follow the JSON value", 2},
    {TEXT("\0"), "a JSON value is expected", 0},
    {TEXT("\"\\x41\""), "there is no such escape", 1},
    {TEXT("\"\\\0\""), "there is no such escape", 1},
    {TEXT("\"\\U0041\""), "there is no such escape", 1},
    {TEXT("\"\\u004g\""), "\\u needs four hexadecimal digits", 1},
    {TEXT("\"ab\\u0000\""), "\\u0000 cannot be stored", 3},
    {TEXT("{\"\\u0000\":1}"), "\\u0000 cannot be stored", 2},
    {TEXT("\"\\ud83d\""), "a high surrogate needs a low one after it", 1},
    {TEXT("\"\\ud83dx\\ude00\""), "a high surrogate needs a low one after it", 1},
    {TEXT("\"\\ud83d\\ud83d\""), "a high surrogate needs a low one after it", 1},
    {TEXT("\"\\ude00\\ud83d\""), "a low surrogate needs a high one before it", 1},

    /* UTF-8 */
    {TEXT("\"\x80\""), "not well-formed UTF-8", 1},
    {TEXT("\"\xc0\x80\""), "not well-formed UTF-8", 1},
    {TEXT("\"\xc1\xbf\""), "not well-formed UTF-8", 1},
    {TEXT("\"\xe0\x9f\xbf\""), "not well-formed UTF-8", 1},
    {TEXT("\"\xed\xa0\x80\""), "not well-formed UTF-8", 1},
    {TEXT("\"\xf0\x8f\xbf\xbf\""), "not well-formed UTF-8", 1},
    {TEXT("\"\xf4\x90\x80\x80\""), "not well-formed UTF-8", 1},
    {TEXT("\"\xf5\x80\x80\x80\""), "not well-formed UTF-8", 1},
    {TEXT("\"ok\xc3\""), "not well-formed UTF-8", 3},
    {TEXT("\"ok\xe2\x82"), "not well-formed UTF-8", 3},
    {TEXT("\"\xff\""), "not well-formed UTF-8", 1},
};

#define ROWS (sizeof rows / sizeof *rows)

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        /* A copy of exactly that size, so that a sanitizer sees one byte too many. */
        char *copy = malloc(rows[i].text.len + (rows[i].text.len == 0));
        memcpy(copy, rows[i].text.ptr, rows[i].text.len);
        struct fault fault = {0};
        int rc = json_scan_check((struct span){copy, rows[i].text.len}, &fault);
        free(copy);
        char place[32];
        snprintf(place, sizeof place, "at byte %zu", rows[i].at);
        bool right = rows[i].problem ? rc == ERR_INVALID && strstr(fault.detail, rows[i].problem) &&
                                           (rows[i].text.len == 0 || strstr(fault.detail, place))
                                     : rc == 0;
        if (!right)
            fail_msg("row %zu: %.*s gave %d \"%s\", wanted \"%s\" %s", i, SPAN_ARGS(rows[i].text),
                     rc, fault.detail, rows[i].problem ? rows[i].problem : "no problem", place);
        if (rows[i].problem)
            assert_string_equal(fault.pointer, "");
    }
}

/* What json_scan_check refuses although RFC 8259 allows it. */
static bool is_beyond(const char *problem)
{
    static const char *const beyond[] = {"more than 400 digits", "\\u0000 cannot be stored",
                                         "surrogate needs a"};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++)
        if (strstr(problem, beyond[i]))
            return true;
    return false;
}

static void test_grammar_alone(void **state)
{
    (void)state;
    size_t beyond = 0;
    for (size_t i = 0; i < ROWS; i++) {
        char *copy = malloc(rows[i].text.len + (rows[i].text.len == 0));
        memcpy(copy, rows[i].text.ptr, rows[i].text.len);
        struct span text = {copy, rows[i].text.len};
        struct fault fault = {.detail = ""};
        bool past = rows[i].problem && is_beyond(rows[i].problem);
        int wanted = !rows[i].problem || past ? 0 : ERR_INVALID;
        if (json_scan_grammar(text, NULL) != wanted)
            fail_msg("row %zu: %.*s, wanted %d", i, SPAN_ARGS(rows[i].text), wanted);
        int rc = json_scan_check(text, &fault);
        if (rc && text.len)
            assert_int_equal(!strstr(fault.detail, "not valid JSON"), past);
        beyond += past;
        free(copy);
    }
    assert_true(beyond > 10);
}

/* Whatever is well-formed must not be so any more once its end is cut off
 * (numbers aside), and nothing beyond the cut may be read. */
static void test_every_prefix(void **state)
{
    (void)state;
    struct span text = TEXT("{\"a\":[1.5e3,{\"\xc3\xa4\\u00e4\\ud83d\\ude00\":null},\"12345678\"],"
                            "\"b\":true,\"c\":false}");
    assert_int_equal(json_scan_check(text, NULL), 0);
    for (size_t len = 0; len < text.len; len++) {
        char *copy = malloc(len + (len == 0));
        memcpy(copy, text.ptr, len);
        assert_int_equal(json_scan_check((struct span){copy, len}, NULL), ERR_INVALID);
        free(copy);
    }
}

static void test_agrees_with_jansson(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].problem)
            continue;
        json_error_t error;
        json_t *json = json_loadb(rows[i].text.ptr, rows[i].text.len, JSON_DECODE_ANY, &error);
        if (!json && json_error_code(&error) != json_error_numeric_overflow)
            fail_msg("row %zu: jansson says %s", i, error.text);
        json_decref(json);
    }
}

static char *repeat(const char *piece, size_t times)
{
    size_t len = strlen(piece);
    char *text = malloc(len * times + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * len, piece, len);
    text[len * times] = '\0';
    return text;
}

static void test_depth(void **state)
{
    (void)state;
    struct fault fault;
    char *million = repeat("[", 1000000);
    assert_int_equal(json_scan_check(span_of(million), &fault), ERR_INVALID);
    assert_non_null(strstr(fault.detail, "nested too deeply"));
    assert_non_null(strstr(fault.detail, "at byte 128"));
    assert_int_equal(json_scan_grammar(span_of(million), &fault), ERR_INVALID);
    memset(million + 500000, ']', 500000);
    assert_int_equal(json_scan_grammar(span_of(million), &fault), 0);
    million[999999] = '}';
    assert_int_equal(json_scan_grammar(span_of(million), &fault), ERR_INVALID);
    assert_string_equal(fault.detail, "not valid JSON: ',' or ']' is expected, at byte 999999");
    free(million);
    char *objects = repeat("{\"a\":", 200000);
    assert_int_equal(json_scan_check(span_of(objects), &fault), ERR_INVALID);
    assert_non_null(strstr(fault.detail, "nested too deeply"));
    free(objects);
    char text[2 * JSON_DEPTH_LIMIT + 3];
    for (size_t depth = JSON_DEPTH_LIMIT; depth <= JSON_DEPTH_LIMIT + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        int rc = json_scan_check((struct span){text, 2 * depth}, NULL);
        assert_int_equal(rc, depth == JSON_DEPTH_LIMIT ? 0 : ERR_INVALID);
    }
}

/* Depth is how deep, not how many. */
static void test_width(void **state)
{
    (void)state;
    char *pairs = repeat("[],{\"a\":[]},", 1000), text[20000];
    snprintf(text, sizeof text, "[%s[]]", pairs);
    free(pairs);
    assert_int_equal(json_scan_check(span_of(text), NULL), 0);
}

static void test_long_numbers(void **state)
{
    (void)state;
    char *digits = repeat("9", 401);
    assert_int_equal(json_scan_check((struct span){digits, 400}, NULL), 0);
    assert_int_equal(json_scan_check((struct span){digits, 401}, NULL), ERR_INVALID);
    free(digits);
    char *zeros = repeat("0", 100000), text[100010];
    snprintf(text, sizeof text, "1.%s", zeros);
    assert_int_equal(json_scan_check(span_of(text), NULL), ERR_INVALID);
    snprintf(text, sizeof text, "1e%s1", zeros);
    assert_int_equal(json_scan_check(span_of(text), NULL), 0);
    free(zeros);
}

struct pointer_row {
    const char *text, *pointer, *value; /* value NULL: leads nowhere */
};

static const struct pointer_row pointer_rows[] = {
    {" {\"a\" : 1 } ", "", "{\"a\" : 1 }"},
    {"  7.10  ", "", "7.10"},
    {"{\"a\": 1.50 ,\"b\":2}", "/a", "1.50"},
    {"{\"a\":1e2,\"b\": \"x, }\\\"]\" }", "/b", "\"x, }\\\"]\""},
    {"{\"a\":{\"b\" : [1, [ 2 ,3 ] , {\"c\":null}]}}", "/a/b/1", "[ 2 ,3 ]"},
    {"{\"a\":{\"b\" : [1, [ 2 ,3 ] , {\"c\":null}]}}", "/a/b/2/c", "null"},
    {"{\"a\":{\"b\" : [1, [ 2 ,3 ] , {\"c\":null}]}}", "/a/b/3", NULL},
    {"{\"a\":{\"b\" : [1]}}", "/a/b/-", NULL},
    {"[10,11]", "/01", NULL},
    {"[10,11]", "/1", "11"},
    {"[10,11]", "/99999999999999999999", NULL},
    {"[10,11]", "/18446744073709551617", NULL}, /* 2^64 + 1 */
    {"[10,11]", "/", NULL},
    {"[10,11]", "/ 1", NULL},
    {"{\"\":{\"\":5}}", "//", "5"},
    {"{\"a/b\":1,\"m~n\":2,\"~1\":3}", "/a~1b", "1"},
    {"{\"a/b\":1,\"m~n\":2,\"~1\":3}", "/m~0n", "2"},
    {"{\"a/b\":1,\"m~n\":2,\"~1\":3}", "/~01", "3"},
    {"{\"m~n\":2}", "/m~0", NULL},
    {"{\"m~\":2}", "/m~0n", NULL},
    {"{\"a/b\":1}", "/a/b", NULL},
    {"{\"a\":1}", "/a~2", NULL},
    {"{\"a\":1}", "a", NULL},
    {"{\"a\":1}", "/a/b", NULL},
    {"{\"a\":\"b\"}", "/a/0", NULL},
    {"{\"0\":\"zero\"}", "/0", "\"zero\""},
    {"{\"\\u0061mount\":1}", "/amount", "1"},
    {"{\"a\\/b\":1}", "/a~1b", "1"},
    {"{\"\\u00e4\":1}", "/\xc3\xa4", "1"},
    {"{\"\\ud83d\\ude00\":1}", "/\xf0\x9f\x98\x80", "1"},
    {"{\"\\u20ac\\n\":1}", "/\xe2\x82\xac\n", "1"},
    {"{\"ab\":1}", "/a", NULL},
    {"{\"a\":1}", "/ab", NULL},
    {"{\"a\":1,\"\\u0061\":2}", "/a", "2"}, /* the last one wins */
    {"{\"a\":{\"b\":1},\"a\":{\"c\":2}}", "/a/b", NULL},
    {"{}", "/a", NULL},
    {"[]", "/0", NULL},
    {"{\"a\":[],\"b\":{},\"c\":true}", "/c", "true"},
};

static void test_pointers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pointer_rows / sizeof *pointer_rows; i++) {
        const struct pointer_row *row = &pointer_rows[i];
        struct span value = {0};
        assert_int_equal(json_scan_check(span_of(row->text), NULL), 0);
        int rc = json_scan_pointer(span_of(row->text), row->pointer, &value);
        if (row->value ? rc || !span_is(value, row->value) : rc != ERR_NOT_FOUND)
            fail_msg("%s in %s gave %d \"%.*s\"", row->pointer, row->text, rc, SPAN_ARGS(value));
        if (row->value && (value.ptr < row->text || value.ptr >= row->text + strlen(row->text)))
            fail_msg("%s in %s is no part of the text", row->pointer, row->text);
        /* A tree gives the same answer. */
        json_t *root = json_loads(row->text, JSON_DECODE_ANY, NULL);
        json_t *node = json_pointer_get(root, row->pointer);
        json_t *wanted = row->value ? json_loads(row->value, JSON_DECODE_ANY, NULL) : NULL;
        if ((node == NULL) != (wanted == NULL) || (node && !json_equal(node, wanted)))
            fail_msg("%s in the tree of %s leads elsewhere", row->pointer, row->text);
        json_decref(wanted);
        json_decref(root);
    }
}

static void test_pointer_valid(void **state)
{
    (void)state;
    static const char *const valid[] = {"", "/", "/a", "/a~0b~1c", "//", "/\xc3\xa4"};
    static const char *const invalid[] = {"a", "~", "/~", "/~2", "/a~", " /a"};
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        assert_true(json_pointer_valid(valid[i]));
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        assert_false(json_pointer_valid(invalid[i]));
}

static void test_pointer_append(void **state)
{
    (void)state;
    char pointer[16] = "";
    json_pointer_append(pointer, sizeof pointer, "a/b");
    json_pointer_append(pointer, sizeof pointer, "~");
    assert_string_equal(pointer, "/a~1b/~0");
    json_pointer_append(pointer, sizeof pointer, "12345\xc3\xa4z"); /* no half character */
    assert_string_equal(pointer, "/a~1b/~0/12345");
    char escape[8] = "/abcd";
    json_pointer_append(escape, sizeof escape, "/"); /* no half escape */
    assert_string_equal(escape, "/abcd/");
    json_pointer_append(escape, sizeof escape, "x");
    json_pointer_append(escape, sizeof escape, "y");
    assert_string_equal(escape, "/abcd//");
}

static void test_next(void **state)
{
    (void)state;
    struct span array = TEXT(" [ 1.0 ,\"a,]\" , {\"b\": [1,2]},[] ] ");
    static const char *const values[] = {"1.0", "\"a,]\"", "{\"b\": [1,2]}", "[]"};
    size_t cursor = 0, n = 0;
    struct span value, name;
    while (json_scan_next(array, &cursor, &value))
        assert_true(n < 4 && span_is(value, values[n++]));
    assert_int_equal(n, 4);
    assert_false(json_scan_next(array, &cursor, &value));
    static const char *const none[] = {"[]", " [ ] ", "{\"a\":1}", "1", "\"[1]\"", "null", ""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        cursor = 0;
        assert_false(json_scan_next(span_of(none[i]), &cursor, &value));
    }
    cursor = 0;
    assert_false(json_scan_next_member(array, &cursor, &name, &value));
}

static void test_next_member(void **state)
{
    (void)state;
    struct span object = TEXT("{\"a\" : 1.0 , \"b\\\"}\":{\"c\":2},\"\":[ ] }");
    static const char *const names[] = {"\"a\"", "\"b\\\"}\"", "\"\""};
    static const char *const values[] = {"1.0", "{\"c\":2}", "[ ]"};
    size_t cursor = 0, n = 0;
    struct span value, name;
    for (; json_scan_next_member(object, &cursor, &name, &value); n++)
        assert_true(n < 3 && span_is(name, names[n]) && span_is(value, values[n]));
    assert_int_equal(n, 3);
    assert_false(json_scan_next_member(object, &cursor, &name, &value));
    cursor = 0;
    assert_false(json_scan_next_member(TEXT("{ }"), &cursor, &name, &value));
}

static void test_text(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096);
    static const struct {
        const char *value, *text;
    } table[] = {
        {"\"\"", ""},
        {"\"plain \xc3\xa4\"", "plain \xc3\xa4"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e4\\u20ac\\ud83d\\ude00z\"", "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"},
    };
    struct span text;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(json_scan_text(&arena, span_of(table[i].value), &text), 0);
        assert_true(span_is(text, table[i].text) && text.ptr);
    }
    static const char *const none[] = {"1", "null", "[\"a\"]", "{}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(json_scan_text(&arena, span_of(none[i]), &text), ERR_NOT_FOUND);
    arena_free(&arena);
    struct arena tiny;
    arena_init(&tiny, 1);
    assert_int_equal(json_scan_text(&tiny, TEXT("\"0123456789\\n\""), &text), ERR_MEMORY);
    arena_free(&tiny);
}

struct read_row {
    const char *text, *pointer, *detail; /* detail NULL: fine */
};

static const struct read_row read_rows[] = {
    {"{\"a\":1,\"b\":[{\"c\":2}]}", NULL, NULL},
    {"\"scalar\"", NULL, NULL},
    {"{\"a\":1,\"a\":2}", "/a", "twice"},
    {"{\"a\":1,\"\\u0061\":2}", "/a", "twice"},
    {"{\"x\":[0,{\"a/b\":1,\"c\":{},\"a\\/b\":2}]}", "/x/1/a~1b", "twice"},
    {"{\"\xc3\xa4\":1 , \"\\u00e4\" : 2}", "/\xc3\xa4", "twice"},
    {"{\"n\":[9223372036854775808]}", "/n/0", "too large"},
    {"{\"n\":9223372036854775807,\"m\":-9223372036854775808}", NULL, NULL},
    {"{\"n\":1e309}", "/n", "too large"},
    {"{\"a\":tru}", "", "not valid JSON"},
    {"\xef\xbb\xbf\xef\xbb\xbf{}", "", "not valid JSON"},
    {"\xef\xbb\xbf", "", "empty"},
};

static void test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof read_rows / sizeof *read_rows; i++) {
        const struct read_row *row = &read_rows[i];
        struct fault fault = {0};
        json_t *json = NULL;
        int rc = json_read(span_of(row->text), &json, NULL, &fault);
        bool right = row->detail
                         ? rc == ERR_INVALID && !json && strstr(fault.detail, row->detail) &&
                               strcmp(fault.pointer, row->pointer) == 0
                         : rc == 0 && json;
        if (!right)
            fail_msg("%s gave %d %s: %s", row->text, rc, fault.pointer, fault.detail);
        json_decref(json);
        rc = json_read(span_of(row->text), &json, NULL, NULL); /* nobody asks why */
        if (rc == 0)
            json_decref(json);
    }
}

static void test_read_body(void **state)
{
    (void)state;
    const char *text = "\xef\xbb\xbf {\"a\": 1.50}\n";
    json_t *json;
    struct span body, value;
    assert_int_equal(json_read(span_of(text), &json, &body, NULL), 0);
    json_decref(json);
    assert_ptr_equal(body.ptr, text + 3);
    assert_int_equal(body.len, strlen(text) - 3);
    assert_int_equal(json_scan_pointer(body, "/a", &value), 0);
    assert_true(span_is(value, "1.50"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),         cmocka_unit_test(test_grammar_alone),
        cmocka_unit_test(test_every_prefix),  cmocka_unit_test(test_agrees_with_jansson),
        cmocka_unit_test(test_depth),         cmocka_unit_test(test_width),
        cmocka_unit_test(test_long_numbers),  cmocka_unit_test(test_pointers),
        cmocka_unit_test(test_pointer_valid), cmocka_unit_test(test_pointer_append),
        cmocka_unit_test(test_next),          cmocka_unit_test(test_next_member),
        cmocka_unit_test(test_text),          cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
