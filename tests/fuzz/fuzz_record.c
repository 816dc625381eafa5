/*
 * Records from Kafka, as the aggregator reads them: a line with the topic, one
 * with the key, lines of headers, a blank one, the value.
 */
#include "services/aggregator/decode.h"

#include <stdio.h>

#include "common/base/hex.h"
#include "tests/fuzz/kit.h"
#include "tests/fuzz/travel.h"

static void expect_quarantine(const struct record *record, const char *reason, const char *detail)
{
    static struct batch batch;
    struct partition partition = {.topic = "events.sales"};
    if (!batch.identity_slots)
        expect(batch_init(&batch, (size_t)1024 * 1024) == 0, "there is memory for a batch");
    expect(batch_add_quarantine(&batch, &partition, record, reason, detail) == 0,
           "a record goes into quarantine");
    const struct batch_quarantine *entry = &batch.quarantine[0];
    expect(utf8_valid(span_of(entry->detail)), "a quarantined record's detail is UTF-8");
    expect_same(entry->key, record->key, "a quarantined record keeps its key");
    expect_same(entry->value, record->value, "a quarantined record keeps its value");
    expect(entry->header_count == record->header_count, "a quarantined record keeps its headers");
    batch_clear(&batch);
}

static void judge_record(const struct record *record)
{
    static struct decoder decoder;
    struct fault fault = {.detail = ""};
    struct decoded decoded;
    const char *reason = NULL;
    if (!decoder.kinds)
        decoder_init(&decoder, kit_world()->kinds, kit_world()->vocabulary, NULL);
    int rc = decode_record(&decoder, record, KIT_NOW, &decoded, &reason, &fault);
    expect(rc == 0 || rc == ERR_INVALID, "a record is an event or goes into quarantine");
    expect_quarantine(record, rc == 0 ? REASON_UNSTORABLE : reason, fault.detail);
    if (rc != 0)
        return;
    const struct admission admission = {kit_world()->kinds, decoded.department, KIT_NOW};
    expect(span_is(decode_department(record->topic), decoded.department->name),
           "an event belongs to its topic's department");
    if (decoded.interest.asked)
        return; /* what it hangs on, the database knows */
    expect_row(record, decoded.department->name, &decoded.event, &decoded.facts);
    travel_to_timeline(&admission, &decoded.event, &decoded.facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_header headers[RECORD_HEADERS_LIMIT];
    struct span rest = {(const char *)data, size}, topic = {"", 0}, key = {"", 0};
    kit_line(&rest, &topic);
    kit_line(&rest, &key);
    struct record record = {.topic = kit_copy(topic), .partition = 3, .offset = 41};
    record.key = key.len ? kit_copy(key) : (struct span){NULL, 0};
    record.header_count = kit_headers(&rest, headers, RECORD_HEADERS_LIMIT);
    record.headers = headers;
    record.value = rest.len ? kit_copy(rest) : (struct span){NULL, 0};
    judge_record(&record);
    kit_end();
    return 0;
}
