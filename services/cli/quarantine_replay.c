#include "services/cli/quarantine_replay.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/json/json_pointer.h"
#include "services/aggregator/database.h"
#include "services/aggregator/decode.h"
#include "services/aggregator/events.h"
#include "services/aggregator/facts.h"
#include "services/aggregator/handoffs.h"
#include "services/aggregator/identities.h"
#include "services/aggregator/offsets.h"
#include "services/department/source_config.h"
#include "sql.h"

#define RECORD_LIMIT (8 * DECODE_BYTES_LIMIT) /* what one record may take in all */
#define CACHE_BYTES  ((size_t)1024 * 1024)

struct quarantine_replay {
    struct pg *pg;
    struct identity_kinds *kinds;
    struct vocabulary *vocabulary;
    struct handoff_rules *rules;
    struct sources *sources;
    struct decoder decoder;
    struct batch batch;
    struct months *months;
    struct identity_cache *cache;
    struct arena arena; /* of the record at hand */
};

/* The record at hand, as it is stored. */
struct stored {
    struct partition partition;
    struct record record;
    struct record_header headers[RECORD_HEADERS_LIMIT];
    const char *reason; /* REASON_…: what it waits for from now on, should it be refused */
};

void quarantine_replay_free(struct quarantine_replay *replay)
{
    if (!replay)
        return;
    identity_cache_free(replay->cache);
    months_free(replay->months);
    batch_free(&replay->batch);
    decoder_free(&replay->decoder);
    arena_free(&replay->arena);
    sources_free(replay->sources);
    handoff_rules_free(replay->rules);
    vocabulary_free(replay->vocabulary);
    identity_kinds_free(replay->kinds);
    free(replay);
}

int quarantine_replay_new(const struct config *config, struct pg *pg,
                          struct quarantine_replay **out, struct fault *fault)
{
    struct quarantine_replay *replay = calloc(1, sizeof *replay);
    if (!replay)
        return ERR_MEMORY;
    const char *dir = config_dir(config);
    replay->pg = pg;
    arena_init(&replay->arena, RECORD_LIMIT);
    int rc = database_bound(pg, config); /* a frozen replay must not hold a partition's row */
    if (rc == 0)
        rc = identity_kinds_load(dir, &replay->kinds, fault);
    if (rc == 0)
        rc = vocabulary_load(dir, &replay->vocabulary, fault);
    if (rc == 0)
        rc = handoff_rules_load(dir, replay->vocabulary, &replay->rules, fault);
    if (rc == 0)
        rc = sources_load(dir, replay->vocabulary, replay->kinds, &replay->sources, fault);
    if (rc == 0)
        rc = batch_init(&replay->batch, RECORD_LIMIT);
    decoder_init(&replay->decoder, replay->kinds, replay->vocabulary, replay->rules);
    replay->months = months_new();
    replay->cache = identity_cache_new(CACHE_BYTES);
    if (rc == 0 && (!replay->months || !replay->cache))
        rc = ERR_MEMORY;
    if (rc != 0) {
        quarantine_replay_free(replay);
        return rc;
    }
    *out = replay;
    return 0;
}

/* "\x…" back into bytes; absent for SQL NULL. */
static int bytes_of(struct arena *arena, const struct pg_result *row, int line, int column,
                    struct span *bytes)
{
    *bytes = (struct span){NULL, 0};
    if (pg_is_null(row, line, column))
        return 0;
    struct span text = pg_span(row, line, column);
    size_t max = text.len / 2;
    unsigned char *out = arena_alloc(arena, max + 1);
    if (!out || text.len < 2)
        return ERR_MEMORY;
    size_t len;
    int rc = hex_decode((struct span){text.ptr + 2, text.len - 2}, out, max, &len);
    *bytes = (struct span){(char *)out, len};
    return rc;
}

/* Headers come as rows: name, value. */
static int load_headers(struct quarantine_replay *replay, const char *id, struct stored *stored,
                        struct fault *fault)
{
    struct pg_result *rows;
    int rc = pg_query(replay->pg, SQL_REPLAY_HEADERS, &id, 1, &rows);
    if (rc != 0)
        return rc;
    int count = pg_rows(rows);
    if (count > RECORD_HEADERS_LIMIT) {
        stored->reason = REASON_NOT_A_CLOUDEVENT;
        rc = fault_set(fault, "", RECORD_HEADERS_TOO_MANY);
        count = 0;
    }
    for (int i = 0; rc == 0 && i < count; i++) {
        struct record_header *header = &stored->headers[i];
        rc = bytes_of(&replay->arena, rows, i, 0, &header->name);
        if (rc == 0)
            rc = bytes_of(&replay->arena, rows, i, 1, &header->value);
    }
    pg_result_free(rows);
    stored->record.headers = stored->headers;
    stored->record.header_count = (size_t)count;
    return rc;
}

