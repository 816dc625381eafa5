#include "common/kafka/kafka_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/sync.h"
#include "common/kafka/kafka_certificate.h"

#define TOPICS_LIMIT    32
#define TOPIC_NAME_SIZE 250   /* Kafka's bound, with the NUL */
#define ANSWER_MS       1000  /* what a look waits for an answer */
#define LOOK_SOON_MS    250   /* between looks while something is missing */
#define LOOK_LATER_MS   5000  /* while all is well */
#define AWAY_AFTER_MS   2000  /* silence after which a failed look means "away" */
#define REFUSED_MS      15000 /* so long a broker that refuses us says more than one that is away */

struct topic {
    char name[TOPIC_NAME_SIZE];
    rd_kafka_topic_t *handle; /* of the watch's thread; keeps the client's knowledge of the topic */
    char missing[160];        /* what is; "": nothing */
    enum kafka_trouble seen;  /* at the last look */
    enum kafka_trouble trouble; /* at the last two, and told: one that is just made passes */
};

struct kafka_watch {
    struct kafka_watch_owner owner;
    rd_kafka_t *kafka; /* of the watch's thread */
    pthread_t thread;
    atomic_int_fast64_t last_contact_ms;
    atomic_bool unreachable; /* the last look failed */

    pthread_mutex_t lock; /* for all below */
    pthread_cond_t changed;
    bool ending, fatal, look_now;
    enum kafka_trouble trouble;        /* of the connection, as told */
    enum kafka_trouble cause;          /* what the last error said; NONE: nothing since an answer */
    char reason[512];                  /* its text */
    int64_t cause_ms;                  /* when it was said */
    struct topic topics[TOPICS_LIMIT]; /* slots are filled, never emptied */
    size_t topic_count;
};

void kafka_watch_contact(struct kafka_watch *watch)
{
    atomic_store(&watch->last_contact_ms, clock_monotonic_ms());
    if (!atomic_exchange(&watch->unreachable, false))
        return;
    pthread_mutex_lock(&watch->lock);
    kafka_trouble_change(watch->trouble, KAFKA_TROUBLE_NONE, NULL, NULL);
    watch->trouble = watch->cause = KAFKA_TROUBLE_NONE;
    pthread_mutex_unlock(&watch->lock);
}

/* A look has failed. */
static void unreachable(struct kafka_watch *watch, const char *error)
{
    pthread_mutex_lock(&watch->lock);
    atomic_store(&watch->unreachable, true);
    bool known = watch->cause != KAFKA_TROUBLE_NONE;
    enum kafka_trouble now = known ? watch->cause : KAFKA_TROUBLE_AWAY;
    kafka_trouble_change(watch->trouble, now, NULL, known ? watch->reason : error);
    watch->trouble = now;
    pthread_mutex_unlock(&watch->lock);
}

/* Of several brokers, or several addresses of one, one may be away and another refuse us. */
static bool says_more(const struct kafka_watch *watch, rd_kafka_resp_err_t error,
                      enum kafka_trouble cause)
{
    bool refused =
        (watch->cause == KAFKA_TROUBLE_TLS || watch->cause == KAFKA_TROUBLE_CREDENTIALS) &&
        clock_monotonic_ms() - watch->cause_ms < REFUSED_MS;
    /* That all brokers are down says less than what one of them said before. */
    bool all_down = error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && watch->cause;
    return cause != KAFKA_TROUBLE_NONE && !all_down && !(refused && cause == KAFKA_TROUBLE_AWAY);
}

void kafka_watch_error(struct kafka_watch *watch, rd_kafka_resp_err_t error, const char *reason)
{
    enum kafka_trouble cause = kafka_trouble_of(error);
    pthread_mutex_lock(&watch->lock);
    if (says_more(watch, error, cause)) {
        char why[KAFKA_CERTIFICATE_REASON];
        bool certificate = cause == KAFKA_TROUBLE_TLS && kafka_certificate_reason(why);
        watch->cause = cause;
        watch->cause_ms = clock_monotonic_ms();
        snprintf(watch->reason, sizeof watch->reason, "%s%s%s", certificate ? why : "",
                 certificate ? ": " : "", reason);
    }
    pthread_mutex_unlock(&watch->lock);
    kafka_watch_trouble(watch);
}

