#include "services/aggregator/batch.h"

#include <stdlib.h>

#include "common/base/hash.h"
#include "common/base/hex.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "common/event/trace_context.h"
#include "common/json/decimal.h"
#include "common/pg/pg.h"

/* A quarantined record keeps all its bytes, however large Kafka let it be: librdkafka takes 100 MB
 * (receive.message.max.bytes) unless told otherwise, and PostgreSQL not much more, in hex. */
#define LARGEST_RECORD ((size_t)120 * 1024 * 1024)
#define SMALLEST_SLOTS 1024

int batch_init(struct batch *batch, size_t byte_limit)
{
    *batch = (struct batch){.byte_limit = byte_limit, .quarantine_room = INT64_MAX};
    arena_init(&batch->arena, byte_limit + LARGEST_RECORD);
    buffer_init(&batch->rows, byte_limit + LARGEST_RECORD);
    batch->identity_slot_count = SMALLEST_SLOTS;
    batch->identity_slots = calloc(SMALLEST_SLOTS, sizeof *batch->identity_slots);
    return batch->identity_slots ? 0 : ERR_MEMORY;
}

static void drop_messages(struct batch *batch)
{
    for (size_t i = 0; i < batch->row_count; i++)
        kafka_message_drop(batch->row[i].message);
    batch->row_count = 0;
}

void batch_free(struct batch *batch)
{
    drop_messages(batch);
    arena_free(&batch->arena);
    buffer_free(&batch->rows);
    free(batch->row);
    free(batch->identity);
    free(batch->identity_slots);
    free(batch->tie);
    free(batch->attachment);
    free(batch->note);
    free(batch->quarantine);
    *batch = (struct batch){0};
}

void batch_clear(struct batch *batch)
{
    drop_messages(batch);
    arena_reset(&batch->arena);
    buffer_clear(&batch->rows);
    memset(batch->identity_slots, 0, batch->identity_slot_count * sizeof *batch->identity_slots);
    batch->overtaken = batch->awaited = false;
    batch->refused = batch->refused_reason = NULL;
    batch->unique_count = 0;
    batch->identity_count = 0;
    batch->tie_count = 0;
    batch->attachment_count = 0;
    batch->note_count = 0;
    batch->quarantine_count = 0;
    batch->refused_count = 0;
    batch->record_count = 0;
}

bool batch_is_empty(const struct batch *batch)
{
    return batch->record_count == 0;
}

bool batch_is_full(const struct batch *batch, size_t record_limit)
{
    return batch->record_count >= record_limit ||
           batch->rows.len + batch->arena.used >= batch->byte_limit;
}

static int no_memory(void)
{
    log_error("No memory for a batch");
    return ERR_MEMORY;
}

/* The slot of that key, or the free one where it belongs. */
static uint32_t *identity_slot(struct batch *batch, struct span key)
{
    size_t at = (size_t)hash_span(key) & (batch->identity_slot_count - 1);
    while (batch->identity_slots[at] &&
           !span_equal(batch->identity[batch->identity_slots[at] - 1].key, key))
        at = (at + 1) & (batch->identity_slot_count - 1);
    return &batch->identity_slots[at];
}

static bool grow_slots(struct batch *batch)
{
    if (batch->identity_count * 2 < batch->identity_slot_count)
        return true;
    size_t larger = batch->identity_slot_count * 2;
    uint32_t *slots = calloc(larger, sizeof *slots);
    if (!slots)
        return false;
    free(batch->identity_slots);
    batch->identity_slots = slots;
    batch->identity_slot_count = larger;
    for (size_t i = 0; i < batch->identity_count; i++)
        *identity_slot(batch, batch->identity[i].key) = (uint32_t)i + 1;
    return true;
}

/* The batch's entry of an identity, made where it is new. */
static int intern(struct batch *batch, struct span kind, struct span value, uint32_t *index)
{
    char key[64 + 1 + IDENTITY_VALUE_LIMIT];
    if (kind.len + 1 + value.len > sizeof key) {
        log_error("An identity is longer than identities can be");
        return ERR_IO;
    }
    memcpy(key, kind.ptr, kind.len);
    key[kind.len] = '=';
    memcpy(key + kind.len + 1, value.ptr, value.len);
    struct span wanted = {key, kind.len + 1 + value.len};

    uint32_t *slot = identity_slot(batch, wanted);
    if (*slot) {
        *index = *slot - 1;
        return 0;
    }
    if (list_grow(&batch->identity, batch->identity_count, &batch->identity_capacity,
                  sizeof *batch->identity) != 0 ||
        !grow_slots(batch))
        return no_memory();
    struct span copy = arena_copy(&batch->arena, wanted);
    if (!copy.ptr)
        return no_memory();
    *index = (uint32_t)batch->identity_count++;
    batch->identity[*index] = (struct batch_identity){
        .key = copy,
        .kind = {copy.ptr, kind.len},
        .value = {copy.ptr + kind.len + 1, value.len},
    };
    *identity_slot(batch, copy) = *index + 1;
    return 0;
}

