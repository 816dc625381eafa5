#include "services/department/delivery_queue.h"

#include <stdlib.h>

#include "common/base/hash.h"
#include "common/base/retry.h"

#define PARTITIONS 1024 /* of one topic that one service may hold */

struct chain;

struct change {
    struct delivery delivery; /* first, so that it leads back here */
    struct chain *chain;
    struct change *later;           /* of the same handoff */
    struct change *before, *behind; /* of the same partition */
    int64_t added_ms;
    int64_t successes; /* of the queue, when it was first tried */
    struct retry retry;
    int refusals;
    bool sent;   /* with a worker, or judged and not settled */
    bool orphan; /* revoked while it was sent */
    char id[];
};

/* The changes of one handoff; it is in the heap while its first one may be sent. */
struct chain {
    struct chain *next_in_bucket;
    struct change *first, *last;
    int64_t not_before_ms;
    uint64_t arrival; /* first come, first served among equals */
};

struct line { /* a partition's changes that are not settled, in the order of their offsets */
    struct change *first, *last;
    int64_t offset; /* behind the last one that was added; -1: none was */
    int32_t partition;
};

struct delivery_queue {
    struct delivery_limits limits;
    void (*free_payload)(void *payload);
    struct chain **buckets;
    size_t bucket_count; /* a power of two */
    struct chain **heap;
    size_t heap_count;
    struct line lines[PARTITIONS];
    size_t line_count;
    size_t unsettled;
    uint64_t arrivals;
    int64_t successes;
    int failures; /* in a row */
    struct retry breaker;
    int64_t broken_until_ms;
    const struct change *probe; /* the one try while the breaker is open, on its way */
};

struct delivery_queue *delivery_queue_new(const struct delivery_limits *limits,
                                          void (*free_payload)(void *payload))
{
    struct delivery_queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;
    queue->limits = *limits;
    queue->free_payload = free_payload;
    queue->bucket_count = 16;
    while (queue->bucket_count < limits->changes)
        queue->bucket_count *= 2;
    queue->buckets = calloc(queue->bucket_count, sizeof *queue->buckets);
    queue->heap = calloc(limits->changes + 1, sizeof *queue->heap);
    retry_init(&queue->breaker, limits->breaker_floor_ms, limits->breaker_ceiling_ms, 0);
    if (!queue->buckets || !queue->heap) {
        delivery_queue_free(queue);
        return NULL;
    }
    return queue;
}

static void free_change(struct delivery_queue *queue, struct change *change)
{
    queue->free_payload(change->delivery.payload);
    free(change);
}

/* The heap of chains whose first change waits: soonest first. */

static bool sooner(const struct chain *a, const struct chain *b)
{
    return a->not_before_ms != b->not_before_ms ? a->not_before_ms < b->not_before_ms
                                                : a->arrival < b->arrival;
}

static void swap(struct delivery_queue *queue, size_t a, size_t b)
{
    struct chain *chain = queue->heap[a];
    queue->heap[a] = queue->heap[b];
    queue->heap[b] = chain;
}

static void heap_push(struct delivery_queue *queue, struct chain *chain)
{
    size_t at = queue->heap_count++;
    chain->arrival = ++queue->arrivals;
    queue->heap[at] = chain;
    for (; at > 0 && sooner(queue->heap[at], queue->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(queue, at, (at - 1) / 2);
}

static struct chain *heap_pop(struct delivery_queue *queue)
{
    struct chain *chain = queue->heap[0];
    queue->heap[0] = queue->heap[--queue->heap_count];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < queue->heap_count && sooner(queue->heap[child], queue->heap[least]))
                least = child;
        if (least == at)
            return chain;
        swap(queue, at, least);
        at = least;
    }
}

static struct chain **bucket_of(const struct delivery_queue *queue, struct span id)
{
    return &queue->buckets[hash_span(id) & (queue->bucket_count - 1)];
}

static struct chain *find_chain(const struct delivery_queue *queue, struct span id)
{
    struct chain *chain = *bucket_of(queue, id);
    while (chain && !span_equal(chain->first->delivery.handoff_id, id))
        chain = chain->next_in_bucket;
    return chain;
}

static void drop_chain(struct delivery_queue *queue, struct chain *chain)
{
    struct chain **at = bucket_of(queue, chain->first->delivery.handoff_id);
    while (*at != chain)
        at = &(*at)->next_in_bucket;
    *at = chain->next_in_bucket;
    free(chain);
}

