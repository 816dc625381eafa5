/*
 * Numbers, moments, durations and sizes as text, beside computations of another
 * kind: digits as text, timegm(), regular expressions. The first byte is how far
 * a decimal's point is shifted.
 */
#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/duration.h"
#include "common/event/event_time.h"
#include "common/json/decimal.h"
#include "tests/fuzz/kit.h"

static bool matches(const char *pattern, const char *text)
{
    static struct {
        const char *pattern;
        regex_t compiled;
    } known[8];
    size_t i = 0;
    while (known[i].pattern && known[i].pattern != pattern)
        i++;
    if (!known[i].pattern) {
        expect(regcomp(&known[i].compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0, "a pattern");
        known[i].pattern = pattern;
    }
    return regexec(&known[i].compiled, text, 0, NULL, 0) == 0;
}

static const char decimal_grammar[] = "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?$";
static const char plain_grammar[] = "^-?(0|[1-9][0-9]{0,59})(\\.[0-9]{1,60})?$";
static const char time_grammar[] =
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:"
    "([0-5][0-9]|60)(\\.[0-9]+)?([Zz]|[-+]([01][0-9]|2[0-3]):[0-5][0-9])$";
static const char duration_grammar[] = "^[0-9]+ ?(ms|s|m|h|d)$";
static const char size_grammar[] = "^[0-9]+ ?(KiB|MiB|GiB)?$";

/* --- decimals --- */

/* A number as sign, digits without zeros at either end, and the power of ten of the
 * last one: what it is worth, however it was written. */
struct worth {
    bool negative;
    char digits[4096];
    size_t count;
    int64_t power;
    int64_t places; /* that stand after the point when it is written out */
};

static void weigh(const char *text, struct worth *w)
{
    *w = (struct worth){.negative = *text == '-'};
    bool fraction = false;
    for (text += w->negative; *text && *text != 'e' && *text != 'E'; text++) {
        if (*text == '.') {
            fraction = true;
            continue;
        }
        w->power -= fraction;
        if (w->count > 0 || *text != '0')
            w->digits[w->count++] = *text;
    }
    if (*text) {
        errno = 0;
        int64_t exponent = strtoll(text + 1, NULL, 10);
        const int64_t most = INT64_C(1000000000000);
        w->power += exponent > most ? most : exponent < -most ? -most : exponent;
    }
    w->places = w->power < 0 ? -w->power : 0;
    while (w->count > 0 && w->digits[w->count - 1] == '0') {
        w->count--;
        w->power++;
    }
    if (w->count == 0)
        w->negative = false, w->power = 0;
}

static bool worth_equal(const struct worth *a, const struct worth *b)
{
    return a->negative == b->negative && a->count == b->count && a->power == b->power &&
           memcmp(a->digits, b->digits, a->count) == 0;
}

/* PostgreSQL's numeric, digits to base 10000, written out again. */
static void expect_numeric(const char *plain)
{
    struct buffer numeric;
    struct worth want, got = {.negative = false};
    char text[600];
    buffer_init(&numeric, 256);
    decimal_append_numeric(&numeric, span_of(plain));
    expect(!numeric.failed && numeric.len >= 8, "a plain decimal is a numeric");
    const unsigned char *p = (const unsigned char *)numeric.data;
    int count = p[0] << 8 | p[1], weight = (int16_t)(p[2] << 8 | p[3]), scale = p[6] << 8 | p[7];
    int len = snprintf(text, sizeof text, "%s0", p[4] == 0x40 ? "-" : "");
    for (int i = 0; i < count; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "%04d",
                        p[8 + 2 * i] << 8 | p[9 + 2 * i]);
    snprintf(text + len, sizeof text - (size_t)len, "e%d", 4 * (weight - count + 1));
    expect(numeric.len == 8 + 2 * (size_t)count, "a numeric has the digits that it counts");
    weigh(plain, &want);
    weigh(text, &got);
    expect(worth_equal(&want, &got), "a numeric is worth what the decimal is");
    expect((int64_t)want.places == scale, "a numeric has the decimal's places");
    buffer_free(&numeric);
}

static void check_decimal(struct span text, int shift)
{
    struct fault fault = {.detail = ""};
    struct span plain, again;
    struct worth given, got;
    int rc = decimal_normalise(kit_arena(), text, shift, &plain, &fault);
    expect_told(rc, &fault);
    const char *copy = kit_text(text);
    bool number = strlen(copy) == text.len && matches(decimal_grammar, copy);
    if (!number) {
        expect(rc != 0, "what is no number is refused");
        return;
    }
    weigh(copy, &given);
    int64_t places = given.places - shift;
    given.power += given.count ? shift : 0;
    bool fits = given.power + (int64_t)given.count <= DECIMAL_DIGITS && places <= DECIMAL_DIGITS;
    expect((rc == 0) == fits, "a number is refused only for too many digits");
    if (rc != 0)
        return;
    copy = kit_text(plain);
    expect(matches(plain_grammar, copy), "it is written out plainly");
    weigh(copy, &got);
    expect(worth_equal(&given, &got), "not a digit is lost");
    expect(got.places == (places > 0 ? places : 0), "zeros after the point are kept");
    expect(decimal_normalise(kit_arena(), plain, 0, &again, NULL) == 0 && span_equal(plain, again),
           "written out again it is the same");
    expect_numeric(copy);
}

/* --- moments --- */

static int two(const char *text)
{
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* The moment by timegm. False: there is no such day. */
static bool moment_of(const char *text, int64_t *us, bool *leap)
{
    struct tm tm = {.tm_year = two(text) * 100 + two(text + 2) - 1900,
                    .tm_mon = two(text + 5) - 1,
                    .tm_mday = two(text + 8)};
    int day = tm.tm_mday;
    int64_t seconds = timegm(&tm);
    if (tm.tm_mday != day)
        return false;
    seconds += two(text + 11) * 3600 + two(text + 14) * 60 + two(text + 17);
    *leap = two(text + 17) == 60;
    const char *p = text + 19;
    int64_t fraction = 0, weight = 100000;
    for (p += *p == '.'; *p >= '0' && *p <= '9'; p++, weight /= 10)
        fraction += weight * (*p - '0');
    if (*p == '+' || *p == '-')
        seconds -= (*p == '-' ? -1 : 1) * (two(p + 1) * 3600 + two(p + 4) * 60);
    *us = seconds * 1000000 + fraction;
    return true;
}

#define FIRST_SECOND (-INT64_C(62135596800)) /* 0001-01-01T00:00:00Z */
#define LAST_SECOND  INT64_C(253402300799)   /* 9999-12-31T23:59:59Z */

static int64_t floor_seconds(int64_t us)
{
    return us / 1000000 - (us % 1000000 < 0);
}

static void check_round_trip(int64_t us)
{
    char text[EVENT_TIME_TEXT];
    int64_t back = -1;
    event_time_format(us, text);
    expect(strlen(text) < sizeof text && event_time_parse(kit_copy(span_of(text)), &back) == 0,
           "a moment written can be read");
    expect(back == us, "a moment read is the one that was written");
}

static void check_time(struct span text)
{
    int64_t us, want = 0;
    bool leap = false;
    int rc = event_time_parse(text, &us);
    const char *copy = kit_text(text);
    bool moment = strlen(copy) == text.len && matches(time_grammar, copy) &&
                  moment_of(copy, &want, &leap) && floor_seconds(want) >= FIRST_SECOND &&
                  floor_seconds(want) <= LAST_SECOND;
    if (moment && leap) {
        time_t after = (time_t)floor_seconds(want);
        struct tm tm;
        gmtime_r(&after, &tm);
        moment = tm.tm_mday == 1 && tm.tm_hour == 0 && tm.tm_min == 0 && tm.tm_sec == 0;
    }
    expect((rc == 0) == moment, "RFC 3339 is read, and nothing else");
    if (rc != 0)
        return;
    expect(us == want, "a moment is what timegm says");
    check_round_trip(us);
}

/* --- durations and sizes --- */

static void check_amount_of(const char *text, bool size)
{
    static const struct {
        const char *unit;
        int64_t factor;
    } units[] = {{"ms", 1},       {"s", 1000},   {"m", 60000},         {"h", 3600000},
                 {"d", 86400000}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1073741824},
                 {"", 1}};
    int64_t got = -1;
    int rc = size ? size_parse(text, &got) : duration_parse(text, &got);
    if (!matches(size ? size_grammar : duration_grammar, text)) {
        expect(rc != 0 || strcmp(text + strspn(text, "0123456789"), " ") == 0,
               "what is no amount is refused");
        return;
    }
    const char *unit = text + strspn(text, "0123456789 ");
    size_t i = 0;
    while (strcmp(units[i].unit, unit) != 0)
        i++;
    __int128 want = 0, most = size ? (__int128)1 << 50 : (__int128)100 * 366 * 86400000;
    for (const char *p = text; *p >= '0' && *p <= '9' && want <= most; p++)
        want = want * 10 + (*p - '0');
    want *= units[i].factor;
    expect((rc == 0) == (want <= most), "an amount is refused only where it is too large");
    expect(rc != 0 || got == (int64_t)want, "an amount is what it says");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 2000)
        return 0;
    struct span text = kit_copy((struct span){(const char *)data + 1, size - 1});
    check_decimal(text, (int)(data[0] % 32) - 16);
    check_time(text);
    const char *copy = kit_text(text);
    check_amount_of(copy, false);
    check_amount_of(copy, true);
    if (text.len >= 8) {
        int64_t us;
        memcpy(&us, text.ptr, sizeof us);
        us %= INT64_C(300000000000) * 1000000;
        if (floor_seconds(us) >= FIRST_SECOND && floor_seconds(us) <= LAST_SECOND)
            check_round_trip(us);
    }
    kit_end();
    return 0;
}
