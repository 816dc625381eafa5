#include "services/aggregator/session.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/stop.h"
#include "common/pg/pg_words.h"
#include "services/aggregator/database.h"
#include "services/aggregator/event_types.h"
#include "services/aggregator/follow.h"
#include "services/aggregator/hold.h"
#include "services/aggregator/offsets.h"
#include "services/aggregator/stage_metrics.h"

#define POLL_MS         200  /* how long to wait for a first record: stop is noticed in between */
#define IDLE_MS         5    /* a batch that nothing was added to for so long goes off, */
#define AWAITED_MS      1    /* or for so long, when somebody waits for it, */
#define AWAITED_RECORDS 256  /* but not in a backlog: a larger batch takes its time */
#define NOTE_EVERY_MS   1000 /* how often Kafka hears of our offsets */
#define FENCE_EVERY_MS  2000 /* how often partitions without records are asked for, too */
#define BELIEVE_GAPS_MS 60000
#define CALM_MS         3000 /* without work, so long without trouble shows that it is over */

int session_init(struct session *session, const struct writer_setup *setup, int number)
{
    const struct config *config = setup->config;
    int64_t writers = config_number(config, "writers");
    *session = (struct session){
        .setup = setup, .number = number, .waits_for = "the first connection", .oldest_ms = -1};
    decoder_init(&session->decoder, NULL, NULL, NULL);
    follow_begin(session);
    session->partitions = calloc(SESSION_PARTITIONS, sizeof *session->partitions);
    session->apply.months = months_new();
    session->apply.cache = identity_cache_new(
        (size_t)(config_number(config, "identity_cache") / (writers ? writers : 1)));
    session->apply.quarantine_limit = config_number(config, "quarantine_limit");
    if (!session->partitions || !session->apply.months || !session->apply.cache)
        return ERR_MEMORY;
    return batch_init(&session->batch, (size_t)config_number(config, "batch_bytes"));
}

void session_free(struct session *session)
{
    follow_end(session);
    rulebook_release(session->rulebook);
    session->rulebook = NULL;
    decoder_free(&session->decoder);
    batch_free(&session->batch);
    months_free(session->apply.months);
    identity_cache_free(session->apply.cache);
    free(session->partitions);
}

static void drop_batch(struct session *session)
{
    batch_clear(&session->batch);
    session->oldest_ms = -1;
    for (size_t i = 0; i < session->partition_count; i++) {
        session->partitions[i].next = session->partitions[i].committed;
        session->partitions[i].doubted = -1;
        session->partitions[i].believed_until = 0;
        session->partitions[i].books = (struct books){0};
        session->partitions[i].newest_ms = 0;
    }
}

/* The database fails us. Until a batch has gone through again, or nothing is there to be done for a
 * while, this is what the writer waits for, whatever session it is in. */
static void on_trouble(void *context, const struct pg_failure *failure)
{
    struct session *session = context;
    session->trouble = database_failed(session->number, failure);
    session->calm_ms = clock_monotonic_ms();
    atomic_store(&session->waits_for, session->trouble);
}

/* In trouble sessions follow each other, and what they do is no news. */
static enum log_level news_level(const struct session *session)
{
    return session->trouble ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

static void end_trouble(struct session *session)
{
    session->trouble = NULL;
    database_works(session->number);
}

static int on_assigned(void *context, struct kafka_partition *assigned, size_t count)
{
    struct session *session = context;
    if (count > SESSION_PARTITIONS) {
        log_error("More partitions than a writer can hold: raise option writers",
                  LOG_INT("partitions", count), LOG_INT("most", SESSION_PARTITIONS));
        return ERR_LIMIT;
    }
    int64_t lock_timeout = config_number(session->setup->config, "lock_timeout");
    session->partition_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct partition *p = &session->partitions[i];
        *p =
            (struct partition){.partition = assigned[i].partition, .doubted = -1, .unreadable = -1};
        snprintf(p->topic, sizeof p->topic, "%s", assigned[i].topic);
        int rc = offsets_take_over(session->apply.pg, p, assigned[i].low_watermark, lock_timeout);
        if (rc != 0)
            return rc;
        assigned[i].offset = p->committed;
        session->partition_count = i + 1;
    }
    session->assigned_once = true;
    session->calm_ms = clock_monotonic_ms();
    log_write(news_level(session), "Partitions were assigned",
              LOG_FIELDS(LOG_INT("writer", session->number), LOG_INT("partitions", count)));
    return 0;
}