static struct line *find_line(struct delivery_queue *queue, int32_t partition)
{
    for (size_t i = 0; i < queue->line_count; i++)
        if (queue->lines[i].partition == partition)
            return &queue->lines[i];
    if (queue->line_count == PARTITIONS)
        return NULL;
    struct line *line = &queue->lines[queue->line_count++];
    *line = (struct line){.partition = partition, .offset = -1};
    return line;
}

static struct change *make_change(const struct delivery_queue *queue, struct span id)
{
    struct change *change = calloc(1, sizeof *change + id.len);
    if (!change)
        return NULL;
    memcpy(change->id, id.ptr, id.len);
    change->delivery.handoff_id = (struct span){change->id, id.len};
    retry_init(&change->retry, queue->limits.retry_floor_ms, queue->limits.retry_ceiling_ms, 0);
    return change;
}

static int join_chain(struct delivery_queue *queue, struct change *change, int64_t now_ms)
{
    struct chain *chain = find_chain(queue, change->delivery.handoff_id);
    if (chain) {
        chain->last->later = change;
        chain->last = change;
        change->chain = chain;
        return 0;
    }
    chain = calloc(1, sizeof *chain);
    if (!chain)
        return ERR_MEMORY;
    struct chain **bucket = bucket_of(queue, change->delivery.handoff_id);
    *chain = (struct chain){
        .next_in_bucket = *bucket, .first = change, .last = change, .not_before_ms = now_ms};
    *bucket = chain;
    change->chain = chain;
    heap_push(queue, chain);
    return 0;
}

int delivery_queue_add(struct delivery_queue *queue, int32_t partition, int64_t offset,
                       struct span handoff_id, int64_t sequence, void *payload, int64_t now_ms)
{
    struct line *line = find_line(queue, partition);
    if (!line || delivery_queue_full(queue))
        return ERR_LIMIT;
    struct change *change = make_change(queue, handoff_id);
    if (!change)
        return ERR_MEMORY;
    int rc = join_chain(queue, change, now_ms);
    if (rc != 0) {
        free(change);
        return rc;
    }
    change->delivery.partition = partition;
    change->delivery.offset = offset;
    change->delivery.sequence = sequence;
    change->delivery.payload = payload;
    change->added_ms = now_ms;
    change->before = line->last;
    if (line->last)
        line->last->behind = change;
    else
        line->first = change;
    line->last = change;
    line->offset = offset + 1;
    queue->unsettled++;
    return 0;
}

bool delivery_queue_full(const struct delivery_queue *queue)
{
    return queue->unsettled >= queue->limits.changes;
}

size_t delivery_queue_size(const struct delivery_queue *queue)
{
    return queue->unsettled;
}

const struct delivery *delivery_queue_oldest(const struct delivery_queue *queue)
{
    const struct change *oldest = NULL;
    for (size_t i = 0; i < queue->line_count; i++) {
        const struct change *first = queue->lines[i].first;
        if (first && (!oldest || first->added_ms < oldest->added_ms))
            oldest = first;
    }
    return oldest ? &oldest->delivery : NULL;
}

bool delivery_queue_broken(const struct delivery_queue *queue)
{
    return queue->broken_until_ms != 0;
}

struct delivery *delivery_queue_next(struct delivery_queue *queue, int64_t now_ms, int64_t *wait_ms)
{
    *wait_ms = -1;
    if (queue->heap_count == 0 || queue->probe)
        return NULL;
    int64_t from = queue->heap[0]->not_before_ms;
    if (queue->broken_until_ms > from)
        from = queue->broken_until_ms;
    if (from > now_ms) {
        *wait_ms = from - now_ms;
        return NULL;
    }
    struct change *change = heap_pop(queue)->first;
    if (delivery_queue_broken(queue))
        queue->probe = change;
    if (change->delivery.tries++ == 0)
        change->successes = queue->successes;
    change->sent = true;
    return &change->delivery;
}

/* Was the receiver there for others since this one was first tried? Else it is not this one's
 * fault. */
static bool takes_others(const struct delivery_queue *queue, const struct change *change)
{
    return queue->successes > change->successes;
}

/* At least so many are settled behind it in its partition. */
static int64_t overtaken_by(struct delivery_queue *queue, const struct change *change)
{
    const struct line *line = find_line(queue, change->delivery.partition);
    return line->offset - change->delivery.offset - (int64_t)queue->unsettled;
}

static bool gives_up(struct delivery_queue *queue, const struct change *change,
                     enum delivery_outcome outcome, bool in_vain, int64_t now_ms)
{
    const struct delivery_limits *limits = &queue->limits;
    if (now_ms - change->added_ms >= limits->give_up_ms)
        return true;
    if (outcome == DELIVERY_FAILED && (in_vain || !takes_others(queue, change)))
        return false;
    bool enough = outcome == DELIVERY_REFUSED ? change->refusals >= limits->refused_tries
                                              : change->delivery.tries >= limits->tries;
    return enough || overtaken_by(queue, change) >= limits->overtaken;
}

