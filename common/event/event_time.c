#include "common/event/event_time.h"

#include <stdio.h>

#define SECOND INT64_C(1000000)
#define DAY    (86400 * SECOND)

struct date {
    int64_t year;
    int month, day;
};

/* What is left to read of the text. */
struct reader {
    const char *at, *end;
};

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_digits(struct reader *r, int count, int *value)
{
    if (r->end - r->at < count)
        return false;
    *value = 0;
    for (; count > 0; count--, r->at++) {
        if (!digit(*r->at))
            return false;
        *value = *value * 10 + (*r->at - '0');
    }
    return true;
}

/* One of two characters (a letter in both cases). */
static bool take(struct reader *r, char c, char other)
{
    if (r->at == r->end || (*r->at != c && *r->at != other))
        return false;
    r->at++;
    return true;
}

static bool leap_year(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && leap_year(year) ? 29 : days[month - 1];
}

/* Days from 0001-01-01 to the first of January of a year. */
static int64_t days_before_year(int64_t year)
{
    int64_t past = year - 1;
    if (past < 0) /* year 0 of a text whose offset may lift it into year 1 */
        return -366;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

static int days_before_month(int64_t year, int month)
{
    static const int days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    return days[month - 1] + (month > 2 && leap_year(year) ? 1 : 0);
}

#define DAYS_TO_1970 INT64_C(719162) /* from 0001-01-01 */

static int64_t days_since_1970(const struct date *date)
{
    return days_before_year(date->year) + days_before_month(date->year, date->month) + date->day -
           1 - DAYS_TO_1970;
}

static struct date date_of_days(int64_t days_since)
{
    int64_t days = days_since + DAYS_TO_1970;
    struct date date = {.year = days / 366 + 1, .month = 1}; /* not past the right one */
    while (days_before_year(date.year + 1) <= days)
        date.year++;
    days -= days_before_year(date.year);
    while (days >= days_in_month(date.year, date.month))
        days -= days_in_month(date.year, date.month++);
    date.day = (int)days + 1;
    return date;
}

static bool take_date(struct reader *r, struct date *date)
{
    int year;
    if (!take_digits(r, 4, &year) || !take(r, '-', '-') || !take_digits(r, 2, &date->month) ||
        !take(r, '-', '-') || !take_digits(r, 2, &date->day))
        return false;
    date->year = year;
    return date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= days_in_month(year, date->month);
}

/* ".672717000", cut to microseconds; nothing is no fraction. */
static bool take_fraction(struct reader *r, int *microseconds)
{
    *microseconds = 0;
    if (!take(r, '.', '.'))
        return true;
    const char *start = r->at;
    int weight = (int)(SECOND / 10);
    for (; r->at < r->end && digit(*r->at); r->at++, weight /= 10)
        *microseconds += weight * (*r->at - '0');
    return r->at > start;
}

/* "Z" or "+05:30", in seconds. */
static bool take_offset(struct reader *r, int *seconds)
{
    *seconds = 0;
    if (take(r, 'Z', 'z'))
        return true;
    if (r->at == r->end)
        return false;
    int sign = *r->at == '-' ? -1 : 1, hour, minute;
    if (!take(r, '+', '-') || !take_digits(r, 2, &hour) || !take(r, ':', ':') ||
        !take_digits(r, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *seconds = sign * (hour * 3600 + minute * 60);
    return true;
}

/* A leap second is the last one of a month in UTC (RFC 3339, appendix D), so
 * the second after it is the first of the next. */
static bool follows_leap_second(int64_t seconds_since_1970)
{
    return seconds_since_1970 % 86400 == 0 && date_of_days(seconds_since_1970 / 86400).day == 1;
}

int event_time_parse(struct span text, int64_t *microseconds)
{
    if (!text.ptr)
        return ERR_INVALID; /* absent */
    struct reader r = {text.ptr, text.ptr + text.len};
    struct date date;
    int hour, minute, second, fraction, offset;
    if (!take_date(&r, &date) || !take(&r, 'T', 't') || !take_digits(&r, 2, &hour) ||
        !take(&r, ':', ':') || !take_digits(&r, 2, &minute) || !take(&r, ':', ':') ||
        !take_digits(&r, 2, &second) || !take_fraction(&r, &fraction) || !take_offset(&r, &offset))
        return ERR_INVALID;
    if (r.at != r.end || hour > 23 || minute > 59 || second > 60)
        return ERR_INVALID;
    int64_t seconds = days_since_1970(&date) * 86400 + hour * 3600 + minute * 60 + second - offset;
    if (seconds < -DAYS_TO_1970 * 86400 || seconds > INT64_C(253402300799))
        return ERR_INVALID; /* in UTC before year 1, or after 9999 */
    if (second == 60 && !follows_leap_second(seconds))
        return ERR_INVALID;
    *microseconds = seconds * SECOND + fraction;
    return 0;
}

void event_time_format(int64_t microseconds, char text[EVENT_TIME_TEXT])
{
    int64_t days = microseconds / DAY, rest = microseconds % DAY;
    if (rest < 0) {
        rest += DAY;
        days--;
    }
    struct date date = date_of_days(days);
    int seconds = (int)(rest / SECOND), fraction = (int)(rest % SECOND);
    int len = snprintf(text, EVENT_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", (int)date.year,
                       date.month, date.day, seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (fraction)
        len += snprintf(text + len, EVENT_TIME_TEXT - (size_t)len, ".%06d", fraction);
    snprintf(text + len, EVENT_TIME_TEXT - (size_t)len, "Z");
}
