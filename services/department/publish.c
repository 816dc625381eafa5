#include "services/department/publish.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/sync.h"
#include "common/http/problem.h"
#include "common/kafka/kafka_producer.h"
#include "services/department/intake_metrics.h"

/* The contract: 503 within 5 s, or a true 202. librdkafka looks for records past
 * their time only once a second, so the answer has a clock of its own. */
#define ANSWER_LIMIT_MS 4500
#define SWEEP_MS        200

/* One request that waits. Freed by whoever lets go of the last hold. */
struct publication {
    struct publisher *publisher;
    struct publication *older, *newer; /* among those that wait */
    struct http_request *request;      /* NULL: answered */
    int64_t deadline_ms;
    size_t holds; /* records on their way, and the sender while it sends */
    bool sent;    /* the sender is through with the records, which lie in the request */
    int result;   /* the first failure */
    struct publish_counts counts;
};

struct publisher {
    struct kafka_producer *producer;
    const char *topic;
    int answer_ms;
    pthread_t sweeper;
    pthread_mutex_t lock; /* for all below, and every publication */
    pthread_cond_t changed;
    bool ending;
    struct publication *oldest, *newest; /* sorted by deadline */
};

/* With the lock. By deadline: a request that took longer to read comes before some that were sent.
 */
static void link_sorted(struct publisher *publisher, struct publication *publication)
{
    struct publication *older = publisher->newest;
    while (older && older->deadline_ms > publication->deadline_ms)
        older = older->older;
    publication->older = older;
    publication->newer = older ? older->newer : publisher->oldest;
    if (publication->newer)
        publication->newer->older = publication;
    else
        publisher->newest = publication;
    if (older)
        older->newer = publication;
    else
        publisher->oldest = publication;
}

/* With the lock: who gets the request answers it, once. */
static struct http_request *take_request(struct publisher *publisher,
                                         struct publication *publication)
{
    struct http_request *request = publication->request;
    if (!request)
        return NULL;
    publication->request = NULL;
    if (publication->older)
        publication->older->newer = publication->newer;
    else
        publisher->oldest = publication->newer;
    if (publication->newer)
        publication->newer->older = publication->older;
    else
        publisher->newest = publication->older;
    return request;
}

static void respond_accepted(struct http_request *request, const struct publish_counts *counts)
{
    char body[128];
    if (counts->webhook)
        snprintf(body, sizeof body, "{\"accepted\":%zu,\"ignored\":%zu,\"quarantined\":%zu}",
                 counts->accepted, counts->ignored, counts->quarantined);
    else
        snprintf(body, sizeof body, "{\"accepted\":%zu}", counts->accepted);
    intake_count_request(202);
    intake_observe_answer((clock_monotonic_ms() - http_request_read_ms(request)) * 1000);
    intake_count_events(INTAKE_ACCEPTED, counts->accepted);
    intake_count_events(INTAKE_IGNORED, counts->ignored);
    intake_count_events(INTAKE_QUARANTINED, counts->quarantined);
    http_respond(request, 202, "application/json", span_of(body), NULL);
}

static void refuse(struct http_request *request, int status, const char *detail)
{
    intake_count_request(status);
    intake_count_refusal(status, NULL);
    http_respond_problem(request, status, detail, NULL, 0);
}

static void respond(struct http_request *request, const struct publish_counts *counts, int result)
{
    if (result == 0) {
        respond_accepted(request, counts);
    } else if (result == ERR_LIMIT) {
        refuse(request, 413, "Kafka does not take a record of this size");
    } else {
        refuse(request, 503,
               "Kafka has not acknowledged it: send it again, what is stored already will be "
               "recognised");
    }
}

/* Lets go of `holds`; answers when that was the last of them, or at a failure: but never before
 * the sender is through, since an answer frees the request and what the records point into. */
static void release(struct publisher *publisher, struct publication *publication, size_t holds,
                    int result, bool sent)
{
    struct http_request *request = NULL;
    pthread_mutex_lock(&publisher->lock);
    publication->holds -= holds;
    if (sent) {
        publication->sent = true;
        /* From when it was read, since looking at a large batch takes its time. */
        publication->deadline_ms =
            http_request_read_ms(publication->request) + publisher->answer_ms;
        link_sorted(publisher, publication);
    }
    if (!publication->result)
        publication->result = result;
    result = publication->result;
    bool last = publication->holds == 0;
    if (last || (result && publication->sent))
        request = take_request(publisher, publication);
    struct publish_counts counts = publication->counts;
    pthread_mutex_unlock(&publisher->lock);
    /* Only the last holder still knows the publication. */
    if (last)
        free(publication);
    if (request)
        respond(request, &counts, result);
}

