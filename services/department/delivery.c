#include "services/department/delivery.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/sync.h"
#include "services/department/delivery_log.h"
#include "services/department/delivery_metrics.h"
#include "services/department/delivery_reports.h"
#include "services/department/receiver.h"

#define THREADS_LIMIT   64
#define LOOK_MS         1000    /* a thread looks at the queue at least so often */
#define OVERTAKEN_LIMIT 1000000 /* by so many: a restart would send them all again */

/* A change in the queue: its payload. */
struct parcel {
    struct delivery_desk *desk;
    struct handoff_change *change;
    struct delivery_report report;
};

struct delivery_desk {
    const struct config *config;
    struct delivery_reports *reports;
    struct delivery_log log;
    atomic_bool cut;      /* tries under way are given up */
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t changed;
    struct delivery_queue *queue;
    size_t bytes, byte_limit, change_limit;
    bool was_full;
    bool stopping;
    int64_t cut_at_ms;
    size_t running; /* threads */
    pthread_t threads[THREADS_LIMIT];
    size_t thread_count;
    struct receiver *renewed[THREADS_LIMIT]; /* for each thread's next delivery; NULL: none */
};

/* With the lock. */
static void free_parcel(void *payload)
{
    struct parcel *parcel = payload;
    parcel->desk->bytes -= parcel->change->body_len;
    handoff_change_free(parcel->change);
    free(parcel);
}

/* With the lock. */
static void settle(struct delivery_desk *desk, struct delivery *delivery)
{
    delivery_queue_settle(desk->queue, delivery);
    pthread_cond_signal(&desk->changed);
}

static void on_acknowledged(void *context, struct delivery_report *report)
{
    struct delivery_desk *desk = context;
    pthread_mutex_lock(&desk->lock);
    settle(desk, report->delivery);
    pthread_mutex_unlock(&desk->lock);
}

/* --- the threads --- */

/* With the lock. The next change, once there is one; NULL: the desk stops. */
static struct delivery *next_delivery(struct delivery_desk *desk)
{
    while (!desk->stopping) {
        int64_t wait;
        struct delivery *delivery = delivery_queue_next(desk->queue, clock_monotonic_ms(), &wait);
        if (delivery) {
            pthread_cond_signal(&desk->changed); /* there may be another one */
            return delivery;
        }
        struct timespec until = clock_monotonic_after(wait < 0 || wait > LOOK_MS ? LOOK_MS : wait);
        pthread_cond_timedwait(&desk->changed, &desk->lock, &until);
    }
    return NULL;
}

/* With the lock. True where there is something to report. */
static bool conclude(struct delivery_desk *desk, struct delivery *delivery, bool delivered,
                     const struct receipt *receipt)
{
    struct parcel *parcel = delivery->payload;
    delivery_count_end(delivered);
    if (!delivered)
        delivery_log_given_up(&desk->log, parcel->change, delivery->tries, receipt->detail);
    if (!parcel->change->opened) {
        settle(desk, delivery);
        return false;
    }
    parcel->report.delivery = delivery;
    parcel->report.change = parcel->change;
    parcel->report.delivered = delivered;
    parcel->report.time_us = clock_wall_us();
    snprintf(parcel->report.note, sizeof parcel->report.note, "%d tries; the receiver %.280s",
             delivery->tries, receipt->detail);
    delivery_reports_add(desk->reports, &parcel->report);
    return true;
}

/* With the lock. */
static bool judge(struct delivery_desk *desk, struct delivery *delivery,
                  const struct receipt *receipt)
{
    struct parcel *parcel = delivery->payload;
    char handoff_id[EVENT_UID_TEXT];
    memcpy(handoff_id, parcel->change->handoff_id, sizeof handoff_id);
    if (atomic_load(&desk->cut) && receipt->outcome == DELIVERY_FAILED) { /* it was cut off */
        delivery_queue_return(desk->queue, delivery);
        return false;
    }
    delivery_count_try(receipt->outcome);
    enum delivery_verdict verdict = delivery_queue_judge(
        desk->queue, delivery, receipt->outcome, receipt->retry_after_ms, clock_monotonic_ms());
    delivery_log_try(&desk->log, handoff_id, receipt, delivery_queue_broken(desk->queue));
    delivery_show_breaker(delivery_queue_broken(desk->queue));
    if (verdict == VERDICT_REVOKED || verdict == VERDICT_AGAIN)
        return false;
    return conclude(desk, delivery, verdict == VERDICT_DELIVERED, receipt);
}

struct worker {
    struct delivery_desk *desk;
    size_t number;
    struct receiver *receiver;
};

/* With the lock. The receiver that is not used any more, to be freed without it. */
static struct receiver *take_renewed(struct worker *worker)
{
    struct receiver *renewed = worker->desk->renewed[worker->number];
    if (!renewed)
        return NULL;
    struct receiver *old = worker->receiver;
    worker->desk->renewed[worker->number] = NULL;
    worker->receiver = renewed;
    return old;
}

