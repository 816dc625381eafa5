/*
 * Trouble with the database: what it is called, whether it is to be told, and what mends it.
 * Decides only: no clock, no log, no locks; database.c does what it says.
 *
 * An outage begins with the first failure of any writer and is over when every writer that failed
 * works again. Each cause (SQLSTATE) is told when an outage first meets it, and once a minute as
 * long as it lasts; what the database undoes and bids us try again (class 40) at most once a minute
 * at all; and never more than TROUBLE_LINES a minute together.
 */
#ifndef SERVICES_AGGREGATOR_TROUBLE_H
#define SERVICES_AGGREGATOR_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

enum trouble_kind {
    TROUBLE_CONNECTION, /* away, cut, shutting down or starting */
    TROUBLE_TLS,        /* certificates, versions */
    TROUBLE_TIMEOUT,    /* no answer in time, by our clock or the server's */
    TROUBLE_RETRY,      /* deadlock, serialization failure */
    TROUBLE_RESOURCES,  /* disk full, out of memory, too many connections */
    TROUBLE_READ_ONLY,
    TROUBLE_RIGHTS, /* password, rights */
    TROUBLE_SCHEMA, /* what migrations made is not there */
    TROUBLE_DATA,   /* a batch is refused for what is in it */
    TROUBLE_OTHER,
    TROUBLE_KINDS
};

struct trouble_cause {
    const char *sqlstate; /* or its first characters */
    enum trouble_kind kind;
    const char *missing; /* for /readyz: "the database (…)" */
    const char *advice;  /* what mends it; "" where it passes by itself */
};

const char *trouble_kind_name(enum trouble_kind kind); /* a metric's label */
/* Never NULL; what is not known is TROUBLE_OTHER. */
const struct trouble_cause *trouble_cause(const char *sqlstate);

#define TROUBLE_LINES     10 /* a minute at most */
#define TROUBLE_MINUTE_MS 60000
#define TROUBLE_CAUSES    16 /* different ones remembered; the oldest makes room */

struct trouble {
    uint64_t writers; /* a bit for each that is in trouble */
    int64_t outage;   /* number of the outage under way, or of the last one */
    int64_t since_ms;
    int64_t failures; /* of this outage */
    bool told;        /* a line was logged of this outage */
    int64_t minute_ms;
    int lines; /* in the minute that began at minute_ms */
    struct {
        char sqlstate[6];
        int64_t outage, told_ms;
    } causes[TROUBLE_CAUSES];
};

/* Writer `writer` (0 to 63) has failed: is that to be told? */
bool trouble_met(struct trouble *trouble, int writer, const char *sqlstate, int64_t now_ms);

/* Writer `writer` works. True where that ends an outage that was told. */
bool trouble_over(struct trouble *trouble, int writer);

#endif
