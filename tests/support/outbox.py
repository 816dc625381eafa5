"""Rows of the outbox put by hand, and what became of them in Kafka."""
import json

from support.kafka import headers

PUT = """
INSERT INTO store.outbox (topic, key, type, event_id, occurred_at, customer, sequence, traceparent, data)
SELECT u.topic, u.key, %(type)s, u.key || '/' || u.sequence, '2026-01-08T10:12:07.5Z', 'email=ann%%40acme.example',
       u.sequence, u.traceparent, u.data
FROM unnest(%(topics)s::text[], %(keys)s::text[], %(sequences)s::bigint[], %(traces)s::text[], %(datas)s::text[])
     WITH ORDINALITY AS u (topic, key, sequence, traceparent, data, place)
ORDER BY u.place RETURNING outbox_id"""


def put(stack, rows, kind="throughline.handoff.updated"):
    """`rows` are (topic, key, sequence); in one transaction."""
    data = [json.dumps({"handoff": key, "to": "billing", "state": "open", "ask": "Call", "sequence": sequence})
            for _, key, sequence in rows]
    return stack.query(PUT, {"type": kind, "topics": [r[0] for r in rows], "keys": [r[1] for r in rows],
                             "sequences": [r[2] for r in rows], "traces": [None] * len(rows), "datas": data})


def waiting(stack):
    return stack.query("SELECT count(*) AS n FROM store.outbox")[0]["n"]


def found(stack, topic):
    """(key, sequence) of all records of a topic, in the order of each partition."""
    count = stack.kafka.count(topic)
    records = sorted(stack.kafka.records(topic, count), key=lambda r: (r.partition(), r.offset()))
    return [(r.key().decode(), int(headers(r)["ce_sequence"])) for r in records]


def first_seen(pairs):
    """Without what was seen before, key by key: {key: [sequence, …]}."""
    order = {}
    for key, sequence in pairs:
        if sequence not in order.setdefault(key, []):
            order[key].append(sequence)
    return order
