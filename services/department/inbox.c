#include "services/department/inbox.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/retry.h"
#include "common/base/sync.h"
#include "common/kafka/kafka_consumer.h"
#include "services/department/delivery_metrics.h"

#define POLL_MS          100
#define NOTE_MS          1000
#define RETRY_FLOOR_MS   500
#define RETRY_CEILING_MS 15000
#define PARTITIONS       1024 /* as many as the queue knows */
#define TELL_AGAIN_MS    60000

struct place { /* a partition of ours */
    int32_t partition;
    int64_t next;  /* the offset to come */
    int64_t added; /* the last one that went to the desk; -1: none */
    int64_t noted; /* what Kafka was told last */
};

struct inbox {
    const struct config *config;
    struct delivery_desk *desk;
    char topic[64], *group;
    pthread_t thread;
    pthread_mutex_t lock; /* for the three below */
    pthread_cond_t changed;
    bool stopping;
    int64_t deadline_ms; /* then nothing is waited for any more */

    /* The thread's own. */
    struct kafka_consumer *consumer;
    struct place places[PARTITIONS];
    size_t count;
    bool fresh;                /* the partitions were assigned just now */
    bool holding;              /* there was no room: they are paused, and read again from `next` */
    bool from_low[PARTITIONS]; /* Kafka does not have what was asked for */
    int64_t noted_ms, passed_told_ms, passed_untold;
};

int inbox_check(const struct config *config, struct fault *fault)
{
    return kafka_consumer_check(config, fault);
}

/* --- partitions come and go --- */

static int begin_at(const struct inbox *inbox, const struct kafka_partition *partition,
                    int64_t *offset)
{
    bool lost = partition->partition < PARTITIONS && inbox->from_low[partition->partition];
    *offset = lost ? -1 : partition->noted;
    if (partition->low_watermark < 0)
        return *offset >= 0 ? 0 : ERR_BUSY; /* Kafka has told why not */
    if (*offset >= partition->low_watermark)
        return 0;
    if (*offset >= 0)
        log_error("Kafka no longer has changes of handoffs that were not delivered: they stay open",
                  LOG_TEXT("topic", partition->topic), LOG_INT("partition", partition->partition),
                  LOG_INT("from", *offset), LOG_INT("to", partition->low_watermark));
    *offset = partition->low_watermark;
    return 0;
}

static int on_assigned(void *context, struct kafka_partition *partitions, size_t count)
{
    struct inbox *inbox = context;
    if (count > PARTITIONS) {
        log_error("More partitions than an inbox can hold", LOG_INT("partitions", count),
                  LOG_INT("most", PARTITIONS));
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < count; i++) {
        int rc = begin_at(inbox, &partitions[i], &partitions[i].offset);
        if (rc != 0)
            return rc;
        inbox->places[i] = (struct place){.partition = partitions[i].partition,
                                          .next = partitions[i].offset,
                                          .added = -1,
                                          .noted = partitions[i].noted};
        if (partitions[i].partition < PARTITIONS)
            inbox->from_low[partitions[i].partition] = false;
    }
    inbox->count = count;
    inbox->fresh = true;
    inbox->holding = false;
    log_info("The inbox reads its partitions", LOG_TEXT("topic", inbox->topic),
             LOG_INT("partitions", count));
    return 0;
}

/* Tells Kafka how far things got, where that is news. */
static void note(struct inbox *inbox)
{
    struct kafka_partition done[64];
    size_t count = 0;
    for (size_t i = 0; i < inbox->count; i++) {
        struct place *place = &inbox->places[i];
        int64_t offset = delivery_offset(inbox->desk, place->partition);
        if (offset < 0 || offset > place->added)
            offset = place->next; /* nothing of it waits */
        if (offset == place->noted)
            continue;
        place->noted = offset;
        done[count] = (struct kafka_partition){.partition = place->partition, .offset = offset};
        snprintf(done[count].topic, sizeof done[count].topic, "%s", inbox->topic);
        if (++count == sizeof done / sizeof *done) {
            kafka_consumer_note(inbox->consumer, done, count);
            count = 0;
        }
    }
    kafka_consumer_note(inbox->consumer, done, count);
}

static void on_revoked(void *context, bool lost)
{
    struct inbox *inbox = context;
    if (!lost)
        note(inbox);
    delivery_revoke(inbox->desk);
    inbox->count = 0;
    inbox->holding = false;
}

static struct place *find_place(struct inbox *inbox, int32_t partition)
{
    for (size_t i = 0; i < inbox->count; i++)
        if (inbox->places[i].partition == partition)
            return &inbox->places[i];
    return NULL;
}