/* Who gets it back later shall not find it paused. */
static void forget_stop(struct session *session, const struct partition *p)
{
    struct kafka_partition one = {.partition = p->partition};
    snprintf(one.topic, sizeof one.topic, "%s", p->topic);
    kafka_consumer_pause(session->consumer, &one, 1, false);
    stage_metrics_stopped(-1);
}

static void on_revoked(void *context, bool lost)
{
    struct session *session = context;
    drop_batch(session); /* not committed: whoever has the partitions next reads it again */
    for (size_t i = 0; i < session->partition_count; i++)
        if (session->partitions[i].stopped)
            forget_stop(session, &session->partitions[i]);
    hold_forget(session);
    int rc = 0;
    if (!pg_broken(session->apply.pg))
        rc = offsets_release(session->apply.pg, session->partitions, session->partition_count);
    log_write(news_level(session), "Partitions were revoked",
              LOG_FIELDS(LOG_INT("writer", session->number),
                         LOG_INT("partitions", session->partition_count), LOG_INT("lost", lost),
                         LOG_TEXT("released", error_name(rc))));
    session->partition_count = 0;
}

static struct partition *find_partition(struct session *session, const struct record *record)
{
    for (size_t i = 0; i < session->partition_count; i++) {
        size_t at = (session->last_found + i) % session->partition_count;
        struct partition *p = &session->partitions[at];
        if (p->partition == record->partition && span_is(record->topic, p->topic)) {
            session->last_found = at;
            return p;
        }
    }
    return NULL;
}

/* Not read any further, until somebody says where to go on; the others are. */
static int stop_partition(struct session *session, struct partition *p, const char *reason,
                          const char *error)
{
    struct kafka_partition out = {.partition = p->partition};
    snprintf(out.topic, sizeof out.topic, "%s", p->topic);
    p->stopped = true;
    stage_metrics_stopped(+1);
    kafka_consumer_pause(session->consumer, &out, 1, true);
    log_error("A partition is stopped: decide where to go on, see throughline replay --help",
              LOG_TEXT("reason", reason), LOG_TEXT("topic", p->topic),
              LOG_INT("partition", p->partition), LOG_INT("offset", p->next),
              LOG_TEXT("error", error));
    return offsets_mark_stopped(session->apply.pg, p, reason);
}

/* Reads this partition once more from where it was. */
static int look_again(struct session *session, struct partition *p)
{
    struct kafka_partition from = {.partition = p->partition, .offset = p->next};
    snprintf(from.topic, sizeof from.topic, "%s", p->topic);
    p->doubted = p->next;
    return kafka_consumer_seek(session->consumer, &from, 1);
}

/*
 * Something came from beyond the next offset. What is between may hold nothing for us (compacted
 * away, a transaction's marker or aborted records), and then it is void; but a client that skips
 * records looks just the same. So it is read again, once: Kafka gives the same answer twice where
 * there is a gap. For a while afterwards the partition's gaps are believed, since who writes with
 * transactions leaves one at each commit.
 */
static int pass_over(struct session *session, struct partition *p, int64_t to)
{
    if (to <= p->next)
        return 0;
    int64_t now = clock_monotonic_ms();
    if (p->doubted != p->next && now >= p->believed_until)
        return look_again(session, p);
    if (p->doubted == p->next)
        p->believed_until = now + BELIEVE_GAPS_MS;
    p->books.void_ += to - p->next;
    p->next = to;
    return 0;
}

