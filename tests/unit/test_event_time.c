#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/event/event_time.h"

#define DAY_US INT64_C(86400000000)

struct good {
    const char *text;
    int64_t microseconds;
    const char *formatted; /* NULL: as `text` */
};

static const struct good good[] = {
    {"1970-01-01T00:00:00Z", 0, NULL},
    {"1970-01-01T00:00:00.000001Z", 1, NULL},
    {"1970-01-01t00:00:01z", 1000000, "1970-01-01T00:00:01Z"},
    {"1969-12-31T23:59:59Z", -1000000, NULL},
    {"1969-12-31T23:59:59.999999Z", -1, NULL},
    {"1970-01-02T00:00:00Z", DAY_US, NULL},
    {"2026-01-08T10:12:07.672717Z", INT64_C(1767867127672717), NULL},
    {"2026-01-08T10:12:07.672717999Z", INT64_C(1767867127672717), "2026-01-08T10:12:07.672717Z"},
    {"2026-01-08T10:12:07.6Z", INT64_C(1767867127600000), "2026-01-08T10:12:07.600000Z"},
    {"2026-01-08T10:12:07.000000000Z", INT64_C(1767867127000000), "2026-01-08T10:12:07Z"},
    {"2026-01-08T10:12:07.00000099999999999999999999999Z", INT64_C(1767867127000000),
     "2026-01-08T10:12:07Z"},
    {"2026-01-08T11:12:07+01:00", INT64_C(1767867127000000), "2026-01-08T10:12:07Z"},
    {"2026-01-08T04:42:07-05:30", INT64_C(1767867127000000), "2026-01-08T10:12:07Z"},
    {"2026-01-08T10:12:07-00:00", INT64_C(1767867127000000), "2026-01-08T10:12:07Z"},
    {"2026-01-09T10:11:07+23:59", INT64_C(1767867127000000), "2026-01-08T10:12:07Z"},
    {"2026-01-01T00:30:00+01:00", INT64_C(1767223800000000), "2025-12-31T23:30:00Z"},
    {"2000-02-29T12:00:00Z", INT64_C(951825600000000), NULL},
    {"2024-02-29T00:00:00Z", INT64_C(1709164800000000), NULL},
    {"2024-03-01T00:00:00Z", INT64_C(1709251200000000), NULL},
    {"2024-12-31T23:59:59Z", INT64_C(1735689599000000), NULL},
    {"1900-03-01T00:00:00Z", INT64_C(-2203891200000000), NULL},
    {"2016-12-31T23:59:60Z", INT64_C(1483228800000000), "2017-01-01T00:00:00Z"},
    {"2016-12-31T23:59:60.5Z", INT64_C(1483228800500000), "2017-01-01T00:00:00.500000Z"},
    {"1990-12-31T15:59:60-08:00", INT64_C(662688000000000), "1991-01-01T00:00:00Z"},
    {"2015-06-30T23:59:60Z", INT64_C(1435708800000000), "2015-07-01T00:00:00Z"},
    {"0001-01-01T00:00:00Z", INT64_C(-62135596800000000), NULL},
    {"0000-12-31T23:00:00-01:00", INT64_C(-62135596800000000), "0001-01-01T00:00:00Z"},
    {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999), NULL},
    {"9999-12-31T23:59:59Z", INT64_C(253402300799000000), NULL},
    {"2038-01-19T03:14:08Z", INT64_C(2147483648000000), NULL},
};

static const char *const bad[] = {
    "",
    "2026-01-08",
    "10:12:07Z",
    "2026-01-08T10:12:07",
    "2026-01-08 10:12:07Z",
    "2026-01-08T10:12Z",
    "2026-01-08T10:12:07.Z",
    "2026-01-08T10:12:07,5Z",
    "2026-01-08T10:12:07ZZ",
    "2026-01-08T10:12:07Z ",
    " 2026-01-08T10:12:07Z",
    "2026-01-08T10:12:07+0100",
    "2026-01-08T10:12:07+01",
    "2026-01-08T10:12:07+24:00",
    "2026-01-08T10:12:07+01:60",
    "2026-01-08T10:12:07+1:00",
    "2026-01-08T24:00:00Z",
    "2026-01-08T10:60:00Z",
    "2026-01-08T10:12:61Z",
    "2026-01-08T10:12:60Z",
    "2026-01-08T23:59:60Z",
    "2016-12-31T23:59:60+01:00",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-32T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "10000-01-01T00:00:00Z",
    "294277-01-01T00:00:00Z",
    "-001-01-01T00:00:00Z",
    "26-01-08T10:12:07Z",
    "2026-1-8T10:12:07Z",
    "20260108T101207Z",
    "2026-W02-4T10:12:07Z",
    "2026-008T10:12:07Z",
    "now",
    "1767867127",
};

static void reads_and_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t microseconds = 42;
        char text[EVENT_TIME_TEXT];
        print_message("%s\n", good[i].text);
        assert_int_equal(event_time_parse(span_of(good[i].text), &microseconds), 0);
        assert_int_equal(microseconds, good[i].microseconds);
        event_time_format(microseconds, text);
        assert_string_equal(text, good[i].formatted ? good[i].formatted : good[i].text);
    }
}

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t microseconds;
        print_message("%s\n", bad[i]);
        assert_int_equal(event_time_parse(span_of(bad[i]), &microseconds), ERR_INVALID);
    }
    assert_int_equal(event_time_parse((struct span){NULL, 0}, &(int64_t){0}), ERR_INVALID);
}

/* Every day there is, in order: each formats to a date that reads back as it. */
static void every_day_reads_back(void **state)
{
    (void)state;
    for (int64_t day = -719162; day <= 2932896; day++) {
        char text[EVENT_TIME_TEXT];
        int64_t back;
        event_time_format(day * DAY_US + 1, text);
        if (event_time_parse(span_of(text), &back) != 0 || back != day * DAY_US + 1)
            fail_msg("day %lld became %s", (long long)day, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(refuses),
        cmocka_unit_test(every_day_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
