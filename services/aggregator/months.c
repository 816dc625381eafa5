#include <stdlib.h>
#include <time.h>

#include "common/event/event_time.h"
#include "services/aggregator/events.h"
#include "sql.h"

/* A flag for each month from 1970 to 9999: what an event's time can be. */
#define MONTH_COUNT ((9999 - 1970 + 1) * 12)

struct months {
    bool there[MONTH_COUNT];
};

struct months *months_new(void)
{
    return calloc(1, sizeof(struct months));
}

void months_free(struct months *months)
{
    free(months);
}

void months_forget(struct months *months)
{
    *months = (struct months){0};
}

static size_t month_of(int64_t unix_us)
{
    time_t seconds = (time_t)(unix_us / 1000000);
    struct tm tm;
    if (unix_us < 0 || !gmtime_r(&seconds, &tm))
        return 0;
    size_t month = (size_t)(tm.tm_year - 70) * 12 + (size_t)tm.tm_mon;
    return month < MONTH_COUNT ? month : MONTH_COUNT - 1;
}

int events_make_months(struct pg *pg, const struct batch *batch, struct months *months)
{
    int64_t last_day = -1; /* most rows share their day with the one before */
    for (size_t i = 0; i < batch->row_count; i++) {
        int64_t occurred_at = batch->row[i].occurred_at;
        int64_t day = occurred_at / (INT64_C(86400) * 1000000);
        if (day == last_day)
            continue;
        last_day = day;
        size_t month = month_of(occurred_at);
        if (months->there[month])
            continue;
        char moment[EVENT_TIME_TEXT];
        event_time_format(occurred_at, moment);
        const char *const params[] = {moment};
        int rc = pg_query_prepared(pg, SQL_EVENTS_MAKE_MONTH, params, 1, NULL);
        if (rc != 0)
            return rc;
        months->there[month] = true;
    }
    return 0;
}
