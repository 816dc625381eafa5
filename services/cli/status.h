/* What `throughline status` found, and how it is shown. Judging and showing do no I/O but print. */
#ifndef SERVICES_CLI_STATUS_H
#define SERVICES_CLI_STATUS_H

#include "services/cli/books.h"
#include "services/cli/topics.h"

#define STATUS_PARTS 80 /* what there is beyond is not shown */
#define STATUS_LAGS  40

struct status_part {
    char name[64];
    bool wrong;
    char text[512]; /* "": nothing is known of it, and nothing is shown */
};

struct status_lag { /* of one topic of events, that is of a department */
    char topic[64];
    int64_t records;
    int64_t seconds; /* since the oldest of them was written; -1: not known */
};

struct status {
    struct status_part parts[STATUS_PARTS]; /* causes before what comes of them */
    size_t count;
    struct books books;
    bool books_known, recounted;
    struct status_lag lags[STATUS_LAGS];
    size_t lag_count;
    int64_t waiting; /* in quarantine */
};

/* A new part; the last one again when there are too many. */
struct status_part *status_part(struct status *status, const char *name);
void status_fine(struct status_part *part, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void status_wrong(struct status_part *part, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct cli;
struct vocabulary;

/* Looks at the database: `part`, the books (counting all rows where `recount`), and parts of its
 * own after that. */
void status_look_at_database(const struct cli *cli, struct status *status, struct status_part *part,
                             bool recount);

/* Looks at the brokers and the topics of the configuration (`vocabulary` may be NULL: not known),
 * and how far the books are behind. */
void status_look_at_brokers(const struct cli *cli, struct status *status,
                            const struct vocabulary *vocabulary, struct status_part *brokers,
                            struct status_part *topics);

/* Say what the books say: whether they balance, whether each partition is read, how far behind the
 * timeline is. */
void status_judge_books(const struct status *status, struct status_part *part);
void status_judge_partitions(const struct status *status, struct status_part *part);
void status_judge_lag(const struct status *status, struct status_part *part);

/* Whether the topics are as the plan has them: those that are missing, without leaders, or have an
 * error (topic_differences). */
void status_judge_topics(const struct topics *topics, struct status_part *part);

/* `limit` 0: not known. */
void status_judge_quarantine(int64_t waiting, int64_t limit, struct status_part *part);

/* Prints, what is wrong first. Returns the exit status. */
int status_print(struct status *status, bool json);

#endif
