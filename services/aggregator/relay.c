#include "services/aggregator/relay.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/stop.h"
#include "common/base/sync.h"
#include "common/event/system_events.h"
#include "common/kafka/kafka_producer.h"
#include "services/aggregator/duty.h"
#include "services/aggregator/handoff_confirm.h"
#include "services/aggregator/relay_record.h"
#include "services/aggregator/relay_window.h"
#include "services/aggregator/rulebook.h"
#include "sql.h"

/* Between steps while handoffs are being confirmed; where a writer is waited for, and a fifth of
 * the time that it has been, but no more than CONFIRM_MOST. */
#define CONFIRM_MS    5
#define CONFIRM_MOST  50
#define POLL_MS       20 /* between looks at the outbox, for what others put there */
#define POLL_IDLE_MS  100
#define IDLE_AFTER_MS 10000
#define DELETE_ROWS   100 /* published rows are deleted when there are so many, or */
#define DELETE_MS     20  /* the first of them has waited so long */
#define COUNT_MS      5000
#define COUNT_ROWS    "100000"
#define LEAVE_MS      3000 /* for what is on its way, when the relay lets go */
#define ARRAY_LIMIT   ((size_t)64 * 1024)
#define SCRATCH_LIMIT ((size_t)1024 * 1024)

/* A row that was read: its texts lie behind it. */
struct parcel {
    struct relay *relay;
    struct outbox_row row;
    int result;          /* with the relay's lock, once it is among `landed` */
    struct parcel *next; /* of those that landed */
};

struct relay {
    const struct config *config;
    struct snapshot_place *rulebooks;
    struct duty *duty;
    /* Of the thread, while it holds the lease: */
    struct lease *lease;
    struct kafka_producer *producer;
    struct rulebook *rulebook; /* held; NULL: none yet */
    struct relay_window window;
    struct handoff_confirmer confirmer;
    struct arena scratch;
    size_t flying;
    int64_t look_ms;      /* when the outbox is looked at next */
    int64_t confirm_ms;   /* when handoffs are confirmed next */
    int64_t busy_ms;      /* when something was last found there */
    int64_t published_ms; /* since when the first row that Kafka has waits to be deleted; 0: none */
    int64_t count_ms;
    bool more; /* the last look did not show all */

    pthread_mutex_t lock; /* for all below: deliveries are told on the producer's threads */
    pthread_cond_t changed;
    struct parcel *landed;
    bool nudged; /* a writer of ours has put rows into the outbox since the last look */

    struct metric *waiting, *age, *published, *failed;
};

static void drop(struct relay_row *row)
{
    free(row->record);
}

static void delivered(void *opaque, int result)
{
    struct parcel *parcel = opaque;
    struct relay *relay = parcel->relay;
    pthread_mutex_lock(&relay->lock);
    parcel->result = result;
    parcel->next = relay->landed;
    relay->landed = parcel;
    pthread_cond_signal(&relay->changed);
    pthread_mutex_unlock(&relay->lock);
}

void relay_nudge(struct relay *relay)
{
    if (!relay)
        return;
    pthread_mutex_lock(&relay->lock);
    relay->nudged = true;
    pthread_cond_signal(&relay->changed);
    pthread_mutex_unlock(&relay->lock);
}

static bool take_nudge(struct relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    bool nudged = relay->nudged;
    relay->nudged = false;
    pthread_mutex_unlock(&relay->lock);
    return nudged;
}

/* Until something landed, or for `ms`. Stop is noticed within POLL_IDLE_MS. */
static void wait_for_landing(struct relay *relay, int64_t ms)
{
    struct timespec until = clock_monotonic_after(ms);
    pthread_mutex_lock(&relay->lock);
    if (!relay->landed && !relay->nudged && ms > 0)
        pthread_cond_timedwait(&relay->changed, &relay->lock, &until);
    pthread_mutex_unlock(&relay->lock);
}

/* What Kafka has said of rows that flew. */
static void collect(struct relay *relay)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&relay->lock);
    struct parcel *parcel = relay->landed;
    relay->landed = NULL;
    pthread_mutex_unlock(&relay->lock);
    for (struct parcel *next; parcel; parcel = next) {
        next = parcel->next;
        relay->flying--;
        if (parcel->result == 0) {
            relay_window_delivered(&relay->window, parcel->row.id);
            metric_add(relay->published, 1);
            continue;
        }
        metric_add(relay->failed, 1);
        if (parcel->result == ERR_LIMIT)
            log_error("Kafka refuses a row of the outbox as too large; what comes after it under "
                      "its key waits",
                      LOG_INT("outbox_id", parcel->row.id), LOG_TEXT("topic", parcel->row.topic));
        relay_window_failed(&relay->window, parcel->row.id, now, parcel->result == ERR_LIMIT);
    }
}

