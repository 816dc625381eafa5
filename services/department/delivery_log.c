#include "services/department/delivery_log.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#define TELL_AGAIN_MS  60000
#define GIVEN_UP_LINES 10 /* a minute */

void delivery_log_init(struct delivery_log *log, const char *url)
{
    *log = (struct delivery_log){.broken = false};
    http_client_origin(url, log->receiver);
}

static void tell_breaker(struct delivery_log *log, const struct receipt *receipt, bool broken,
                         int64_t now)
{
    log->broken = broken;
    if (broken) {
        log->broken_since_ms = now;
        log_warn("The receiver takes nothing: one delivery now and then tries whether it is back",
                 LOG_TEXT("receiver", log->receiver), LOG_TEXT("it", receipt->detail));
    } else {
        log_info("The receiver takes handoffs again", LOG_TEXT("receiver", log->receiver),
                 LOG_INT("after_ms", now - log->broken_since_ms));
    }
}

void delivery_log_try(struct delivery_log *log, const char *handoff_id,
                      const struct receipt *receipt, bool broken)
{
    int64_t now = clock_monotonic_ms();
    if (broken != log->broken)
        tell_breaker(log, receipt, broken, now);
    if (receipt->outcome == DELIVERY_TAKEN || log->broken ||
        (log->failure_told_ms && now - log->failure_told_ms < TELL_AGAIN_MS))
        return;
    log->failure_told_ms = now;
    log_warn("The receiver did not take a change of a handoff: it is tried again",
             LOG_TEXT("receiver", log->receiver), LOG_TEXT("it", receipt->detail),
             LOG_TEXT("handoff", handoff_id));
}

void delivery_log_given_up(struct delivery_log *log, const struct handoff_change *change, int tries,
                           const char *detail)
{
    int64_t now = clock_monotonic_ms();
    if (now - log->given_up_from_ms >= TELL_AGAIN_MS) {
        log->given_up_from_ms = now;
        log->given_up_told = 0;
    }
    if (log->given_up_told == GIVEN_UP_LINES) {
        log->given_up_untold++;
        return;
    }
    log->given_up_told++;
    log_error("A change of a handoff could not be delivered, and is not tried any more",
              LOG_TEXT("receiver", log->receiver), LOG_TEXT("it", detail),
              LOG_TEXT("handoff", change->handoff_id), LOG_TEXT("type", change->type),
              LOG_INT("tries", tries), LOG_INT("others", log->given_up_untold));
    log->given_up_untold = 0;
}
