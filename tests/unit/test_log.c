/* common/base/log: a line is valid whatever the values are, in both formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/base/hex.h"
#include "common/base/log.h"

static const struct {
    const char *value, *logfmt, *json;
} rows[] = {
    {"word", "word", "\"word\""},
    {"", "\"\"", "\"\""},
    {"two words", "\"two words\"", "\"two words\""},
    {"a=b", "\"a=b\"", "\"a=b\""},
    {"say \"no\" \\ twice", "\"say \\\"no\\\" \\\\ twice\"", "\"say \\\"no\\\" \\\\ twice\""},
    {"one\ntwo\r\tthree", "\"one\\ntwo\\r\\tthree\"", "\"one\\ntwo\\r\\tthree\""},
    {"\x1b[31mred\x07\x7f", "\"\\u001b[31mred\\u0007\\u007f\"", "\"\\u001b[31mred\\u0007\\u007f\""},
    {"Gr\xC3\xA4\xC3\x9F", "\"Gr\xC3\xA4\xC3\x9F\"", "\"Gr\xC3\xA4\xC3\x9F\""},
    {"\xE2\x82\xAC \xF0\x9F\x98\x80", "\"\xE2\x82\xAC \xF0\x9F\x98\x80\"",
     "\"\xE2\x82\xAC \xF0\x9F\x98\x80\""},
    {"\xC2\x9B"
     "31m",
     "\"\\u009b31m\"", "\"\\u009b31m\""}, /* a control of C1 */
    {"\xE2\x80\xAEtxt.exe", "\"\\u202etxt.exe\"", "\"\\u202etxt.exe\""},
    {"\xE2\x80\xA8", "\"\\u2028\"", "\"\\u2028\""},
    {"\xFF\xFE", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"\xC3", "\"\xEF\xBF\xBD\"", "\"\xEF\xBF\xBD\""},                             /* cut off */
    {"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* overlong */
    {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"",
     "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* half a surrogate pair */
};

static void expect(enum log_format format, const char *value, const char *before, const char *as,
                   const char *behind)
{
    struct log_line line;
    char wanted[512];
    log_line_begin(&line, format);
    log_line_text(&line, "it", value);
    log_line_number(&line, "n", -7);
    log_line_end(&line);
    snprintf(wanted, sizeof wanted, "%s%s%s", before, as, behind);
    if (line.len != strlen(wanted) || memcmp(line.text, wanted, line.len) != 0)
        fail_msg("%.*s is not %s", (int)line.len, line.text, wanted);
}

static void values_are_escaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect(LOG_FORMAT_LOGFMT, rows[i].value, "it=", rows[i].logfmt, " n=-7\n");
        expect(LOG_FORMAT_JSON, rows[i].value, "{\"it\":", rows[i].json, ",\"n\":-7}\n");
    }
}

static void time_is_told_in_milliseconds(void **state)
{
    (void)state;
    struct log_line line;
    log_line_begin(&line, LOG_FORMAT_LOGFMT);
    log_line_time(&line, "time", INT64_C(1767867127672999));
    log_line_end(&line);
    assert_memory_equal(line.text, "time=2026-01-08T10:12:07.672Z\n", line.len);
}

/* Lines that are full to the last byte at every length of what comes before. */
static void long_values_are_cut_and_the_line_stays_valid(void **state)
{
    (void)state;
    static const char *const pieces[] = {"x", "\xC3\xA4", "\xF0\x9F\x98\x80", "\x01", "\"", "\xFF"};
    static char pad[64], value[LOG_LINE_LIMIT * 4];
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        value[0] = '\0';
        for (size_t len = 0; len < LOG_LINE_LIMIT + 100; len += strlen(pieces[p]))
            memcpy(value + len, pieces[p], strlen(pieces[p]) + 1);
        for (size_t i = 0; i < sizeof pad - 1; i++) {
            memset(pad, 'p', i);
            pad[i] = '\0';
            for (int json = 0; json <= 1; json++) {
                struct log_line line;
                log_line_begin(&line, json ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT);
                log_line_text(&line, "pad", pad);
                log_line_text(&line, "it", value);
                log_line_text(&line, "left_out", "since there is no room");
                log_line_number(&line, "this_too", INT64_MIN);
                log_line_end(&line);
                assert_true(line.len <= LOG_LINE_LIMIT && line.len > LOG_LINE_LIMIT - 100);
                assert_int_equal(line.text[line.len - 1], '\n');
                assert_null(memchr(line.text, '\n', line.len - 1));
                assert_true(utf8_valid((struct span){line.text, line.len}));
                assert_non_null(memmem(line.text, line.len, "…\"", strlen("…\"")));
                json_t *read = json_loadb(line.text, line.len, 0, NULL);
                assert_int_equal(read != NULL, json);
                json_decref(read);
            }
        }
    }
}

/* What log_write puts on standard error, in a buffer of the caller's. */
static size_t logged(enum log_format format, char *text, size_t size)
{
    int ends[2], standard = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    log_init("tl-test", LOG_LEVEL_INFO);
    log_set_format(format);
    log_debug("Not told");
    log_warn("It is so", LOG_TEXT("what", "a \"b\""), LOG_INT("count", 3), LOG_TEXT("none", NULL));
    log_set_format(LOG_FORMAT_LOGFMT);
    dup2(standard, STDERR_FILENO);
    close(standard);
    close(ends[1]);
    ssize_t got = read(ends[0], text, size);
    close(ends[0]);
    assert_true(got > 0);
    return (size_t)got;
}

static void a_line_of_each_format(void **state)
{
    (void)state;
    char text[1024];
    size_t len = logged(LOG_FORMAT_LOGFMT, text, sizeof text);
    static const char rest[] = " level=warn program=tl-test msg=\"It is so\" what=\"a \\\"b\\\"\" "
                               "count=3 none=\"\"\n";
    size_t time = sizeof "time=2026-01-08T10:12:07.672Z" - 1;
    assert_int_equal(len, time + sizeof rest - 1);
    assert_memory_equal(text + time, rest, sizeof rest - 1);

    len = logged(LOG_FORMAT_JSON, text, sizeof text);
    json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    assert_int_equal(json_object_size(line), 7);
    assert_int_equal(json_string_length(json_object_get(line, "time")),
                     sizeof "2026-01-08T10:12:07.672Z" - 1);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(line, "program")), "tl-test");
    assert_string_equal(json_string_value(json_object_get(line, "msg")), "It is so");
    assert_string_equal(json_string_value(json_object_get(line, "what")), "a \"b\"");
    assert_int_equal(json_integer_value(json_object_get(line, "count")), 3);
    assert_string_equal(json_string_value(json_object_get(line, "none")), "");
    json_decref(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_escaped),
        cmocka_unit_test(time_is_told_in_milliseconds),
        cmocka_unit_test(long_values_are_cut_and_the_line_stays_valid),
        cmocka_unit_test(a_line_of_each_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
