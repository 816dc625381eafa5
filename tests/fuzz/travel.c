#include "tests/fuzz/travel.h"

#include <stdio.h>

#include "common/base/hex.h"
#include "common/event/event_json.h"
#include "common/event/event_text.h"
#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"
#include "services/aggregator/decode.h"
#include "tests/fuzz/kit.h"

#define TEXT_LIMIT ((size_t)16 * 1024 * 1024)

/* JSON says by its absence that data is JSON; on Kafka it stands there. */
static struct span content_type(const struct event *event)
{
    if (event->datacontenttype.ptr || event->data_kind != EVENT_DATA_JSON)
        return event->datacontenttype;
    return span_of("application/json");
}

void expect_same_event(const struct event *a, const struct event *b)
{
    expect_same(a->id, b->id, "id stays");
    expect_same(a->source, b->source, "source stays");
    expect_same(a->type, b->type, "type stays");
    expect_same(a->time, b->time, "time stays");
    expect_same(a->subject, b->subject, "subject stays");
    expect_same(a->dataschema, b->dataschema, "dataschema stays");
    expect_same(content_type(a), content_type(b), "datacontenttype stays");
    /* No data and no bytes of data are the same on Kafka. */
    expect(a->data.len == 0 || a->data_kind == b->data_kind, "the kind of data stays");
}

static void expect_same_extensions(const struct event *a, const struct event *b)
{
    expect(a->extension_count == b->extension_count, "extensions stay");
    for (size_t i = 0; i < a->extension_count; i++) {
        expect_same(a->extensions[i].name, b->extensions[i].name, "an extension's name stays");
        expect_same(a->extensions[i].value, b->extensions[i].value, "an extension's value stays");
    }
}

void travel_as_json(const struct event *event)
{
    struct buffer text;
    struct fault fault = {.detail = ""};
    struct event back;
    struct span body;
    json_t *tree;
    buffer_init(&text, TEXT_LIMIT);
    event_to_json(event, &text);
    expect(!text.failed, "an event can be written as JSON");
    int rc = json_read(buffer_span(&text), &tree, &body, &fault);
    if (rc == ERR_INVALID && event->data_kind == EVENT_DATA_JSON &&
        json_read(event->data, &tree, NULL, NULL) != 0) {
        buffer_free(&text); /* binary mode lets duplicates in data through to event_admit */
        return;
    }
    expect(rc == 0, "an event written as JSON is JSON");
    json_decref(tree);
    expect(event_from_json(body, kit_arena(), &back, &fault) == 0,
           "an event written as JSON is an event");
    expect_same_event(event, &back);
    expect_same_extensions(event, &back);
    bool json = event->data_kind == EVENT_DATA_JSON; /* white space around it is not of the value */
    expect(span_equal(json ? event_text_trim(event->data) : event->data, back.data),
           "data stays byte for byte");
    buffer_free(&text);
}

static struct span field(struct span *rest)
{
    expect(rest->len >= 4, "a field's length is there");
    const unsigned char *p = (const unsigned char *)rest->ptr;
    uint32_t len = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    *rest = (struct span){rest->ptr + 4, rest->len - 4};
    if (len == UINT32_MAX)
        return (struct span){NULL, 0};
    expect(len <= rest->len, "a field is as long as it says");
    struct span value = {rest->ptr, len};
    *rest = (struct span){rest->ptr + len, rest->len - len};
    return value;
}

static void expect_fields(struct span row)
{
    static const size_t widths[] = {8, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 8};
    const size_t amount = 8, data = 10;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct span value = field(&row);
        if (widths[i])
            expect(value.len == widths[i], "a field has its width");
        else if (i == data)
            expect(!value.ptr ||
                       (value.len > 1 && value.ptr[0] == 1 &&
                        json_scan_check((struct span){value.ptr + 1, value.len - 1}, NULL) == 0),
                   "data is JSON that PostgreSQL takes");
        else if (i != amount)
            expect(utf8_valid(value), "a text is UTF-8 without NUL");
    }
    expect(row.len == 0, "a row has no more fields");
}

void expect_row(const struct record *record, const char *department, const struct event *event,
                const struct event_facts *facts)
{
    static struct batch batch;
    struct partition partition = {.topic = "events.sales"};
    struct span source, id;
    if (!batch.identity_slots)
        expect(batch_init(&batch, (size_t)1024 * 1024) == 0, "there is memory for a batch");
    expect(batch_add_event(&batch, &partition, record, department, event, facts,
                           &(struct batch_interest){.facts = false}, NULL) == 0,
           "an event goes into the batch");
    const struct batch_row *row = &batch.row[0];
    expect(row->identity != BATCH_NONE, "a row hangs on an identity");
    expect(row->start == 0 && row->len == batch.rows.len, "a row knows its bytes");
    expect_fields(buffer_span(&batch.rows));
    batch_row_key(&batch, row, &source, &id);
    expect_same(source, event->source, "the row's source is the event's");
    expect_same(id, event->id, "the row's id is the event's");
    batch_clear(&batch);
}

static void expect_same_facts(const struct event_facts *a, const struct event_facts *b)
{
    expect_same(a->customer, b->customer, "the customer stays");
    expect_same(a->owner, b->owner, "the owner stays");
    expect_same(a->summary, b->summary, "the summary stays");
    expect_same(a->amount, b->amount, "the amount stays");
    expect_same(a->currency, b->currency, "the currency stays");
    expect_same(a->facts, b->facts, "the list of facts stays");
    expect(a->occurred_at == b->occurred_at, "the time stays");
    expect(identities_equal(&a->identities, &b->identities), "the identities stay");
    for (size_t i = 0; i < a->identities.count; i++)
        expect(a->identities.items[i].ties == b->identities.items[i].ties,
               "what ties a customer stays");
}

/* As Kafka gives it back: every piece a block of its own. */
static void copy_record(struct record *record, struct record_header *headers)
{
    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct record_header){kit_copy(record->headers[i].name),
                                            kit_copy(record->headers[i].value)};
    record->headers = headers;
    record->value = kit_copy(record->value);
}

void travel_to_timeline(const struct admission *admission, const struct event *event,
                        const struct event_facts *facts)
{
    static struct decoder decoder;
    struct record_header headers[RECORD_HEADERS_LIMIT];
    struct fault fault = {.detail = ""};
    struct decoded back;
    const char *reason;
    char topic[64];
    if (!decoder.kinds)
        decoder_init(&decoder, kit_world()->kinds, kit_world()->vocabulary, NULL);
    snprintf(topic, sizeof topic, "events.%s", admission->department->name);
    struct record record = {.topic = span_of(topic), .offset = 7, .timestamp_ms = -1};
    expect(event_to_record(event, facts, kit_arena(), &record) == 0, "an event fits a record");
    expect(record.header_count <= RECORD_HEADERS_LIMIT, "a record's headers are bounded");
    expect(record.key.ptr, "a record has a key");
    copy_record(&record, headers);
    int rc = decode_record(&decoder, &record, admission->now, &back, &reason, &fault);
    if (rc != 0)
        fprintf(stderr, "%s: %s %s\n", reason, fault.pointer, fault.detail);
    expect(rc == 0, "the aggregator takes what the intake has let in");
    expect(back.department == admission->department, "the department stays");
    expect_same_event(event, &back.event);
    expect(span_equal(event->data, back.event.data), "data stays byte for byte");
    expect_same_facts(facts, &back.facts);
    expect_row(&record, back.department->name, &back.event, &back.facts);
}
