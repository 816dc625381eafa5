/* What `throughline status` found, and how it is shown. Showing does no I/O but print. */
#ifndef SERVICES_CLI_STATUS_H
#define SERVICES_CLI_STATUS_H

#include "services/cli/books.h"

#define STATUS_PARTS 80 /* what there is beyond is not shown */

struct status_part {
    char name[64];
    bool wrong;
    char text[512];
};

struct status {
    struct status_part parts[STATUS_PARTS];
    size_t count;
    struct books books;
    bool books_known;
    int64_t waiting; /* in quarantine */
};

/* A new part; the last one again when there are too many. */
struct status_part *status_part(struct status *status, const char *name);
void status_fine(struct status_part *part, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void status_wrong(struct status_part *part, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds the part "books" from what the books say. */
void status_judge_books(struct status *status);

/* Prints, what is wrong first. Returns the exit status. */
int status_print(const struct status *status, bool json);

#endif
