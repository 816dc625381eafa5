#include "common/json/json_tree.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "common/json/json_walk.h"

struct reader {
    const char *p, *end;
    struct buffer scratch; /* a string without its escapes, a number with a NUL */
    enum json_tree_trouble trouble;
    const char *at;
};

static json_t *read_value(struct reader *r);

static void skip_space(struct reader *r)
{
    while (r->p < r->end && memchr(" \n\r\t", *r->p, 4))
        r->p++;
}

static json_t *refuse(struct reader *r, enum json_tree_trouble trouble, const char *at)
{
    r->trouble = trouble;
    r->at = at;
    return NULL;
}

/* The inside of the string that begins here, escapes and all. */
static struct span raw_string(struct reader *r)
{
    const char *start = ++r->p;
    while (*r->p != '"')
        r->p += *r->p == '\\' ? 2 : 1;
    return (struct span){start, (size_t)(r->p++ - start)};
}

/* Good until the next call. False without memory. */
static bool without_escapes(struct reader *r, struct span raw, struct span *text)
{
    *text = raw;
    if (!memchr(raw.ptr, '\\', raw.len))
        return true;
    buffer_clear(&r->scratch);
    while (raw.len > 0) {
        char character[4];
        size_t n = json_next_character(&raw, character);
        buffer_append(&r->scratch, character, n);
    }
    *text = buffer_span(&r->scratch);
    return !r->scratch.failed;
}

static json_t *read_string(struct reader *r)
{
    struct span text;
    bool ok = without_escapes(r, raw_string(r), &text);
    return ok ? json_stringn_nocheck(text.ptr, text.len) : NULL;
}

static json_t *read_number(struct reader *r)
{
    const char *start = r->p;
    bool whole = true;
    for (; r->p < r->end && memchr("+-0123456789.eE", *r->p, 15); r->p++)
        whole = whole && !memchr(".eE", *r->p, 3);
    buffer_clear(&r->scratch);
    buffer_append(&r->scratch, start, (size_t)(r->p - start));
    if (r->scratch.failed)
        return NULL;
    errno = 0;
    if (whole) {
        long long number = strtoll(r->scratch.data, NULL, 10);
        return errno == ERANGE ? refuse(r, JSON_TREE_NUMBER, start) : json_integer(number);
    }
    double number = strtod(r->scratch.data, NULL);
    return isinf(number) ? refuse(r, JSON_TREE_NUMBER, start) : json_real(number);
}

static json_t *read_word(struct reader *r)
{
    char first = *r->p;
    r->p += first == 'f' ? 5 : 4;
    return first == 'n' ? json_null() : json_boolean(first == 't');
}

/* Past the opening bracket or the comma to the next item; or past the closing one, and false. */
static bool next_item(struct reader *r, char closing)
{
    skip_space(r);
    if (*r->p != closing) {
        r->p++;
        skip_space(r);
    }
    if (*r->p != closing)
        return true;
    r->p++;
    return false;
}

static bool add_member(struct reader *r, json_t *object)
{
    const char *start = r->p;
    struct span raw = raw_string(r), name;
    skip_space(r);
    r->p++; /* the colon */
    json_t *value = read_value(r);
    if (!value)
        return false;
    if (!without_escapes(r, raw, &name)) {
        json_decref(value);
        return false;
    }
    if (json_object_getn(object, name.ptr, name.len)) {
        json_decref(value);
        return refuse(r, JSON_TREE_TWICE, start) != NULL;
    }
    return json_object_setn_new_nocheck(object, name.ptr, name.len, value) == 0;
}

static json_t *read_container(struct reader *r)
{
    bool is_object = *r->p == '{', ok = true;
    json_t *container = is_object ? json_object() : json_array();
    while (container && ok && next_item(r, is_object ? '}' : ']'))
        ok = is_object ? add_member(r, container)
                       : json_array_append_new(container, read_value(r)) == 0;
    if (ok)
        return container;
    json_decref(container);
    return NULL;
}

/* Goes no deeper than json_scan_check lets a text be nested. */
static json_t *read_value(struct reader *r)
{
    skip_space(r);
    switch (*r->p) {
    case '{':
    case '[':
        return read_container(r);
    case '"':
        return read_string(r);
    case 't':
    case 'f':
    case 'n':
        return read_word(r);
    default:
        return read_number(r);
    }
}

json_t *json_tree_of(struct span text, enum json_tree_trouble *trouble, size_t *at)
{
    struct reader reader = {.p = text.ptr, .end = text.ptr + text.len, .at = text.ptr};
    buffer_init(&reader.scratch, text.len + 1);
    json_t *root = read_value(&reader);
    buffer_free(&reader.scratch);
    *trouble = reader.trouble;
    *at = (size_t)(reader.at - text.ptr);
    return root;
}
