#include "tests/unit/failing_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/failing.h"
#include "tests/unit/failing_store.h"

#define MESSAGE_SIZE (256 * 1024)
#define OUT_SIZE     (64 * 1024)
#define PREPARED     64

/* In which ways a statement fails: of codes that are dealt with alike, one. */
static const char *const failures[] = {"40001", "55P03", "TL001", "22P02",      "23505",
                                       "23514", "XX000", "57P01", "cut before", "cut after"};
#define WAYS       ((int)(sizeof failures / sizeof *failures))
#define CUT_BEFORE (WAYS - 2)
#define CUT_AFTER  (WAYS - 1)

struct link {
    int fd;
    struct store_session session;
    struct store_answer answer;
    char in[MESSAGE_SIZE], copied[MESSAGE_SIZE], out[OUT_SIZE];
    size_t in_len, copied_len, out_len;
    char copy_sql[1024];
    struct {
        char name[32], sql[2048];
    } prepared[PREPARED];
    int prepared_count;
    const char *sql; /* of the portal */
    const char *params[STORE_PARAMS];
    bool skipping; /* until Sync, after a failure */
    bool gone;
};

static atomic_bool refused_data;

bool failing_server_refused_data(void)
{
    return atomic_load(&refused_data);
}

/* --- what goes out --- */

static void put(struct link *link, const void *bytes, size_t len)
{
    if (link->out_len + len > OUT_SIZE) {
        link->gone = true;
        return;
    }
    if (len > 0) /* an empty column has no bytes to point to */
        memcpy(link->out + link->out_len, bytes, len);
    link->out_len += len;
}

static void put_number(struct link *link, uint32_t value, int bytes)
{
    unsigned char big[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                            (unsigned char)(value >> 8), (unsigned char)value};
    put(link, big + 4 - bytes, (size_t)bytes);
}

static size_t begin(struct link *link, char type)
{
    put(link, &type, 1);
    put_number(link, 0, 4);
    return link->out_len;
}

static void end(struct link *link, size_t start)
{
    uint32_t len = htonl((uint32_t)(link->out_len - start + 4));
    memcpy(link->out + start - 4, &len, 4);
}

static void put_message(struct link *link, char type, const void *bytes, size_t len)
{
    size_t start = begin(link, type);
    put(link, bytes, len);
    end(link, start);
}

static void flush(struct link *link)
{
    size_t sent = 0;
    while (!link->gone && sent < link->out_len) {
        ssize_t n = send(link->fd, link->out + sent, link->out_len - sent, MSG_NOSIGNAL);
        if (n <= 0)
            link->gone = true;
        else
            sent += (size_t)n;
    }
    link->out_len = 0;
}

static void put_ready(struct link *link)
{
    char state = link->session.aborted ? 'E' : link->session.in_transaction ? 'T' : 'I';
    put_message(link, 'Z', &state, 1);
    flush(link);
}

static void put_error(struct link *link, const char *sqlstate)
{
    size_t start = begin(link, 'E');
    const char *severity = strncmp(sqlstate, "57P", 3) == 0 ? "FATAL" : "ERROR";
    const struct {
        char field;
        const char *text;
    } fields[] = {{'S', severity}, {'V', severity}, {'C', sqlstate}, {'M', "made to fail"}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        put(link, &fields[i].field, 1);
        put(link, fields[i].text, strlen(fields[i].text) + 1);
    }
    put(link, "", 1);
    end(link, start);
    if (*severity == 'F') {
        flush(link);
        link->gone = true;
    }
}

static void put_columns(struct link *link, int columns)
{
    size_t start = begin(link, 'T');
    put_number(link, (uint32_t)columns, 2);
    for (int i = 0; i < columns; i++) {
        put(link, "c", 2);
        put_number(link, 0, 4);  /* table */
        put_number(link, 0, 2);  /* its column */
        put_number(link, 25, 4); /* text */
        put_number(link, UINT32_MAX, 2);
        put_number(link, UINT32_MAX, 4);
        put_number(link, 0, 2);
    }
    end(link, start);
}