/* Damaged on its way it comes whole the second time; damaged on the broker's disk it does not, and
 * what librdkafka would go on with lies behind what is lost. */
static int unreadable(struct session *session, struct partition *p, const char *error)
{
    if (p->unreadable != p->next) {
        p->unreadable = p->next;
        log_warn("A record from Kafka cannot be read: once more", LOG_TEXT("topic", p->topic),
                 LOG_INT("partition", p->partition), LOG_INT("offset", p->next),
                 LOG_TEXT("error", error));
        return look_again(session, p);
    }
    return stop_partition(session, p, "Kafka's next record cannot be read", error);
}

static void note_time(struct session *session, struct partition *p, int64_t timestamp_ms)
{
    if (timestamp_ms < 0)
        return;
    if (timestamp_ms > p->newest_ms)
        p->newest_ms = timestamp_ms;
    if (session->oldest_ms < 0 || timestamp_ms < session->oldest_ms)
        session->oldest_ms = timestamp_ms;
}

static int take_record(struct session *session, struct partition *p, struct kafka_message *message)
{
    int64_t offset = message->record.offset; /* the record may be given away below */
    int64_t timestamp_ms = message->record.timestamp_ms;
    if (offset < p->next)
        return 0;
    int rc = pass_over(session, p, offset);
    if (rc != 0 || p->next != offset)
        return rc;
    if (p->doubted == offset && p->unreadable != offset) {
        stage_metrics_found_again();
        log_error("Kafka's client had skipped records, which were found by reading again",
                  LOG_TEXT("topic", p->topic), LOG_INT("partition", p->partition),
                  LOG_INT("offset", offset));
    }
    rc = decode_into_batch(&session->decoder, &session->batch, p, message, clock_wall_us());
    if (rc == 0) {
        p->next = offset + 1;
        note_time(session, p, timestamp_ms);
    }
    if (rc != ERR_LIMIT)
        return rc;
    hold_partition(session, p);
    return 0;
}

static int take(struct session *session, struct kafka_message *message)
{
    if (message->happening == KAFKA_NOTHING)
        return 0;
    struct partition *p = find_partition(session, &message->record);
    session->consumed += message->happening == KAFKA_RECORD;
    if (!p || p->held || p->stopped)
        return 0; /* fetched before it was revoked, held or stopped */
    switch (message->happening) {
    case KAFKA_NOTHING:
        return 0;
    case KAFKA_END:
        return pass_over(session, p, message->record.offset);
    case KAFKA_OUT_OF_RANGE:
        return stop_partition(session, p, "Kafka does not have the next record", message->error);
    case KAFKA_UNREADABLE:
        return unreadable(session, p, message->error);
    case KAFKA_RECORD:
        break;
    }
    return take_record(session, p, message);
}

static void tell_readiness(struct session *session)
{
    const char *trouble = session->trouble;
    if (!trouble && session->consumer)
        trouble = kafka_consumer_trouble(session->consumer);
    if (!trouble && !session->assigned_once)
        trouble = "Kafka";
    if (!trouble && session->full)
        trouble = "room in quarantine";
    atomic_store(&session->waits_for, trouble);
}

static int patience_ms(const struct batch *batch)
{
    if (batch_is_empty(batch))
        return POLL_MS;
    return batch->awaited && batch->record_count < AWAITED_RECORDS ? AWAITED_MS : IDLE_MS;
}

