/* Durations as people write them: a whole number and one of ms, s, m, h, d. */
#ifndef COMMON_BASE_DURATION_H
#define COMMON_BASE_DURATION_H

#include <stdint.h>

#include "common/base/error.h"

/* "250ms", "10s", "4h", "7d" → milliseconds. ERR_INVALID for anything else, a
 * negative or one over 100 years. */
int duration_parse(const char *text, int64_t *milliseconds) CHECKED;

/* "4 MiB", "64KiB", "1048576" → bytes (units KiB, MiB, GiB; a space may stand before). */
int size_parse(const char *text, int64_t *bytes) CHECKED;

#endif
