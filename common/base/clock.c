#include "common/base/clock.h"

#include <time.h>

static int64_t read_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_monotonic_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_wall_us(void)
{
    return read_us(CLOCK_REALTIME);
}

struct timespec clock_monotonic_after(int64_t ms)
{
    int64_t until = clock_monotonic_us() + (ms > 0 ? ms : 0) * 1000;
    return (struct timespec){until / 1000000, until % 1000000 * 1000};
}
