/*
 * What became of openings, told on events.<department>: throughline.handoff.delivered and
 * throughline.handoff.undeliverable. A report that Kafka did not take is published again; the same
 * id and time each time. Not more than a few are under way, so that the intake, whose producer
 * this is, keeps its room. Thread-safe; nothing waits.
 */
#ifndef SERVICES_DEPARTMENT_DELIVERY_REPORTS_H
#define SERVICES_DEPARTMENT_DELIVERY_REPORTS_H

#include "common/kafka/kafka_producer.h"
#include "services/department/delivery_queue.h"
#include "services/department/handoff_change.h"

struct delivery_report {
    struct delivery_report *next; /* the reports' own, as the one below */
    struct delivery_reports *reports;
    const struct handoff_change *change;
    struct delivery *delivery; /* the caller's */
    bool delivered;
    char note[320]; /* why it is undeliverable */
    int64_t time_us;
};

struct delivery_reports;

/* `acknowledged` is called once for each report, with the context, when Kafka has it: from one of
 * the producer's threads, with no lock held. NULL without memory. */
struct delivery_reports *
delivery_reports_new(struct kafka_producer *producer, const char *department,
                     void (*acknowledged)(void *context, struct delivery_report *report),
                     void *context);

/* When the producer was closed: one that Kafka did not acknowledge, the caller's again; NULL: there
 * is none any more. */
struct delivery_report *delivery_reports_take_back(struct delivery_reports *reports);

/* When the producer was closed. NULL is fine. */
void delivery_reports_free(struct delivery_reports *reports);

/* The report, and its change, must live until it is acknowledged. */
void delivery_reports_add(struct delivery_reports *reports, struct delivery_report *report);

/* Publishes what waits. */
void delivery_reports_flush(struct delivery_reports *reports);

/* How many are not acknowledged. */
size_t delivery_reports_count(struct delivery_reports *reports);

#endif
