/*
 * A batch: records of a writer's partitions, decoded and complete in memory
 * before the first statement is sent. Bounded by option batch_bytes, plus one
 * record.
 *
 * A timeline row is kept as the bytes that binary COPY wants, except for its
 * identities' ids, which are known only once the database has been asked. Should
 * PostgreSQL refuse the row, which it hardly ever does, the record itself is wanted: then the
 * batch is read again with `keep_records`. One thread.
 */
#ifndef SERVICES_AGGREGATOR_BATCH_H
#define SERVICES_AGGREGATOR_BATCH_H

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/event/event_kafka.h"
#include "common/event/event_uid.h"
#include "common/kafka/kafka_consumer.h"
#include "services/aggregator/handoff_asked.h"

#define BATCH_NONE UINT32_MAX /* no identity */

/* How many records of a partition went where. */
struct books {
    int64_t on_timeline, duplicates, quarantined, void_;
};

/* A partition that this writer holds. */
struct partition {
    char topic[250];
    int32_t partition;
    int64_t generation; /* the fence: ours until somebody takes over */
    int64_t committed;  /* next offset in the database */
    int64_t next;       /* next offset after what is in the batch */
    struct books books; /* of the batch */
    int64_t newest_ms;  /* when Kafka got the newest record of the batch; 0: none */
    bool stopped;       /* the broker lacks its next record, or it cannot be read */
    bool held;          /* quarantine has no room for its next record */
    bool told;          /* and that was logged */
    /* Of reading (session.c): */
    int64_t doubted;        /* the offset from which it was read again, to make sure; -1: none */
    int64_t unreadable;     /* the offset at which something could not be read; -1: none */
    int64_t believed_until; /* gaps are believed until then (monotonic clock) */
};

/* An identity that some row of the batch names. What says which of them count, and which belong
 * together, is batch_tie. */
struct batch_identity {
    struct span key; /* "kind=value" */
    struct span kind, value;
    bool named;                  /* by a row that counts; all below is only then of use */
    uint32_t parent;             /* union-find: which identities the batch ties together */
    struct partition *partition; /* evidence: the record that joined it to what it is tied to, */
    int64_t offset;              /* or, where nothing did, the first that named it */
    int64_t identity_id, customer_id; /* 0 until resolved */
    bool known;                       /* from the cache, nothing to ask */
    bool locked;                      /* a root: its component's customers are to be locked */
    bool merged;                      /* its customer is what several have just become */
};

/* A weak identity that came with a strong one. */
struct batch_attachment {
    uint32_t anchor; /* index of a batch_identity */
    struct span kind, value;
    bool named; /* by a row that counts */
};

/* Two strong identities of one event: indexes of batch_identity, the row's own first. */
struct batch_tie {
    uint32_t anchor, other;
};

/* What is needed of a row beyond its place on the timeline: facts are folded from it, or rules of
 * handoffs want to see it. Spans live in the batch's arena. */
struct batch_note {
    const char *department; /* as batch_add_event was given it */
    struct span type;
    struct span owner, facts, traceparent; /* extensions; absent: ptr NULL */
    size_t data, data_len;                 /* JSON, in `rows`; without any the length is 0 */
    bool opens, opens_first, closes;       /* handoffs: as batch_interest */
    const struct handoff_asked *asked;     /* NULL: no request */
    struct span asked_id;                  /* its event's id */
    bool refused; /* it speaks of a handoff that is not there: its row is in quarantine */
};

struct batch_row {
    int64_t occurred_at;
    struct event_uid uid;
    uint32_t note;              /* index of a batch_note, or BATCH_NONE */
    uint32_t identity, account; /* indexes of batch_identity; account may be BATCH_NONE, identity
                                   only as long as a request's handoff is not known */
    uint32_t tie, tie_count;    /* its part of batch->tie */
    uint32_t attachment, attachment_count; /* and of batch->attachment */
    bool aside;        /* repeats another row, of the batch or on the timeline: a duplicate */
    size_t start, len; /* the rest of its COPY row, in `rows` */
    struct partition *partition;
    int64_t offset;
    void *message; /* the record itself, in case the row is refused; NULL: not kept */
};

struct batch_quarantine {
    struct partition *partition;
    int64_t offset;
    const char *reason; /* a word of quarantine_reason_…, static or in the arena */
    const char *detail;
    struct span key, value; /* ptr NULL: none */
    const struct record_header *headers;
    size_t header_count;
};