bool kafka_watch_away(struct kafka_watch *watch)
{
    return atomic_load(&watch->unreachable) &&
           clock_monotonic_ms() - atomic_load(&watch->last_contact_ms) > AWAY_AFTER_MS;
}

static void wake(struct kafka_watch *watch, bool fatal)
{
    pthread_mutex_lock(&watch->lock);
    watch->look_now = true;
    if (fatal)
        watch->fatal = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

void kafka_watch_trouble(struct kafka_watch *watch)
{
    wake(watch, false);
}

void kafka_watch_fatal(struct kafka_watch *watch)
{
    wake(watch, true);
}

static enum kafka_trouble judge_partitions(const struct rd_kafka_metadata_topic *topic,
                                           char *missing, size_t size)
{
    int led = 0;
    for (int i = 0; i < topic->partition_cnt; i++)
        led += topic->partitions[i].leader >= 0;
    missing[0] = '\0';
    if (topic->err) {
        enum kafka_trouble trouble = kafka_trouble_of(topic->err);
        snprintf(missing, size, "%s", rd_kafka_err2str(topic->err));
        return trouble ? trouble : KAFKA_TROUBLE_TOPIC;
    }
    if (led > 0)
        return KAFKA_TROUBLE_NONE;
    snprintf(missing, size, "no partition has a leader");
    return KAFKA_TROUBLE_LEADER;
}

/* Asks for one topic. False when no broker answered. */
static bool look_at(struct kafka_watch *watch, struct topic *topic)
{
    char missing[sizeof topic->missing];
    enum kafka_trouble trouble = KAFKA_TROUBLE_TOPIC;
    const struct rd_kafka_metadata *metadata = NULL;
    if (!topic->handle)
        topic->handle = rd_kafka_topic_new(watch->kafka, topic->name, NULL);
    if (!topic->handle) {
        snprintf(missing, sizeof missing, "%s", rd_kafka_err2str(rd_kafka_last_error()));
    } else {
        rd_kafka_resp_err_t error =
            rd_kafka_metadata(watch->kafka, 0, topic->handle, &metadata, ANSWER_MS);
        if (error) {
            unreachable(watch, rd_kafka_err2str(error));
            return false;
        }
        kafka_watch_contact(watch);
        if (metadata->topic_cnt == 1)
            trouble = judge_partitions(&metadata->topics[0], missing, sizeof missing);
        else
            snprintf(missing, sizeof missing, "the broker does not tell of it");
        rd_kafka_metadata_destroy(metadata);
    }
    pthread_mutex_lock(&watch->lock);
    memcpy(topic->missing, missing, sizeof missing);
    if (trouble == KAFKA_TROUBLE_NONE || trouble == topic->seen) {
        kafka_trouble_change(topic->trouble, trouble, topic->name, missing);
        topic->trouble = trouble;
    }
    topic->seen = trouble;
    pthread_mutex_unlock(&watch->lock);
    return missing[0] == '\0';
}

static size_t topic_count(struct kafka_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    size_t count = watch->topic_count;
    pthread_mutex_unlock(&watch->lock);
    return count;
}

/* True when nothing is missing. */
static bool look(struct kafka_watch *watch)
{
    bool complete = true;
    size_t count = topic_count(watch);
    for (size_t i = 0; i < count; i++) {
        complete &= look_at(watch, &watch->topics[i]);
        if (atomic_load(&watch->unreachable))
            break;
    }
    return complete;
}

static void release_topics(struct kafka_watch *watch)
{
    size_t count = topic_count(watch);
    for (size_t i = 0; i < count; i++) {
        if (watch->topics[i].handle)
            rd_kafka_topic_destroy(watch->topics[i].handle);
        watch->topics[i].handle = NULL;
    }
}

/* False when there is no new client yet. */
static bool replace(struct kafka_watch *watch)
{
    rd_kafka_t *kafka = watch->owner.replace(watch->owner.context);
    if (!kafka)
        return false;
    release_topics(watch);
    watch->kafka = kafka;
    watch->owner.released(watch->owner.context);
    return true;
}

static void timed_wait(struct kafka_watch *watch, int64_t ms)
{
    struct timespec until = clock_monotonic_after(ms);
    pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
}

/* Trouble brings the next look forward, but never sooner than LOOK_SOON_MS. */
static void wait_for_turn(struct kafka_watch *watch, bool complete)
{
    int64_t looked = clock_monotonic_ms();
    while (!watch->ending) {
        bool soon = !complete || watch->look_now || watch->fatal;
        int64_t left = looked + (soon ? LOOK_SOON_MS : LOOK_LATER_MS) - clock_monotonic_ms();
        if (left <= 0)
            break;
        timed_wait(watch, left);
    }
    watch->look_now = false;
}

static void *run(void *argument)
{
    struct kafka_watch *watch = argument;
    pthread_mutex_lock(&watch->lock);
    while (!watch->ending) {
        bool fatal = watch->fatal;
        pthread_mutex_unlock(&watch->lock);

        bool replaced = fatal && replace(watch);
        bool complete = look(watch);

        pthread_mutex_lock(&watch->lock);
        if (replaced)
            watch->fatal = false;
        wait_for_turn(watch, complete);
    }
    pthread_mutex_unlock(&watch->lock);
    release_topics(watch);
    return NULL;
}

int kafka_watch_new(const struct kafka_watch_owner *owner, struct kafka_watch **out)
{
    struct kafka_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return ERR_MEMORY;
    if (owner)
        watch->owner = *owner;
    kafka_trouble_metrics();
    atomic_store(&watch->last_contact_ms, clock_monotonic_ms());
    if (sync_init(&watch->lock, &watch->changed)) {
        free(watch);
        return ERR_MEMORY;
    }
    *out = watch;
    return 0;
}

int kafka_watch_start(struct kafka_watch *watch, rd_kafka_t *kafka)
{
    watch->kafka = kafka;
    int rc = pthread_create(&watch->thread, NULL, run, watch);
    if (rc) {
        log_error("cannot start the thread that watches Kafka", LOG_TEXT("error", strerror(rc)));
        return ERR_IO;
    }
    return 0;
}

void kafka_watch_stop(struct kafka_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->ending = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
}

void kafka_watch_free(struct kafka_watch *watch)
{
    if (!watch)
        return;
    kafka_trouble_leave(watch->trouble);
    for (size_t i = 0; i < watch->topic_count; i++)
        kafka_trouble_leave(watch->topics[i].trouble);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

/* With the lock. NULL when there is no room for one more. */
static const struct topic *find_or_add(struct kafka_watch *watch, const char *name)
{
    for (size_t i = 0; i < watch->topic_count; i++)
        if (strcmp(watch->topics[i].name, name) == 0)
            return &watch->topics[i];
    if (watch->topic_count == TOPICS_LIMIT || strlen(name) >= TOPIC_NAME_SIZE)
        return NULL;
    struct topic *topic = &watch->topics[watch->topic_count++];
    snprintf(topic->name, sizeof topic->name, "%s", name);
    snprintf(topic->missing, sizeof topic->missing, "not asked for yet");
    watch->look_now = true;
    pthread_cond_signal(&watch->changed);
    return topic;
}

enum kafka_trouble kafka_watch_now(struct kafka_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    enum kafka_trouble now = watch->trouble;
    for (size_t i = 0; i < watch->topic_count && !now; i++)
        now = watch->topics[i].trouble;
    pthread_mutex_unlock(&watch->lock);
    return now;
}

bool kafka_watch_ready(struct kafka_watch *watch, const char *name, char *why, size_t why_size)
{
    char missing[sizeof((struct topic *)0)->missing] = "";
    pthread_mutex_lock(&watch->lock);
    const struct topic *topic = find_or_add(watch, name);
    if (topic)
        snprintf(missing, sizeof missing, "%s", topic->missing);
    bool unreachable_now = atomic_load(&watch->unreachable);
    enum kafka_trouble connection = watch->trouble ? watch->trouble : KAFKA_TROUBLE_AWAY;
    pthread_mutex_unlock(&watch->lock);

    if (topic && !unreachable_now && missing[0] == '\0')
        return true;
    if (why && !topic)
        snprintf(why, why_size, "Kafka: more than %d topics, %s is not watched", TOPICS_LIMIT,
                 name);
    else if (why && unreachable_now)
        snprintf(why, why_size, "%s", kafka_trouble_words(connection));
    else if (why)
        snprintf(why, why_size, "Kafka: topic %s: %s", name, missing);
    return false;
}
