/*
 * What PostgreSQL and libpq say, made fit for a log: their words repeat values of rows, and, of a
 * connection string that they cannot read, pieces that may be of its password. In place; what is
 * taken out becomes "…", so that texts of less than three bytes between quotes are taken out whole.
 * Pure.
 */
#ifndef COMMON_PG_PG_WORDS_H
#define COMMON_PG_PG_WORDS_H

/* Why a connection cannot be made. Where it is the connection string's form, nothing that is quoted
 * from it stays but an option's name; else of a quoted name that has an '@' only what follows it,
 * since a password with an '@' in it, that is not percent-encoded, becomes part of the host's name.
 */
void pg_words_of_connection(char *message);

/* Why a statement was refused: where it is for its data (classes 22, P0 of SQLSTATE), nothing that
 * is quoted stays. Names of constraints and tables, of the other classes, do. */
void pg_words_of_statement(const char *sqlstate, char *message);

#endif