static int load_record(struct quarantine_replay *replay, const char *id, struct stored *stored,
                       struct fault *fault)
{
    *stored = (struct stored){.record = {.partition = -1}, .reason = REASON_INADMISSIBLE};
    struct pg_result *row;
    char limit[24];
    snprintf(limit, sizeof limit, "%zu", DECODE_BYTES_LIMIT);
    int rc = pg_query(replay->pg, SQL_REPLAY_RECORD, (const char *const[]){id, limit}, 2, &row);
    if (rc != 0)
        return rc;
    if (pg_rows(row) == 0) {
        pg_result_free(row);
        return ERR_NOT_FOUND;
    }
    snprintf(stored->partition.topic, sizeof stored->partition.topic, "%s", pg_text(row, 0, 0));
    stored->partition.partition = (int32_t)pg_int(row, 0, 1);
    stored->record.topic = span_of(stored->partition.topic);
    stored->record.partition = stored->partition.partition;
    stored->record.offset = pg_int(row, 0, 2);
    if (strcmp(pg_text(row, 0, 5), "t") == 0)
        rc = fault_set(fault, "", "is larger than %zu MiB: it cannot be replayed",
                       DECODE_BYTES_LIMIT >> 20);
    if (rc == 0)
        rc = bytes_of(&replay->arena, row, 0, 3, &stored->record.key);
    if (rc == 0)
        rc = bytes_of(&replay->arena, row, 0, 4, &stored->record.value);
    pg_result_free(row);
    return rc == 0 ? load_headers(replay, id, stored, fault) : rc;
}

/* One record cannot become several events. */
static bool is_several(const struct mapping *mapping, struct span body, json_t *tree)
{
    struct mapping_cursor cursor = {.started = false};
    struct mapping_element first;
    return !mapping_next(mapping, body, tree, &cursor, &first) || first.text.ptr != body.ptr ||
           first.text.len != body.len;
}

/* A webhook that could not be mapped: its source's mapping of today decides. */
static int add_webhook(struct quarantine_replay *replay, struct stored *stored,
                       struct span source_name, enum replay_outcome *outcome, struct fault *fault)
{
    const struct source *source = sources_find(replay->sources, source_name);
    if (!source)
        return fault_set(fault, "", "no file sources/%.*s.json says how to map it",
                         SPAN_ARGS(source_name));
    json_t *tree;
    struct span body;
    int rc = decode_check_size(stored->record.value, fault);
    if (rc != 0)
        return rc;
    rc = json_read(stored->record.value, &tree, &body, fault);
    if (rc != 0)
        return rc;
    if (is_several(source->mapping, body, tree)) {
        json_decref(tree);
        return fault_set(fault, "",
                         "it was quarantined as a whole, with all its elements: have it "
                         "sent again in smaller requests, then discard it");
    }
    struct admission admission = {replay->kinds, source->department, clock_wall_us()};
    struct mapping_element element = {.text = body, .tree = tree};
    struct mapped mapped;
    rc = mapping_apply(source->mapping, &admission, &element, stored->headers,
                       stored->record.header_count, &replay->arena, &mapped);
    json_decref(tree);
    if (rc != 0)
        return rc;
    switch (mapped.outcome) {
    case MAPPED_IGNORED:
        *outcome = REPLAY_IGNORED;
        fault_set(fault, "", "%s", mapped.reason); /* becomes the note */
        return 0;
    case MAPPED_QUARANTINE:
        return fault_set(fault, "", "%s", mapped.reason);
    case MAPPED_EVENT:
        break;
    }
    struct batch_interest interest;
    rc = decode_interest(&replay->decoder, &mapped.event, &mapped.facts, admission.now, &interest);
    if (rc != 0)
        return rc;
    return batch_add_event(&replay->batch, &stored->partition, &stored->record,
                           source->department->name, &mapped.event, &mapped.facts, &interest, NULL);
}

static int add_record(struct quarantine_replay *replay, struct stored *stored, struct fault *fault)
{
    struct decoded decoded;
    int rc = decode_record(&replay->decoder, &stored->record, clock_wall_us(), &decoded,
                           &stored->reason, fault);
    if (rc != 0)
        return rc;
    return batch_add_event(&replay->batch, &stored->partition, &stored->record,
                           decoded.department->name, &decoded.event, &decoded.facts,
                           &decoded.interest, NULL);
}

/* Marks the record as decided; ERR_CONFLICT when somebody else has. */
static int decide(struct pg *pg, const char *id, const char *state, const char *note)
{
    const char *const params[] = {id, state, note};
    struct pg_result *row;
    int rc = pg_query(pg, SQL_REPLAY_DECIDE, params, 3, &row);
    if (rc != 0)
        return rc;
    bool decided = pg_affected(row) == 1;
    pg_result_free(row);
    return decided ? 0 : ERR_CONFLICT;
}

