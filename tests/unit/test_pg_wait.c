/* Calls to a PostgreSQL that does not answer, or not as it should: each ends in time, is told once,
 * and leaves a connection that can be closed at once. */
#include <malloc.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/stop.h"
#include "common/pg/pg.h"
#include "tests/unit/pg_fake.h"

#define ANSWER_MS 300
#define SOON_MS   4000 /* a bound kept on a busy machine, too: far below what libpq would wait */

struct told {
    int count, code;
    char sqlstate[6], message[256], asked[128];
    int64_t waited_ms;
};

static void keep(void *context, const struct pg_failure *failure)
{
    struct told *told = context;
    told->count++;
    told->code = failure->code;
    told->waited_ms = failure->waited_ms;
    snprintf(told->sqlstate, sizeof told->sqlstate, "%s", failure->sqlstate);
    snprintf(told->message, sizeof told->message, "%s", failure->message);
    snprintf(told->asked, sizeof told->asked, "%s", failure->asked);
}

static int query(struct pg *pg)
{
    return pg_query(pg, "-- a comment\nSELECT\n  1 AS one", NULL, 0, NULL);
}

static int prepared(struct pg *pg)
{
    struct pg_result *result;
    int rc = pg_query_prepared(pg, "SELECT 1 AS one", NULL, 0, &result);
    if (rc == 0)
        pg_result_free(result);
    return rc;
}

static int script(struct pg *pg)
{
    return pg_script(pg, "SELECT 1 AS one");
}

/* More than sockets hold, in pieces as the aggregator sends them. */
static int copy(struct pg *pg)
{
    static char piece[512 * 1024];
    int rc = pg_copy_begin(pg, "SELECT 1 AS one");
    if (rc != 0)
        return rc;
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < 32; i++)
        pg_copy_put(pg, (struct span){piece, sizeof piece});
    struct mallinfo2 after = mallinfo2(); /* what does not go out is not kept in memory, either */
    assert_true(after.uordblks + after.hblkhd < before.uordblks + before.hblkhd + 1024 * 1024);
    return pg_copy_end(pg, 1);
}

static const struct misbehaviour {
    const char *name;
    enum fake_fault fault;
    int (*ask)(struct pg *pg); /* NULL: pg_open already fails */
    int code;
    const char *sqlstate, *message;
} cases[] = {
    {"refuses", FAKE_REFUSES, NULL, ERR_IO, "28P01",
     "password authentication failed for user \"x\""},
    {"query, mute", FAKE_MUTE, query, ERR_BUSY, "08006", "no answer in time"},
    {"prepared, mute", FAKE_MUTE, prepared, ERR_BUSY, "08006", "no answer in time"},
    {"script, mute", FAKE_MUTE, script, ERR_BUSY, "08006", "no answer in time"},
    {"copy, mute", FAKE_MUTE, copy, ERR_BUSY, "08006", "no answer in time"},
    {"query, trickling", FAKE_TRICKLES, query, ERR_BUSY, "08006", "no answer in time"},
    {"copy, deaf", FAKE_COPY_DEAF, copy, ERR_BUSY, "08006", "no answer in time"},
    {"query, cut", FAKE_CUTS, query, ERR_BUSY, "08006", NULL},
    {"script, cut", FAKE_CUTS, script, ERR_BUSY, "08006", NULL},
    {"copy, cut", FAKE_COPY_CUTS, copy, ERR_BUSY, "08006", NULL},
    {"query, ended", FAKE_FATAL, query, ERR_BUSY, "57P01",
     "terminating connection due to administrator command"},
    {"copy, ended", FAKE_FATAL, copy, ERR_BUSY, "57P01",
     "terminating connection due to administrator command"},
    {"query, a COPY", FAKE_COPY_UNASKED, query, ERR_IO, "XX000", "a COPY where none belongs"},
};

static void judge(const struct misbehaviour *one, const struct told *told, int rc, int64_t took_ms)
{
    if (rc != one->code || told->count != 1 || told->code != one->code ||
        strcmp(told->sqlstate, one->sqlstate) != 0 || took_ms > SOON_MS ||
        (one->message && strcmp(told->message, one->message) != 0))
        fail_msg("%s: %d after %lld ms, told %d times: %d %s \"%s\"", one->name, rc,
                 (long long)took_ms, told->count, told->code, told->sqlstate, told->message);
    if (one->ask && strcmp(told->asked, "SELECT 1 AS one") != 0)
        fail_msg("%s: asked \"%s\"", one->name, told->asked);
    if (one->message && strstr(one->message, "in time") && told->waited_ms < ANSWER_MS)
        fail_msg("%s: given up after %lld ms", one->name, (long long)told->waited_ms);
}

static void every_call_ends_in_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake fake;
        struct told told = {0};
        const struct pg_options options = {ANSWER_MS, ANSWER_MS, keep, &told};
        char conninfo[128];
        struct pg *pg;
        fake_start(&fake, cases[i].fault, conninfo);
        int rc = pg_open(conninfo, "test", &options, &pg);
        int64_t began = clock_monotonic_ms();
        if (cases[i].ask) {
            if (rc != 0)
                fail_msg("%s: no connection: %s", cases[i].name, told.message);
            rc = cases[i].ask(pg);
        }
        judge(&cases[i], &told, rc, clock_monotonic_ms() - began);
        if (pg) {
            assert_true(pg_broken(pg));
            assert_int_equal(query(pg), ERR_BUSY); /* and not told again */
            assert_int_equal(copy(pg), ERR_BUSY);
            assert_int_equal(pg_look(pg), ERR_BUSY);
            assert_int_equal(told.count, 1);
        }
        began = clock_monotonic_ms();
        pg_close(pg);
        assert_true(clock_monotonic_ms() - began < 1000);
        fake_join(&fake);
    }
}