static void put_rows(struct link *link)
{
    for (int r = 0; r < link->answer.rows; r++) {
        size_t start = begin(link, 'D');
        put_number(link, (uint32_t)link->answer.columns, 2);
        for (int c = 0; c < link->answer.columns; c++) {
            const bool null = link->answer.null[r][c];
            size_t len = null ? 0 : strlen(link->answer.cell[r][c]);
            put_number(link, null ? UINT32_MAX : (uint32_t)len, 4);
            put(link, link->answer.cell[r][c], len);
        }
        end(link, start);
    }
}

/* --- running --- */

/* Does `work`, unless it is this statement's turn to fail. False when there is nothing more to say:
 * an error was, or the connection is cut. */
static bool attempt(struct link *link, const char *call, void (*work)(struct link *link))
{
    int way = failing_now(FAILING_STATEMENT, call, WAYS);
    if (way >= 0)
        atomic_store(&refused_data,
                     strncmp(failures[way], "22", 2) == 0 || strncmp(failures[way], "23", 2) == 0);
    if (way >= 0 && way < CUT_BEFORE) {
        store_fail(&link->session, failures[way], &link->answer);
        put_error(link, failures[way]);
        return false;
    }
    if (way == CUT_BEFORE) {
        link->gone = true;
        return false;
    }
    work(link);
    if (way == CUT_AFTER) {
        link->gone = true;
        return false;
    }
    if (link->answer.sqlstate) {
        put_error(link, link->answer.sqlstate);
        return false;
    }
    return true;
}

static void run(struct link *link)
{
    store_run(&link->session, link->sql, link->params, &link->answer);
}

static void run_copy(struct link *link)
{
    store_copy(&link->session, link->copy_sql, link->copied, link->copied_len, &link->answer);
}

static void prepare(struct link *link)
{
    bool known = !link->session.aborted && store_columns(link->sql) >= 0;
    store_clear(&link->answer, known ? NULL : "25P02");
}

static void simple_query(struct link *link, const char *sql)
{
    link->sql = sql;
    if (attempt(link, "a statement", run)) {
        if (link->answer.copy) {
            snprintf(link->copy_sql, sizeof link->copy_sql, "%.1000s", sql);
            link->copied_len = 0;
            size_t start = begin(link, 'G');
            put_number(link, 1, 1);
            put_number(link, 0, 2);
            end(link, start);
            flush(link);
            return;
        }
        if (link->answer.columns > 0) {
            put_columns(link, link->answer.columns);
            put_rows(link);
        }
        put_message(link, 'C', link->answer.tag, strlen(link->answer.tag) + 1);
    }
    if (!link->gone)
        put_ready(link);
}

static void parse(struct link *link, const char *name, const char *sql)
{
    link->sql = sql;
    if (!attempt(link, "the preparing of a statement", prepare)) {
        link->skipping = true;
        return;
    }
    int i = 0;
    while (i < link->prepared_count && strcmp(link->prepared[i].name, name) != 0)
        i++;
    if (i == PREPARED) {
        link->gone = true;
        return;
    }
    if (i == link->prepared_count)
        link->prepared_count++;
    snprintf(link->prepared[i].name, sizeof link->prepared[i].name, "%.31s", name);
    snprintf(link->prepared[i].sql, sizeof link->prepared[i].sql, "%.2000s", sql);
    put_message(link, '1', NULL, 0);
}

