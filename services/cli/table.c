#include "services/cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/list.h"
#include "services/cli/text.h"

#define TABLE_LIMIT ((size_t)256 * 1024 * 1024)
#define GAP         2 /* between columns */
#define NARROWEST   6 /* what a column is shrunk to at most */

void table_init(struct table *table, const struct table_column *columns)
{
    *table = (struct table){.columns = columns};
    while (columns[table->column_count].title)
        table->column_count++;
    buffer_init(&table->text, TABLE_LIMIT);
}

void table_free(struct table *table)
{
    buffer_free(&table->text);
    free(table->ends);
}

void table_cell(struct table *table, struct span text)
{
    if (list_grow(&table->ends, table->cells, &table->capacity, sizeof *table->ends) != 0) {
        table->text.failed = true;
        return;
    }
    buffer_append_span(&table->text, text);
    table->ends[table->cells++] = table->text.len;
}

void table_cell_text(struct table *table, const char *text)
{
    table_cell(table, span_of(text));
}

void table_cell_int(struct table *table, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    table_cell_text(table, text);
}

size_t table_rows(const struct table *table)
{
    return table->cells / (size_t)table->column_count;
}

static struct span cell(const struct table *table, size_t row, int column)
{
    size_t i = row * (size_t)table->column_count + (size_t)column;
    size_t from = i ? table->ends[i - 1] : 0;
    return (struct span){table->text.data + from, table->ends[i] - from};
}

/* Takes from the widest column that may shrink until the line fits, or nothing is left to take. */
static void fit(const struct table *table, int widths[TABLE_COLUMNS], int width)
{
    int total = GAP * (table->column_count - 1);
    for (int c = 0; c < table->column_count; c++)
        total += widths[c];
    while (total > width) {
        int widest = -1;
        for (int c = 0; c < table->column_count; c++)
            if (table->columns[c].shrinks && widths[c] > NARROWEST &&
                (widest < 0 || widths[c] > widths[widest]))
                widest = c;
        if (widest < 0)
            return;
        widths[widest]--;
        total--;
    }
}

static void spaces(struct buffer *out, int count)
{
    for (int i = 0; i < count; i++)
        buffer_append_char(out, ' ');
}

static void append_cell(struct buffer *out, const struct table_column *column, struct span text,
                        int width, bool last)
{
    int taken = text_width(text);
    int pad = taken < width ? width - taken : 0;
    if (column->right)
        spaces(out, pad);
    size_t before = out->len;
    text_append(out, text, width);
    /* A wide character that did not fit leaves a column free. */
    if (taken > width && out->len > before)
        pad = width - text_width((struct span){out->data + before, out->len - before});
    if (!column->right && !last)
        spaces(out, pad);
    if (!last)
        spaces(out, GAP);
}

int table_render(const struct table *table, int width, struct buffer *out)
{
    size_t rows = table_rows(table);
    int widths[TABLE_COLUMNS];
    for (int c = 0; c < table->column_count; c++) {
        widths[c] = text_width(span_of(table->columns[c].title));
        for (size_t r = 0; r < rows; r++) {
            int taken = text_width(cell(table, r, c));
            if (taken > widths[c])
                widths[c] = taken;
        }
    }
    if (width > 0)
        fit(table, widths, width);
    int last = table->column_count - 1;
    for (int c = 0; c <= last; c++)
        append_cell(out, &table->columns[c], span_of(table->columns[c].title), widths[c],
                    c == last);
    buffer_append_char(out, '\n');
    for (size_t r = 0; r < rows; r++) {
        for (int c = 0; c <= last; c++)
            append_cell(out, &table->columns[c], cell(table, r, c), widths[c], c == last);
        buffer_append_char(out, '\n');
    }
    return out->failed || table->text.failed ? ERR_MEMORY : 0;
}

int table_terminal_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

int table_print(const struct table *table)
{
    struct buffer out;
    buffer_init(&out, TABLE_LIMIT);
    int rc = table_render(table, table_terminal_width(), &out);
    if (rc == 0)
        fwrite(out.data, 1, out.len, stdout);
    buffer_free(&out);
    return rc;
}
