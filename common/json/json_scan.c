#include "common/json/json_scan.h"

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/hex.h"
#include "common/json/json_walk.h"

/* Digits a number may have once its exponent is written out. */
#define NUMBER_DIGITS 400

/* Functions that read a piece of JSON take where it begins and return where it
 * ends, or NULL; then `problem` and `at` say why and where. */
struct scan {
    const char *end;
    const char *problem;
    const char *at;
    bool any;    /* whatever RFC 8259 allows: our own bounds do not count */
    bool beyond; /* the problem is JSON past our own bounds */
    char *open;  /* the brackets around the place at hand, innermost last */
    size_t depth, depth_limit;
};

static const char *fail(struct scan *s, const char *at, const char *problem)
{
    s->at = at;
    s->problem = problem;
    return NULL;
}

/* What RFC 8259 allows and we cannot hold. */
static const char *fail_beyond(struct scan *s, const char *at, const char *problem)
{
    s->beyond = true;
    return fail(s, at, problem);
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* Eight bytes at a time past what needs no look: printable ASCII but '"' and
 * '\'. The bit tricks are exact for the lowest byte that is found, and with
 * little-endian order that is the first. */
static const char *skip_plain(const char *p, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = UINT64_C(0x8080808080808080);
    while (end - p >= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        word = le64toh(word);
        uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
        uint64_t found = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
                         ((word - ones * 0x20) & ~word) | word;
        found &= high;
        if (found)
            return p + __builtin_ctzll(found) / 8;
        p += 8;
    }
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
           *p != '\\')
        p++;
    return p;
}

/* The escape at `p`, a backslash, and what follows. */
static const char *scan_escape(struct scan *s, const char *p)
{
    if (s->end - p < 2)
        return fail(s, s->end, "the text ends inside a string");
    if (p[1] != 'u')
        return strchr("\"\\/bfnrt", p[1]) && p[1] ? p + 2
                                                  : fail(s, p, "there is no such escape in JSON");
    int unit = json_unit(p, s->end);
    if (unit < 0)
        return fail(s, p, "\\u needs four hexadecimal digits");
    if (s->any)
        return p + 6;
    if (unit == 0)
        return fail_beyond(s, p, "\\u0000 cannot be stored");
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return fail_beyond(s, p, "a low surrogate needs a high one before it");
    if (unit < 0xD800 || unit > 0xDBFF)
        return p + 6;
    int low = json_unit(p + 6, s->end);
    if (low < 0xDC00 || low > 0xDFFF)
        return fail_beyond(s, p, "a high surrogate needs a low one after it");
    return p + 12;
}

/* `p` is after the opening quote; the result is after the closing one. */
static const char *scan_string(struct scan *s, const char *p)
{
    for (;;) {
        p = skip_plain(p, s->end);
        if (p == s->end)
            return fail(s, p, "the text ends inside a string");
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            p = scan_escape(s, p);
            if (!p)
                return NULL;
        } else if ((unsigned char)*p < 0x20) {
            return fail(s, p, "a control character in a string must be escaped");
        } else {
            size_t n = utf8_character((struct span){p, (size_t)(s->end - p)});
            if (n == 0)
                return fail(s, p, "the text is not well-formed UTF-8");
            p += n;
        }
    }
}

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* The exponent's value, where *p is 'e' or 'E'; past what any number may have
 * it stops growing. */
static const char *scan_exponent(struct scan *s, const char *p, long *exponent)
{
    const long enough = 10L * NUMBER_DIGITS;
    p++;
    bool negative = p < s->end && *p == '-';
    if (p < s->end && (*p == '-' || *p == '+'))
        p++;
    const char *digits = p;
    p = skip_digits(p, s->end);
    if (p == digits)
        return fail(s, p, "a number's exponent needs a digit");
    long value = 0;
    for (const char *d = digits; d < p && value < enough; d++)
        value = value * 10 + (*d - '0');
    *exponent = negative ? -value : value;
    return p;
}

static const char *scan_number(struct scan *s, const char *start)
{
    const char *p = *start == '-' ? start + 1 : start;
    const char *whole = p;
    p = skip_digits(p, s->end);
    long whole_digits = p - whole, fraction_digits = 0, exponent = 0;
    if (whole_digits == 0)
        return fail(s, p, "a number needs a digit here");
    if (*whole == '0' && whole_digits > 1)
        return fail(s, start, "a number must not begin with a zero");
    if (p < s->end && *p == '.') {
        const char *fraction = ++p;
        p = skip_digits(p, s->end);
        fraction_digits = p - fraction;
        if (fraction_digits == 0)
            return fail(s, p, "a number needs a digit after its point");
    }
    if (p < s->end && (*p == 'e' || *p == 'E')) {
        p = scan_exponent(s, p, &exponent);
        if (!p)
            return NULL;
    }
    whole_digits += exponent;
    fraction_digits -= exponent;
    if (!s->any &&
        (whole_digits > 1 ? whole_digits : 1) + (fraction_digits > 0 ? fraction_digits : 0) >
            NUMBER_DIGITS)
        return fail_beyond(s, start, "a number must not have more than 400 digits");
    return p;
}

