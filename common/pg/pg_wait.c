#include "common/pg/pg_internal.h"

#include <poll.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/stop.h"

/* A TLS record may wait inside libpq, where poll() does not see it. */
#define HIDDEN_MS 20

int pg_begin(struct pg *pg, const char *asked)
{
    if (pg->broken)
        return ERR_BUSY;
    pg->asked = asked;
    pg->began_ms = clock_monotonic_ms();
    pg->deadline = pg->began_ms + pg->options.answer_ms;
    return 0;
}

static int64_t time_left(struct pg *pg, bool stopping)
{
    int64_t now = clock_monotonic_ms();
    if (stopping && pg->stop_deadline == 0)
        pg->stop_deadline = now + pg->options.stop_ms;
    bool sooner = pg->stop_deadline != 0 && pg->stop_deadline < pg->deadline;
    return (sooner ? pg->stop_deadline : pg->deadline) - now;
}

static int give_up(struct pg *pg)
{
    pg->broken = true;
    if (clock_monotonic_ms() < pg->deadline) {
        pg_remember(pg, "08006", "not waited for: the program is to end");
        log_info("PostgreSQL is not waited for any longer: the program is to end",
                 LOG_INT("waited_ms", clock_monotonic_ms() - pg->began_ms));
        return ERR_STOPPED;
    }
    pg_remember(pg, "08006", "no answer in time");
    return pg_report(pg, ERR_BUSY);
}

int pg_wait(struct pg *pg, short events)
{
    for (;;) {
        bool stopping = stop_requested();
        int64_t left = time_left(pg, stopping);
        if (left <= 0)
            return give_up(pg);
        bool hidden = PQsslInUse(pg->conn) || PQgssEncInUse(pg->conn);
        struct pollfd ready[] = {{PQsocket(pg->conn), events, 0},
                                 {stopping ? -1 : stop_descriptor(), POLLIN, 0}};
        if (ready[0].fd < 0)
            return pg_fail(pg, NULL);
        int happened = poll(ready, 2, (int)(hidden && left > HIDDEN_MS ? HIDDEN_MS : left));
        if (happened > 0 && ready[0].revents != 0)
            return 0;
        if (happened == 0 && hidden)
            return 0;
    }
}

/* Reads what is there. False where the connection is gone: what came before that can still be had.
 */
static bool consume(struct pg *pg)
{
    return PQconsumeInput(pg->conn) != 0;
}

int pg_flush(struct pg *pg)
{
    int unsent;
    while ((unsent = PQflush(pg->conn)) > 0) {
        int rc = pg_wait(pg, POLLIN | POLLOUT);
        if (rc != 0)
            return rc;
        /* The server may wait for us to read before it reads on. */
        if (!consume(pg))
            break;
    }
    return 0;
}

int pg_next(struct pg *pg, PGresult **result)
{
    *result = NULL;
    /* After a failed write libpq stays busy until the end of the connection was read. */
    while (PQstatus(pg->conn) != CONNECTION_BAD && PQisBusy(pg->conn)) {
        int rc = pg_wait(pg, POLLIN);
        if (rc != 0)
            return rc;
        if (!consume(pg) && PQstatus(pg->conn) != CONNECTION_BAD)
            return pg_fail(pg, NULL);
    }
    *result = PQgetResult(pg->conn); /* nothing is left to wait for */
    return 0;
}

static bool begins_copy(ExecStatusType status)
{
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

int pg_answer(struct pg *pg, int sent, PGresult **result)
{
    *result = NULL;
    int rc = sent == 1 ? pg_flush(pg) : pg_fail(pg, NULL);
    while (rc == 0) {
        PGresult *next;
        rc = pg_next(pg, &next);
        if (rc != 0 || !next)
            break;
        if (*result && PQresultStatus(*result) == PGRES_FATAL_ERROR) {
            bool copies = begins_copy(PQresultStatus(next));
            PQclear(next); /* what follows a failure is its echo */
            if (!copies)
                continue;
            pg->broken = true; /* libpq would tell of a COPY that nobody feeds for ever */
            break;
        }
        PQclear(*result);
        *result = next;
        if (begins_copy(PQresultStatus(next)))
            break;
    }
    if (rc == 0 && !*result)
        rc = pg_fail(pg, NULL);
    if (rc != 0) {
        PQclear(*result);
        *result = NULL;
    } else {
        pg->heard_ms = clock_monotonic_ms();
    }
    return rc;
}
