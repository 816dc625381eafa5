/*
 * A table for people: a line of titles, a line for each row, columns as wide as
 * their widest cell by display width. Where the lines would be wider than the
 * terminal, columns that may shrink are cut, the widest first. Bounded by the
 * rows it is given; a table without memory prints nothing and says so.
 */
#ifndef SERVICES_CLI_TABLE_H
#define SERVICES_CLI_TABLE_H

#include "common/base/buffer.h"

#define TABLE_COLUMNS 16

struct table_column {
    const char *title; /* NULL ends the list */
    bool right;        /* numbers */
    bool shrinks;      /* may be cut to fit the terminal */
};

struct table {
    const struct table_column *columns;
    int column_count;
    struct buffer text; /* the cells' texts, one after the other */
    size_t *ends;       /* where each cell ends in `text` */
    size_t cells, capacity;
};

/* `columns` must outlive the table. */
void table_init(struct table *table, const struct table_column *columns);
void table_free(struct table *table);

/* Cells come row by row; absent is shown as nothing. */
void table_cell(struct table *table, struct span text);
void table_cell_text(struct table *table, const char *text);
void table_cell_int(struct table *table, int64_t number);

size_t table_rows(const struct table *table);

/* Appends the lines, each at most `width` columns (0: no bound). ERR_MEMORY
 * when a cell was lost. */
int table_render(const struct table *table, int width, struct buffer *out) CHECKED;

/* Prints to standard output, fitted to it when it is a terminal. */
int table_print(const struct table *table) CHECKED;

/* Columns of the terminal at standard output; 0: it is none. */
int table_terminal_width(void);

#endif
