/*
 * The books beside the brokers: per partition what the database has accounted
 * for, recounted, and how far Kafka goes. What they mean is decided here
 * without I/O; books_read and books_kafka fetch them. One thread.
 */
#ifndef SERVICES_CLI_BOOKS_H
#define SERVICES_CLI_BOOKS_H

#include "common/kafka/kafka_admin.h"
#include "common/pg/pg.h"

#define BOOKS_TOPICS "events." /* what the topics' names begin with */

struct book {
    char topic[250];
    int32_t partition;
    int64_t records, on_timeline, duplicates, quarantined, void_, difference;
    bool begun;    /* the aggregator has taken this partition on: `next` counts */
    int64_t next;  /* the offset that the aggregator reads next */
    bool in_kafka; /* the brokers know the partition: the watermarks count */
    int64_t low, high;
    int64_t skipped;   /* of void: left out by throughline replay */
    char stopped[160]; /* why it is not read any further; "": it is */
};

struct books { /* by topic and partition */
    struct book *items;
    size_t count, capacity;
    bool kafka_known; /* books_kafka has succeeded */
};

void books_init(struct books *books);
void books_free(struct books *books);

/* Recounts the database's side. */
int books_read(struct books *books, struct pg *pg) CHECKED;
/* The same as they are kept, without counting rows, which is quick: rows that were taken away by
 * hand are not missed. */
int books_read_kept(struct books *books, struct pg *pg) CHECKED;
/* Only how far each partition has been read, which is quick. */
int books_read_offsets(struct books *books, struct pg *pg) CHECKED;

/* Adds the brokers' side. Call it after the database's, so that lag is never negative by
 * the order of looking alone. */
int books_join(struct books *books, const struct kafka_cluster *cluster) CHECKED;

/* Records in Kafka that the aggregator has not read. 0 where the brokers are not known. */
int64_t book_lag(const struct book *book);

/* What is wrong with this partition, in words; NULL: nothing. `text` has room for `size`. */
const char *book_wrong(const struct books *books, const struct book *book, char *text, size_t size);

/* The two halves of it: rows that are missing or too many; where it is read, or is not. */
const char *book_wrong_rows(const struct book *book, char *text, size_t size);
const char *book_wrong_place(const struct books *books, const struct book *book, char *text,
                             size_t size);

/* Every partition has been read at least to the high watermark it has in `goal`. */
bool books_reached(const struct books *books, const struct kafka_cluster *goal);

#endif
