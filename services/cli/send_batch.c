#include "services/cli/send_batch.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/stop.h"
#include "common/json/json_scan.h"

#define PIECE ((size_t)64 * 1024) /* of one read */

void send_batch_init(struct send_batch *batch)
{
    batch->count = 0;
    buffer_init(&batch->text, SEND_BYTES + SEND_LINE_LIMIT);
}

void send_batch_free(struct send_batch *batch)
{
    buffer_free(&batch->text);
}

struct span send_batch_event(const struct send_batch *batch, size_t index)
{
    const struct send_event *event = &batch->events[index];
    return (struct span){batch->text.data + event->from, event->size};
}

void send_batch_body(const struct send_batch *batch, const size_t *chosen, size_t count,
                     struct buffer *body)
{
    buffer_clear(body);
    for (size_t i = 0; i < count; i++) {
        buffer_append_char(body, i == 0 ? '[' : ',');
        buffer_append_span(body, send_batch_event(batch, chosen[i]));
    }
    buffer_append_char(body, ']');
}

void send_reader_init(struct send_reader *reader, int fd, int64_t first_line)
{
    *reader = (struct send_reader){.fd = fd, .first_line = first_line};
    buffer_init(&reader->rest, SEND_LINE_LIMIT + 2 * PIECE);
}

void send_reader_free(struct send_reader *reader)
{
    buffer_free(&reader->rest);
}

/* Reads one more piece behind what is there. */
static int read_piece(struct send_reader *reader)
{
    char piece[PIECE];
    if (reader->at > 0) {
        memmove(reader->rest.data, reader->rest.data + reader->at, reader->rest.len - reader->at);
        reader->rest.len -= reader->at;
        reader->at = 0;
    }
    ssize_t got;
    do
        got = read(reader->fd, piece, sizeof piece);
    while (got < 0 && errno == EINTR && !stop_requested());
    if (got < 0) {
        if (stop_requested())
            return ERR_STOPPED;
        log_error("the file cannot be read", LOG_TEXT("error", strerror(errno)));
        return ERR_IO;
    }
    reader->ended = got == 0;
    reader->bytes += got;
    buffer_append(&reader->rest, piece, (size_t)got);
    return reader->rest.failed ? ERR_MEMORY : 0;
}

/* Reads on to the end of a line that is too long, and forgets it. */
static int skip_line(struct send_reader *reader)
{
    for (;;) {
        char *from = reader->rest.data + reader->at;
        char *end = memchr(from, '\n', reader->rest.len - reader->at);
        reader->at = end ? (size_t)(end - reader->rest.data) + 1 : reader->rest.len;
        if (end || reader->ended)
            return 0;
        int rc = read_piece(reader);
        if (rc != 0)
            return rc;
    }
}

static struct span trimmed(struct span text)
{
    while (text.len > 0 && strchr(" \t\r", text.ptr[text.len - 1]) && text.ptr[text.len - 1])
        text.len--;
    while (text.len > 0 && strchr(" \t\r", text.ptr[0]) && text.ptr[0]) {
        text.ptr++;
        text.len--;
    }
    return text;
}

enum line { LINE_NONE, LINE_TEXT, LINE_TOO_LONG };

/* The next line, which stays where it is until the next call. */
static int next_line(struct send_reader *reader, enum line *kind, struct span *text)
{
    for (;;) {
        size_t left = reader->rest.len - reader->at;
        char *from = left ? reader->rest.data + reader->at : NULL;
        char *end = left ? memchr(from, '\n', left) : NULL;
        size_t len = end ? (size_t)(end - from) : left;
        if (len > SEND_LINE_LIMIT) {
            reader->line++;
            *kind = LINE_TOO_LONG;
            *text = (struct span){from, SEND_LINE_LIMIT};
            return 0;
        }
        if (end || (reader->ended && left > 0)) {
            reader->line++;
            reader->at += len + (end != NULL);
            *kind = LINE_TEXT;
            *text = trimmed((struct span){from, len});
            return 0;
        }
        if (reader->ended) {
            *kind = LINE_NONE;
            return 0;
        }
        int rc = read_piece(reader);
        if (rc != 0)
            return rc;
    }
}

/* Reads lines until one holds an event: reader->held, or not at the end. */
static int hold_next(struct send_reader *reader, send_refuse *refuse, void *context)
{
    while (!reader->held) {
        enum line kind;
        struct span text;
        int rc = next_line(reader, &kind, &text);
        if (rc != 0 || kind == LINE_NONE)
            return rc;
        bool skipped = reader->line < reader->first_line;
        if (kind == LINE_TOO_LONG) {
            if (!skipped)
                rc =
                    refuse(context, reader->line, text, false, "the line is longer than 1 MiB", "");
            if (rc == 0)
                rc = skip_line(reader);
            if (rc != 0)
                return rc;
            continue;
        }
        if (reader->line == 1 && span_starts_with(text, "\xEF\xBB\xBF"))
            text = trimmed((struct span){text.ptr + 3, text.len - 3});
        if (skipped || text.len == 0)
            continue;
        struct fault fault = {0};
        bool json = json_scan_check(text, &fault) == 0;
        const char *wrong = !json                ? fault.detail
                            : text.ptr[0] != '{' ? "an event is a JSON object"
                                                 : NULL;
        if (wrong)
            rc = refuse(context, reader->line, text, json, wrong, "");
        if (rc != 0)
            return rc;
        reader->held = !wrong;
        reader->text = text;
    }
    return 0;
}

int send_reader_next(struct send_reader *reader, struct send_batch *batch, send_refuse *refuse,
                     void *context)
{
    batch->count = 0;
    buffer_clear(&batch->text);
    while (batch->count < SEND_EVENTS) {
        int rc = hold_next(reader, refuse, context);
        if (rc != 0)
            return rc;
        if (!reader->held)
            return 0; /* the end */
        size_t size = reader->text.len;
        if (batch->count > 0 && batch->text.len + size > SEND_BYTES)
            return 0; /* for the next batch */
        batch->events[batch->count++] = (struct send_event){reader->line, batch->text.len, size};
        buffer_append_span(&batch->text, reader->text);
        reader->held = false;
        if (batch->text.failed)
            return ERR_MEMORY;
    }
    return 0;
}
