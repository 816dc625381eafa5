/*
 * The watch: raises what nobody may forget, as events on events.throughline and to the departments
 * concerned. Handoffs past their due time; customers whom nobody has been in contact with for too
 * long; open issues that the customer was not told of. Each once, with its flag in one transaction;
 * only as far as judgement.h lets it. One aggregator at a time does it (lease `watch`), in a thread
 * with a connection of its own.
 */
#ifndef SERVICES_AGGREGATOR_WATCH_H
#define SERVICES_AGGREGATOR_WATCH_H

#include "services/aggregator/writer.h"

/* At each look at most so many of a kind are looked at: history that is read in does not raise all
 * at once what it makes stale. Fewer customers: their rows are locked meanwhile, which writers
 * want. */
#define WATCH_PAGE      200
#define WATCH_CUSTOMERS 50

struct watch;

/* The setup must outlive the watch; its topics are those whose reading counts. */
int watch_start(const struct writer_setup *setup, struct watch **out) CHECKED;

/* As writer_join. NULL is fine. */
int watch_join(struct watch *watch, int64_t deadline) CHECKED;

#endif
