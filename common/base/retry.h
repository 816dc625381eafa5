/*
 * A retry is data: how long to wait before the next try, growing by doubling
 * with full jitter between a floor and a ceiling, and a budget of tries.
 *
 *   struct retry retry;
 *   retry_init(&retry, 100, 5000, 0);
 *   while ((rc = try()) == ERR_BUSY && (wait = retry_next_ms(&retry)) >= 0)
 *       if (stop_wait(wait)) return ERR_STOPPED;
 */
#ifndef COMMON_BASE_RETRY_H
#define COMMON_BASE_RETRY_H

struct retry {
    int floor_ms, ceiling_ms;
    int budget; /* most tries; 0: no bound but the caller's own */
    int tries;  /* so far */
};

void retry_init(struct retry *retry, int floor_ms, int ceiling_ms, int budget);
void retry_reset(struct retry *retry); /* after a success */

/* Milliseconds to wait before the next try, or -1 when the budget is spent. */
int retry_next_ms(struct retry *retry);

#endif
