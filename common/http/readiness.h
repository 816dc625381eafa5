/*
 * Asking a service of ours whether it is ready (GET /readyz): for --healthy, where a service's
 * container asks for itself, and for people who look at all of them.
 */
#ifndef COMMON_HTTP_READINESS_H
#define COMMON_HTTP_READINESS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/fault.h"
#include "common/base/span.h"

#define READINESS_TEXT 512

/* Where one that listens on `listen` is asked from the same machine: a wildcard address becomes
 * loopback. ERR_INVALID, with pointer "/listen": no address, or one whose port nobody knows. */
int readiness_address(const char *listen, char *address, size_t size, struct fault *fault) CHECKED;

/* Asks at "host:port" or "https://host:port", for at most `ms`. 0: it is ready. ERR_BUSY: it is
 * not, or does not answer; `text` says what is missing, on one line (not logged: the caller
 * decides). ERR_MEMORY. Of a certificate nothing is asked: it bears no loopback address, and who is
 * asked this is told no secret. */
int readiness_ask(const char *address, int ms, char text[READINESS_TEXT]) CHECKED;

/* What a program does for --healthy, given where it listens, and whether with TLS: asks within 3 s.
 * A fault's detail is the text of readiness_ask. */
int readiness_of_own(const char *listen, bool tls, struct fault *fault) CHECKED;

/* `text` from the answer of one that is not ready. Pure. */
void readiness_words(const char *address, int status, struct span body, char text[READINESS_TEXT]);

#endif
