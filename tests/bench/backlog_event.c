#include "tests/bench/backlog_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/event/event_time.h"

#define DATA_BYTES  220
#define END_SECOND  INT64_C(1741651200) /* 2025-03-11T00:00:00Z */
#define DAY_SECONDS INT64_C(86400)
#define TYPES       4

static const struct sender {
    const char *department, *source;
    struct {
        const char *type;
        const char *before, *after; /* members of data, around a number */
    } types[TYPES];
} senders[] = {
    {"sales",
     "/crm",
     {{"sales.deal.won", "\"amount\":", ".50,\"currency\":\"EUR\""},
      {"sales.call.made", "\"minutes\":", ""},
      {"sales.email.sent", "\"message\":\"m-", "\""},
      {"sales.deal.stage_changed", "\"stage\":\"proposal\",\"deal\":\"d-", "\""}}},
    {"billing",
     "/billing",
     {{"billing.invoice.issued", "\"amount\":", ".50,\"currency\":\"EUR\""},
      {"billing.invoice.paid", "\"amount\":", ".50,\"currency\":\"EUR\""},
      {"billing.payment.failed", "\"amount\":", ".50,\"currency\":\"EUR\""},
      {"billing.reminder.sent", "\"reminder\":\"r-", "\""}}},
    {"service",
     "/desk",
     {{"service.ticket.opened", "\"summary\":\"The pump stands still\",\"ticket\":\"t-", "\""},
      {"service.ticket.commented", "\"ticket\":\"t-", "\""},
      {"service.ticket.solved", "\"ticket\":\"t-", "\""},
      {"service.satisfaction.rated", "\"score\":4,\"ticket\":\"t-", "\""}}},
};

#define SENDERS (sizeof senders / sizeof *senders)

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators"). */
static uint64_t mix(uint64_t number)
{
    uint64_t z = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t customer_of(const struct backlog *backlog, uint32_t number)
{
    return backlog->regular > 0 && number % backlog->regular == 0 ? 0 : number % backlog->customers;
}

/* "" for nine events of ten; all events of a customer name the same account, if any. */
static void name_account(const struct backlog *backlog, uint32_t number, char *text, size_t size)
{
    uint32_t customer = customer_of(backlog, number);
    *text = '\0';
    if ((number / backlog->customers + customer) % 10 == 0)
        snprintf(text, size, ",\"account\":{\"domain\":\"firm%05" PRIu32 ".example\"}",
                 customer % backlog->accounts);
}

/* A note makes every data equally long. */
static struct span make_data(const struct backlog *backlog, uint32_t number, const char *before,
                             const char *after, struct arena *arena)
{
    static const char note[] =
        "Asked about the delivery of spare parts and the dates of the next maintenance, wants to "
        "be called back before the end of the week, prefers the afternoon";
    char account[64];
    name_account(backlog, number, account, sizeof account);
    char *data = arena_alloc(arena, DATA_BYTES + 1);
    if (!data)
        return (struct span){NULL, 0};
    int len = snprintf(
        data, DATA_BYTES + 1,
        "{\"customer\":{\"email\":\"p%06" PRIu32 "@mail.example\"%s},%s%05" PRIu32 "%s,\"note\":\"",
        customer_of(backlog, number), account, before, 10000 + number % 90000, after);
    snprintf(data + len, DATA_BYTES + 1 - (size_t)len, "%.*s\"}", DATA_BYTES - len - 2, note);
    return (struct span){data, DATA_BYTES};
}

const char *backlog_event(const struct backlog *backlog, uint32_t number, struct arena *arena,
                          struct event *event)
{
    uint64_t random = mix(number);
    const struct sender *sender = &senders[random % SENDERS];
    size_t type = (random >> 32) % TYPES;
    char *time = arena_alloc(arena, EVENT_TIME_TEXT);
    char *id = arena_printf(arena, "evt-%08" PRIx32, number);
    struct span data =
        make_data(backlog, number, sender->types[type].before, sender->types[type].after, arena);
    if (!time || !id || !data.ptr)
        return NULL;
    int64_t span = DAY_SECONDS * backlog->days;
    event_time_format((END_SECOND - span + span * number / backlog->events) * 1000000, time);
    *event = (struct event){
        .id = span_of(id),
        .source = span_of(sender->source),
        .type = span_of(sender->types[type].type),
        .time = span_of(time),
        .data_kind = EVENT_DATA_JSON,
        .data = data,
    };
    return sender->department;
}

uint32_t *backlog_order(const struct backlog *backlog)
{
    uint32_t *order = calloc(backlog->events, sizeof *order);
    if (!order)
        return NULL;
    for (uint32_t i = 0; i < backlog->events; i++) { /* Fisher and Yates, inside out */
        uint32_t j = (uint32_t)(mix(i) % (i + 1));
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}
