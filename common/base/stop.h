/*
 * The one owner of signals. The first SIGTERM or SIGINT asks the program to
 * drain and end; the second leaves at once (exit status 128 + signal).
 * Handlers only set a flag and write to a pipe. SIGPIPE is ignored. A service also takes SIGHUP,
 * which asks it to read its configuration anew: only the thread that waits for it is ever
 * interrupted by it.
 */
#ifndef COMMON_BASE_STOP_H
#define COMMON_BASE_STOP_H

#include <stdbool.h>

#include "common/base/error.h"

/* How long a program may take to drain after the first signal. */
#define STOP_DRAIN_MS 10000

int stop_install(void) CHECKED; /* once, before threads are started */

/* From here on SIGHUP ends nothing, but is kept for stop_wait_reload. Once, before threads are
 * started: they must not meet it. */
int stop_install_reload(void) CHECKED;

bool stop_requested(void); /* any thread */
void stop_request(void);   /* as if SIGTERM had come; any thread */

/* Waits until stop is requested or `ms` have passed (-1: for ever). True when
 * stop is requested. Every sleep in this tree is one of these. Any thread. */
bool stop_wait(int ms);

/* Waits until stop is requested (true), or SIGHUP has come since the last time (false); several at
 * once count as one. The thread that called stop_install_reload. */
bool stop_wait_reload(void);

/* For waits that watch a socket, too: a descriptor that polls as readable from the moment stop is
 * requested; never read it. -1 before stop_install. Any thread. */
int stop_descriptor(void);

#endif