static void deliver_on(struct worker *worker)
{
    struct delivery_desk *desk = worker->desk;
    struct delivery *delivery;
    pthread_mutex_lock(&desk->lock);
    while ((delivery = next_delivery(desk))) {
        struct receipt receipt;
        struct parcel *parcel = delivery->payload;
        struct receiver *old = take_renewed(worker);
        pthread_mutex_unlock(&desk->lock);
        receiver_free(old);
        receiver_post(worker->receiver, parcel->change, clock_wall_us() / 1000000, &receipt);
        pthread_mutex_lock(&desk->lock);
        if (!judge(desk, delivery, &receipt))
            continue;
        pthread_mutex_unlock(&desk->lock);
        delivery_reports_flush(desk->reports);
        pthread_mutex_lock(&desk->lock);
    }
    pthread_mutex_unlock(&desk->lock);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct delivery_desk *desk = worker->desk;
    deliver_on(worker);
    receiver_free(worker->receiver);
    free(worker);
    pthread_mutex_lock(&desk->lock);
    desk->running--;
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
    return NULL;
}

static int start_thread(struct delivery_desk *desk)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return ERR_MEMORY;
    worker->desk = desk;
    worker->number = desk->thread_count;
    int rc = receiver_new(desk->config, &desk->cut, &worker->receiver);
    if (rc == 0) {
        desk->running++;
        rc = pthread_create(&desk->threads[desk->thread_count], NULL, work, worker);
        if (rc == 0) {
            desk->thread_count++;
            return 0;
        }
        desk->running--;
        log_error("Cannot start a thread for deliveries", LOG_TEXT("error", strerror(rc)));
        receiver_free(worker->receiver);
        rc = ERR_IO;
    }
    free(worker);
    return rc;
}

/* --- open and end --- */

static struct delivery_limits limits_of(const struct config *config)
{
    return (struct delivery_limits){
        .changes = (size_t)config_number(config, "deliver_queue_records"),
        .overtaken = OVERTAKEN_LIMIT,
        .retry_floor_ms = (int)config_number(config, "deliver_retry_floor"),
        .retry_ceiling_ms = (int)config_number(config, "deliver_retry_ceiling"),
        .tries = (int)config_number(config, "deliver_tries"),
        .refused_tries = (int)config_number(config, "deliver_refused_tries"),
        .give_up_ms = config_number(config, "deliver_give_up"),
        .breaker_failures = (int)config_number(config, "deliver_breaker_failures"),
        .breaker_floor_ms = (int)config_number(config, "deliver_breaker_floor"),
        .breaker_ceiling_ms = (int)config_number(config, "deliver_breaker_ceiling"),
    };
}

static int open_parts(struct delivery_desk *desk, const char *department,
                      struct kafka_producer *producer)
{
    const struct delivery_limits limits = limits_of(desk->config);
    desk->change_limit = limits.changes;
    desk->byte_limit = (size_t)config_number(desk->config, "deliver_queue_bytes");
    delivery_log_init(&desk->log, config_text(desk->config, "deliver_url"));
    delivery_metrics_init();
    desk->queue = delivery_queue_new(&limits, free_parcel);
    desk->reports = delivery_reports_new(producer, department, on_acknowledged, desk);
    if (!desk->queue || !desk->reports)
        return ERR_MEMORY;
    int rc = 0;
    int64_t threads = config_number(desk->config, "deliver_threads");
    pthread_mutex_lock(&desk->lock); /* nobody counts down before all are counted */
    while (rc == 0 && (int64_t)desk->thread_count < threads)
        rc = start_thread(desk);
    pthread_mutex_unlock(&desk->lock);
    return rc;
}

int delivery_open(const struct config *config, const char *department,
                  struct kafka_producer *producer, struct delivery_desk **out)
{
    struct delivery_desk *desk = calloc(1, sizeof *desk);
    if (!desk)
        return ERR_MEMORY;
    desk->config = config;
    int rc = sync_init(&desk->lock, &desk->changed);
    if (rc != 0) {
        free(desk);
        return rc;
    }
    rc = open_parts(desk, department, producer);
    if (rc == 0) {
        *out = desk;
        return 0;
    }
    delivery_stop(desk, 0);
    if (delivery_end(desk, LOOK_MS))
        delivery_free(desk);
    return rc;
}

struct delivery_renewal {
    struct receiver *receivers[THREADS_LIMIT];
    char name[HTTP_ORIGIN_SIZE];
};

int delivery_prepare(struct delivery_desk *desk, const struct config *config,
                     struct delivery_renewal **out)
{
    struct delivery_renewal *renewal = calloc(1, sizeof *renewal);
    if (!renewal)
        return ERR_MEMORY;
    int rc = 0;
    for (size_t i = 0; i < desk->thread_count && rc == 0; i++)
        rc = receiver_new(config, &desk->cut, &renewal->receivers[i]);
    if (rc != 0) {
        delivery_renewal_free(renewal);
        return rc;
    }
    http_client_origin(config_text(config, "deliver_url"), renewal->name);
    *out = renewal;
    return 0;
}

