/*
 * The events of the benchmark's backlog: always the same ones, made from their
 * number. `customers` people, each with as many events, over `days` days, in three
 * departments; every tenth event names an account beside the person. With `regular`
 * above 0 one event of so many is about the first customer.
 */
#ifndef TESTS_BENCH_BACKLOG_EVENT_H
#define TESTS_BENCH_BACKLOG_EVENT_H

#include "common/event/event.h"

struct backlog {
    uint32_t events, customers, accounts, days, regular;
};

/* Event `number` as a department's own system sends it, customer in its data.
 * Returns the department's name. Memory from the arena; ERR_MEMORY by NULL. */
const char *backlog_event(const struct backlog *backlog, uint32_t number, struct arena *arena,
                          struct event *event);

/* The numbers 0 … events - 1 shuffled, in an order that is always the same. Caller frees; NULL
 * without memory. */
uint32_t *backlog_order(const struct backlog *backlog);

#endif
