#include "common/event/event_text.h"

#include <stdint.h>

#include "common/base/hex.h"

static const char ellipsis[] = "\xE2\x80\xA6";

static bool white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct span event_text_trim(struct span text)
{
    while (text.len > 0 && white(text.ptr[text.len - 1]))
        text.len--;
    while (text.len > 0 && white(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    return text;
}

/* The character at `p`, in text known to be UTF-8, and its length. */
static uint32_t character(const unsigned char *p, size_t *len)
{
    if (p[0] < 0x80) {
        *len = 1;
        return p[0];
    }
    if (p[0] < 0xE0) {
        *len = 2;
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    }
    if (p[0] < 0xF0) {
        *len = 3;
        return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    }
    *len = 4;
    return (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

static bool allowed(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7F && c <= 0x9F))
        return false;
    return (c & 0xFFFE) != 0xFFFE && !(c >= 0xFDD0 && c <= 0xFDEF);
}

/* How many bytes from the start are printable ASCII: nearly always all. */
static size_t plain_length(struct span text)
{
    size_t i = 0;
    while (i < text.len && text.ptr[i] >= 0x20 && text.ptr[i] < 0x7F)
        i++;
    return i;
}

/* Offset of the first character that is not allowed, or text.len. */
static size_t allowed_length(struct span text)
{
    size_t len;
    for (size_t i = plain_length(text); i < text.len; i += len)
        if (!allowed(character((const unsigned char *)text.ptr + i, &len)))
            return i;
    return text.len;
}

bool event_text_valid(struct span text)
{
    if (plain_length(text) == text.len)
        return true;
    return utf8_valid(text) && allowed_length(text) == text.len;
}

static struct span cut(struct arena *arena, struct span text, size_t limit)
{
    size_t keep = limit - (sizeof ellipsis - 1);
    while (keep > 0 && ((unsigned char)text.ptr[keep] & 0xC0) == 0x80)
        keep--;
    text = event_text_trim((struct span){text.ptr, keep});
    char *line = arena_alloc(arena, text.len + sizeof ellipsis - 1);
    if (!line)
        return (struct span){NULL, 0};
    if (text.len)
        memcpy(line, text.ptr, text.len);
    memcpy(line + text.len, ellipsis, sizeof ellipsis - 1);
    return (struct span){line, text.len + sizeof ellipsis - 1};
}

static struct span replace_disallowed(struct arena *arena, struct span text)
{
    char *line = arena_alloc(arena, text.len);
    if (!line)
        return (struct span){NULL, 0};
    size_t written = 0, len;
    for (size_t i = 0; i < text.len; i += len) {
        if (allowed(character((const unsigned char *)text.ptr + i, &len))) {
            memcpy(line + written, text.ptr + i, len);
            written += len;
        } else {
            line[written++] = ' ';
        }
    }
    return event_text_trim((struct span){line, written});
}

struct span event_text_line(struct arena *arena, struct span text, size_t limit)
{
    text = event_text_trim(text);
    if (allowed_length(text) < text.len)
        text = replace_disallowed(arena, text);
    return text.len > limit ? cut(arena, text, limit) : text;
}

const char *event_text_quote(struct span text, char quoted[EVENT_TEXT_QUOTE])
{
    size_t most = EVENT_TEXT_QUOTE - 4, len = text.len < most ? text.len : most;
    for (size_t i = 0; i < len; i++) {
        bool printable = text.ptr[i] >= 0x20 && text.ptr[i] < 0x7F;
        quoted[i] = printable ? text.ptr[i] : '?';
    }
    memcpy(quoted + len, text.len > len ? "..." : "", text.len > len ? 4 : 1);
    return quoted;
}
