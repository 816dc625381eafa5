/*
 * What an intake's answer to a batch means for the sender. Pure: no I/O.
 */
#ifndef SERVICES_CLI_SEND_ANSWER_H
#define SERVICES_CLI_SEND_ANSWER_H

#include "common/http/http_client.h"

#define SEND_BLAMES 500

enum send_meaning {
    SEND_ACCEPTED, /* every event is stored */
    SEND_BLAMED,   /* nothing is stored; `blames` are at fault, the others may be sent again */
    SEND_REFUSED,  /* nothing is stored, and nobody is named: send fewer, to find out who */
    SEND_AGAIN,    /* not now, or it is not known: send the same again */
    SEND_HOPELESS, /* it will not go better next time: wrong address, wrong token */
};

struct send_blame {
    size_t index; /* of the batch's event */
    char reason[512], pointer[256];
};

struct send_verdict {
    enum send_meaning meaning;
    int retry_after_s;                     /* of SEND_AGAIN; -1: not told */
    char why[600];                         /* for people; "" for SEND_ACCEPTED */
    struct send_blame blames[SEND_BLAMES]; /* by index, each once */
    size_t blame_count;
};

/* `events` is how many the request carried. */
void send_judge(const struct http_answer *answer, size_t events, struct send_verdict *verdict);

#endif
