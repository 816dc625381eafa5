/*
 * What the log tells of deliveries: that the receiver fails, once when it begins and once when it
 * is over, not each try; and what was given up. Never more than a few lines a minute. The caller
 * locks.
 */
#ifndef SERVICES_DEPARTMENT_DELIVERY_LOG_H
#define SERVICES_DEPARTMENT_DELIVERY_LOG_H

#include "common/http/http_client.h"
#include "services/department/handoff_change.h"
#include "services/department/receiver.h"

struct delivery_log {
    char receiver[HTTP_ORIGIN_SIZE]; /* without credentials, path and query */
    bool broken;
    int64_t broken_since_ms;
    int64_t failure_told_ms; /* 0: never */
    int64_t given_up_from_ms, given_up_told, given_up_untold;
};

void delivery_log_init(struct delivery_log *log, const char *url);

/* After each try; `broken`: the breaker is open. */
void delivery_log_try(struct delivery_log *log, const char *handoff_id,
                      const struct receipt *receipt, bool broken);

void delivery_log_given_up(struct delivery_log *log, const struct handoff_change *change, int tries,
                           const char *detail);

#endif
