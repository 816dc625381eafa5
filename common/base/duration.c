#include "common/base/duration.h"

#include <stddef.h>
#include <string.h>

#define LONGEST_MS   (INT64_C(100) * 366 * 24 * 3600 * 1000)
#define LARGEST_SIZE (INT64_C(1) << 50)

struct unit {
    const char *name;
    int64_t factor;
};

/* A whole number, then a unit of the table, then the end. */
static int parse(const char *text, const struct unit *units, size_t count, int64_t limit,
                 int64_t *out)
{
    int64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (*p - '0');
        if (value > limit)
            return ERR_INVALID;
    }
    if (p == text)
        return ERR_INVALID;
    if (*p == ' ')
        p++;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(p, units[i].name) != 0)
            continue;
        if (value > limit / units[i].factor)
            return ERR_INVALID;
        *out = value * units[i].factor;
        return 0;
    }
    return ERR_INVALID;
}

int duration_parse(const char *text, int64_t *milliseconds)
{
    static const struct unit units[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
    };
    return parse(text, units, sizeof units / sizeof *units, LONGEST_MS, milliseconds);
}

int size_parse(const char *text, int64_t *bytes)
{
    static const struct unit units[] = {
        {"", 1},
        {"KiB", 1 << 10},
        {"MiB", 1 << 20},
        {"GiB", 1 << 30},
    };
    return parse(text, units, sizeof units / sizeof *units, LARGEST_SIZE, bytes);
}
