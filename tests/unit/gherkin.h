/*
 * As much of Gherkin as the CloudEvents conformance features use: scenarios and
 * scenario outlines with examples; steps with doc strings and tables. Every step
 * is handed to the test, which must know it.
 */
#ifndef TESTS_UNIT_GHERKIN_H
#define TESTS_UNIT_GHERKIN_H

#include <stdlib.h>

#include "common/base/arena.h"
#include "common/event/event_text.h"

#define GHERKIN_LINES 512
#define GHERKIN_ROWS  16
#define GHERKIN_CELLS 4

struct gherkin_table {
    struct span cells[GHERKIN_ROWS][GHERKIN_CELLS];
    size_t rows, columns;
};

struct gherkin_step {
    struct span text; /* without Given, When, Then, And */
    struct span doc;  /* absent where there is none */
    struct gherkin_table table;
};

struct gherkin {
    struct arena *arena;
    struct span lines[GHERKIN_LINES];
    size_t count;
    /* Called for each step of each scenario; `first` where a scenario begins. */
    void (*step)(const struct gherkin_step *step, bool first, void *context);
    void *context;
    size_t scenarios; /* run, each row of examples counted */
};

static inline bool gherkin_starts(struct span line, const char *word)
{
    return span_starts_with(event_text_trim(line), word);
}

static inline void gherkin_row(struct gherkin_table *table, struct span line)
{
    struct span row = event_text_trim(line);
    size_t column = 0, start = 1;
    if (table->rows == GHERKIN_ROWS)
        abort();
    for (size_t i = 1; i < row.len; i++) {
        if (row.ptr[i] != '|')
            continue;
        if (column == GHERKIN_CELLS)
            abort();
        table->cells[table->rows][column++] =
            event_text_trim((struct span){row.ptr + start, i - start});
        start = i + 1;
    }
    table->columns = column;
    table->rows++;
}

/* The line with each <name> of the examples' head replaced by the row's cell. */
static inline struct span gherkin_fill(struct gherkin *g, struct span line,
                                       const struct gherkin_table *examples, size_t row)
{
    for (size_t column = 0; row > 0 && column < examples->columns; column++) {
        char *name = arena_printf(g->arena, "<%.*s>", SPAN_ARGS(examples->cells[0][column]));
        char *text = arena_strdup(g->arena, line), *at = strstr(text, name);
        if (at)
            line =
                span_of(arena_printf(g->arena, "%.*s%.*s%s", (int)(at - text), text,
                                     SPAN_ARGS(examples->cells[row][column]), at + strlen(name)));
    }
    return line;
}

/* A doc string from the line after its opening quotes; *at becomes the closing line. */
static inline struct span gherkin_doc(struct gherkin *g, size_t *at,
                                      const struct gherkin_table *examples, size_t row)
{
    size_t indent = g->lines[*at].len - event_text_trim(g->lines[*at]).len;
    const char *text = "";
    for ((*at)++; *at < g->count && !gherkin_starts(g->lines[*at], "\"\"\""); (*at)++) {
        struct span line = gherkin_fill(g, g->lines[*at], examples, row);
        size_t skip = indent < line.len ? indent : line.len;
        text = arena_printf(g->arena, "%s%s%.*s", text, *text ? "\n" : "", (int)(line.len - skip),
                            line.ptr + skip);
    }
    return span_of(text);
}

static inline void gherkin_scenario(struct gherkin *g, size_t start, size_t end,
                                    const struct gherkin_table *examples, size_t row)
{
    struct gherkin_step step = {.text = {NULL, 0}};
    bool first = true;
    for (size_t i = start; i <= end; i++) {
        struct span line = i < end ? gherkin_fill(g, g->lines[i], examples, row) : span_of("And");
        struct span trimmed = event_text_trim(line);
        const char *space = trimmed.len ? memchr(trimmed.ptr, ' ', trimmed.len) : NULL;
        if (gherkin_starts(line, "\"\"\"")) {
            step.doc = gherkin_doc(g, &i, examples, row);
        } else if (gherkin_starts(line, "|")) {
            gherkin_row(&step.table, line);
        } else if (trimmed.len > 0) { /* the next step, or the end: the one before is whole */
            if (step.text.ptr) {
                g->step(&step, first, g->context);
                first = false;
            }
            size_t word = space ? (size_t)(space - trimmed.ptr) + 1 : trimmed.len;
            step = (struct gherkin_step){.text = {trimmed.ptr + word, trimmed.len - word}};
        }
    }
    g->scenarios++;
}

static inline void gherkin_run(struct gherkin *g, struct span text)
{
    while (text.len > 0) {
        const char *newline = memchr(text.ptr, '\n', text.len);
        size_t len = newline ? (size_t)(newline - text.ptr) : text.len;
        if (g->count == GHERKIN_LINES)
            abort();
        g->lines[g->count++] = (struct span){text.ptr, len};
        text =
            (struct span){text.ptr + len + (newline != NULL), text.len - len - (newline != NULL)};
    }
    for (size_t start = 0; start < g->count; start++) {
        if (!gherkin_starts(g->lines[start], "Scenario"))
            continue;
        struct gherkin_table examples = {.rows = 0};
        size_t steps = start + 1, end = steps;
        while (end < g->count && !gherkin_starts(g->lines[end], "Scenario") &&
               !gherkin_starts(g->lines[end], "Examples:"))
            end++;
        if (end < g->count && gherkin_starts(g->lines[end], "Examples:"))
            for (size_t i = end + 1; i < g->count && gherkin_starts(g->lines[i], "|"); i++)
                gherkin_row(&examples, g->lines[i]);
        for (size_t row = examples.rows ? 1 : 0; row < examples.rows || row == 0; row++)
            gherkin_scenario(g, steps, end, &examples, row);
    }
}

#endif