/* In the lock order of the event path: epoch and offset row, identities, events, quarantine. */
static int write_all(struct quarantine_replay *replay, const char *id, struct stored *stored,
                     enum replay_outcome *outcome)
{
    struct pg *pg = replay->pg;
    struct partition *touched[] = {&stored->partition};
    int rc = offsets_lock(pg, &stored->partition);
    if (rc == 0)
        rc = events_stage(pg, &replay->batch);
    if (rc == 0)
        rc = identities_resolve(pg, &replay->batch, replay->cache);
    if (rc == 0)
        rc = events_put_staged(pg, &replay->batch);
    if (rc == 0)
        rc = facts_put(pg, &replay->batch);
    if (rc == 0)
        rc = handoffs_apply(pg, replay->rules, replay->vocabulary, &replay->batch);
    if (rc == 0) {
        *outcome = stored->partition.books.duplicates > 0 ? REPLAY_DUPLICATE : REPLAY_ON_TIMELINE;
        stored->partition.books.quarantined = -1; /* it leaves quarantine in the books, too */
        rc = decide(pg, id, "replayed", *outcome == REPLAY_DUPLICATE ? "duplicate" : NULL);
    }
    return rc == 0 ? offsets_count(pg, touched, 1) : rc;
}

static int transact(struct quarantine_replay *replay, const char *id, struct stored *stored,
                    enum replay_outcome *outcome, struct fault *fault)
{
    struct pg *pg = replay->pg;
    identity_cache_clear(replay->cache); /* one record: nothing is worth remembering */
    int rc = events_make_months(pg, &replay->batch, replay->months);
    if (rc == 0)
        rc = handoffs_locate(pg, &replay->batch);
    if (rc == 0)
        rc = events_prepare(&replay->batch);
    if (rc == 0)
        rc = pg_script(pg, "BEGIN");
    if (rc != 0)
        return rc;
    rc = write_all(replay, id, stored, outcome);
    if (rc == 0)
        return pg_script(pg, "COMMIT");
    stored->reason = REASON_UNSTORABLE;
    if (rc == ERR_NOT_FOUND) { /* it is in quarantine already, and stays there */
        stored->reason = replay->batch.refused_reason;
        rc = fault_set(fault, "", "%s", replay->batch.refused);
    } else if (rc == ERR_INVALID) {
        fault_set(fault, "", "the database refuses it: %s", pg_message(pg));
    }
    if (!pg_broken(pg) && pg_script(pg, "ROLLBACK") != 0)
        log_warn("The replay was not rolled back in order; the server does it");
    return rc;
}

/* An intake that could not map a webhook has marked it so; anybody may send one header of the two.
 */
static bool is_webhook(const struct record *record)
{
    return record_header_value(record, HEADER_SOURCE).ptr &&
           record_header_value(record, HEADER_REASON).ptr;
}

static int try_one(struct quarantine_replay *replay, const char *id, struct stored *stored,
                   enum replay_outcome *outcome, struct fault *fault)
{
    int rc = load_record(replay, id, stored, fault);
    if (rc != 0)
        return rc;
    *outcome = REPLAY_ON_TIMELINE;
    if (is_webhook(&stored->record)) {
        stored->reason = REASON_UNMAPPED;
        rc = add_webhook(replay, stored, record_header_value(&stored->record, HEADER_SOURCE),
                         outcome, fault);
    } else {
        rc = add_record(replay, stored, fault);
    }
    if (rc != 0)
        return rc;
    if (*outcome == REPLAY_IGNORED)
        return decide(replay->pg, id, "discarded", fault->detail);
    return transact(replay, id, stored, outcome, fault);
}

/* It goes on waiting, for today's reason. */
static int keep_waiting(struct quarantine_replay *replay, const char *id, const char *reason,
                        const struct fault *fault)
{
    struct arena *arena = &replay->arena;
    arena_reset(arena);
    const char *told =
        arena_printf(arena, "%s%s%s", fault->pointer, *fault->pointer ? ": " : "", fault->detail);
    const char *detail = told ? batch_text(arena, told) : NULL;
    if (!detail)
        return ERR_MEMORY;
    return pg_query(replay->pg, SQL_REPLAY_REFUSED, (const char *const[]){id, reason, detail}, 3,
                    NULL);
}

int quarantine_replay_one(struct quarantine_replay *replay, int64_t quarantine_id,
                          enum replay_outcome *outcome, struct fault *fault)
{
    char id[24];
    struct stored stored;
    snprintf(id, sizeof id, "%lld", (long long)quarantine_id);
    arena_reset(&replay->arena);
    batch_clear(&replay->batch);
    int rc = try_one(replay, id, &stored, outcome, fault);
    if (rc != ERR_INVALID)
        return rc;
    rc = keep_waiting(replay, id, stored.reason, fault);
    return rc ? rc : ERR_INVALID;
}