static int intern_identity(struct batch *batch, const struct identity *identity, uint32_t *index)
{
    return intern(batch, span_of(identity->kind->name), identity->value, index);
}

int batch_place(struct batch *batch, struct batch_row *row, struct span kind, struct span value)
{
    return intern(batch, kind, value, &row->identity);
}

uint32_t batch_component(struct batch *batch, uint32_t identity)
{
    struct batch_identity *all = batch->identity;
    while (all[identity].parent != identity) {
        all[identity].parent = all[all[identity].parent].parent; /* halve the path */
        identity = all[identity].parent;
    }
    return identity;
}

/* Whatever joins its component to another takes the record that does so as its evidence: so the
 * records of a component's identities are those that hold it together. */
static void unite(struct batch *batch, uint32_t a, uint32_t b, const struct batch_row *row)
{
    a = batch_component(batch, a);
    b = batch_component(batch, b);
    if (a == b)
        return;
    struct batch_identity *joined = &batch->identity[a < b ? b : a];
    joined->parent = a < b ? a : b;
    joined->partition = row->partition;
    joined->offset = row->offset;
}

static void name_identity(struct batch *batch, uint32_t index, const struct batch_row *row)
{
    struct batch_identity *identity = &batch->identity[index];
    if (identity->named)
        return;
    identity->named = true;
    identity->partition = row->partition;
    identity->offset = row->offset;
}

void batch_tie(struct batch *batch, size_t row_count)
{
    for (uint32_t i = 0; i < batch->identity_count; i++) {
        batch->identity[i].named = false;
        batch->identity[i].parent = i;
    }
    for (size_t i = 0; i < batch->attachment_count; i++)
        batch->attachment[i].named = false;
    for (size_t r = 0; r < row_count; r++) {
        const struct batch_row *row = &batch->row[r];
        name_identity(batch, row->identity, row);
        if (row->account != BATCH_NONE)
            name_identity(batch, row->account, row);
        for (uint32_t i = row->tie; i < row->tie + row->tie_count; i++) {
            name_identity(batch, batch->tie[i].other, row);
            unite(batch, batch->tie[i].anchor, batch->tie[i].other, row);
        }
        for (uint32_t i = row->attachment; i < row->attachment + row->attachment_count; i++)
            batch->attachment[i].named = true;
    }
}

static int tie(struct batch *batch, uint32_t anchor, uint32_t other)
{
    if (list_grow(&batch->tie, batch->tie_count, &batch->tie_capacity, sizeof *batch->tie) != 0)
        return no_memory();
    batch->tie[batch->tie_count++] = (struct batch_tie){anchor, other};
    return 0;
}

static int attach(struct batch *batch, uint32_t anchor, const struct identity *weak)
{
    if (list_grow(&batch->attachment, batch->attachment_count, &batch->attachment_capacity,
                  sizeof *batch->attachment) != 0)
        return no_memory();
    struct span value = arena_copy(&batch->arena, weak->value);
    if (!value.ptr)
        return no_memory();
    batch->attachment[batch->attachment_count++] =
        (struct batch_attachment){anchor, span_of(weak->kind->name), value, false};
    return 0;
}

/*
 * The persons' (or the accounts') identities of one event: the strongest is what the row hangs
 * on; other strong ones are tied to it, weak ones attached. Where all are weak, the strongest
 * stands for a customer of its own, and the others are attached to that.
 */
