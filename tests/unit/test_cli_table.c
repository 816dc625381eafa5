/* Text and tables for a terminal: widths, what is cut, what never reaches it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/cli/progress.h"
#include "services/cli/table.h"
#include "services/cli/text.h"

static void expect_text(struct buffer *got, const char *expected)
{
    assert_false(got->failed);
    assert_string_equal(got->len ? got->data : "", expected);
}

static void widths_are_columns(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int width;
    } cases[] = {
        {"", 0},
        {"plain", 5},
        {"J\xc3\xbcrgen", 6},
        {"e\xcc\x81", 1},                /* e and a combining acute accent */
        {"\xe6\x97\xa5\xe6\x9c\xac", 4}, /* two Han characters */
        {"\xf0\x9f\x98\x80", 2},         /* an emoji */
        {"\xef\xbd\xb1", 1},             /* a half-width Katakana */
        {"\xef\xbc\xa1", 2},             /* a full-width A */
        {"a\tb\n", 4},                   /* shown as spaces */
        {"\x1b[31m", 5},                 /* the escape as one replacement */
        {"\xff\xfe", 2},                 /* no UTF-8: one replacement a byte */
        {"\xc3", 1},                     /* cut in the middle */
        {"\xe0\x80\x80", 3},             /* overlong */
        {"\xed\xa0\x80", 3},             /* a surrogate */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(text_width(span_of(cases[i].text)), cases[i].width);
}

static void text_is_cut_and_harmless(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int columns;
        const char *shown;
    } cases[] = {
        {"plain", -1, "plain"},
        {"plain", 5, "plain"},
        {"plain", 4, "pla\xe2\x80\xa6"},
        {"plain", 1, "\xe2\x80\xa6"},
        {"plain", 0, ""},
        {"two\nlines\r", -1, "two lines "},
        {"\x1b]0;title\x07", -1, "\xef\xbf\xbd]0;title\xef\xbf\xbd"},
        {"a\xe2\x80\xae"
         "b",
         -1,
         "a\xef\xbf\xbd"
         "b"}, /* right-to-left override */
        {"\xc2\x9b"
         "31m",
         -1,
         "\xef\xbf\xbd"
         "31m"}, /* CSI as one C1 control */
        {"a\xff"
         "b",
         -1,
         "a\xef\xbf\xbd"
         "b"},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4,
         "\xe6\x97\xa5\xe2\x80\xa6"}, /* no half of a wide one */
        {"e\xcc\x81"
         "e\xcc\x81"
         "e\xcc\x81",
         2, "e\xcc\x81\xe2\x80\xa6"},
    };
    struct buffer out;
    buffer_init(&out, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_clear(&out);
        text_append(&out, span_of(cases[i].text), cases[i].columns);
        expect_text(&out, cases[i].shown);
    }
    buffer_free(&out);
}

static const struct table_column columns[] = {
    {"id", true, false}, {"name", false, true}, {"kind", false, false}, {NULL, false, false}};

static void fill(struct table *table)
{
    table_init(table, columns);
    table_cell_int(table, 7);
    table_cell_text(table, "J\xc3\xbcrgen the Long");
    table_cell_text(table, "person");
    table_cell_int(table, 1234);
    table_cell_text(table, "\xe6\x97\xa5\xe6\x9c\xac");
    table_cell(table, (struct span){NULL, 0});
}

static void columns_line_up(void **state)
{
    (void)state;
    struct table table;
    struct buffer out;
    buffer_init(&out, 4096);
    fill(&table);
    assert_int_equal(table_rows(&table), 2);
    assert_int_equal(table_render(&table, 0, &out), 0);
    expect_text(&out, "  id  name             kind\n"
                      "   7  J\xc3\xbcrgen the Long  person\n"
                      "1234  \xe6\x97\xa5\xe6\x9c\xac             \n");
    table_free(&table);
    buffer_free(&out);
}

static void a_narrow_terminal_cuts_what_may_shrink(void **state)
{
    (void)state;
    struct table table;
    struct buffer out;
    buffer_init(&out, 4096);
    fill(&table);
    assert_int_equal(table_render(&table, 24, &out), 0);
    expect_text(&out, "  id  name        kind\n"
                      "   7  J\xc3\xbcrgen th\xe2\x80\xa6  person\n"
                      "1234  \xe6\x97\xa5\xe6\x9c\xac        \n");
    buffer_clear(&out); /* six columns stay whatever happens */
    assert_int_equal(table_render(&table, 3, &out), 0);
    expect_text(&out, "  id  name    kind\n"
                      "   7  J\xc3\xbcrge\xe2\x80\xa6  person\n"
                      "1234  \xe6\x97\xa5\xe6\x9c\xac    \n");
    table_free(&table);
    buffer_free(&out);
}

static void an_empty_table_has_its_titles(void **state)
{
    (void)state;
    struct table table;
    struct buffer out;
    buffer_init(&out, 4096);
    table_init(&table, columns);
    assert_int_equal(table_render(&table, 0, &out), 0);
    expect_text(&out, "id  name  kind\n");
    table_free(&table);
    buffer_free(&out);
}

static void progress_is_one_line(void **state)
{
    (void)state;
    static const struct {
        int64_t done, total, events, elapsed_ms;
        int columns;
        const char *line;
    } cases[] = {
        {0, 0, 0, 0, 80, "0 events  0:00"},
        {500, 0, 50, 2000, 80, "50 events  25/s  0:02"},
        {250, 1000, 100, 10000, 80,
         "[######..................]  25%  100 events  10/s  0:30 to go"},
        {250, 1000, 100, 10000, 60, " 25%  100 events  10/s  0:30 to go"},
        {1000, 1000, 400, 61000, 60, "100%  400 events  6/s  1:01"},
        {2000, 1000, 400, 61000, 60, "100%  400 events  6/s  1:01"}, /* the file has grown */
        {1, 10000, 1, 1000, 60, "  0%  1 events  1/s  2:46:39 to go"},
        {INT64_C(4) << 50, INT64_C(4) << 50, INT64_C(1) << 40, 1000, 60,
         "100%  1099511627776 events  1099511627776/s  0:01"},
    };
    struct buffer out;
    buffer_init(&out, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_clear(&out);
        progress_line(&out, cases[i].done, cases[i].total, cases[i].events, cases[i].elapsed_ms,
                      cases[i].columns);
        expect_text(&out, cases[i].line);
    }
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_are_columns),
        cmocka_unit_test(text_is_cut_and_harmless),
        cmocka_unit_test(columns_line_up),
        cmocka_unit_test(a_narrow_terminal_cuts_what_may_shrink),
        cmocka_unit_test(an_empty_table_has_its_titles),
        cmocka_unit_test(progress_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
