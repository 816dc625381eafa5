/* When trouble with the database is told, and what it is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "services/aggregator/trouble.h"

#define MINUTE TROUBLE_MINUTE_MS

static void an_outage_is_told_once_by_whoever_meets_it_first(void **state)
{
    (void)state;
    struct trouble trouble = {0};
    assert_true(trouble_met(&trouble, 0, "08006", 1000));
    assert_false(trouble_met(&trouble, 1, "08006", 1001));
    assert_true(trouble_met(&trouble, 0, "08001", 1100)); /* another cause */
    int told = 0;
    for (int64_t now = 1200; now < 1200 + MINUTE - 100; now += 100)
        told += trouble_met(&trouble, now % 200 == 0, now % 300 ? "08001" : "08006", now);
    assert_int_equal(told, 0);
    assert_true(trouble_met(&trouble, 0, "08001", 1100 + MINUTE)); /* it lasts */
    assert_int_equal(trouble.since_ms, 1000);
    assert_false(trouble_over(&trouble, 0)); /* the other one is still in trouble */
    assert_true(trouble_over(&trouble, 1));
    assert_false(trouble_over(&trouble, 1)); /* it is over already */
}

static void the_next_outage_is_told_again(void **state)
{
    (void)state;
    struct trouble trouble = {0};
    assert_true(trouble_met(&trouble, 63, "57P01", 1000));
    assert_true(trouble_over(&trouble, 63));
    assert_true(trouble_met(&trouble, 63, "57P01", 1500));
    assert_int_equal(trouble.failures, 1);
    assert_int_equal(trouble.since_ms, 1500);
    assert_true(trouble_over(&trouble, 63));
}

/* Deadlocks that are got over by trying again: a line a minute, and an end only where a line was.
 */
static void what_is_tried_again_is_told_once_a_minute(void **state)
{
    (void)state;
    struct trouble trouble = {0};
    int told = 0, over = 0;
    for (int64_t now = 0; now < 3 * MINUTE; now += 500) {
        told += trouble_met(&trouble, 0, "40P01", now);
        over += trouble_over(&trouble, 0);
    }
    assert_int_equal(told, 3);
    assert_int_equal(over, 3);
}

static void lines_have_a_bound(void **state)
{
    (void)state;
    struct trouble trouble = {0};
    int told = 0;
    for (int64_t now = 0; now < MINUTE; now += 50) { /* it comes and goes */
        told += trouble_met(&trouble, 0, "57P01", now);
        trouble_over(&trouble, 0);
    }
    assert_int_equal(told, TROUBLE_LINES);
    assert_true(trouble_met(&trouble, 0, "57P01", MINUTE));

    told = 0; /* more causes than are remembered */
    trouble = (struct trouble){0};
    for (int64_t now = 0; now < 10 * MINUTE; now += 50) {
        char sqlstate[6];
        snprintf(sqlstate, sizeof sqlstate, "XX%03d", (int)(now / 50 % 40));
        told += trouble_met(&trouble, 0, sqlstate, now);
    }
    assert_int_equal(told, 10 * TROUBLE_LINES);
}

static void causes_have_names(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        enum trouble_kind kind;
        const char *missing, *advice; /* parts of them; NULL: none is given */
    } cases[] = {
        {"08006", TROUBLE_CONNECTION, "connection was lost", "server running"},
        {"08001", TROUBLE_CONNECTION, "cannot be reached", "TL_DATABASE"},
        {"08P01", TROUBLE_CONNECTION, "connection was lost", NULL},
        {"57P01", TROUBLE_CONNECTION, "shut down", NULL},
        {"57P03", TROUBLE_CONNECTION, "starts up", NULL},
        {"TL002", TROUBLE_TLS, "no TLS connection", "sslrootcert"},
        {"57014", TROUBLE_TIMEOUT, "took too long", "database_timeout"},
        {"55P03", TROUBLE_TIMEOUT, "a lock", "pg_locks"},
        {"40P01", TROUBLE_RETRY, "undoes", NULL},
        {"40001", TROUBLE_RETRY, "undoes", NULL},
        {"53100", TROUBLE_RESOURCES, "disk is full", "make room"},
        {"53200", TROUBLE_RESOURCES, "no memory", "max_locks_per_transaction"},
        {"53300", TROUBLE_RESOURCES, "too many connections", "max_connections"},
        {"25006", TROUBLE_READ_ONLY, "read-only", "primary"},
        {"28P01", TROUBLE_RIGHTS, "refuses the user", "password"},
        {"3D000", TROUBLE_RIGHTS, "none of that name", "TL_DATABASE"},
        {"42501", TROUBLE_RIGHTS, "a right is missing", "GRANT throughline_writer"},
        {"42P01", TROUBLE_SCHEMA, "a table is missing", "put back"},
        {"42601", TROUBLE_SCHEMA, "refuses a statement", "put back"},
        {"3F000", TROUBLE_SCHEMA, "a migration is missing", "throughline migrate"},
        {"23505", TROUBLE_DATA, "refuses a batch", "waits in Kafka"},
        {"54001", TROUBLE_DATA, "limits", "waits in Kafka"},
        {"XX000", TROUBLE_OTHER, "refuses a statement", "log"},
        {"", TROUBLE_OTHER, "refuses a statement", "log"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct trouble_cause *cause = trouble_cause(cases[i].sqlstate);
        if (cause->kind != cases[i].kind || strncmp(cause->missing, "the database (", 14) != 0 ||
            !strstr(cause->missing, cases[i].missing) ||
            (cases[i].advice ? !strstr(cause->advice, cases[i].advice) : *cause->advice))
            fail_msg("%s: %s, %s, \"%s\"", cases[i].sqlstate, trouble_kind_name(cause->kind),
                     cause->missing, cause->advice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outage_is_told_once_by_whoever_meets_it_first),
        cmocka_unit_test(the_next_outage_is_told_again),
        cmocka_unit_test(what_is_tried_again_is_told_once_a_minute),
        cmocka_unit_test(lines_have_a_bound),
        cmocka_unit_test(causes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
