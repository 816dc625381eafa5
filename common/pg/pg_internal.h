/* What the files pg*.c share. Nobody else includes this. */
#ifndef COMMON_PG_PG_INTERNAL_H
#define COMMON_PG_PG_INTERNAL_H

#include <libpq-fe.h>

#include "common/pg/pg.h"

#define PG_PREPARED_SLOTS   256 /* a power of two */
#define PG_ASKED_CONNECTION "a connection"

struct pg {
    PGconn *conn;
    struct pg_options options;
    bool broken;
    bool ssl_decided;      /* the operator has said what TLS is to be */
    bool copy_cut;         /* a piece of the COPY under way did not go out */
    int64_t began_ms;      /* of the call under way, as all here on the monotonic clock */
    int64_t deadline;      /* when it is given up */
    int64_t stop_deadline; /* when all calls are given up; 0 until stop is noticed */
    int64_t heard_ms;      /* when the server last answered */
    const char *asked;     /* the statement under way, or what stands for it */
    char sqlstate[6];
    char message[PG_MESSAGE_SIZE];
    char last_word_sqlstate[6]; /* of a FATAL that came unasked: why the server hung up; or "" */
    char last_word[512];
    /* Statements prepared on this connection, hashed by their address. */
    const char *prepared[PG_PREPARED_SLOTS];
    int prepared_count;
};

/* pg_wait.c: libpq without blocking. */

/* Begins a call: from here on its deadline counts. ERR_BUSY where the connection is broken. */
int pg_begin(struct pg *pg, const char *asked) CHECKED;
/* Waits until libpq's socket is ready for `events` of poll(). A call given up is reported. */
int pg_wait(struct pg *pg, short events) CHECKED;
/* Sends what libpq holds. 0 also where the connection was lost: the answer says why. */
int pg_flush(struct pg *pg) CHECKED;
/* The next result of what was sent, to be cleared; NULL: that was all. */
int pg_next(struct pg *pg, PGresult **result) CHECKED;
/* Sends (`sent` is what PQsend… returned) and reads to the end, or to the start of a COPY. The last
 * result, or the first that failed; never NULL where it returns 0. */
int pg_answer(struct pg *pg, int sent, PGresult **result) CHECKED;

/* pg_failure.c */

/* Keeps SQLSTATE and message. */
void pg_remember(struct pg *pg, const char *sqlstate, const char *message);
/* Of a failure (`result` may be NULL): keeps it, reports what is to be reported, returns its code.
 * Does not clear `result`. */
int pg_fail(struct pg *pg, const PGresult *result);
/* Reports what is remembered as `code`, and returns it. */
int pg_report(struct pg *pg, int code);

/* pg_conninfo.c */

/* Before the connection: refuses what is no connection string, showing nothing of it. Reported. */
int pg_conninfo_look(struct pg *pg, const char *conninfo) CHECKED;
/* Of a connection: warns, once a process, where it is plain text to another machine, and nobody has
 * said that it may be. */
void pg_conninfo_tell(const struct pg *pg);

/* pg_connect.c */

int pg_connect(struct pg *pg, const char *conninfo, const char *application) CHECKED;

#endif
