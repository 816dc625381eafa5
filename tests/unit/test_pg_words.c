/* common/pg/pg_words: what PostgreSQL says, without values and pieces of passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/pg/pg_words.h"

static const struct {
    const char *sqlstate, *said, *told; /* no SQLSTATE: of a connection */
} rows[] = {
    {NULL, "missing \"=\" after \"hunter2\" in connection info string",
     "missing \"=\" after \"…\" in connection info string"},
    {NULL, "invalid percent-encoded token: \"hun%zzter2\"", "invalid percent-encoded token: \"…\""},
    {NULL, "invalid integer value \"hun\" for connection option \"port\"",
     "invalid integer value \"…\" for connection option \"port\""},
    {NULL, "invalid connection option \"hunter2\"", "invalid connection option \"…\""},
    {NULL, "invalid port number: \"hunter2\"", "invalid port number: \"…\""},
    {NULL, "missing key/value separator \"=\" in URI query parameter: \"hunter2\"",
     "missing key/value separator \"=\" in URI query parameter: \"…\""},
    {NULL, "unterminated quoted string in connection info string",
     "unterminated quoted string in connection info string"},
    {NULL, "unexpected character \"x\" in position 4 in URI (expected \":\" or \"/\"): \"hunter2\"",
     "unexpected character \"\" in position 4 in URI (expected \"\" or \"\"): \"…\""},
    {NULL, "invalid integer value \"hunter2", "invalid integer value \"…"},
    {NULL,
     "could not translate host name \"hun@ter2@db.example\" to address: Name or service not known",
     "could not translate host name \"…db.example\" to address: Name or service not known"},
    {NULL, "could not translate host name \"db.example\" to address: Name or service not known",
     "could not translate host name \"db.example\" to address: Name or service not known"},
    {NULL, "database \"ter2@db.example/x\" does not exist",
     "database \"…db.example/x\" does not exist"},
    {NULL, "connection to server at \"127.0.0.1\", port 5432 failed: Connection refused",
     "connection to server at \"127.0.0.1\", port 5432 failed: Connection refused"},
    {NULL, "", ""},
    {NULL, "\"", "\""},
    {"22P02", "invalid input syntax for type bigint: \"ann@acme.example\"",
     "invalid input syntax for type bigint: \"…\""},
    {"22003", "value \"4711\" is out of range for type integer",
     "value \"…\" is out of range for type integer"},
    {"P0001", "no \"ann\" and no \"bob\"", "no \"…\" and no \"…\""},
    {"23505", "duplicate key value violates unique constraint \"events_pkey\"",
     "duplicate key value violates unique constraint \"events_pkey\""},
    {"42P01", "relation \"store.events\" does not exist",
     "relation \"store.events\" does not exist"},
};

static void words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s", rows[i].said);
        if (rows[i].sqlstate)
            pg_words_of_statement(rows[i].sqlstate, text);
        else
            pg_words_of_connection(text);
        assert_string_equal(text, rows[i].told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
