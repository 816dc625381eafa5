/*
 * Where `throughline replay` sends the reading of which partition, and what that costs: decided
 * from the request, the books and the brokers' watermarks, without I/O.
 */
#ifndef SERVICES_CLI_REPLAY_PLAN_H
#define SERVICES_CLI_REPLAY_PLAN_H

#include "common/base/fault.h"
#include "services/cli/books.h"

enum replay_place { REPLAY_BEGINNING, REPLAY_OFFSET, REPLAY_TIME };

struct replay_request {
    enum replay_place place;
    int64_t offset;    /* of REPLAY_OFFSET */
    int64_t time_ms;   /* of REPLAY_TIME, since 1970 */
    const char *topic; /* NULL: all */
    int64_t partition; /* -1: all */
    bool stopped;      /* only those that are stopped, or that Kafka cannot serve from there */
};

struct replay_step {
    const struct book *book;
    int64_t to;
    int64_t again;    /* records that are read a second time */
    int64_t left_out; /* records that are not read at all */
};

struct replay_plan {
    struct replay_step *steps;
    size_t count;
    int64_t again, left_out; /* the sums */
};

/* "beginning", an offset, a time (RFC 3339) or a duration before `now_ms`. ERR_INVALID. */
int replay_place_parse(const char *text, int64_t now_ms, struct replay_request *request,
                       struct fault *fault) CHECKED;

/* Not where it would be read next, or not read at all: replay --stopped is meant for it. */
bool replay_is_stuck(const struct book *book);

/* `books` know the brokers. `found` are the offsets for REPLAY_TIME, in the order of `cluster` (-1:
 * no record is as young, go to the end), else NULL. ERR_INVALID with what is wrong: no such
 * partition, an offset that Kafka does not have. Partitions that stay where they are, unless they
 * are stuck, are no steps. Free with replay_plan_free. */
int replay_plan_make(const struct replay_request *request, const struct books *books,
                     const struct kafka_cluster *cluster, const int64_t *found,
                     struct replay_plan *plan, struct fault *fault) CHECKED;
void replay_plan_free(struct replay_plan *plan);

#endif
