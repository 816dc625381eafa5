/*
 * Lines to batches: reads JSON Lines and gathers what one POST /events carries.
 * What no request can carry is handed to `refuse` instead. One thread.
 */
#ifndef SERVICES_CLI_SEND_BATCH_H
#define SERVICES_CLI_SEND_BATCH_H

#include "common/base/buffer.h"

#define SEND_EVENTS     500
#define SEND_BYTES      ((size_t)512 * 1024)  /* of one batch, unless its only event is larger */
#define SEND_LINE_LIMIT ((size_t)1024 * 1024) /* of one line: what a request may be */

struct send_event {
    int64_t line;      /* of the file, from 1 */
    size_t from, size; /* in the batch's text */
};

struct send_batch {
    struct buffer text; /* the events' JSON, one after the other */
    struct send_event events[SEND_EVENTS];
    size_t count;
};

void send_batch_init(struct send_batch *batch);
void send_batch_free(struct send_batch *batch);
struct span send_batch_event(const struct send_batch *batch, size_t index);

/* The body of a request with these events of the batch. */
void send_batch_body(const struct send_batch *batch, const size_t *chosen, size_t count,
                     struct buffer *body);

struct send_reader {
    int fd;
    int64_t line;       /* lines begun so far */
    int64_t bytes;      /* read so far */
    int64_t first_line; /* lines before it are skipped */
    bool ended;
    struct buffer rest; /* read, not yet given out */
    size_t at;          /* where the next line begins in it */
    bool held;          /* `text` is an event that did not fit into the last batch */
    struct span text;
};

/* What cannot be sent: the line's number, its text (cut at SEND_LINE_LIMIT), whether that is JSON,
 * and why. */
typedef int send_refuse(void *context, int64_t line, struct span text, bool json,
                        const char *reason, const char *pointer);

void send_reader_init(struct send_reader *reader, int fd, int64_t first_line);
void send_reader_free(struct send_reader *reader);

/* Fills an empty batch with the next events; it stays empty at the end. Blank
 * lines count and are nothing. ERR_IO (logged); what `refuse` returns unless 0. */
int send_reader_next(struct send_reader *reader, struct send_batch *batch, send_refuse *refuse,
                     void *context) CHECKED;

#endif
