#include "services/cli/replay_plan.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/duration.h"
#include "common/event/event_time.h"

static bool is_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 18 && !text[digits];
}

int replay_place_parse(const char *text, int64_t now_ms, struct replay_request *request,
                       struct fault *fault)
{
    int64_t number;
    if (strcmp(text, "beginning") == 0) {
        request->place = REPLAY_BEGINNING;
    } else if (is_number(text)) {
        request->place = REPLAY_OFFSET;
        request->offset = strtoll(text, NULL, 10);
    } else if (duration_parse(text, &number) == 0) {
        request->place = REPLAY_TIME;
        request->time_ms = now_ms - number;
    } else if (event_time_parse(span_of(text), &number) == 0) {
        request->place = REPLAY_TIME;
        request->time_ms = number / 1000;
    } else {
        return fault_set(fault, "",
                         "--from wants beginning, an offset, a time like 2026-01-08T10:12:07Z or "
                         "how long ago like 2h, not \"%s\"",
                         text);
    }
    if (request->place == REPLAY_TIME && request->time_ms < 0)
        return fault_set(fault, "", "--from is before 1970");
    return 0;
}

bool replay_is_stuck(const struct book *book)
{
    return book->stopped[0] ||
           (book->in_kafka && (book->next < book->low || book->next > book->high));
}

static bool is_meant(const struct replay_request *request, const struct book *book)
{
    return book->begun && (!request->topic || strcmp(book->topic, request->topic) == 0) &&
           (request->partition < 0 || book->partition == request->partition) &&
           (!request->stopped || replay_is_stuck(book));
}

static int64_t found_for(const struct book *book, const struct kafka_cluster *cluster,
                         const int64_t *found)
{
    for (size_t i = 0; i < cluster->count; i++)
        if (cluster->partitions[i].partition == book->partition &&
            strcmp(cluster->partitions[i].topic, book->topic) == 0)
            return found[i];
    return -1;
}

static int place_in(const struct replay_request *request, const struct book *book,
                    const struct kafka_cluster *cluster, const int64_t *found, int64_t *to,
                    struct fault *fault)
{
    if (!book->in_kafka)
        return fault_set(fault, "", "Kafka does not have partition %d of %s", book->partition,
                         book->topic);
    switch (request->place) {
    case REPLAY_BEGINNING:
        *to = book->low;
        return 0;
    case REPLAY_TIME:
        *to = found_for(book, cluster, found);
        /* Between the two looks records may have come, or gone. */
        if (*to < 0)
            *to = book->high;
        if (*to < book->low)
            *to = book->low;
        return 0;
    case REPLAY_OFFSET:
        break;
    }
    *to = request->offset;
    if (*to >= book->low && *to <= book->high)
        return 0;
    return fault_set(fault, "", "partition %d of %s has offsets %lld to %lld, not %lld",
                     book->partition, book->topic, (long long)book->low, (long long)book->high,
                     (long long)*to);
}

static void add_step(struct replay_plan *plan, const struct book *book, int64_t to)
{
    struct replay_step *step = &plan->steps[plan->count++];
    *step = (struct replay_step){.book = book, .to = to};
    if (to < book->next)
        step->again = book->next - to;
    else
        step->left_out = to - book->next;
    plan->again += step->again;
    plan->left_out += step->left_out;
}

static int nothing_meant(const struct replay_request *request, struct fault *fault)
{
    if (request->stopped)
        return fault_set(fault, "", "no partition is stopped");
    if (request->partition >= 0)
        return fault_set(fault, "", "the aggregator has never read partition %lld of %s",
                         (long long)request->partition, request->topic);
    return fault_set(fault, "", "the aggregator has never read %s%s",
                     request->topic ? "topic " : "anything", request->topic ? request->topic : "");
}

int replay_plan_make(const struct replay_request *request, const struct books *books,
                     const struct kafka_cluster *cluster, const int64_t *found,
                     struct replay_plan *plan, struct fault *fault)
{
    size_t meant = 0;
    int rc = 0;
    *plan = (struct replay_plan){.steps = calloc(books->count + 1, sizeof *plan->steps)};
    if (!plan->steps)
        return ERR_MEMORY;
    for (size_t i = 0; i < books->count && rc == 0; i++) {
        const struct book *book = &books->items[i];
        int64_t to = 0;
        if (!is_meant(request, book))
            continue;
        meant++;
        rc = place_in(request, book, cluster, found, &to, fault);
        if (rc == 0 && (to != book->next || replay_is_stuck(book)))
            add_step(plan, book, to);
    }
    if (rc == 0 && meant == 0)
        rc = nothing_meant(request, fault);
    if (rc != 0)
        replay_plan_free(plan);
    return rc;
}

void replay_plan_free(struct replay_plan *plan)
{
    free(plan->steps);
    *plan = (struct replay_plan){0};
}