static int add_identities(struct batch *batch, const struct identities *identities, bool account,
                          uint32_t *anchor)
{
    *anchor = BATCH_NONE;
    for (size_t i = 0; i < identities->count; i++) {
        const struct identity *identity = &identities->items[i];
        if (identity->kind->account != account)
            continue;
        int rc;
        if (*anchor == BATCH_NONE) {
            rc = intern_identity(batch, identity, anchor); /* the strongest comes first */
        } else if (identity->ties) {
            uint32_t other;
            rc = intern_identity(batch, identity, &other);
            if (rc == 0)
                rc = tie(batch, *anchor, other);
        } else {
            rc = attach(batch, *anchor, identity);
        }
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* A field whose length is known only once it has been written. */
static size_t field_begin(struct buffer *rows)
{
    buffer_append_be32(rows, 0);
    return rows->len;
}

static void field_end(struct buffer *rows, size_t start)
{
    if (rows->failed)
        return;
    size_t len = rows->len - start;
    for (size_t i = 0; i < 4; i++)
        rows->data[start - 4 + i] = (char)(len >> (24 - 8 * i));
}

/* Data that is no JSON is kept as an object that says so: nothing is lost. */
/* Before the text of a jsonb field: its length, and the version of its binary form. */
#define JSONB_HEAD (4 + 1)

static void append_data(struct buffer *rows, const struct event *event)
{
    if (event->data_kind == EVENT_DATA_NONE) {
        pg_field_null(rows);
        return;
    }
    size_t start = field_begin(rows);
    buffer_append_char(rows, 1); /* jsonb's version */
    if (event->data_kind == EVENT_DATA_JSON) {
        buffer_append_span(rows, event->data);
    } else {
        buffer_append_text(rows, "{\"datacontenttype\":");
        buffer_append_json_string(rows, event->datacontenttype);
        buffer_append_text(rows, ",\"data_base64\":\"");
        base64_append(rows, event->data);
        buffer_append_text(rows, "\"}");
    }
    field_end(rows, start);
}

static void append_amount(struct buffer *rows, struct span amount)
{
    if (!amount.ptr) {
        pg_field_null(rows);
        return;
    }
    size_t start = field_begin(rows);
    decimal_append_numeric(rows, amount);
    field_end(rows, start);
}

/* Where source and event_id begin within a row's bytes: behind the fields of fixed width. */
#define ROW_FIXED (4 + 8 + 4 + 16)

static void append_row(struct batch *batch, const struct record *record, const char *department,
                       const struct event *event, const struct event_facts *facts,
                       const struct event_uid *uid, size_t *data)
{
    struct buffer *rows = &batch->rows;
    pg_field_time(rows, facts->occurred_at);
    pg_field_text(rows, (struct span){(const char *)uid->bytes, sizeof uid->bytes});
    pg_field_text(rows, event->source);
    pg_field_text(rows, event->id);
    pg_field_text(rows, span_of(department));
    pg_field_text(rows, event->type);
    pg_field_text(rows, facts->summary);
    pg_field_text(rows, facts->owner);
    append_amount(rows, facts->amount);
    pg_field_text(rows, facts->currency);
    *data = rows->len + JSONB_HEAD;
    append_data(rows, event);
    pg_field_text(rows, record->topic);
    pg_field_int32(rows, record->partition);
    pg_field_int64(rows, record->offset);
}

static bool copy_span(struct arena *arena, struct span from, struct span *to)
{
    *to = from.ptr ? arena_copy(arena, from) : from;
    return !from.ptr || to->ptr;
}

static bool copy_asked(struct batch *batch, const struct event *event,
                       const struct handoff_asked *asked, struct batch_note *note)
{
    if (!asked)
        return true;
    struct handoff_asked *copy = arena_alloc(&batch->arena, sizeof *copy);
    note->asked = copy;
    if (copy)
        *copy = *asked;
    return copy && copy_span(&batch->arena, asked->by, &copy->by) &&
           copy_span(&batch->arena, asked->note, &copy->note) &&
           copy_span(&batch->arena, asked->to, &copy->to) &&
           copy_span(&batch->arena, event->id, &note->asked_id);
}

static int add_note(struct batch *batch, const char *department, const struct event *event,
                    const struct event_facts *facts, const struct batch_interest *interest,
                    size_t data, uint32_t *index)
{
    bool json = event->data_kind == EVENT_DATA_JSON;
    struct batch_note note = {.department = department,
                              .data = data,
                              .data_len = json ? event->data.len : 0,
                              .opens = interest->opens,
                              .opens_first = interest->opens_first,
                              .closes = interest->closes};
    if (list_grow(&batch->note, batch->note_count, &batch->note_capacity, sizeof note) != 0 ||
        !copy_span(&batch->arena, event->type, &note.type) ||
        !copy_span(&batch->arena, facts->owner, &note.owner) ||
        !copy_span(&batch->arena, facts->facts, &note.facts) ||
        !copy_span(&batch->arena, trace_parent(event_extension(event, TRACE_PARENT)),
                   &note.traceparent) ||
        !copy_asked(batch, event, interest->asked, &note))
        return no_memory();
    *index = (uint32_t)batch->note_count;
    batch->note[batch->note_count++] = note;
    batch->awaited = batch->awaited || interest->opens || interest->closes || interest->asked;
    return 0;
}

struct span batch_note_data(const struct batch *batch, const struct batch_note *note)
{
    return (struct span){batch->rows.data + note->data, note->data_len};
}

int batch_add_event(struct batch *batch, struct partition *partition, const struct record *record,
                    const char *department, const struct event *event,
                    const struct event_facts *facts, const struct batch_interest *interest,
                    struct kafka_message *message)
{
    struct batch_row row = {
        .occurred_at = facts->occurred_at,
        .uid = event_uid_of(event->source, event->id),
        .note = BATCH_NONE,
        .tie = (uint32_t)batch->tie_count,
        .attachment = (uint32_t)batch->attachment_count,
        .start = batch->rows.len,
        .partition = partition,
        .offset = record->offset,
    };
    size_t data = 0;
    int rc = add_identities(batch, &facts->identities, false, &row.identity);
    if (rc == 0)
        rc = add_identities(batch, &facts->identities, true, &row.account);
    if (rc == 0) {
        row.tie_count = (uint32_t)batch->tie_count - row.tie;
        row.attachment_count = (uint32_t)batch->attachment_count - row.attachment;
        if (row.identity == BATCH_NONE)
            row.identity = row.account; /* an event of the organisation alone */
        append_row(batch, record, department, event, facts, &row.uid, &data);
        row.len = batch->rows.len - row.start;
        if (batch->rows.failed ||
            list_grow(&batch->row, batch->row_count, &batch->row_capacity, sizeof *batch->row) != 0)
            rc = no_memory();
    }
    if (rc == 0 && (interest->facts || interest->opens || interest->closes || interest->asked))
        rc = add_note(batch, department, event, facts, interest, data, &row.note);
    if (rc != 0)
        return rc;
    bool keep = message && (batch->keep_records || interest->asked);
    row.message = keep ? kafka_message_keep(message) : NULL;
    batch->row[batch->row_count++] = row;
    batch->record_count++;
    return 0;
}

static const struct record_header *copy_headers(struct arena *arena, const struct record *record)
{
    struct record_header *copy = arena_alloc(arena, (record->header_count + 1) * sizeof *copy);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < record->header_count; i++) {
        const struct record_header *from = &record->headers[i];
        copy[i].name = arena_copy(arena, from->name);
        copy[i].value = from->value.ptr ? arena_copy(arena, from->value) : from->value;
        if (!copy[i].name.ptr || (from->value.ptr && !copy[i].value.ptr))
            return NULL;
    }
    return copy;
}

const char *batch_text(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, span_of(text));
    size_t len = strlen(text), step;
    for (size_t i = 0; copy && i < len; i += step) {
        step = utf8_character((struct span){copy + i, len - i});
        if (step > 0)
            continue;
        copy[i] = '?';
        step = 1;
    }
    return copy;
}