/* A refusal comes from a receiver that is there. */
static void tend_breaker(struct delivery_queue *queue, const struct change *change,
                         enum delivery_outcome outcome, int64_t now_ms)
{
    bool was_probe = queue->probe == change;
    if (was_probe || outcome != DELIVERY_FAILED)
        queue->probe = NULL;
    if (outcome != DELIVERY_FAILED) {
        queue->failures = 0;
        queue->broken_until_ms = 0;
        retry_reset(&queue->breaker);
        return;
    }
    queue->failures++;
    /* Tries that were under way when it broke say nothing new. */
    if (delivery_queue_broken(queue) ? was_probe
                                     : queue->failures >= queue->limits.breaker_failures)
        queue->broken_until_ms = now_ms + retry_next_ms(&queue->breaker) + 1;
}

/* While the breaker is open a failure tells of the receiver, not of the change. */
enum delivery_verdict delivery_queue_judge(struct delivery_queue *queue, struct delivery *delivery,
                                           enum delivery_outcome outcome, int64_t retry_after_ms,
                                           int64_t now_ms)
{
    struct change *change = (struct change *)(void *)delivery;
    bool in_vain = outcome == DELIVERY_FAILED && delivery_queue_broken(queue);
    tend_breaker(queue, change, outcome, now_ms);
    if (change->orphan) {
        free_change(queue, change);
        return VERDICT_REVOKED;
    }
    if (outcome == DELIVERY_TAKEN) {
        queue->successes++;
        return VERDICT_DELIVERED;
    }
    change->refusals += outcome == DELIVERY_REFUSED;
    if (gives_up(queue, change, outcome, in_vain, now_ms))
        return VERDICT_GAVE_UP;
    if (in_vain)
        delivery->tries--;
    int64_t wait = retry_next_ms(&change->retry);
    if (retry_after_ms > wait)
        wait = retry_after_ms;
    change->sent = false;
    change->chain->not_before_ms = now_ms + wait;
    heap_push(queue, change->chain);
    return VERDICT_AGAIN;
}

void delivery_queue_return(struct delivery_queue *queue, struct delivery *delivery)
{
    struct change *change = (struct change *)(void *)delivery;
    if (queue->probe == change)
        queue->probe = NULL;
    if (change->orphan) {
        free_change(queue, change);
        return;
    }
    change->sent = false;
    delivery->tries--;
    heap_push(queue, change->chain);
}

static void leave_line(struct line *line, struct change *change)
{
    if (change->before)
        change->before->behind = change->behind;
    else
        line->first = change->behind;
    if (change->behind)
        change->behind->before = change->before;
    else
        line->last = change->before;
}

void delivery_queue_settle(struct delivery_queue *queue, struct delivery *delivery)
{
    struct change *change = (struct change *)(void *)delivery;
    if (change->orphan) {
        free_change(queue, change);
        return;
    }
    struct chain *chain = change->chain;
    queue->unsettled--;
    if (change->later) {
        chain->first = change->later;
        chain->not_before_ms = 0;
        heap_push(queue, chain);
    } else {
        drop_chain(queue, chain);
    }
    leave_line(find_line(queue, delivery->partition), change);
    free_change(queue, change);
}

int64_t delivery_queue_offset(const struct delivery_queue *queue, int32_t partition)
{
    for (size_t i = 0; i < queue->line_count; i++)
        if (queue->lines[i].partition == partition)
            return queue->lines[i].first ? queue->lines[i].first->delivery.offset
                                         : queue->lines[i].offset;
    return -1;
}

void delivery_queue_revoke(struct delivery_queue *queue)
{
    for (size_t i = 0; i < queue->bucket_count; i++) {
        while (queue->buckets[i]) {
            struct chain *chain = queue->buckets[i];
            queue->buckets[i] = chain->next_in_bucket;
            free(chain);
        }
    }
    for (size_t i = 0; i < queue->line_count; i++) {
        while (queue->lines[i].first) {
            struct change *change = queue->lines[i].first;
            queue->lines[i].first = change->behind;
            change->orphan = true;
            if (!change->sent)
                free_change(queue, change);
        }
    }
    queue->line_count = queue->heap_count = queue->unsettled = 0;
}

void delivery_queue_free(struct delivery_queue *queue)
{
    if (!queue)
        return;
    if (queue->buckets)
        delivery_queue_revoke(queue);
    free(queue->buckets);
    free(queue->heap);
    free(queue);
}
