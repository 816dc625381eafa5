#include "common/base/retry.h"

#include <stdint.h>
#include <sys/random.h>

void retry_init(struct retry *retry, int floor_ms, int ceiling_ms, int budget)
{
    *retry = (struct retry){.floor_ms = floor_ms, .ceiling_ms = ceiling_ms, .budget = budget};
}

void retry_reset(struct retry *retry)
{
    retry->tries = 0;
}

int retry_next_ms(struct retry *retry)
{
    if (retry->budget > 0 && retry->tries >= retry->budget)
        return -1;
    int64_t ceiling = retry->floor_ms;
    for (int i = 0; i < retry->tries && ceiling < retry->ceiling_ms; i++)
        ceiling *= 2;
    if (ceiling > retry->ceiling_ms)
        ceiling = retry->ceiling_ms;
    retry->tries++;
    /* Full jitter above the floor: those who failed together do not come back together. */
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = UINT32_MAX / 2;
    return retry->floor_ms + (int)((ceiling - retry->floor_ms) * random / UINT32_MAX);
}
