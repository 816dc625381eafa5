#include "common/json/json_walk.h"

#include "common/base/hex.h"
#include "common/json/json_pointer.h"

/* Everything here reads text that json_scan_check has accepted; with other text
 * the answers mean nothing, but no byte outside of it is touched. */

int json_unit(const char *p, const char *end)
{
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    int unit = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static size_t utf8_encode(int c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

static void drop(struct span *s, size_t n)
{
    n = n < s->len ? n : s->len;
    s->ptr += n;
    s->len -= n;
}

size_t json_next_character(struct span *raw, char out[4])
{
    const char *p = raw->ptr, *end = p + raw->len;
    if (*p != '\\' || raw->len == 1) {
        out[0] = *p;
        drop(raw, 1);
        return 1;
    }
    if (p[1] == 'u') {
        int unit = json_unit(p, end);
        drop(raw, 6);
        if (unit >= 0xD800 && unit <= 0xDBFF) {
            int low = json_unit(p + 6, end);
            drop(raw, 6);
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        }
        return utf8_encode(unit, out);
    }
    static const char escapes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *escape = strchr(escapes, p[1]);
    out[0] = escape ? meanings[escape - escapes] : p[1];
    drop(raw, 2);
    return 1;
}

char json_next_token_byte(struct span *token)
{
    char c = token->ptr[0];
    if (c == '~' && token->len > 1) {
        c = token->ptr[1] == '1' ? '/' : '~';
        drop(token, 1);
    }
    drop(token, 1);
    return c;
}

struct span json_next_token(const char **pointer)
{
    const char *start = *pointer + 1; /* after the '/' */
    size_t len = strcspn(start, "/");
    *pointer = start + len;
    return (struct span){start, len};
}

bool json_token_index(struct span token, size_t *index)
{
    if (token.len == 0 || token.len > 9 || (token.ptr[0] == '0' && token.len > 1))
        return false;
    *index = 0;
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] < '0' || token.ptr[i] > '9')
            return false;
        *index = *index * 10 + (size_t)(token.ptr[i] - '0');
    }
    return true;
}

static size_t skip_space(struct span text, size_t at)
{
    while (at < text.len && strchr(" \n\r\t", text.ptr[at]) && text.ptr[at])
        at++;
    return at;
}

/* `at` is after the opening quote, the result after the closing one. */
static size_t skip_string(struct span text, size_t at)
{
    while (at < text.len && text.ptr[at] != '"')
        at += text.ptr[at] == '\\' ? 2 : 1;
    return at < text.len ? at + 1 : text.len;
}

/* `at` is at an opening bracket, the result after the closing one. */
static size_t skip_container(struct span text, size_t at)
{
    size_t depth = 0;
    while (at < text.len) {
        char c = text.ptr[at++];
        if (c == '"')
            at = skip_string(text, at);
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            break;
    }
    return at;
}

static size_t skip_value(struct span text, size_t at)
{
    if (at == text.len)
        return at;
    if (text.ptr[at] == '"')
        return skip_string(text, at + 1);
    if (text.ptr[at] == '{' || text.ptr[at] == '[')
        return skip_container(text, at);
    while (at < text.len && !memchr(",]} \n\r\t", text.ptr[at], 7))
        at++;
    return at;
}

/* The place of the next element or member's name, past the opening bracket or
 * the comma; text.len when there is none. */
static size_t next_item(struct span text, size_t cursor, char open)
{
    size_t at = skip_space(text, cursor);
    if (at == text.len || text.ptr[at] != (cursor == 0 ? open : ','))
        return text.len;
    at = skip_space(text, at + 1);
    return at < text.len && text.ptr[at] != ']' && text.ptr[at] != '}' ? at : text.len;
}

bool json_scan_next(struct span array, size_t *cursor, struct span *value)
{
    size_t start = next_item(array, *cursor, '[');
    if (start == array.len)
        return false;
    *cursor = skip_value(array, start);
    *value = (struct span){array.ptr + start, *cursor - start};
    return true;
}

