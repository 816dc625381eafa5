#include "common/base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"

#define LINE_LIMIT 4096 /* bytes of a log line; longer ones are cut */

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static const char *log_program = "throughline";
static enum log_level log_threshold = LOG_LEVEL_INFO;

void log_init(const char *program, enum log_level level)
{
    log_program = program;
    log_threshold = level;
}

int log_level_from_text(const char *text)
{
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
        if (strcmp(text, level_names[level]) == 0)
            return level;
    return -1;
}

/* A line under construction: what does not fit is left out. */
struct line {
    char text[LINE_LIMIT];
    size_t len;
};

static void line_char(struct line *line, char c)
{
    if (line->len < sizeof line->text - 1) /* room for the newline */
        line->text[line->len++] = c;
}

static void line_text(struct line *line, const char *text)
{
    while (*text)
        line_char(line, *text++);
}

static bool needs_quotes(const char *value)
{
    if (!*value)
        return true;
    for (; *value; value++)
        if ((unsigned char)*value <= ' ' || *value == '"' || *value == '=' || *value == '\\')
            return true;
    return false;
}

static void line_value(struct line *line, const char *value)
{
    if (!needs_quotes(value)) {
        line_text(line, value);
        return;
    }
    line_char(line, '"');
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\')
            line_char(line, '\\');
        if (c == '\n')
            line_text(line, "\\n");
        else
            line_char(line, c < ' ' ? ' ' : (char)c); /* no control characters on a terminal */
    }
    line_char(line, '"');
}

static void line_time(struct line *line)
{
    int64_t now = clock_wall_us();
    time_t seconds = (time_t)(now / 1000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    char date[32], text[48];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, sizeof text, "%s.%03dZ", date, (int)(now / 1000 % 1000));
    line_text(line, text);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    if (level > log_threshold)
        return;
    struct line line = {.len = 0};
    line_text(&line, "time=");
    line_time(&line);
    line_text(&line, " level=");
    line_text(&line, level_names[level]);
    line_text(&line, " program=");
    line_text(&line, log_program);
    line_text(&line, " msg=");
    line_value(&line, message);
    for (; fields && fields->key; fields++) {
        line_char(&line, ' ');
        line_text(&line, fields->key);
        line_char(&line, '=');
        if (fields->text) {
            line_value(&line, fields->text);
        } else {
            char number[24];
            snprintf(number, sizeof number, "%lld", (long long)fields->number);
            line_text(&line, number);
        }
    }
    line.text[line.len++] = '\n';
    /* Where the log cannot be written there is nowhere to say so. */
    ssize_t written = write(STDERR_FILENO, line.text, line.len);
    (void)written;
}