/* Reads until the batch is full, old enough, or nothing more comes for a moment. */
static int fill(struct session *session)
{
    const struct config *config = session->setup->config;
    size_t record_limit = (size_t)config_number(config, "batch_events");
    int64_t deadline = INT64_MAX;
    while (!batch_is_full(&session->batch, record_limit) && clock_monotonic_ms() < deadline) {
        bool empty = batch_is_empty(&session->batch);
        struct kafka_message message;
        int rc = kafka_consumer_poll(session->consumer, patience_ms(&session->batch), &message);
        if (rc == 0 && empty && message.happening == KAFKA_RECORD)
            rc = follow_rulebook(session); /* by which its records are judged, from the first on */
        if (rc == 0)
            rc = take(session, &message);
        bool nothing = message.happening == KAFKA_NOTHING;
        kafka_message_release(&message);
        if (rc != 0)
            return rc;
        if (nothing)
            return 0;
        if (empty)
            deadline = clock_monotonic_ms() + config_number(config, "batch_wait");
    }
    return 0;
}

/* Where the database has come to, in all partitions or in those that the batch has records of. NULL
 * without memory. */
static struct kafka_partition *committed(const struct session *session, bool of_batch,
                                         size_t *count)
{
    struct kafka_partition *list = calloc(session->partition_count + 1, sizeof *list);
    *count = 0;
    for (size_t i = 0; list && i < session->partition_count; i++) {
        const struct partition *p = &session->partitions[i];
        if (of_batch && p->next == p->committed)
            continue;
        snprintf(list[*count].topic, sizeof list[*count].topic, "%s", p->topic);
        list[*count].partition = p->partition;
        list[(*count)++].offset = p->committed;
    }
    return list;
}

/* Committed offsets in Kafka are for lag tools only; that they lag themselves harms nobody. */
static void note_offsets(struct session *session)
{
    int64_t now = clock_monotonic_ms();
    if (now - session->noted_ms < NOTE_EVERY_MS)
        return;
    session->noted_ms = now;
    size_t count;
    struct kafka_partition *done = committed(session, false, &count);
    if (done)
        kafka_consumer_note(session->consumer, done, count);
    free(done);
}

/* The same records again. */
static int read_again(struct session *session)
{
    size_t count;
    struct kafka_partition *from = committed(session, true, &count);
    if (!from)
        return ERR_MEMORY;
    for (size_t i = 0; i < session->partition_count; i++) {
        const struct partition *p = &session->partitions[i];
        if (!p->stopped || p->next == p->committed)
            continue;
        free(from);
        return ERR_BUSY; /* what came before it stopped is wanted again, which a new session reads
                          */
    }
    drop_batch(session);
    int rc = kafka_consumer_seek(session->consumer, from, count);
    free(from);
    return rc;
}

/* After the COMMIT. */
static void count_batch(struct session *session, const struct stage_batch *done)
{
    const struct books *books = &done->books;
    if (books->on_timeline + books->duplicates + books->quarantined + books->void_ > 0)
        stage_metrics_batch(done);
    for (size_t i = 0; i < session->partition_count; i++) {
        struct partition *p = &session->partitions[i];
        if (p->newest_ms > 0)
            stage_metrics_newest(p->topic, p->newest_ms);
        p->newest_ms = 0;
    }
    session->oldest_ms = -1;
}

/* Not reported by pg: only here is it known that nothing takes care of it. */
static void tell_refusal(struct session *session)
{
    char words[PG_MESSAGE_SIZE];
    const char *sqlstate = pg_sqlstate(session->apply.pg);
    snprintf(words, sizeof words, "%s", pg_message(session->apply.pg));
    pg_words_of_statement(sqlstate, words);
    on_trouble(session, &(const struct pg_failure){ERR_INVALID, sqlstate, words, "a batch", 0});
}

