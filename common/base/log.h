/*
 * Log lines on standard error, one event a line, as logfmt (or JSON: log_line.h):
 *
 *   time=2026-01-08T10:12:07.672Z level=warn program=tl-sales msg="Kafka does not answer" error="…"
 *
 * The message is a constant sentence without values; the values follow as
 * fields (key, printf format, value):
 *
 *   log_warn("Kafka does not answer", LOG_TEXT("error", text), LOG_INT("wait_ms", ms));
 *
 * No personal data at info level and above: nothing that came from outside in an event, a request,
 * a payload, a record or its headers, or from a row; names of the configuration, numbers, and ids
 * that are ours may stand there. No secret at any level. tests/e2e/test_logs.py looks for both.
 * Thread-safe; a line is one write().
 */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include <stdint.h>

#include "common/base/log_line.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
    const char *key;  /* NULL ends the list */
    const char *text; /* NULL: the number counts */
    int64_t number;
};

/* A function, since compilers warn where a macro asks an array whether it is NULL. */
static inline struct log_field log_text_field(const char *key, const char *value)
{
    return (struct log_field){key, value ? value : "", 0};
}

#define LOG_TEXT(key, value) log_text_field((key), (value))
#define LOG_INT(key, value)  ((struct log_field){(key), (const char *)0, (int64_t)(value)})

/* `program` must live as long as the process. Lines less urgent than `level` are dropped. */
void log_init(const char *program, enum log_level level);

/* Before there are threads; logfmt until then. */
void log_set_format(enum log_format format);

/* From now on; any thread. */
void log_set_level(enum log_level level);

/* "error", "warn", "info", "debug"; anything else: -1. */
int log_level_from_text(const char *text);

/* "logfmt", "json"; anything else: -1. */
int log_format_from_text(const char *text);

void log_write(enum log_level level, const char *message, const struct log_field *fields);

#define LOG_FIELDS(...)         ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0, 0, 0}})
#define log_error(message, ...) log_write(LOG_LEVEL_ERROR, message, LOG_FIELDS(__VA_ARGS__))
#define log_warn(message, ...)  log_write(LOG_LEVEL_WARN, message, LOG_FIELDS(__VA_ARGS__))
#define log_info(message, ...)  log_write(LOG_LEVEL_INFO, message, LOG_FIELDS(__VA_ARGS__))
#define log_debug(message, ...) log_write(LOG_LEVEL_DEBUG, message, LOG_FIELDS(__VA_ARGS__))

#endif