bool json_scan_next_member(struct span object, size_t *cursor, struct span *name,
                           struct span *value)
{
    size_t start = next_item(object, *cursor, '{');
    if (start == object.len)
        return false;
    size_t name_end = skip_string(object, start + 1);
    *name = (struct span){object.ptr + start, name_end - start};
    start = skip_space(object, skip_space(object, name_end) + 1);
    if (start >= object.len)
        return false;
    *cursor = skip_value(object, start);
    *value = (struct span){object.ptr + start, *cursor - start};
    return true;
}

static struct span inside_of(struct span string)
{
    return (struct span){string.ptr + 1, string.len > 1 ? string.len - 2 : 0};
}

/* The member's name, with quotes and escapes, is what the token says. */
static bool name_is(struct span name, struct span token)
{
    struct span raw = inside_of(name);
    while (raw.len > 0) {
        char character[4];
        size_t n = json_next_character(&raw, character);
        for (size_t i = 0; i < n; i++)
            if (token.len == 0 || json_next_token_byte(&token) != character[i])
                return false;
    }
    return token.len == 0;
}

static int step(struct span *value, struct span token)
{
    struct span from = *value, name, item;
    size_t cursor = 0, wanted = 0, index = 0;
    bool found = false;
    if (json_token_index(token, &wanted))
        for (; !found && json_scan_next(from, &cursor, &item); index++)
            if (index == wanted) {
                *value = item;
                found = true;
            }
    for (cursor = 0; json_scan_next_member(from, &cursor, &name, &item);)
        if (name_is(name, token)) {
            *value = item;
            found = true; /* and look on: the last one wins */
        }
    return found ? 0 : ERR_NOT_FOUND;
}

int json_scan_pointer(struct span text, const char *pointer, struct span *value)
{
    if (!json_pointer_valid(pointer))
        return ERR_NOT_FOUND;
    size_t start = skip_space(text, 0);
    struct span at = {text.ptr + start, skip_value(text, start) - start};
    while (*pointer) {
        int rc = step(&at, json_next_token(&pointer));
        if (rc)
            return rc;
    }
    *value = at;
    return 0;
}

int json_scan_text(struct arena *arena, struct span value, struct span *text)
{
    if (value.len < 2 || value.ptr[0] != '"')
        return ERR_NOT_FOUND;
    struct span raw = inside_of(value);
    if (!memchr(raw.ptr, '\\', raw.len)) {
        *text = raw;
        return 0;
    }
    char *out = arena_alloc(arena, raw.len); /* an escape is longer than what it means */
    if (!out)
        return ERR_MEMORY;
    size_t len = 0;
    while (raw.len > 0) {
        char character[4];
        size_t n = json_next_character(&raw, character);
        memcpy(out + len, character, n);
        len += n;
    }
    *text = (struct span){out, len};
    return 0;
}

static bool holds(struct span part, struct span text, size_t offset)
{
    size_t start = (size_t)(part.ptr - text.ptr);
    return offset >= start && offset < start + part.len;
}

/* The name as a NUL-terminated text, cut to what a pointer could hold. */
static void name_text(struct span name, char *out, size_t size)
{
    struct span raw = inside_of(name);
    size_t len = 0;
    while (raw.len > 0 && len + 5 <= size)
        len += json_next_character(&raw, out + len);
    out[len] = '\0';
}

/* Goes from *value to the element or member that holds the byte. */
static bool step_to(struct span text, size_t offset, struct span *value, char *pointer, size_t size)
{
    struct span from = *value, name, item;
    char token[256];
    size_t cursor = 0;
    for (size_t index = 0; json_scan_next(from, &cursor, &item); index++)
        if (holds(item, text, offset)) {
            *value = item;
            snprintf(token, sizeof token, "%zu", index);
            json_pointer_append(pointer, size, token);
            return true;
        }
    for (cursor = 0; json_scan_next_member(from, &cursor, &name, &item);)
        if (holds(item, text, offset) || holds(name, text, offset)) {
            *value = item;
            name_text(name, token, sizeof token);
            json_pointer_append(pointer, size, token);
            return holds(item, text, offset);
        }
    return false;
}

void json_pointer_at(struct span text, size_t offset, char *pointer, size_t size)
{
    struct span value = text;
    pointer[0] = '\0';
    while (step_to(text, offset, &value, pointer, size))
        ;
}