struct batch {
    struct arena arena;
    struct buffer rows; /* COPY bytes of all rows */
    struct batch_row *row;
    size_t row_count, row_capacity;
    size_t unique_count; /* after events_prepare: these first ones count, the rest are duplicates */
    struct batch_identity *identity;
    size_t identity_count, identity_capacity;
    uint32_t *identity_slots; /* hash index over `identity`; entries are index + 1 */
    size_t identity_slot_count;
    struct batch_tie *tie;
    size_t tie_count, tie_capacity;
    struct batch_attachment *attachment;
    size_t attachment_count, attachment_capacity;
    struct batch_note *note;
    size_t note_count, note_capacity;
    struct batch_quarantine *quarantine;
    size_t quarantine_count, quarantine_capacity;
    int64_t quarantine_room; /* so many records may be added to it; whoever fills the batch says */
    size_t refused_count;    /* of quarantine: rows of this batch that could not be put */
    size_t record_count;     /* rows, quarantined and void ones together */
    size_t byte_limit;
    bool keep_records;          /* twice the memory */
    bool awaited;               /* handoffs are in it: somebody waits for what it opens or closes */
    bool overtaken;             /* another writer put in an event of ours meanwhile: try again */
    const char *refused_reason; /* REASON_… of: */
    const char *refused;        /* why a row was refused whose record is not kept; NULL: none was */
};

/* Why a record is in quarantine: words that dashboards and `quarantine replay --reason` use. */
#define REASON_NOT_A_CLOUDEVENT "not-a-cloudevent"
#define REASON_INADMISSIBLE     "inadmissible"  /* a CloudEvent, but not one for the timeline */
#define REASON_UID_COLLISION    "uid-collision" /* another event has the same event_uid */
#define REASON_UNSTORABLE       "unstorable"    /* PostgreSQL refuses the row */
#define REASON_UNMAPPED         "unmapped"      /* a webhook that its source's mapping cannot map */
#define REASON_UNKNOWN_HANDOFF                                                                     \
    "unknown-handoff" /* what it asks or reports is of none that is there */

/* Why more of an event is wanted than its row. */
struct batch_interest {
    bool facts;                        /* in it are some to fold */
    bool opens;                        /* handoffs, as far as it tells itself */
    bool opens_first;                  /* among them one that only a customer's first can be */
    bool closes;                       /* some, if there are any for its type to close */
    const struct handoff_asked *asked; /* it is a request or a report; NULL: it is none */
};

int batch_init(struct batch *batch, size_t byte_limit) CHECKED;
void batch_free(struct batch *batch);
void batch_clear(struct batch *batch);
bool batch_is_empty(const struct batch *batch);
bool batch_is_full(const struct batch *batch, size_t record_limit);

/* Adds an admitted event as a timeline row, with a note of it where there is an interest. Spans are
 * copied; with keep_records, and of a request, the batch keeps the message that they came in, where
 * there is one (else NULL), too. A request has no identities: batch_place says later what its row
 * hangs on. ERR_MEMORY, ERR_LIMIT. */
int batch_add_event(struct batch *batch, struct partition *partition, const struct record *record,
                    const char *department, const struct event *event,
                    const struct event_facts *facts, const struct batch_interest *interest,
                    struct kafka_message *message) CHECKED;

/* Hangs a request's row on its handoff's identity. */
int batch_place(struct batch *batch, struct batch_row *row, struct span kind,
                struct span value) CHECKED;

/* Adds a record to be quarantined, with all its bytes. */
int batch_add_quarantine(struct batch *batch, struct partition *partition,
                         const struct record *record, const char *reason,
                         const char *detail) CHECKED;

/* A copy that PostgreSQL takes: it wants well-formed UTF-8, and a reason may quote bytes of any
 * kind. NULL without memory. */
const char *batch_text(struct arena *arena, const char *text);

/* Names the identities and attachments of the first `row_count` rows, and unites what these rows
 * tie together: those on their way to the timeline, for what repeats an event ties nothing. */
void batch_tie(struct batch *batch, size_t row_count);

/* The root of an identity's component, the lowest index in it. After batch_tie. */
uint32_t batch_component(struct batch *batch, uint32_t identity);

/* The data of a note, as JSON text. Good until something is added to the batch. */
struct span batch_note_data(const struct batch *batch, const struct batch_note *note);

/* Source and id of a row, as encoded. */
void batch_row_key(const struct batch *batch, const struct batch_row *row, struct span *source,
                   struct span *event_id);

#endif
