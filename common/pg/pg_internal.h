/* What pg.c and pg_copy.c share. Nobody else includes this. */
#ifndef COMMON_PG_PG_INTERNAL_H
#define COMMON_PG_PG_INTERNAL_H

#include <libpq-fe.h>

#include "common/pg/pg.h"

#define PG_PREPARED_SLOTS 256 /* a power of two */

struct pg {
    PGconn *conn;
    bool broken;
    bool copy_cut; /* a piece of the COPY under way did not go out */
    char sqlstate[6];
    char message[512];
    /* Statements prepared on this connection, hashed by their address. */
    const char *prepared[PG_PREPARED_SLOTS];
    int prepared_count;
};

/* Keeps SQLSTATE and message of a failure (`result` may be NULL), logs what is
 * to be logged, returns its code. Does not clear `result`. */
int pg_fail(struct pg *pg, const PGresult *result);

#endif
