#include "common/base/log_line.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/hex.h"

#define CUT         "…"
#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define CLOSING     (sizeof "\"}\n" - 1)
#define ROOM        (LOG_LINE_LIMIT - CLOSING) /* a value may fill */
#define UNIT        8                          /* bytes that a character takes at most, escaped */
#define NUMBER      24

static void put(struct log_line *line, const char *text, size_t len)
{
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_text(struct log_line *line, const char *text)
{
    put(line, text, strlen(text));
}

static unsigned code_point(const char *text, size_t len)
{
    const unsigned char *b = (const unsigned char *)text;
    switch (len) {
    case 1:
        return b[0];
    case 2:
        return (b[0] & 0x1fU) << 6 | (b[1] & 0x3fU);
    case 3:
        return (b[0] & 0x0fU) << 12 | (b[1] & 0x3fU) << 6 | (b[2] & 0x3fU);
    default:
        return 0x10000; /* beyond all that is looked at */
    }
}

/* Does things to a terminal, or to how text looks, instead of standing in it: controls (C0, DEL,
 * C1), line and paragraph separators, marks of direction. */
static bool is_escaped(unsigned code)
{
    return code < ' ' || (code >= 0x7f && code <= 0x9f) || code == 0x61c || code == 0x200e ||
           code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

/* The next character of `text` as it stands between quotes; its bytes in *len. */
static const char *unit(const char *text, size_t *len, char scratch[UNIT])
{
    static const char shorts[] = "\"\"\\\\\nn\rr\tt"; /* a character, then its letter */
    *len = utf8_character((struct span){text, strnlen(text, 4)});
    if (*len == 0) {
        *len = 1;
        return REPLACEMENT;
    }
    unsigned code = code_point(text, *len);
    for (const char *s = shorts; *s; s += 2)
        if (code == (unsigned char)s[0]) {
            snprintf(scratch, UNIT, "\\%c", s[1]);
            return scratch;
        }
    if (is_escaped(code))
        snprintf(scratch, UNIT, "\\u%04x", code & 0xffffU);
    else
        snprintf(scratch, UNIT, "%.*s", (int)*len, text);
    return scratch;
}

static void put_quoted(struct log_line *line, const char *value)
{
    char scratch[UNIT];
    put(line, "\"", 1);
    while (*value) {
        size_t len;
        const char *as = unit(value, &len, scratch);
        if (line->len + strlen(as) + sizeof CUT - 1 > ROOM) {
            put_text(line, CUT);
            break;
        }
        put_text(line, as);
        value += len;
    }
    put(line, "\"", 1);
}

/* A word of logfmt may stand without quotes. */
static bool is_word(const char *value)
{
    size_t len = strlen(value);
    for (const char *c = value; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '"' || *c == '=' || *c == '\\')
            return false;
    return len > 0 && len < LOG_LINE_LIMIT / 8;
}

/* Writes the key; false where not even a short value finds room behind it. */
static bool put_key(struct log_line *line, const char *key)
{
    bool json = line->format == LOG_FORMAT_JSON, first = line->len <= 1;
    if (line->len + strlen(key) + sizeof ",\"\":\"" + UNIT + NUMBER > ROOM)
        return false;
    if (!first)
        put_text(line, json ? "," : " ");
    put_text(line, json ? "\"" : "");
    put_text(line, key);
    put_text(line, json ? "\":" : "=");
    return true;
}

void log_line_begin(struct log_line *line, enum log_format format)
{
    line->format = format;
    line->len = 0;
    if (format == LOG_FORMAT_JSON)
        put_text(line, "{");
}

void log_line_text(struct log_line *line, const char *key, const char *value)
{
    if (!put_key(line, key))
        return;
    if (line->format == LOG_FORMAT_LOGFMT && is_word(value) && line->len + strlen(value) <= ROOM)
        put_text(line, value);
    else
        put_quoted(line, value);
}

void log_line_number(struct log_line *line, const char *key, int64_t value)
{
    char number[NUMBER];
    if (!put_key(line, key))
        return;
    snprintf(number, sizeof number, "%" PRId64, value);
    put_text(line, number);
}

void log_line_time(struct log_line *line, const char *key, int64_t us_since_1970)
{
    time_t seconds = (time_t)(us_since_1970 / 1000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    char date[32], text[48];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, sizeof text, "%s.%03dZ", date, (int)(us_since_1970 / 1000 % 1000));
    log_line_text(line, key, text);
}

void log_line_end(struct log_line *line)
{
    put_text(line, line->format == LOG_FORMAT_JSON ? "}\n" : "\n");
}