/* Deletes what Kafka has; a transaction for many, since nobody waits for it. */
static int settle(struct relay *relay, bool at_once)
{
    int64_t done[RELAY_ROWS_LIMIT], now = clock_monotonic_ms();
    size_t count = 0;
    struct relay_window *window = &relay->window;
    for (size_t i = 0; i < window->count; i++)
        if (relay_window_done(window, i))
            done[count++] = window->rows[i].id;
    if (count > 0 && relay->published_ms == 0)
        relay->published_ms = now;
    if (!at_once && count < DELETE_ROWS && relay->flying > 0 &&
        now - relay->published_ms < DELETE_MS)
        return 0;
    int rc = 0;
    if (count > 0) {
        struct buffer ids;
        buffer_init(&ids, ARRAY_LIMIT);
        for (size_t i = 0; i < count; i++)
            pg_array_int(&ids, done[i]);
        pg_array_end(&ids);
        const char *const params[] = {ids.data, relay->lease->ms};
        lease_asks(relay->lease);
        rc = ids.failed
                 ? ERR_MEMORY
                 : lease_answered(relay->lease, pg_query_prepared(relay->lease->pg, SQL_RELAY_DONE,
                                                                  params, 2, NULL));
        buffer_free(&ids);
    }
    if (rc != 0)
        return rc;
    relay_window_sweep(window, done, count, drop);
    relay->published_ms = 0;
    return 0;
}

/* Copies a text behind the parcel. */
static const char *pack(char **at, const struct pg_result *page, int row, int column)
{
    if (pg_is_null(page, row, column))
        return NULL;
    struct span text = pg_span(page, row, column);
    char *copy = *at;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *at += text.len + 1;
    return copy;
}

enum column {
    ID,
    TOPIC,
    KEY,
    TYPE,
    EVENT_ID,
    TIME,
    CUSTOMER,
    SEQUENCE,
    TRACEPARENT,
    DATA,
    COLUMNS
};

static struct parcel *make_parcel(struct relay *relay, const struct pg_result *page, int row)
{
    size_t size = sizeof(struct parcel);
    for (int c = TOPIC; c < COLUMNS; c++)
        size += pg_span(page, row, c).len + 1;
    struct parcel *parcel = malloc(size);
    if (!parcel)
        return NULL;
    char *at = (char *)(parcel + 1);
    *parcel = (struct parcel){.relay = relay, .row = {.id = pg_int(page, row, ID)}};
    const char **texts[COLUMNS] = {
        [TOPIC] = &parcel->row.topic,       [KEY] = &parcel->row.key,
        [TYPE] = &parcel->row.type,         [EVENT_ID] = &parcel->row.event_id,
        [TIME] = &parcel->row.time,         [CUSTOMER] = &parcel->row.customer,
        [SEQUENCE] = &parcel->row.sequence, [TRACEPARENT] = &parcel->row.traceparent,
        [DATA] = &parcel->row.data,
    };
    for (int c = TOPIC; c < COLUMNS; c++)
        *texts[c] = pack(&at, page, row, c);
    return parcel;
}

static uint64_t chain_of(const struct outbox_row *row)
{
    uint64_t topic = hash_span(span_of(row->topic)), key = hash_span(span_of(row->key));
    return topic * 31 + key;
}

static int take_row(struct relay *relay, const struct pg_result *page, int row)
{
    struct parcel *parcel = make_parcel(relay, page, row);
    if (!parcel) {
        log_error("No memory for a row of the outbox");
        return ERR_MEMORY;
    }
    int topic = relay_window_topic(&relay->window, parcel->row.topic);
    struct relay_row *taken =
        topic < 0 ? NULL
                  : relay_window_add(&relay->window, parcel->row.id, topic, chain_of(&parcel->row),
                                     !relay_is_for_timeline(parcel->row.topic));
    if (!taken) {
        log_error("The outbox names more topics than there can be departments",
                  LOG_TEXT("topic", parcel->row.topic));
        free(parcel);
        return ERR_LIMIT;
    }
    taken->record = parcel;
    return 0;
}

