/*
 * The seam of the tests that fail every call in turn: what our objects ask of malloc, jansson,
 * OpenSSL, libpq, librdkafka and libmicrohttpd goes through wrappers (the linker's --wrap; the
 * Makefile derives the list from the objects, so that a call without a wrapper does not link). The
 * libraries' own calls of each other are left alone.
 *
 * Armed, the n-th call of a kind fails, in one of the ways that it has; the round that a test
 * makes meanwhile must end as the contract says. Any thread; arming is the test's thread's.
 */
#ifndef TESTS_UNIT_FAILING_H
#define TESTS_UNIT_FAILING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum failing_kind {
    FAILING_ALLOCATION, /* two ways: this one alone, or all from this one on */
    FAILING_KAFKA,
    FAILING_HTTP,
    FAILING_DATABASE,  /* a call of libpq, at the client */
    FAILING_STATEMENT, /* what the server is asked for, at the server */
    FAILING_KINDS
};

/* Once, before anything uses jansson or OpenSSL. */
void failing_init(void);

/* Calls of this thread are the test's own: they neither count nor fail. */
void failing_exempt(bool exempt);

/* From here on the nth call (1, 2, …) of that kind fails. */
void failing_arm(enum failing_kind kind, size_t nth, int way);
void failing_disarm(void);

/* Since it was armed: the name of the call that failed (NULL: none did), and its ways. */
const char *failing_struck(void);
int failing_ways(void);

/* For wrappers: -1, or the way (0 … ways - 1) in which this call is to fail. */
int failing_now(enum failing_kind kind, const char *call, int ways);

/* Runs `round` once for every call of that kind that it makes and every way in which the call can
 * fail; a round arms nothing itself, it calls failing_disarm when the failure's part is over.
 * Returns how many calls were failed. */
size_t failing_each(const char *name, enum failing_kind kind, void (*round)(void *context),
                    void *context);

/* Of how many records a delivery report has said that Kafka has them. */
int64_t failing_stored(void);

/* Over all records that librdkafka was given so far, with key, value and headers: a sum, so that
 * the order of records does not count. What a request adds to it tells whether it said the same. */
uint64_t failing_produced(void);

/* The last line of a test program, which tests/unit/run shows: how many calls were failed. Returns
 * what it is given. */
int failing_report(int failed_tests);

/* "allocations: 17 (calloc), way 1", for what a test says when it fails. */
const char *failing_point(void);

#endif