/* --- no room --- */

static int all_places(const struct inbox *inbox, struct kafka_partition **out)
{
    struct kafka_partition *list = calloc(inbox->count + 1, sizeof *list);
    if (!list)
        return ERR_MEMORY;
    for (size_t i = 0; i < inbox->count; i++) {
        list[i].partition = inbox->places[i].partition;
        list[i].offset = inbox->places[i].next;
        snprintf(list[i].topic, sizeof list[i].topic, "%s", inbox->topic);
    }
    *out = list;
    return 0;
}

/* What comes from here on is dropped, since it is read again. */
static void hold(struct inbox *inbox)
{
    struct kafka_partition *list;
    inbox->holding = true;
    if (all_places(inbox, &list) != 0)
        return;
    kafka_consumer_pause(inbox->consumer, list, inbox->count, true);
    free(list);
}

/* ERR_BUSY: nobody knows where the partitions stand; open anew. */
static int go_on(struct inbox *inbox)
{
    struct kafka_partition *list;
    int rc = all_places(inbox, &list);
    if (rc != 0)
        return rc;
    kafka_consumer_pause(inbox->consumer, list, inbox->count, false);
    if (inbox->holding)
        rc = kafka_consumer_seek(inbox->consumer, list, inbox->count);
    inbox->holding = inbox->fresh = false;
    free(list);
    return rc;
}

/* --- records --- */

static void pass_over(struct inbox *inbox, const struct record *record, const char *why)
{
    int64_t now = clock_monotonic_ms();
    delivery_count_passed_over();
    if (inbox->passed_told_ms && now - inbox->passed_told_ms < TELL_AGAIN_MS) {
        inbox->passed_untold++;
        return;
    }
    log_warn("A record is no change of a handoff, and is passed over",
             LOG_TEXT("topic", inbox->topic), LOG_INT("partition", record->partition),
             LOG_INT("offset", record->offset), LOG_TEXT("detail", why),
             LOG_INT("others", inbox->passed_untold));
    inbox->passed_told_ms = now;
    inbox->passed_untold = 0;
}

static void take_record(struct inbox *inbox, struct place *place,
                        const struct kafka_message *message)
{
    struct handoff_change *change = NULL;
    struct fault fault = {.detail = ""};
    const struct record *record = &message->record;
    if (inbox->holding || record->offset < place->next)
        return;
    if (!delivery_has_room(inbox->desk)) {
        hold(inbox);
        return;
    }
    int rc = message->headers_cut ? fault_set(&fault, "", RECORD_HEADERS_TOO_MANY)
                                  : handoff_change_read(record, &change, &fault);
    if (rc == 0)
        rc = delivery_put(inbox->desk, record->partition, record->offset, change);
    if (rc == 0) {
        place->added = record->offset;
    } else if (rc == ERR_INVALID) {
        pass_over(inbox, record, fault.detail);
    } else {
        handoff_change_free(change);
        hold(inbox);
        return;
    }
    place->next = record->offset + 1;
}

static int take_out_of_range(struct inbox *inbox, const struct kafka_message *message)
{
    int32_t partition = message->record.partition;
    log_error("Kafka does not have the next change of handoffs: the inbox goes on with the oldest",
              LOG_TEXT("topic", inbox->topic), LOG_INT("partition", partition),
              LOG_INT("offset", message->record.offset), LOG_TEXT("error", message->error));
    if (partition >= 0 && partition < PARTITIONS)
        inbox->from_low[partition] = true;
    return ERR_BUSY;
}

static int take_message(struct inbox *inbox, const struct kafka_message *message)
{
    struct place *place = find_place(inbox, message->record.partition);
    if (message->happening == KAFKA_NOTHING || !place)
        return 0;
    if (message->happening == KAFKA_OUT_OF_RANGE)
        return take_out_of_range(inbox, message);
    if (message->happening == KAFKA_RECORD)
        take_record(inbox, place, message);
    if (message->happening == KAFKA_UNREADABLE && !inbox->holding) {
        pass_over(inbox, &message->record, message->error);
        if (message->record.offset >= place->next)
            place->next = message->record.offset + 1;
    }
    /* Behind what is void at the end: transactions' markers, or what was compacted away. */
    if (message->happening == KAFKA_END && !inbox->holding && message->record.offset > place->next)
        place->next = message->record.offset;
    return 0;
}

/* --- the thread --- */

static bool is_stopping(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    bool stopping = inbox->stopping;
    pthread_mutex_unlock(&inbox->lock);
    return stopping;
}

