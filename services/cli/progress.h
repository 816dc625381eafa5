/* A progress bar on standard error, where that is a terminal. One thread. What is worked through is
 * counted in bytes, or in whatever `total` counts. */
#ifndef SERVICES_CLI_PROGRESS_H
#define SERVICES_CLI_PROGRESS_H

#include "common/base/buffer.h"

struct progress {
    bool on;
    int64_t total; /* of the whole; 0: not known */
    int64_t since; /* both by the monotonic clock, milliseconds */
    int64_t shown;
};

/* `wanted`: false keeps it off. */
void progress_begin(struct progress *progress, bool wanted, int64_t total);

/* Draws at most ten times a second. `note` (may be NULL) says what is waited for. */
void progress_show(struct progress *progress, int64_t done, int64_t events, const char *note);

/* Takes the line away, for something else to be printed; the next progress_show brings it back. */
void progress_clear(struct progress *progress);

/* Takes the line away for good. */
void progress_end(struct progress *progress);

/* The line itself, at most `columns` wide: bar, share, events, rate, time to go. */
void progress_line(struct buffer *out, int64_t done, int64_t total, int64_t events,
                   int64_t elapsed_ms, int columns);

#endif
