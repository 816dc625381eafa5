/* Rows of a query for people, or for programs. */
#ifndef SERVICES_CLI_RESULT_H
#define SERVICES_CLI_RESULT_H

#include "common/pg/pg.h"
#include "services/cli/table.h"

/* A row is a line of the table; columns of the result beyond the table's are
 * left out. Both return the exit status. */
int result_print_table(const struct pg_result *result, const struct table_column *columns);

/* A JSON array of the last column, which holds each row as JSON. */
int result_print_json(const struct pg_result *result);

/* The elements alone, separated by commas; *first says whether a comma is needed. */
void result_print_elements(const struct pg_result *result, bool *first);

/* Adds the rows to a table. */
void result_to_table(const struct pg_result *result, struct table *table);

#endif
