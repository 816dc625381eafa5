#include "services/department/delivery_reports.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/event/event.h"
#include "common/event/system_events.h"
#include "services/department/handoff_message.h"

#define UNDER_WAY_LIMIT 64
#define RECORD_MEMORY   (16 * 1024)
#define REPORT_ID_SIZE  128

struct delivery_reports {
    struct kafka_producer *producer;
    const char *department;
    char topic[64];
    void (*acknowledged)(void *context, struct delivery_report *report);
    void *context;
    pthread_mutex_t lock; /* for all below */
    struct delivery_report *first, *last;
    size_t under_way, waiting;
};

struct delivery_reports *
delivery_reports_new(struct kafka_producer *producer, const char *department,
                     void (*acknowledged)(void *context, struct delivery_report *report),
                     void *context)
{
    struct delivery_reports *reports = calloc(1, sizeof *reports);
    if (!reports)
        return NULL;
    reports->producer = producer;
    reports->department = department;
    snprintf(reports->topic, sizeof reports->topic, "events.%s", department);
    reports->acknowledged = acknowledged;
    reports->context = context;
    if (pthread_mutex_init(&reports->lock, NULL) != 0) {
        free(reports);
        return NULL;
    }
    return reports;
}

void delivery_reports_free(struct delivery_reports *reports)
{
    if (!reports)
        return;
    pthread_mutex_destroy(&reports->lock);
    free(reports);
}

static void append(struct delivery_reports *reports, struct delivery_report *report)
{
    report->next = NULL;
    if (reports->last)
        reports->last->next = report;
    else
        reports->first = report;
    reports->last = report;
    reports->waiting++;
}

void delivery_reports_add(struct delivery_reports *reports, struct delivery_report *report)
{
    report->reports = reports;
    pthread_mutex_lock(&reports->lock);
    append(reports, report);
    pthread_mutex_unlock(&reports->lock);
}

/* With the lock. */
static struct delivery_report *take_first(struct delivery_reports *reports)
{
    struct delivery_report *report = reports->first;
    if (!report)
        return NULL;
    reports->first = report->next;
    if (!reports->first)
        reports->last = NULL;
    reports->waiting--;
    return report;
}

static struct delivery_report *take(struct delivery_reports *reports)
{
    struct delivery_report *report = NULL;
    pthread_mutex_lock(&reports->lock);
    if (reports->under_way < UNDER_WAY_LIMIT)
        report = take_first(reports);
    if (report)
        reports->under_way++;
    pthread_mutex_unlock(&reports->lock);
    return report;
}

struct delivery_report *delivery_reports_take_back(struct delivery_reports *reports)
{
    pthread_mutex_lock(&reports->lock);
    struct delivery_report *report = take_first(reports);
    pthread_mutex_unlock(&reports->lock);
    return report;
}

static void put_back(struct delivery_reports *reports, struct delivery_report *report)
{
    pthread_mutex_lock(&reports->lock);
    reports->under_way--;
    append(reports, report);
    pthread_mutex_unlock(&reports->lock);
}

static void on_delivered(void *opaque, int result)
{
    struct delivery_report *report = opaque;
    struct delivery_reports *reports = report->reports;
    if (result != 0) { /* published again by the next flush */
        put_back(reports, report);
        return;
    }
    reports->acknowledged(reports->context, report);
    pthread_mutex_lock(&reports->lock);
    reports->under_way--;
    pthread_mutex_unlock(&reports->lock);
}

static int publish(struct delivery_reports *reports, struct delivery_report *report)
{
    const struct handoff_change *change = report->change;
    char id[REPORT_ID_SIZE];
    struct arena arena;
    struct record record;
    snprintf(id, sizeof id, "%s/%lld/%s", change->handoff_id, (long long)change->sequence,
             report->delivered ? "delivered" : "undeliverable");
    const struct handoff_message message = {
        .department = reports->department,
        .type = span_of(report->delivered ? TYPE_HANDOFF_DELIVERED : TYPE_HANDOFF_UNDELIVERABLE),
        .id = span_of(id),
        .handoff_id = span_of(change->handoff_id),
        .note = span_of(report->delivered ? NULL : report->note),
        .sequence = change->sequence,
        .traceparent = span_of(change->traceparent),
        .time_us = report->time_us,
    };
    arena_init(&arena, RECORD_MEMORY + EVENT_VALUE_LIMIT);
    int rc = handoff_message_record(&message, &arena, &record);
    if (rc == 0) {
        record.topic = span_of(reports->topic);
        rc = kafka_producer_send(reports->producer, &record, on_delivered, report);
    }
    arena_free(&arena);
    return rc;
}

void delivery_reports_flush(struct delivery_reports *reports)
{
    struct delivery_report *report;
    while ((report = take(reports))) {
        if (publish(reports, report) == 0)
            continue;
        put_back(reports, report);
        break;
    }
}

size_t delivery_reports_count(struct delivery_reports *reports)
{
    pthread_mutex_lock(&reports->lock);
    size_t count = reports->waiting + reports->under_way;
    pthread_mutex_unlock(&reports->lock);
    return count;
}