void delivery_renew(struct delivery_desk *desk, struct delivery_renewal *renewal)
{
    if (!renewal)
        return;
    pthread_mutex_lock(&desk->lock);
    for (size_t i = 0; i < desk->thread_count; i++) {
        struct receiver *unused = desk->renewed[i];
        desk->renewed[i] = renewal->receivers[i];
        renewal->receivers[i] = unused;
    }
    memcpy(desk->log.receiver, renewal->name, sizeof renewal->name);
    pthread_mutex_unlock(&desk->lock);
    delivery_renewal_free(renewal);
}

void delivery_renewal_free(struct delivery_renewal *renewal)
{
    for (size_t i = 0; renewal && i < THREADS_LIMIT; i++)
        receiver_free(renewal->receivers[i]);
    free(renewal);
}

void delivery_stop(struct delivery_desk *desk, int grace_ms)
{
    pthread_mutex_lock(&desk->lock);
    desk->stopping = true;
    desk->cut_at_ms = clock_monotonic_ms() + grace_ms;
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
    if (grace_ms <= 0)
        atomic_store(&desk->cut, true);
}

bool delivery_at_rest(struct delivery_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    bool rest = desk->running == 0;
    if (desk->stopping && clock_monotonic_ms() >= desk->cut_at_ms)
        atomic_store(&desk->cut, true);
    pthread_mutex_unlock(&desk->lock);
    return rest && delivery_reports_count(desk->reports) == 0;
}

bool delivery_end(struct delivery_desk *desk, int ms)
{
    struct timespec until = clock_monotonic_after(ms);
    atomic_store(&desk->cut, true);
    pthread_mutex_lock(&desk->lock);
    while (desk->running > 0 && pthread_cond_timedwait(&desk->changed, &desk->lock, &until) == 0)
        continue;
    bool ended = desk->running == 0;
    pthread_mutex_unlock(&desk->lock);
    if (!ended) {
        log_warn("A delivery does not end, and is left as it is");
        return false;
    }
    for (size_t i = 0; i < desk->thread_count; i++)
        pthread_join(desk->threads[i], NULL);
    desk->thread_count = 0;
    return true;
}

void delivery_free(struct delivery_desk *desk)
{
    if (!desk)
        return;
    struct delivery_report *report;
    while (desk->reports && (report = delivery_reports_take_back(desk->reports)))
        delivery_queue_return(desk->queue, report->delivery);
    for (size_t i = 0; i < THREADS_LIMIT; i++)
        receiver_free(desk->renewed[i]);
    delivery_queue_free(desk->queue);
    delivery_reports_free(desk->reports);
    pthread_cond_destroy(&desk->changed);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

/* --- for the inbox --- */

bool delivery_has_room(struct delivery_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    size_t bytes = desk->byte_limit, changes = desk->change_limit;
    if (desk->was_full) { /* reading on costs something: not for a single change */
        bytes -= bytes / 4;
        changes -= changes / 4;
    }
    bool room = desk->bytes < bytes && delivery_queue_size(desk->queue) < changes;
    desk->was_full = !room;
    pthread_mutex_unlock(&desk->lock);
    return room;
}

int delivery_put(struct delivery_desk *desk, int32_t partition, int64_t offset,
                 struct handoff_change *change)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);
    if (!parcel)
        return ERR_MEMORY;
    parcel->desk = desk;
    parcel->change = change;
    pthread_mutex_lock(&desk->lock);
    int rc = delivery_queue_add(desk->queue, partition, offset, span_of(change->handoff_id),
                                change->sequence, parcel, clock_monotonic_ms());
    if (rc == 0) {
        desk->bytes += change->body_len;
        pthread_cond_signal(&desk->changed);
    }
    pthread_mutex_unlock(&desk->lock);
    if (rc != 0)
        free(parcel);
    return rc;
}

int64_t delivery_offset(struct delivery_desk *desk, int32_t partition)
{
    pthread_mutex_lock(&desk->lock);
    int64_t offset = delivery_queue_offset(desk->queue, partition);
    pthread_mutex_unlock(&desk->lock);
    return offset;
}

void delivery_revoke(struct delivery_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    delivery_queue_revoke(desk->queue);
    pthread_mutex_unlock(&desk->lock);
}

void delivery_tick(struct delivery_desk *desk)
{
    int64_t now_ms = clock_wall_us() / 1000, age_ms = 0;
    delivery_reports_flush(desk->reports);
    pthread_mutex_lock(&desk->lock);
    size_t waiting = delivery_queue_size(desk->queue);
    const struct delivery *oldest = delivery_queue_oldest(desk->queue);
    if (oldest) {
        const struct parcel *parcel = oldest->payload;
        age_ms = parcel->change->written_ms >= 0 ? now_ms - parcel->change->written_ms : 0;
    }
    pthread_mutex_unlock(&desk->lock);
    delivery_show_waiting(waiting, age_ms > 0 ? age_ms / 1000 : 0);
}
