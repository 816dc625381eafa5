/*
 * One line of the log, as text. Pure.
 *
 *   logfmt  time=2026-01-08T10:12:07.672Z level=warn program=tl-sales msg="Kafka does not answer"
 * wait_ms=200 JSON
 * {"time":"2026-01-08T10:12:07.672Z","level":"warn","program":"tl-sales","msg":"Kafka
 * …","wait_ms":200}
 *
 * A line is valid whatever the values are: UTF-8, with U+FFFD for each byte that is none, without
 * control characters or such as turn the direction of text (they are escaped, in both formats as
 * JSON does), and at most LOG_LINE_LIMIT bytes: a value that is too long ends in "…", and fields
 * that find no room are left out.
 */
#ifndef COMMON_BASE_LOG_LINE_H
#define COMMON_BASE_LOG_LINE_H

#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_LIMIT 4096 /* bytes, the line's end among them */

enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct log_line {
    enum log_format format;
    size_t len;
    char text[LOG_LINE_LIMIT];
};

void log_line_begin(struct log_line *line, enum log_format format);

/* Keys are ours: letters and underscores. */
void log_line_text(struct log_line *line, const char *key, const char *value);
void log_line_number(struct log_line *line, const char *key, int64_t value);
void log_line_time(struct log_line *line, const char *key, int64_t us_since_1970);

/* Ends it, with a line feed; `text` has `len` bytes and no NUL behind them. */
void log_line_end(struct log_line *line);

#endif
