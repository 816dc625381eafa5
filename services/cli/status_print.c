#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/cli/cli.h"
#include "services/cli/status.h"
#include "services/cli/table.h"
#include "services/cli/text.h"

struct status_part *status_part(struct status *status, const char *name)
{
    if (status->count < STATUS_PARTS)
        status->count++;
    struct status_part *part = &status->parts[status->count - 1];
    *part = (struct status_part){0};
    snprintf(part->name, sizeof part->name, "%s", name);
    return part;
}

void status_fine(struct status_part *part, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(part->text, sizeof part->text, format, args);
    va_end(args);
    part->wrong = false;
}

void status_wrong(struct status_part *part, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(part->text, sizeof part->text, format, args);
    va_end(args);
    part->wrong = true;
}

static void print_part(const struct status_part *part, const char *mark)
{
    struct buffer line;
    buffer_init(&line, 8192);
    buffer_printf(&line, "%s %-14s ", mark, part->name);
    int width = table_terminal_width();
    text_append(&line, span_of(part->text), width > 20 ? width - 18 : -1);
    printf("%s\n", line.data);
    buffer_free(&line);
}

static const struct table_column columns[] = {
    {"  topic", false, false}, {"partition", true, false}, {"read", true, false},
    {"lag", true, false},      {"", false, true},          {NULL, false, false},
};

/* The partitions that are behind, or wrong. */
static void print_partitions(const struct status *status)
{
    struct table table;
    table_init(&table, columns);
    for (size_t i = 0; status->books_known && i < status->books.count; i++) {
        const struct book *book = &status->books.items[i];
        char text[200], topic[260];
        const char *wrong = book_wrong(&status->books, book, text, sizeof text);
        if (!wrong && book_lag(book) == 0)
            continue;
        snprintf(topic, sizeof topic, "  %s", book->topic);
        table_cell_text(&table, topic);
        table_cell_int(&table, book->partition);
        table_cell_int(&table, book->records);
        table_cell_int(&table, book_lag(book));
        table_cell_text(&table, wrong);
    }
    if (table_rows(&table) > 0) {
        putchar('\n');
        if (table_print(&table) != 0)
            (void)cli_failed("no memory");
    }
    table_free(&table);
}

/* jansson takes UTF-8 only; a message may be cut in the middle of a character. */
static json_t *json_text(const char *text)
{
    struct buffer clean;
    buffer_init(&clean, 8192);
    text_append(&clean, span_of(text), -1);
    json_t *json = json_stringn(clean.len ? clean.data : "", clean.len);
    buffer_free(&clean);
    return json;
}

/* {"events.sales": {"records": 12, "seconds": 3}} */
static json_t *json_lags(const struct status *status)
{
    json_t *lags = json_object();
    for (size_t i = 0; i < status->lag_count; i++) {
        const struct status_lag *lag = &status->lags[i];
        json_object_set_new(
            lags, lag->topic,
            json_pack("{s:I, s:o}", "records", (json_int_t)lag->records, "seconds",
                      lag->seconds >= 0 ? json_integer(lag->seconds) : json_null()));
    }
    return lags;
}

static void print_json(const struct status *status, size_t wrong)
{
    json_t *parts = json_array(), *partitions = json_array();
    for (size_t i = 0; i < status->count; i++) {
        const struct status_part *part = &status->parts[i];
        json_array_append_new(parts, json_pack("{s:s, s:b, s:o}", "name", part->name, "ok",
                                               !part->wrong, "text", json_text(part->text)));
    }
    for (size_t i = 0; status->books_known && i < status->books.count; i++) {
        const struct book *book = &status->books.items[i];
        char text[200];
        json_array_append_new(
            partitions, json_pack("{s:s, s:i, s:I, s:I, s:s?}", "topic", book->topic, "partition",
                                  (int)book->partition, "records", (json_int_t)book->records, "lag",
                                  (json_int_t)book_lag(book), "wrong",
                                  book_wrong(&status->books, book, text, sizeof text)));
    }
    json_t *root = json_pack("{s:b, s:o, s:o, s:o, s:o}", "ok", wrong == 0, "parts", parts, "lag",
                             json_lags(status), "partitions", partitions, "waiting",
                             status->books_known ? json_integer(status->waiting) : json_null());
    char *text = json_dumps(root, JSON_INDENT(2));
    if (text)
        puts(text);
    free(text);
    json_decref(root);
}

/* What is wrong first, without what nothing is known of; the order is kept beside that. Returns how
 * many are wrong. */
static size_t sort_parts(struct status *status)
{
    static struct status_part sorted[STATUS_PARTS];
    size_t count = 0, wrong = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < status->count; i++)
            if (*status->parts[i].text && status->parts[i].wrong == (pass == 0))
                sorted[count++] = status->parts[i];
        if (pass == 0)
            wrong = count;
    }
    memcpy(status->parts, sorted, count * sizeof *sorted);
    status->count = count;
    return wrong;
}

int status_print(struct status *status, bool json)
{
    size_t wrong = sort_parts(status);
    int exit_status = wrong ? EXIT_FAILED : EXIT_OK;
    if (json) {
        print_json(status, wrong);
        return exit_status;
    }
    for (size_t i = 0; i < status->count; i++) {
        if (i == wrong && wrong > 0)
            putchar('\n');
        print_part(&status->parts[i], status->parts[i].wrong ? "WRONG" : "  ok ");
    }
    print_partitions(status);
    return exit_status;
}
