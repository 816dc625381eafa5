/*
 * The one convention for errors in this tree.
 *
 * A function that can fail returns 0 for success or one of the negative codes
 * below, and is marked CHECKED so that the compiler insists on looking at it.
 * (Pure questions return bool; constructors that can only fail for lack of
 * memory return NULL.)
 *
 * The cause is told once, by the function that knows it: ERR_INVALID fills the
 * caller's struct fault (whoever sent the input is told), every other code has
 * been logged by the time it is returned. Callers pass codes on, they do not
 * log them again.
 */
#ifndef COMMON_BASE_ERROR_H
#define COMMON_BASE_ERROR_H

#define CHECKED __attribute__((warn_unused_result))

enum error_code {
    ERR_INVALID = -1,   /* the input breaks a rule; struct fault says which */
    ERR_MEMORY = -2,    /* no memory */
    ERR_IO = -3,        /* file, socket, broker or database failed; logged */
    ERR_BUSY = -4,      /* not now: a queue is full, a peer is away; try again */
    ERR_NOT_FOUND = -5, /* there is no such thing */
    ERR_CONFLICT = -6,  /* somebody else got there first (a lost fence) */
    ERR_LIMIT = -7,     /* a bound was reached */
    ERR_STOPPED = -8,   /* the program is asked to end */
};

/* A short text for a code, for log lines. Never NULL. */
const char *error_name(int code);

#endif