/* What there is in the outbox beyond what is at hand. */
static int look(struct relay *relay)
{
    struct relay_window *window = &relay->window;
    struct buffer ids, topics;
    char room[16], bytes[16];
    size_t free_rows = RELAY_ROWS_LIMIT - window->count;
    buffer_init(&ids, ARRAY_LIMIT);
    buffer_init(&topics, ARRAY_LIMIT);
    for (size_t i = 0; i < window->count; i++)
        pg_array_int(&ids, window->rows[i].id);
    for (int i = 0; i < window->topic_count; i++)
        if (window->topics[i].failing)
            pg_array_text(&topics, span_of(window->topics[i].name));
    pg_array_end(&ids);
    pg_array_end(&topics);
    snprintf(room, sizeof room, "%zu", free_rows);
    snprintf(bytes, sizeof bytes, "%d", RELAY_BYTES);
    const char *const params[] = {ids.data, topics.data, room, bytes};
    struct pg_result *page = NULL;
    int rc = ids.failed || topics.failed
                 ? ERR_MEMORY
                 : pg_query_prepared(relay->lease->pg, SQL_RELAY_PAGE, params, 4, &page);
    buffer_free(&ids);
    buffer_free(&topics);
    int rows = rc == 0 ? pg_rows(page) : 0;
    size_t data = 0;
    for (int i = 0; i < rows && rc == 0; i++) {
        data += pg_span(page, i, DATA).len;
        rc = take_row(relay, page, i);
    }
    pg_result_free(page);
    if (rows > 0)
        relay->busy_ms = clock_monotonic_ms();
    relay->more = (size_t)rows == free_rows || data >= RELAY_BYTES;
    return rc;
}

/* Topics are made by being asked for, where the brokers make topics at all, and are known before
 * their first record. */
static void warm_up(struct relay *relay)
{
    const struct vocabulary *vocabulary = relay->rulebook->vocabulary;
    for (size_t i = 0; i < vocabulary->count; i++) {
        char topic[64];
        snprintf(topic, sizeof topic, "handoffs.%s", vocabulary->departments[i].name);
        kafka_producer_ready(relay->producer, topic, NULL, 0);
    }
}

/* Handoffs are confirmed by the rules that they were opened by: writers of ours have gone over to
 * another rulebook only after it was put where we look. */
static void follow_rulebook(struct relay *relay)
{
    struct rulebook *rulebook = rulebook_take(relay->rulebooks);
    bool other = rulebook != relay->rulebook;
    rulebook_release(relay->rulebook);
    relay->rulebook = rulebook;
    relay->confirmer.rules = rulebook->rules;
    if (other)
        warm_up(relay);
}

/* A nudge may have come for what was opened after the snapshot: when it is done with, another is
 * begun at once, and the pause comes behind one that finds nothing. */
static int confirm(struct relay *relay, int64_t pause, bool *put)
{
    bool was_begun = relay->confirmer.snapshot;
    follow_rulebook(relay);
    int rc = handoff_confirm(&relay->confirmer, relay->lease->pg, put);
    int64_t now = clock_monotonic_ms();
    int64_t waited = *put ? 0 : now - relay->confirmer.told_ms;
    if (relay->confirmer.snapshot)
        relay->confirm_ms =
            now + (waited > 4 * CONFIRM_MOST ? CONFIRM_MOST : CONFIRM_MS + waited / 5);
    else
        relay->confirm_ms = was_begun ? now : now + pause;
    return rc;
}

static int look_when_due(struct relay *relay)
{
    int64_t now = clock_monotonic_ms();
    bool put = false;
    int rc = 0;
    if (take_nudge(relay))
        relay->look_ms = relay->confirm_ms = now;
    if (relay->window.count > RELAY_ROWS_LIMIT / 2) { /* what lands wakes us; else no sooner */
        relay->look_ms = relay->confirm_ms = now + POLL_MS;
        return 0;
    }
    int64_t pause = now - relay->busy_ms > IDLE_AFTER_MS ? POLL_IDLE_MS : POLL_MS;
    if (now >= relay->confirm_ms || relay->more)
        rc = confirm(relay, pause, &put);
    if (rc == 0 && (put || relay->more || now >= relay->look_ms)) {
        rc = look(relay);
        relay->look_ms = now + pause;
    }
    return rc;
}

static int send_row(struct relay *relay, struct relay_row *row)
{
    struct parcel *parcel = row->record;
    struct record_header headers[RELAY_HEADERS];
    struct record record;
    arena_reset(&relay->scratch);
    int rc = relay_record(&parcel->row, &relay->scratch, headers, &record);
    if (rc != 0)
        return rc;
    row->state = RELAY_FLIES;
    relay->flying++;
    rc = kafka_producer_send(relay->producer, &record, delivered, parcel);
    if (rc != 0)
        delivered(parcel, rc); /* told as if Kafka had said so */
    return 0;
}