static void delivered(void *opaque, int result)
{
    struct publication *publication = opaque;
    release(publication->publisher, publication, 1, result, false);
}

static struct publication *new_publication(struct publisher *publisher,
                                           struct http_request *request,
                                           const struct publish_counts *counts, size_t records)
{
    struct publication *publication = calloc(1, sizeof *publication);
    if (!publication)
        return NULL;
    publication->publisher = publisher;
    publication->request = request;
    publication->counts = *counts;
    publication->holds = records + 1;
    return publication;
}

void publish_and_respond(struct publisher *publisher, struct http_request *request,
                         const struct record *records, size_t count,
                         const struct publish_counts *counts)
{
    if (count == 0) {
        respond_accepted(request, counts);
        return;
    }
    struct publication *publication = new_publication(publisher, request, counts, count);
    if (!publication) {
        respond(request, counts, ERR_MEMORY);
        return;
    }
    int rc = 0;
    size_t sent = 0;
    for (; sent < count; sent++) {
        struct record record = records[sent];
        record.topic = span_of(publisher->topic);
        rc = kafka_producer_send(publisher->producer, &record, delivered, publication);
        if (rc)
            break;
    }
    /* Nobody else lets go of our own hold and of what was not sent. */
    release(publisher, publication, 1 + count - sent, rc, true);
}

/* With the lock. The oldest one that waits for too long, or NULL. */
static struct publication *overdue(const struct publisher *publisher)
{
    struct publication *oldest = publisher->oldest;
    return oldest && oldest->deadline_ms <= clock_monotonic_ms() ? oldest : NULL;
}

static void wait_for_sweep(struct publisher *publisher)
{
    struct timespec until = clock_monotonic_after(SWEEP_MS);
    pthread_cond_timedwait(&publisher->changed, &publisher->lock, &until);
}

static void *sweep(void *argument)
{
    struct publisher *publisher = argument;
    pthread_mutex_lock(&publisher->lock);
    while (!publisher->ending) {
        struct publication *late = overdue(publisher);
        if (!late) {
            wait_for_sweep(publisher);
            continue;
        }
        struct publish_counts counts = late->counts;
        struct http_request *request = take_request(publisher, late);
        pthread_mutex_unlock(&publisher->lock);
        respond(request, &counts, ERR_BUSY);
        pthread_mutex_lock(&publisher->lock);
    }
    pthread_mutex_unlock(&publisher->lock);
    return NULL;
}

static int start_sweeper(struct publisher *publisher)
{
    int rc = pthread_create(&publisher->sweeper, NULL, sweep, publisher);
    if (rc == 0)
        return 0;
    log_error("cannot start the publisher's thread", LOG_TEXT("error", strerror(rc)));
    return ERR_IO;
}

static void free_publisher(struct publisher *publisher)
{
    pthread_cond_destroy(&publisher->changed);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

int publisher_open(const struct config *config, const char *topic, struct publisher **out)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (!publisher)
        return ERR_MEMORY;
    int64_t timeout = config_number(config, "publish_timeout");
    publisher->topic = topic;
    publisher->answer_ms = timeout < ANSWER_LIMIT_MS ? (int)timeout : ANSWER_LIMIT_MS;
    if (sync_init(&publisher->lock, &publisher->changed)) {
        free(publisher);
        return ERR_MEMORY;
    }
    int rc = kafka_producer_open(config, &publisher->producer);
    if (!rc)
        rc = start_sweeper(publisher);
    if (rc) {
        kafka_producer_close(publisher->producer, 0);
        free_publisher(publisher);
        return rc;
    }
    kafka_producer_ready(publisher->producer, topic, NULL, 0); /* begins to warm it up */
    *out = publisher;
    return 0;
}

bool publisher_ready(struct publisher *publisher, char *why, size_t why_size)
{
    return kafka_producer_ready(publisher->producer, publisher->topic, why, why_size);
}

struct kafka_producer *publisher_producer(const struct publisher *publisher)
{
    return publisher->producer;
}

void publisher_close(struct publisher *publisher, int ms)
{
    if (!publisher)
        return;
    pthread_mutex_lock(&publisher->lock);
    publisher->ending = true;
    pthread_cond_signal(&publisher->changed);
    pthread_mutex_unlock(&publisher->lock);
    pthread_join(publisher->sweeper, NULL);
    kafka_producer_close(publisher->producer, ms);
    free_publisher(publisher);
}
