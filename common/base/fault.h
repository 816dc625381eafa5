/*
 * What is wrong with a piece of input, in words its sender can act on: the
 * file (for configuration), the JSON Pointer (RFC 6901) of the member that is
 * to blame, and what to do about it. A plain value: no ownership, no threads.
 * Texts that do not fit are cut.
 */
#ifndef COMMON_BASE_FAULT_H
#define COMMON_BASE_FAULT_H

#include "common/base/error.h"

struct fault {
    char file[256];    /* "" where the input is no file */
    char pointer[256]; /* "" for the whole document */
    char detail[512];
};

/* Sets pointer and detail, leaves file alone. Returns ERR_INVALID, so that a
 * check reads `return fault_set(fault, "/amount", "must be …")`. `fault` may be
 * NULL (the caller does not care). `pointer` may be fault->pointer. */
int fault_set(struct fault *fault, const char *pointer, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts `prefix` before the pointer: "/id" becomes "/3/id". */
void fault_prefix(struct fault *fault, const char *prefix);

#endif
