#include "services/cli/send_answer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text ? text : "");
}

static int by_index(const void *a, const void *b)
{
    const struct send_blame *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* Of several errors of one event the first is told. */
static void keep_first_of_each(struct send_verdict *verdict)
{
    size_t kept = 0;
    qsort(verdict->blames, verdict->blame_count, sizeof *verdict->blames, by_index);
    for (size_t i = 0; i < verdict->blame_count; i++)
        if (kept == 0 || verdict->blames[kept - 1].index != verdict->blames[i].index)
            verdict->blames[kept++] = verdict->blames[i];
    verdict->blame_count = kept;
}

static bool blamed(const struct send_verdict *verdict, size_t index)
{
    for (size_t i = 0; i < verdict->blame_count; i++)
        if (verdict->blames[i].index == index)
            return true;
    return false;
}

static void read_errors(const json_t *errors, size_t events, struct send_verdict *verdict)
{
    size_t i;
    json_t *error;
    json_array_foreach(errors, i, error)
    {
        const json_t *index = json_object_get(error, "index");
        /* Of an only event there is no doubt. */
        int64_t at = json_is_integer(index) ? json_integer_value(index) : events == 1 ? 0 : -1;
        if (at < 0 || (size_t)at >= events || verdict->blame_count == SEND_BLAMES ||
            blamed(verdict, (size_t)at))
            continue;
        struct send_blame *blame = &verdict->blames[verdict->blame_count++];
        blame->index = (size_t)at;
        copy(blame->reason, sizeof blame->reason,
             json_string_value(json_object_get(error, "detail")));
        copy(blame->pointer, sizeof blame->pointer,
             json_string_value(json_object_get(error, "pointer")));
    }
    keep_first_of_each(verdict);
}

static enum send_meaning meaning_of(int status)
{
    switch (status) {
    case 202:
        return SEND_ACCEPTED;
    case 400:
    case 413:
        return SEND_REFUSED;
    case 0:
    case 408:
    case 425:
    case 429:
        return SEND_AGAIN;
    default:
        return status >= 500 ? SEND_AGAIN : SEND_HOPELESS;
    }
}

void send_judge(const struct http_answer *answer, size_t events, struct send_verdict *verdict)
{
    verdict->meaning = meaning_of(answer->status);
    verdict->retry_after_s = answer->retry_after_s;
    verdict->blame_count = 0;
    verdict->why[0] = '\0';
    if (verdict->meaning == SEND_ACCEPTED)
        return;
    if (answer->status == 0) {
        copy(verdict->why, sizeof verdict->why, answer->error);
        return;
    }
    json_t *problem =
        json_loadb(answer->body.len ? answer->body.data : "", answer->body.len, 0, NULL);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *title = json_string_value(json_object_get(problem, "title"));
    if (verdict->meaning == SEND_REFUSED) {
        read_errors(json_object_get(problem, "errors"), events, verdict);
        if (verdict->blame_count > 0)
            verdict->meaning = SEND_BLAMED;
    }
    snprintf(verdict->why, sizeof verdict->why, "%d%s%s", answer->status,
             detail || title ? ": " : "",
             detail  ? detail
             : title ? title
                     : "");
    json_decref(problem);
}
