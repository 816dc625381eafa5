/*
 * What the parts of the model of PostgreSQL share: failing_store.c, failing_copy.c for what COPY
 * brings, failing_handoffs.c for the statements of facts and handoffs. For them alone; all of it
 * under failing_store's lock.
 */
#ifndef TESTS_UNIT_FAILING_STATEMENTS_H
#define TESTS_UNIT_FAILING_STATEMENTS_H

#include "tests/unit/failing_store.h"

struct store_statement {
    const char *phrase; /* that no other statement has, or none that is looked for earlier */
    int columns;
    void (*run)(struct store *s, const char *const *params, struct store_answer *answer);
};

extern const struct store_statement store_handoff_statements[];
extern const size_t store_handoff_statement_count;

/* What is wrong with what was committed: the first counts. */
void store_note(const char *what);

/* Of every state that is committed. */
void store_check_handoffs(const struct store *s);

/* The element after `*at` of an array literal, unquoted; false at its end. */
bool store_element(const char **at, char *out, size_t size);
int64_t store_number(const char *array, size_t index); /* INT64_MIN: there is none */

const struct store_row *store_find(const struct store_rows *rows, uint64_t key);
void store_add(struct store_rows *rows, const struct store_row *row);

/* The rows of a binary COPY into `rows`, where `unique` says that no key may be there twice. NULL,
 * or the SQLSTATE that refuses it. */
const char *store_read_copy(const char *bytes, size_t len, struct store_rows *rows, bool unique,
                            size_t *count);

void store_cell(struct store_answer *answer, int column, const char *text);
void store_cell_number(struct store_answer *answer, int column, int64_t value);

#endif
