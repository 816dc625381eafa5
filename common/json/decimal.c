#include "common/json/decimal.h"

#include <stdint.h>

/* A number as its digits and the place of the point among them: "1.50" is 150
 * with the point after 1. */
struct parts {
    bool negative;
    struct span whole, fraction;
    int64_t exponent;
};

/* Past this an exponent cannot bring the digits back within the bound. */
#define EXPONENT_ENOUGH INT64_C(1000000000)

static struct span take_digits(struct span *rest)
{
    struct span digits = {rest->ptr, 0};
    while (digits.len < rest->len && rest->ptr[digits.len] >= '0' && rest->ptr[digits.len] <= '9')
        digits.len++;
    rest->ptr += digits.len;
    rest->len -= digits.len;
    return digits;
}

static bool take_any(struct span *rest, const char *characters, char *taken)
{
    if (rest->len == 0 || *rest->ptr == '\0' || !strchr(characters, *rest->ptr))
        return false;
    *taken = *rest->ptr;
    rest->ptr++;
    rest->len--;
    return true;
}

static bool take_exponent(struct span *rest, int64_t *exponent)
{
    char sign = '+';
    if (!take_any(rest, "+-", &sign))
        sign = '+';
    struct span digits = take_digits(rest);
    int64_t value = 0;
    for (size_t i = 0; i < digits.len && value < EXPONENT_ENOUGH; i++)
        value = value * 10 + (digits.ptr[i] - '0');
    *exponent = sign == '-' ? -value : value;
    return digits.len > 0;
}

/* RFC 8259, section 6. */
static bool parse(struct span text, struct parts *parts)
{
    char taken;
    if (text.len == 0) /* absent, too: there is no byte to point at */
        return false;
    *parts = (struct parts){.negative = take_any(&text, "-", &taken)};
    parts->whole = take_digits(&text);
    if (parts->whole.len == 0 || (*parts->whole.ptr == '0' && parts->whole.len > 1))
        return false;
    if (take_any(&text, ".", &taken)) {
        parts->fraction = take_digits(&text);
        if (parts->fraction.len == 0)
            return false;
    }
    if (take_any(&text, "eE", &taken) && !take_exponent(&text, &parts->exponent))
        return false;
    return text.len == 0;
}

/* The digit whose weight is 10^-place: 0 is the one before the point. */
static char digit_at(const struct parts *parts, int64_t place)
{
    int64_t index = (int64_t)parts->whole.len - 1 + parts->exponent + place;
    if (index < 0)
        return '0';
    size_t i = (size_t)index;
    if (i < parts->whole.len)
        return parts->whole.ptr[i];
    i -= parts->whole.len;
    return i < parts->fraction.len ? parts->fraction.ptr[i] : '0';
}

/* How many zeros the digits begin with. */
static size_t leading_zeros(const struct parts *parts)
{
    size_t zeros = 0;
    while (zeros < parts->whole.len && parts->whole.ptr[zeros] == '0')
        zeros++;
    if (zeros < parts->whole.len)
        return zeros;
    while (zeros < parts->whole.len + parts->fraction.len &&
           parts->fraction.ptr[zeros - parts->whole.len] == '0')
        zeros++;
    return zeros;
}

int decimal_normalise(struct arena *arena, struct span text, int shift, struct span *out,
                      struct fault *fault)
{
    struct parts parts;
    if (!parse(text, &parts))
        return fault_set(fault, "", "must be a decimal number like 20.00");
    /* First written out, then shifted: 1e2 is 100 and, shifted by -2, 1.00. */
    int64_t after = (int64_t)parts.fraction.len - parts.exponent;
    after = (after > 0 ? after : 0) - shift;
    parts.exponent += shift;
    size_t zeros = leading_zeros(&parts);
    bool zero = zeros == parts.whole.len + parts.fraction.len;
    int64_t before = zero ? 0 : (int64_t)parts.whole.len + parts.exponent - (int64_t)zeros;
    if (before > DECIMAL_DIGITS || after > DECIMAL_DIGITS)
        return fault_set(fault, "",
                         "must not have more than %d digits before or after the decimal point",
                         DECIMAL_DIGITS);
    char number[2 * DECIMAL_DIGITS + 2];
    size_t len = 0;
    if (parts.negative && !zero)
        number[len++] = '-';
    for (int64_t place = before > 1 ? 1 - before : 0; place <= 0; place++)
        number[len++] = digit_at(&parts, place);
    if (after > 0)
        number[len++] = '.';
    for (int64_t place = 1; place <= after; place++)
        number[len++] = digit_at(&parts, place);
    *out = arena_copy(arena, (struct span){number, len});
    return out->ptr ? 0 : ERR_MEMORY;
}

/* The digits in groups of four around the point, as PostgreSQL counts: to base 10000. */
struct groups {
    uint16_t digits[(DECIMAL_DIGITS + 3) / 4 * 2];
    size_t first, count; /* those between leading and trailing zero groups */
    int weight;          /* of the first: a power of 10000 */
};

static uint16_t group_of(struct span digits, ptrdiff_t from)
{
    unsigned value = 0;
    for (ptrdiff_t i = from; i < from + 4; i++)
        value = value * 10 +
                (i >= 0 && i < (ptrdiff_t)digits.len ? (unsigned)(digits.ptr[i] - '0') : 0);
    return (uint16_t)value;
}

static struct groups group(struct span whole, struct span fraction)
{
    struct groups g = {.weight = (int)((whole.len + 3) / 4) - 1};
    size_t n = 0;
    for (ptrdiff_t at = (ptrdiff_t)whole.len - 4 * (g.weight + 1); at < (ptrdiff_t)whole.len;
         at += 4)
        g.digits[n++] = group_of(whole, at);
    for (size_t at = 0; at < fraction.len; at += 4)
        g.digits[n++] = group_of(fraction, (ptrdiff_t)at);
    while (g.first < n && g.digits[g.first] == 0) {
        g.first++;
        g.weight--;
    }
    while (n > g.first && g.digits[n - 1] == 0)
        n--;
    g.count = n - g.first;
    if (g.count == 0)
        g.weight = 0;
    return g;
}

void decimal_append_numeric(struct buffer *out, struct span decimal)
{
    const uint16_t numeric_positive = 0x0000, numeric_negative = 0x4000;
    bool negative = decimal.len > 0 && *decimal.ptr == '-';
    struct span rest = {decimal.ptr + negative, decimal.len - negative};
    char taken;
    struct span whole = take_digits(&rest), fraction = {0};
    if (take_any(&rest, ".", &taken))
        fraction = take_digits(&rest);
    if (rest.len > 0 || whole.len == 0 || whole.len > DECIMAL_DIGITS ||
        fraction.len > DECIMAL_DIGITS) {
        out->failed = true; /* no text of decimal_normalise */
        return;
    }
    struct groups g = group(whole, fraction);
    buffer_append_be16(out, (uint16_t)g.count);
    buffer_append_be16(out, (uint16_t)g.weight);
    buffer_append_be16(out, negative ? numeric_negative : numeric_positive);
    buffer_append_be16(out, (uint16_t)fraction.len);
    for (size_t i = 0; i < g.count; i++)
        buffer_append_be16(out, g.digits[g.first + i]);
}