static uint32_t number_at(const char *p, int bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

/* The parameters are kept where they came, with a NUL in place of the next one's length. */
static void bind_portal(struct link *link, char *p)
{
    p += strlen(p) + 1; /* the portal */
    link->sql = NULL;
    for (int i = 0; i < link->prepared_count; i++)
        if (strcmp(link->prepared[i].name, p) == 0)
            link->sql = link->prepared[i].sql;
    p += strlen(p) + 1;
    p += 2 + 2 * number_at(p, 2);
    uint32_t count = number_at(p, 2);
    p += 2;
    for (uint32_t i = 0; i < count && i < STORE_PARAMS; i++) {
        uint32_t len = number_at(p, 4);
        *p = '\0'; /* of the one before */
        p += 4;
        link->params[i] = len == UINT32_MAX ? NULL : p;
        p += len == UINT32_MAX ? 0 : len;
    }
    *p = '\0';
    put_message(link, '2', NULL, 0);
}

static void describe(struct link *link)
{
    int columns = link->sql ? store_columns(link->sql) : -1;
    if (columns > 0)
        put_columns(link, columns);
    else
        put_message(link, 'n', NULL, 0);
}

static void execute(struct link *link)
{
    if (!link->sql || !attempt(link, "a prepared statement", run)) {
        link->skipping = true;
        return;
    }
    put_rows(link);
    put_message(link, 'C', link->answer.tag, strlen(link->answer.tag) + 1);
}

static void end_copy(struct link *link, bool failed)
{
    if (failed) {
        store_fail(&link->session, "57014", &link->answer);
        put_error(link, "57014");
    } else if (attempt(link, "the end of a COPY", run_copy)) {
        put_message(link, 'C', link->answer.tag, strlen(link->answer.tag) + 1);
    }
    if (!link->gone)
        put_ready(link);
}

static void take_copied(struct link *link, size_t len)
{
    if (link->copied_len + len > MESSAGE_SIZE) {
        link->gone = true;
        return;
    }
    memcpy(link->copied + link->copied_len, link->in, len);
    link->copied_len += len;
}

static void take(struct link *link, char type, size_t len)
{
    if (link->skipping && type != 'S' && type != 'X')
        return;
    switch (type) {
    case 'Q':
        simple_query(link, link->in);
        break;
    case 'P':
        parse(link, link->in, link->in + strlen(link->in) + 1);
        break;
    case 'B':
        bind_portal(link, link->in);
        break;
    case 'D':
        describe(link);
        break;
    case 'E':
        execute(link);
        break;
    case 'S':
        link->skipping = false;
        put_ready(link);
        break;
    case 'd':
        take_copied(link, len);
        break;
    case 'c':
    case 'f':
        end_copy(link, type == 'f');
        break;
    case 'H':
        flush(link);
        break;
    default:
        link->gone = true;
        break;
    }
}

/* --- connections --- */

static bool receive(struct link *link, void *bytes, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = recv(link->fd, (char *)bytes + got, len - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

static bool receive_body(struct link *link, size_t *len)
{
    char size[4];
    if (!receive(link, size, 4))
        return false;
    *len = number_at(size, 4) - 4;
    if (*len >= MESSAGE_SIZE || !receive(link, link->in, *len))
        return false;
    link->in[*len] = '\0';
    return true;
}

static bool greet(struct link *link)
{
    static const char *const settings[] = {"server_version\00015.20", "client_encoding\0UTF8",
                                           "standard_conforming_strings\0on"};
    static const size_t sizes[] = {21, 21, 31};
    size_t len;
    if (!receive_body(link, &len) || len < 4 || number_at(link->in, 4) != 196608)
        return false;
    size_t start = begin(link, 'R');
    put_number(link, 0, 4);
    end(link, start);
    for (int i = 0; i < 3; i++)
        put_message(link, 'S', settings[i], sizes[i]);
    put_ready(link);
    return true;
}

static void *serve(void *argument)
{
    struct link *link = argument;
    size_t len;
    char type;
    if (greet(link))
        while (!link->gone && receive(link, &type, 1) && receive_body(link, &len))
            take(link, type, len);
    store_leave(&link->session);
    close(link->fd);
    free(link);
    return NULL;
}

static void *accept_all(void *argument)
{
    const struct failing_server *server = argument;
    failing_exempt(true);
    for (;;) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        pthread_t thread;
        struct link *link = calloc(1, sizeof *link);
        link->fd = fd;
        if (pthread_create(&thread, NULL, serve, link) != 0)
            abort();
        pthread_detach(thread);
    }
}

static pthread_t acceptor;

/* Client and server take turns: on one CPU that wakes up no other. */
static void stay_on_one_cpu(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one); /* slower where it may not */
}

void failing_server_start(struct failing_server *server)
{
    stay_on_one_cpu();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(server->folder, sizeof server->folder, "/tmp/throughline-unit-XXXXXX");
    if (!mkdtemp(server->folder))
        abort();
    snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", server->folder);
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server->listener, 64) != 0 ||
        pthread_create(&acceptor, NULL, accept_all, server) != 0)
        abort();
    snprintf(server->conninfo, sizeof server->conninfo,
             "host=%s port=5432 user=test dbname=test sslmode=disable gssencmode=disable",
             server->folder);
}

void failing_server_stop(struct failing_server *server)
{
    char path[96];
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(acceptor, NULL);
    close(server->listener);
    snprintf(path, sizeof path, "%s/.s.PGSQL.5432", server->folder);
    unlink(path);
    rmdir(server->folder);
}
