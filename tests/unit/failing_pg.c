/* libpq's calls that can fail, at the client. What the server can do is failing_server's. */
#include <libpq-fe.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/failing.h"

PGconn *__real_PQconnectStartParams(const char *const *, const char *const *, int);
PGconn *__wrap_PQconnectStartParams(const char *const *, const char *const *, int);
PostgresPollingStatusType __real_PQconnectPoll(PGconn *);
PostgresPollingStatusType __wrap_PQconnectPoll(PGconn *);
PQconninfoOption *__real_PQconninfoParse(const char *, char **);
PQconninfoOption *__wrap_PQconninfoParse(const char *, char **);
int __real_PQsetnonblocking(PGconn *, int);
int __wrap_PQsetnonblocking(PGconn *, int);
int __real_PQsocket(const PGconn *);
int __wrap_PQsocket(const PGconn *);
int __real_PQsendQuery(PGconn *, const char *);
int __wrap_PQsendQuery(PGconn *, const char *);
int __real_PQsendQueryParams(PGconn *, const char *, int, const Oid *, const char *const *,
                             const int *, const int *, int);
int __wrap_PQsendQueryParams(PGconn *, const char *, int, const Oid *, const char *const *,
                             const int *, const int *, int);
int __real_PQsendPrepare(PGconn *, const char *, const char *, int, const Oid *);
int __wrap_PQsendPrepare(PGconn *, const char *, const char *, int, const Oid *);
int __real_PQsendQueryPrepared(PGconn *, const char *, int, const char *const *, const int *,
                               const int *, int);
int __wrap_PQsendQueryPrepared(PGconn *, const char *, int, const char *const *, const int *,
                               const int *, int);
int __real_PQflush(PGconn *);
int __wrap_PQflush(PGconn *);
int __real_PQconsumeInput(PGconn *);
int __wrap_PQconsumeInput(PGconn *);
PGresult *__real_PQgetResult(PGconn *);
PGresult *__wrap_PQgetResult(PGconn *);
int __real_PQputCopyData(PGconn *, const char *, int);
int __wrap_PQputCopyData(PGconn *, const char *, int);
int __real_PQputCopyEnd(PGconn *, const char *);
int __wrap_PQputCopyEnd(PGconn *, const char *);
char *__real_PQcmdTuples(PGresult *);
char *__wrap_PQcmdTuples(PGresult *);

static int turn(const char *call, int ways)
{
    return failing_now(FAILING_DATABASE, call, ways);
}

static void cut(const PGconn *connection)
{
    shutdown(__real_PQsocket(connection), SHUT_RDWR);
}

/* True when a call that sends is to fail: for want of memory, or since the connection is lost. */
static bool send_fails(PGconn *connection, const char *call)
{
    int way = turn(call, 2);
    if (way == 1)
        cut(connection);
    return way >= 0;
}

PGconn *__wrap_PQconnectStartParams(const char *const *keys, const char *const *values, int expand)
{
    return turn("PQconnectStartParams", 1) < 0 ? __real_PQconnectStartParams(keys, values, expand)
                                               : NULL;
}

PostgresPollingStatusType __wrap_PQconnectPoll(PGconn *connection)
{
    return turn("PQconnectPoll", 1) < 0 ? __real_PQconnectPoll(connection) : PGRES_POLLING_FAILED;
}

PQconninfoOption *__wrap_PQconninfoParse(const char *conninfo, char **error)
{
    return turn("PQconninfoParse", 1) < 0 ? __real_PQconninfoParse(conninfo, error) : NULL;
}

int __wrap_PQsetnonblocking(PGconn *connection, int on)
{
    return turn("PQsetnonblocking", 1) < 0 ? __real_PQsetnonblocking(connection, on) : -1;
}

int __wrap_PQsocket(const PGconn *connection)
{
    return turn("PQsocket", 1) < 0 ? __real_PQsocket(connection) : -1;
}

int __wrap_PQsendQuery(PGconn *connection, const char *sql)
{
    return send_fails(connection, "PQsendQuery") ? 0 : __real_PQsendQuery(connection, sql);
}

int __wrap_PQsendQueryParams(PGconn *connection, const char *sql, int count, const Oid *types,
                             const char *const *values, const int *lengths, const int *formats,
                             int result_format)
{
    return send_fails(connection, "PQsendQueryParams")
               ? 0
               : __real_PQsendQueryParams(connection, sql, count, types, values, lengths, formats,
                                          result_format);
}

int __wrap_PQsendPrepare(PGconn *connection, const char *name, const char *sql, int count,
                         const Oid *types)
{
    return send_fails(connection, "PQsendPrepare")
               ? 0
               : __real_PQsendPrepare(connection, name, sql, count, types);
}

int __wrap_PQsendQueryPrepared(PGconn *connection, const char *name, int count,
                               const char *const *values, const int *lengths, const int *formats,
                               int result_format)
{
    return send_fails(connection, "PQsendQueryPrepared")
               ? 0
               : __real_PQsendQueryPrepared(connection, name, count, values, lengths, formats,
                                            result_format);
}

/* These two fail when the connection is lost, only. */
int __wrap_PQflush(PGconn *connection)
{
    if (turn("PQflush", 1) < 0)
        return __real_PQflush(connection);
    cut(connection);
    return -1;
}

int __wrap_PQconsumeInput(PGconn *connection)
{
    if (turn("PQconsumeInput", 1) < 0)
        return __real_PQconsumeInput(connection);
    cut(connection);
    return 0;
}

/* Nothing, for want of memory; a failure without a reason; the end of the connection. */
PGresult *__wrap_PQgetResult(PGconn *connection)
{
    int way = turn("PQgetResult", 3);
    if (way < 0)
        return __real_PQgetResult(connection);
    if (way == 2)
        cut(connection);
    PQclear(__real_PQgetResult(connection));
    return way == 0 ? NULL : PQmakeEmptyPGresult(connection, PGRES_FATAL_ERROR);
}

/* -1: failed; 0: no room just now, where it may not wait. */
int __wrap_PQputCopyData(PGconn *connection, const char *bytes, int size)
{
    int way = turn("PQputCopyData", 3);
    if (way == 2)
        cut(connection);
    return way < 0 ? __real_PQputCopyData(connection, bytes, size) : way == 1 ? 0 : -1;
}

int __wrap_PQputCopyEnd(PGconn *connection, const char *error)
{
    int way = turn("PQputCopyEnd", 3);
    if (way == 2)
        cut(connection);
    return way < 0 ? __real_PQputCopyEnd(connection, error) : way == 1 ? 0 : -1;
}

/* Another number of rows than a COPY brought. */
char *__wrap_PQcmdTuples(PGresult *result)
{
    static char none[] = "", zero[] = "0", many[] = "999";
    char *const ways[] = {none, zero, many};
    bool copy = strncmp(PQcmdStatus(result), "COPY ", 5) == 0;
    int way = copy ? turn("PQcmdTuples", 3) : -1;
    return way < 0 ? __real_PQcmdTuples(result) : ways[way];
}
