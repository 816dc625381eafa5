/*
 * A PostgreSQL server for the tests of the commit path: the wire protocol (version 3) on a socket
 * in a folder, over failing_store. libpq is the real one. Each statement that is run or prepared,
 * and each end of a COPY, is a call of FAILING_STATEMENT: it fails with one SQLSTATE or another, or
 * the connection is cut before or after it was done.
 */
#ifndef TESTS_UNIT_FAILING_SERVER_H
#define TESTS_UNIT_FAILING_SERVER_H

#include <stdbool.h>

struct failing_server {
    char folder[64];
    char conninfo[160];
    int listener;
};

void failing_server_start(struct failing_server *server);

/* What was last made to fail says that the data are to blame (SQLSTATE classes 22 and 23): no
 * failure that passes. */
bool failing_server_refused_data(void);
void failing_server_stop(struct failing_server *server);

#endif
