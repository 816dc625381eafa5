/* The file of refused events: JSON Lines {"line", "reason", "pointer", "event"}. One thread. */
#ifndef SERVICES_CLI_SEND_REFUSED_H
#define SERVICES_CLI_SEND_REFUSED_H

#include <stdio.h>

#include "common/base/buffer.h"

struct send_refused {
    char *path;
    bool append; /* to what is there already */
    FILE *file;  /* NULL until something was refused */
    int64_t count;
};

/* "-" is standard input. A file of an earlier run is replaced by the first refusal, or with
 * `append` added to. */
int send_refused_init(struct send_refused *refused, const char *input, bool append) CHECKED;
/* ERR_IO (logged) when not everything could be written. */
int send_refused_close(struct send_refused *refused) CHECKED;

/* `json`: the text is JSON and goes in as it is, else as a string. ERR_IO (logged). */
int send_refused_add(struct send_refused *refused, int64_t line, struct span text, bool json,
                     const char *reason, const char *pointer) CHECKED;

#endif