/* All that was under way has come to its end, or nothing is waited for any more. */
static bool is_over(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    bool late = clock_monotonic_ms() >= inbox->deadline_ms;
    pthread_mutex_unlock(&inbox->lock);
    return delivery_at_rest(inbox->desk) || late;
}

static int tend(struct inbox *inbox)
{
    int rc = 0;
    delivery_tick(inbox->desk);
    if (inbox->fresh || (inbox->holding && delivery_has_room(inbox->desk)))
        rc = go_on(inbox);
    int64_t now = clock_monotonic_ms();
    if (rc == 0 && now - inbox->noted_ms >= NOTE_MS) {
        note(inbox);
        inbox->noted_ms = now;
    }
    return rc;
}

static int read_on(struct inbox *inbox, bool *worked)
{
    int64_t tended_ms = 0;
    for (;;) {
        struct kafka_message message;
        bool stopping = is_stopping(inbox);
        if (stopping && is_over(inbox))
            return 0;
        int rc = kafka_consumer_poll(inbox->consumer, POLL_MS, &message);
        if (rc == 0 && !stopping)
            rc = take_message(inbox, &message);
        kafka_message_release(&message);
        if (rc != 0)
            return rc;
        *worked = *worked || inbox->count > 0;
        if (inbox->fresh || clock_monotonic_ms() - tended_ms >= POLL_MS) {
            rc = tend(inbox);
            tended_ms = clock_monotonic_ms();
        }
        if (rc != 0)
            return rc;
    }
}

static int run_session(struct inbox *inbox, bool *worked)
{
    const char *const topics[] = {inbox->topic, NULL};
    const struct kafka_reading reading = {
        .group = inbox->group, .topics = topics, .from_noted = true};
    const struct kafka_listener listener = {inbox, on_assigned, on_revoked};
    inbox->count = 0;
    int rc = kafka_consumer_open(inbox->config, &reading, &listener, &inbox->consumer);
    if (rc == 0)
        rc = read_on(inbox, worked);
    kafka_consumer_close(inbox->consumer);
    inbox->consumer = NULL;
    return rc;
}

static void wait_before_next(struct inbox *inbox, int ms)
{
    struct timespec until = clock_monotonic_after(ms);
    pthread_mutex_lock(&inbox->lock);
    while (!inbox->stopping && pthread_cond_timedwait(&inbox->changed, &inbox->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&inbox->lock);
}

static void *run(void *argument)
{
    struct inbox *inbox = argument;
    struct retry retry;
    bool told = false;
    retry_init(&retry, RETRY_FLOOR_MS, RETRY_CEILING_MS, 0);
    while (!is_stopping(inbox)) {
        bool worked = false;
        int rc = run_session(inbox, &worked);
        if (rc == 0)
            break;
        if (worked) {
            retry_reset(&retry);
            told = false;
        }
        log_write(told ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "The inbox begins anew",
                  LOG_FIELDS(LOG_TEXT("topic", inbox->topic), LOG_TEXT("because", error_name(rc))));
        told = true;
        wait_before_next(inbox, retry_next_ms(&retry));
    }
    return NULL;
}

/* --- open and close --- */

static void free_inbox(struct inbox *inbox)
{
    pthread_cond_destroy(&inbox->changed);
    pthread_mutex_destroy(&inbox->lock);
    free(inbox->group);
    free(inbox);
}

int inbox_open(const struct config *config, const char *department, struct delivery_desk *desk,
               struct inbox **out)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);
    if (!inbox)
        return ERR_MEMORY;
    if (sync_init(&inbox->lock, &inbox->changed) != 0) {
        free(inbox);
        return ERR_MEMORY;
    }
    inbox->config = config;
    inbox->desk = desk;
    snprintf(inbox->topic, sizeof inbox->topic, "handoffs.%s", department);
    if (asprintf(&inbox->group, "%s-%s", config_text(config, "group"), department) < 0) {
        inbox->group = NULL;
        free_inbox(inbox);
        return ERR_MEMORY;
    }
    int rc = pthread_create(&inbox->thread, NULL, run, inbox);
    if (rc != 0) {
        log_error("Cannot start the inbox's thread", LOG_TEXT("error", strerror(rc)));
        free_inbox(inbox);
        return ERR_IO;
    }
    *out = inbox;
    return 0;
}

void inbox_stop(struct inbox *inbox, int ms)
{
    if (!inbox)
        return;
    pthread_mutex_lock(&inbox->lock);
    inbox->stopping = true;
    inbox->deadline_ms = clock_monotonic_ms() + ms;
    pthread_cond_broadcast(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
}

void inbox_close(struct inbox *inbox)
{
    if (!inbox)
        return;
    pthread_join(inbox->thread, NULL);
    free_inbox(inbox);
}
