#include "services/department/handoff_message.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "common/base/buffer.h"
#include "common/base/log.h"
#include "common/event/event_time.h"

#define DATA_LIMIT   (64 * 1024)
#define HEADER_COUNT 7

static void add_member(struct buffer *out, const char *name, struct span value)
{
    if (!value.ptr)
        return;
    buffer_printf(out, ",\"%s\":", name);
    buffer_append_json_string(out, value);
}

static struct span make_data(const struct handoff_message *message, struct arena *arena)
{
    struct buffer out;
    buffer_init(&out, DATA_LIMIT);
    buffer_append_text(&out, "{\"handoff\":");
    buffer_append_json_string(&out, message->handoff_id);
    if (message->sequence > 0)
        buffer_printf(&out, ",\"sequence\":%lld", (long long)message->sequence);
    add_member(&out, "by", message->by);
    add_member(&out, "note", message->note);
    add_member(&out, "to", message->to);
    buffer_append_char(&out, '}');
    struct span data = {NULL, 0};
    if (!out.failed)
        data = arena_copy(arena, buffer_span(&out));
    buffer_free(&out);
    return data;
}

int handoff_message_record(const struct handoff_message *message, struct arena *arena,
                           struct record *record)
{
    char time[EVENT_TIME_TEXT];
    event_time_format(message->time_us, time);
    const char *source = arena_printf(arena, "/throughline/%s", message->department);
    const char *moment = arena_strdup(arena, span_of(time));
    struct span data = make_data(message, arena);
    struct record_header *headers = arena_alloc(arena, HEADER_COUNT * sizeof *headers);
    if (!source || !moment || !data.ptr || !headers)
        return ERR_MEMORY;
    size_t count = 0;
    headers[count++] = (struct record_header){span_of("ce_specversion"), span_of("1.0")};
    headers[count++] = (struct record_header){span_of("ce_id"), message->id};
    headers[count++] = (struct record_header){span_of("ce_source"), span_of(source)};
    headers[count++] = (struct record_header){span_of("ce_type"), message->type};
    headers[count++] = (struct record_header){span_of("ce_time"), span_of(moment)};
    headers[count++] = (struct record_header){span_of("content-type"), span_of("application/json")};
    if (message->traceparent.ptr)
        headers[count++] = (struct record_header){span_of("ce_traceparent"), message->traceparent};
    *record = (struct record){
        .partition = -1,
        .key = message->handoff_id,
        .value = data,
        .headers = headers,
        .header_count = count,
    };
    return 0;
}

int handoff_message_id(char id[EVENT_UID_TEXT])
{
    struct event_uid uid;
    if (getrandom(uid.bytes, sizeof uid.bytes, 0) != sizeof uid.bytes) {
        log_error("The system gives no random bytes", LOG_INT("errno", errno));
        return ERR_IO;
    }
    uid.bytes[6] = (unsigned char)((uid.bytes[6] & 0x0f) | 0x40);
    uid.bytes[8] = (unsigned char)((uid.bytes[8] & 0x3f) | 0x80);
    event_uid_text(&uid, id);
    return 0;
}
