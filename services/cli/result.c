#include "services/cli/result.h"

#include <stdio.h>

#include "services/cli/cli.h"

void result_to_table(const struct pg_result *result, struct table *table)
{
    for (int row = 0; row < pg_rows(result); row++)
        for (int column = 0; column < table->column_count; column++)
            table_cell(table, pg_span(result, row, column));
}

int result_print_table(const struct pg_result *result, const struct table_column *columns)
{
    struct table table;
    table_init(&table, columns);
    result_to_table(result, &table);
    int rc = table_print(&table);
    table_free(&table);
    return rc == 0 ? EXIT_OK : cli_failed("no memory");
}

void result_print_elements(const struct pg_result *result, bool *first)
{
    int last = pg_columns(result) - 1;
    for (int row = 0; row < pg_rows(result); row++) {
        fputs(*first ? "\n" : ",\n", stdout);
        fputs(pg_text(result, row, last), stdout);
        *first = false;
    }
}

int result_print_json(const struct pg_result *result)
{
    bool first = true;
    putchar('[');
    result_print_elements(result, &first);
    puts("]");
    return EXIT_OK;
}
