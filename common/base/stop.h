/*
 * The one owner of ending. The first SIGTERM or SIGINT asks the program to
 * drain and end; the second leaves at once (exit status 128 + signal).
 * Handlers only set a flag and write to a pipe. SIGPIPE is ignored.
 */
#ifndef COMMON_BASE_STOP_H
#define COMMON_BASE_STOP_H

#include <stdbool.h>

#include "common/base/error.h"

/* How long a program may take to drain after the first signal. */
#define STOP_DRAIN_MS 10000

int stop_install(void) CHECKED; /* once, before threads are started */
bool stop_requested(void);      /* any thread */
void stop_request(void);        /* as if SIGTERM had come; any thread */

/* Waits until stop is requested or `ms` have passed (-1: for ever). True when
 * stop is requested. Every sleep in this tree is one of these. Any thread. */
bool stop_wait(int ms);

/* For waits that watch a socket, too: a descriptor that polls as readable from the moment stop is
 * requested; never read it. -1 before stop_install. Any thread. */
int stop_descriptor(void);

#endif
