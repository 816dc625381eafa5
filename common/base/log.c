#include "common/base/log.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static const char *log_program = "throughline";
static _Atomic(enum log_level) log_threshold = LOG_LEVEL_INFO;
static enum log_format log_format = LOG_FORMAT_LOGFMT;

void log_init(const char *program, enum log_level level)
{
    log_program = program;
    log_set_level(level);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_threshold, level, memory_order_relaxed);
}

int log_level_from_text(const char *text)
{
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
        if (strcmp(text, level_names[level]) == 0)
            return level;
    return -1;
}

void log_set_format(enum log_format format)
{
    log_format = format;
}

int log_format_from_text(const char *text)
{
    if (strcmp(text, "json") == 0)
        return LOG_FORMAT_JSON;
    return strcmp(text, "logfmt") == 0 ? LOG_FORMAT_LOGFMT : -1;
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    if (level > atomic_load_explicit(&log_threshold, memory_order_relaxed))
        return;
    struct log_line line;
    log_line_begin(&line, log_format);
    log_line_time(&line, "time", clock_wall_us());
    log_line_text(&line, "level", level_names[level]);
    log_line_text(&line, "program", log_program);
    log_line_text(&line, "msg", message);
    for (; fields && fields->key; fields++) {
        if (fields->text)
            log_line_text(&line, fields->key, fields->text);
        else
            log_line_number(&line, fields->key, fields->number);
    }
    log_line_end(&line);
    /* Where the log cannot be written there is nowhere to say so. */
    ssize_t written = write(STDERR_FILENO, line.text, line.len);
    (void)written;
}