/* pg_open has a bound of its own, of five seconds. */
static void a_server_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    struct fake fake;
    struct told told = {0};
    const struct pg_options options = {.report = keep, .context = &told};
    char conninfo[128];
    struct pg *pg;
    fake_start(&fake, FAKE_MUTE_AT_START, conninfo);
    assert_int_equal(pg_open(conninfo, "test", &options, &pg), ERR_BUSY);
    assert_null(pg);
    assert_int_equal(told.count, 1);
    assert_string_equal(told.message, "no answer in time");
    assert_string_equal(told.asked, "a connection");
    fake_join(&fake);
}

static void a_connection_string_can_be_malformed(void **state)
{
    (void)state;
    struct told told = {0};
    const struct pg_options options = {.report = keep, .context = &told};
    struct pg *pg;
    assert_int_equal(pg_open("no such key=1", "test", &options, &pg), ERR_IO);
    assert_null(pg);
    assert_string_equal(told.sqlstate, "08001");
}

/* What libpq says of these has pieces of the password in it; what we say has none. */
static void a_malformed_connection_string_is_not_shown(void **state)
{
    static const char *const bad[] = {
        "host=db user=tl password=my secret word",
        "postgresql://tl:my/secret@db/name",
        "postgresql://tl:my@secret@db/name",
        "postgresql://tl:secret:my@db/name?x=y",
        "password='secret host=db",
        "postgresql://tl@db:secret/name",
        "postgresql://tl:100%secret@db/name",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct told told = {0};
        struct fault fault = {.detail = ""};
        const struct pg_options options = {.report = keep, .context = &told};
        struct pg *pg;
        assert_int_equal(pg_check_conninfo(bad[i], &fault), ERR_INVALID);
        assert_int_equal(pg_open(bad[i], "test", &options, &pg), ERR_IO);
        assert_null(pg);
        if (strstr(told.message, "secret") || strstr(fault.detail, "secret") ||
            !strstr(told.message, "is no connection string"))
            fail_msg("%s: %s", bad[i], told.message);
    }
}

static void a_connection_string_names_its_files(void **state)
{
    static const struct {
        const char *conninfo, *words; /* NULL: it is fine */
    } rows[] = {
        {NULL, NULL},
        {"name", NULL},
        {"postgresql://tl:p%40ss@db:5432,db2:5433/name?sslmode=verify-full", NULL},
        {"host=db password='my \\' word' sslrootcert=system", NULL},
        {"host=/var/run user=tl", NULL},
        {"postgresql://db/?sslrootcert=/no/such/ca.pem", "sslrootcert: the file /no/such/ca.pem"},
        {"host=db passfile=/no/such/pass", "passfile: the file /no/such/pass"},
        {"host=db sslkey=/no/key", "sslkey: the file /no/key cannot be read"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {.detail = ""};
        assert_int_equal(pg_check_conninfo(rows[i].conninfo, &fault),
                         rows[i].words ? ERR_INVALID : 0);
        if (rows[i].words && !strstr(fault.detail, rows[i].words))
            fail_msg("%s: %s", rows[i].conninfo, fault.detail);
    }
}

/* Nothing is asked, and the server hangs up: its last words are the reason. */
static void last_words_are_kept(void **state)
{
    (void)state;
    struct fake fake;
    struct told told = {0};
    const struct pg_options options = {ANSWER_MS, ANSWER_MS, keep, &told};
    char conninfo[128];
    struct pg *pg;
    fake_start(&fake, FAKE_FATAL_IDLE, conninfo);
    assert_int_equal(pg_open(conninfo, "test", &options, &pg), 0);
    assert_int_equal(pg_look(pg), 0);
    sem_post(&fake.go);
    fake_join(&fake);
    assert_int_equal(pg_look(pg), ERR_BUSY);
    assert_int_equal(told.count, 1);
    assert_string_equal(told.sqlstate, "57P01");
    assert_string_equal(told.message, "terminating connection due to administrator command");
    pg_close(pg);
}

static void *ask_to_stop(void *unused)
{
    (void)unused;
    usleep(100 * 1000);
    stop_request();
    return NULL;
}

/* The last test: stop is for good. */
static void stop_shortens_what_is_waited_for(void **state)
{
    (void)state;
    struct fake fake;
    struct told told = {0};
    const struct pg_options options = {PG_LONG_WORK_MS, 200, keep, &told};
    char conninfo[128];
    struct pg *pg;
    assert_int_equal(stop_install(), 0);
    fake_start(&fake, FAKE_MUTE, conninfo);
    assert_int_equal(pg_open(conninfo, "test", &options, &pg), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask_to_stop, NULL), 0);
    int64_t began = clock_monotonic_ms();
    assert_int_equal(query(pg), ERR_STOPPED);
    int64_t took = clock_monotonic_ms() - began;
    assert_true(took >= 200 && took < SOON_MS);
    assert_int_equal(told.count, 0);
    assert_true(pg_broken(pg));
    pg_close(pg);
    pthread_join(thread, NULL);
    fake_join(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_ends_in_time),
        cmocka_unit_test(a_server_that_says_nothing_is_given_up),
        cmocka_unit_test(a_connection_string_can_be_malformed),
        cmocka_unit_test(a_malformed_connection_string_is_not_shown),
        cmocka_unit_test(a_connection_string_names_its_files),
        cmocka_unit_test(last_words_are_kept),
        cmocka_unit_test(stop_shortens_what_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