int batch_add_quarantine(struct batch *batch, struct partition *partition,
                         const struct record *record, const char *reason, const char *detail)
{
    if (list_grow(&batch->quarantine, batch->quarantine_count, &batch->quarantine_capacity,
                  sizeof *batch->quarantine) != 0)
        return no_memory();
    struct arena *arena = &batch->arena;
    struct batch_quarantine entry = {
        .partition = partition,
        .offset = record->offset,
        .reason = arena_strdup(arena, span_of(reason)),
        .detail = batch_text(arena, detail),
        .key = record->key.ptr ? arena_copy(arena, record->key) : record->key,
        .value = record->value.ptr ? arena_copy(arena, record->value) : record->value,
        .headers = copy_headers(arena, record),
        .header_count = record->header_count,
    };
    if (!entry.reason || !entry.detail || !entry.headers || (record->key.ptr && !entry.key.ptr) ||
        (record->value.ptr && !entry.value.ptr))
        return no_memory();
    batch->quarantine[batch->quarantine_count++] = entry;
    batch->record_count++;
    return 0;
}

static struct span field_at(const char *bytes, size_t *at)
{
    const unsigned char *p = (const unsigned char *)bytes + *at;
    size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    struct span field = {bytes + *at + 4, len};
    *at += 4 + len;
    return field;
}

void batch_row_key(const struct batch *batch, const struct batch_row *row, struct span *source,
                   struct span *event_id)
{
    size_t at = row->start + ROW_FIXED;
    *source = field_at(batch->rows.data, &at);
    *event_id = field_at(batch->rows.data, &at);
}