static const char *scan_word(struct scan *s, const char *p, const char *word, size_t len)
{
    if ((size_t)(s->end - p) >= len && memcmp(p, word, len) == 0)
        return p + len;
    return fail(s, p, "a JSON value is expected");
}

/* A value that is no object and no array. */
static const char *scan_scalar(struct scan *s, const char *p)
{
    if (p == s->end)
        return fail(s, p, "the text ends where a value is expected");
    switch (*p) {
    case '"':
        return scan_string(s, p + 1);
    case 't':
        return scan_word(s, p, "true", 4);
    case 'f':
        return scan_word(s, p, "false", 5);
    case 'n':
        return scan_word(s, p, "null", 4);
    default:
        if (*p == '-' || (*p >= '0' && *p <= '9'))
            return scan_number(s, p);
        return fail(s, p, "a JSON value is expected");
    }
}

/* `p` is at a member's name; the result is where its value begins. */
static const char *scan_name(struct scan *s, const char *p)
{
    if (p == s->end)
        return fail(s, p, "the text ends inside an object");
    if (*p != '"')
        return fail(s, p, "a member's name in double quotes is expected");
    p = scan_string(s, p + 1);
    if (!p)
        return NULL;
    p = skip_space(p, s->end);
    if (p == s->end || *p != ':')
        return fail(s, p, "':' is expected");
    return skip_space(p + 1, s->end);
}

/* `p` is at an opening bracket. The result is where the first value in it
 * begins; or, nothing being open any more that was not before, after "[]" or "{}". */
static const char *enter(struct scan *s, const char *p)
{
    bool object = *p == '{';
    if (s->depth == s->depth_limit)
        return fail_beyond(s, p, "objects and arrays are nested too deeply (more than 128 levels)");
    s->open[s->depth] = *p;
    p = skip_space(p + 1, s->end);
    if (p < s->end && *p == (object ? '}' : ']'))
        return p + 1;
    s->depth++;
    return object ? scan_name(s, p) : p;
}

/* `p` is after a value. Leaves what ends here; the result is where the next value
 * begins, or, when nothing is open any more, the end of the whole. */
static const char *go_on(struct scan *s, const char *p)
{
    for (; s->depth > 0; s->depth--, p++) {
        bool object = s->open[s->depth - 1] == '{';
        p = skip_space(p, s->end);
        if (p == s->end)
            return fail(
                s, p, object ? "the text ends inside an object" : "the text ends inside an array");
        if (*p == ',') {
            p = skip_space(p + 1, s->end);
            return object ? scan_name(s, p) : p;
        }
        if (*p != (object ? '}' : ']'))
            return fail(s, p, object ? "',' or '}' is expected" : "',' or ']' is expected");
    }
    return p;
}

/* No recursion: how deep the text is nested is for whoever sent it to say. */
static const char *scan_value(struct scan *s, const char *p)
{
    do {
        size_t depth = s->depth;
        bool bracket = p < s->end && (*p == '{' || *p == '[');
        p = bracket ? enter(s, p) : scan_scalar(s, p);
        if (p && s->depth == depth)
            p = go_on(s, p);
    } while (p && s->depth > 0);
    return p;
}

/* The whole text is one value. False: `problem` and `at` say why. */
static bool scan_text(struct scan *s, struct span text)
{
    s->end = text.ptr + text.len;
    const char *p = scan_value(s, skip_space(text.ptr, s->end));
    if (!p)
        return false;
    p = skip_space(p, s->end);
    return p == s->end || fail(s, p, "nothing may follow the JSON value");
}

static int explain(const struct scan *s, struct span text, struct fault *fault)
{
    return fault_set(fault, "", "%s: %s, at byte %zu",
                     s->beyond ? "JSON past what is taken here" : "not valid JSON", s->problem,
                     (size_t)(s->at - text.ptr));
}

static int no_text(struct fault *fault)
{
    return fault_set(fault, "", "there is no JSON here: the text is empty");
}

int json_scan_check(struct span text, struct fault *fault)
{
    char open[JSON_DEPTH_LIMIT];
    struct scan s = {.open = open, .depth_limit = JSON_DEPTH_LIMIT};
    if (text.len == 0)
        return no_text(fault);
    return scan_text(&s, text) ? 0 : explain(&s, text, fault);
}

int json_scan_grammar(struct span text, struct fault *fault)
{
    if (text.len == 0)
        return no_text(fault);
    char *open = malloc(text.len); /* no text has more levels than bytes */
    if (!open)
        return ERR_MEMORY;
    struct scan s = {.any = true, .open = open, .depth_limit = text.len};
    bool ok = scan_text(&s, text);
    free(open);
    return ok ? 0 : explain(&s, text, fault);
}