static int flush(struct session *session)
{
    struct stage_batch done = {.records = session->batch.record_count,
                               .oldest_ms = session->oldest_ms};
    int64_t started = clock_monotonic_us();
    stage_metrics_consumed(session->consumed);
    session->consumed = 0;
    int rc = batch_apply(&session->apply, &session->batch, session->partitions,
                         session->partition_count, &done.books);
    if (rc == ERR_NOT_FOUND && !session->batch.keep_records) {
        session->batch.keep_records = true;
        return read_again(session);
    }
    if (rc == ERR_LIMIT) {
        rc = hold_batch(session);
        return rc ? rc : read_again(session);
    }
    if (rc == ERR_INVALID)
        tell_refusal(session);
    if (rc != 0)
        return rc;
    if (session->trouble && done.records > 0)
        end_trouble(session);
    if (session->apply.careful == 0)
        session->batch.keep_records = false;
    session->batch.quarantine_room -= (int64_t)session->batch.quarantine_count;
    if (session->batch.awaited)
        relay_nudge(session->setup->relay);
    batch_clear(&session->batch);
    done.microseconds = clock_monotonic_us() - started;
    count_batch(session, &done);
    note_offsets(session);
    return 0;
}

/* Nothing is to be done: is the database there? */
static int look(struct session *session)
{
    int rc = pg_look(session->apply.pg);
    /* As long as the group makes us wait for partitions, what failed has not been tried again. */
    bool waits = !session->assigned_once && !kafka_consumer_trouble(session->consumer);
    if (rc == 0 && session->trouble && !waits && clock_monotonic_ms() - session->calm_ms >= CALM_MS)
        end_trouble(session);
    return rc;
}

/* A batch looks at the fence of its own partitions. One without records, or that is stopped, may
 * have been taken over, or sent elsewhere by hand, as well. */
static int check_fence(struct session *session)
{
    int64_t now = clock_monotonic_ms();
    if (now - session->fence_ms < FENCE_EVERY_MS)
        return 0;
    session->fence_ms = now;
    return offsets_hold(session->apply.pg, session->partitions, session->partition_count);
}

static int read_and_apply(struct session *session, bool *worked)
{
    while (!stop_requested() && !session->rejoin) {
        int rc = follow_rulebook(session);
        if (rc == 0)
            rc = fill(session);
        tell_readiness(session);
        if (rc == 0 && batch_is_empty(&session->batch)) /* /readyz shall know that it is away */
            rc = look(session);
        if (rc == 0)
            rc = flush(session);
        if (rc == 0)
            rc = hold_look(session);
        if (rc == 0)
            rc = check_fence(session);
        if (rc != 0)
            return rc;
        *worked = *worked || (session->partition_count > 0 && !session->trouble);
    }
    return flush(session);
}

static int open_database(struct session *session)
{
    const struct pg_options options = {.report = on_trouble, .context = session};
    atomic_store(&session->waits_for, session->trouble ? session->trouble : "the database");
    int rc = database_open(session->setup->config, session->number, &options, &session->apply.pg);
    if (rc == 0 && session->number == 0)
        rc = event_types_put(session->apply.pg, session->rulebook->vocabulary);
    if (rc == 0)
        rc = hold_begin(session);
    if (rc == 0 && !session->trouble)
        database_works(session->number);
    session->calm_ms = clock_monotonic_ms();
    return rc;
}

int session_run(struct session *session, bool *worked)
{
    const struct kafka_listener listener = {session, on_assigned, on_revoked};
    follow_begin(session);
    const struct kafka_reading reading = {.group = config_text(session->setup->config, "group"),
                                          .topics = session->rulebook->topics};
    months_forget(session->apply.months);
    session->apply.epoch = 0;
    session->apply.careful = 0;
    session->partition_count = 0;
    session->assigned_once = false;
    int rc = open_database(session);
    if (rc == 0) {
        tell_readiness(session);
        rc = kafka_consumer_open(session->setup->config, &reading, &listener, &session->consumer);
    }
    if (rc == 0)
        rc = read_and_apply(session, worked);
    kafka_consumer_close(session->consumer);
    session->consumer = NULL;
    pg_close(session->apply.pg);
    session->apply.pg = NULL;
    drop_batch(session);
    follow_end(session);
    return rc;
}
