#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

void status_judge_books(struct status *status)
{
    if (!status->books_known)
        return;
    struct status_part *part = status_part(status, "books");
    int64_t records = 0, lag = 0, differences = 0;
    char text[200];
    for (size_t i = 0; i < status->books.count; i++) {
        const struct book *book = &status->books.items[i];
        records += book->records;
        lag += book_lag(book);
        differences += book_wrong(&status->books, book, text, sizeof text) != NULL;
    }
    if (differences > 0)
        status_wrong(part, "%lld of %zu partitions do not balance: throughline reconcile",
                     (long long)differences, status->books.count);
    else
        status_fine(part, "%lld records read, %lld to come; they balance", (long long)records,
                    (long long)lag);
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
    json_t *root = json_pack("{s:b, s:o, s:o, s:o}", "ok", wrong == 0, "parts", parts, "partitions",
                             partitions, "waiting",
                             status->books_known ? json_integer(status->waiting) : json_null());
    char *text = json_dumps(root, JSON_INDENT(2));
    if (text)
        puts(text);
    free(text);
    json_decref(root);
}

int status_print(const struct status *status, bool json)
{
    size_t wrong = 0;
    for (size_t i = 0; i < status->count; i++)
        wrong += status->parts[i].wrong;
    int exit_status = wrong ? EXIT_FAILED : EXIT_OK;
    if (json) {
        print_json(status, wrong);
        return exit_status;
    }
    for (size_t i = 0; i < status->count; i++)
        if (status->parts[i].wrong)
            print_part(&status->parts[i], "WRONG");
    if (wrong)
        putchar('\n');
    for (size_t i = 0; i < status->count; i++)
        if (!status->parts[i].wrong)
            print_part(&status->parts[i], "  ok ");
    print_partitions(status);
    return exit_status;
}