/* Nothing goes once the lease may be another's: who was stopped and goes on says nothing again. */
static int send_all(struct relay *relay)
{
    size_t from = 0;
    struct relay_row *row;
    int64_t now = clock_monotonic_ms();
    while ((row = relay_window_next(&relay->window, &from, now))) {
        if (!lease_is_ours(relay->lease))
            return lease_keep(relay->lease);
        int rc = send_row(relay, row);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int count_waiting(struct relay *relay)
{
    static const char *const params[] = {COUNT_ROWS};
    int64_t now = clock_monotonic_ms();
    struct pg_result *row;
    if (now < relay->count_ms)
        return 0;
    relay->count_ms = now + COUNT_MS;
    int rc = pg_query_prepared(relay->lease->pg, SQL_RELAY_WAITING, params, 1, &row);
    if (rc != 0)
        return rc;
    metric_set(relay->waiting, pg_int(row, 0, 0));
    metric_set(relay->age, pg_int(row, 0, 1));
    pg_result_free(row);
    return 0;
}

static int round_of_work(struct relay *relay)
{
    collect(relay);
    int rc = settle(relay, false);
    if (rc == 0)
        rc = look_when_due(relay);
    if (rc == 0)
        rc = lease_keep(relay->lease);
    if (rc == 0)
        rc = send_all(relay);
    if (rc == 0)
        rc = count_waiting(relay);
    int64_t next = relay->look_ms < relay->confirm_ms ? relay->look_ms : relay->confirm_ms;
    if (rc == 0)
        wait_for_landing(relay, next - clock_monotonic_ms());
    return rc;
}

static int open_producer(struct relay *relay)
{
    int rc = kafka_producer_open(relay->config, &relay->producer);
    if (rc != 0)
        return rc;
    kafka_producer_ready(relay->producer, SYSTEM_TOPIC, NULL, 0);
    follow_rulebook(relay);
    return 0;
}

/* What is on its way is waited for within a bound; what Kafka has is deleted, if that can be. */
static void leave(struct relay *relay, int rc)
{
    kafka_producer_close(relay->producer, rc == 0 ? LEAVE_MS : 0); /* tells of all that flies */
    relay->producer = NULL;
    collect(relay);
    if (rc == 0 && settle(relay, true) != 0)
        log_debug("What was published last is published again by a successor");
    for (size_t i = 0; i < relay->window.count; i++)
        drop(&relay->window.rows[i]);
    relay->window.count = 0;
    relay->window.topic_count = 0;
    handoff_confirmer_clear(&relay->confirmer);
    rulebook_release(relay->rulebook);
    relay->rulebook = NULL;
    arena_free(&relay->scratch);
    metric_set(relay->waiting, 0);
    metric_set(relay->age, 0);
}

static int run(void *context, struct lease *lease)
{
    struct relay *relay = context;
    relay->lease = lease;
    relay->flying = 0;
    relay->look_ms = relay->confirm_ms = relay->published_ms = relay->count_ms = 0;
    relay->busy_ms = clock_monotonic_ms();
    relay->more = false;
    arena_init(&relay->scratch, SCRATCH_LIMIT);
    int rc = pg_query(lease->pg, SQL_RELAY_BEGIN, NULL, 0, NULL);
    if (rc == 0)
        rc = open_producer(relay);
    while (rc == 0 && !stop_requested())
        rc = round_of_work(relay);
    leave(relay, rc);
    return rc;
}

static void make_metrics(struct relay *relay)
{
    relay->waiting = metric_gauge("throughline_outbox_waiting", NULL,
                                  "Rows of the outbox that wait to be published, at most 100,000 "
                                  "are counted; of the aggregator that relays.");
    relay->age = metric_gauge("throughline_outbox_oldest_seconds", NULL,
                              "How long the oldest row of the outbox has waited; of the aggregator "
                              "that relays.");
    relay->published = metric_counter("throughline_outbox_published_total", NULL,
                                      "Rows of the outbox that Kafka has acknowledged.");
    relay->failed = metric_counter("throughline_outbox_failed_total", NULL,
                                   "Rows of the outbox that Kafka did not take; they go again.");
}

static void relay_free(struct relay *relay)
{
    pthread_cond_destroy(&relay->changed);
    pthread_mutex_destroy(&relay->lock);
    free(relay);
}

int relay_start(const struct config *config, struct snapshot_place *rulebooks, struct relay **out)
{
    struct relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return ERR_MEMORY;
    relay->config = config;
    relay->rulebooks = rulebooks;
    if (sync_init(&relay->lock, &relay->changed) != 0) {
        free(relay);
        return ERR_MEMORY;
    }
    make_metrics(relay);
    const struct duty_work work = {LEASE_RELAY, DUTY_RELAY, relay, run};
    int rc = duty_start(config, &work, &relay->duty);
    if (rc != 0) {
        relay_free(relay);
        return rc;
    }
    *out = relay;
    return 0;
}

int relay_join(struct relay *relay, int64_t deadline)
{
    if (!relay)
        return 0;
    int rc = duty_join(relay->duty, deadline);
    if (rc == 0)
        relay_free(relay);
    return rc;
}
