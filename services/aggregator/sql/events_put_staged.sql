-- $1 the ids of the batch's identities: a staged row has its place among them, from 0. Rows that stand
-- there already are left alone.
INSERT INTO store.events (occurred_at, event_uid, identity_id, account_identity_id, department, type,
    source, event_id, summary, owner, amount, currency, data, topic, partition, kafka_offset)
SELECT s.occurred_at, s.event_uid, ids.id[s.identity_id + 1], ids.id[s.account_identity_id + 1], s.department, s.type,
    s.source, s.event_id, s.summary, s.owner, s.amount, s.currency, s.data, s.topic, s.partition, s.kafka_offset
FROM pg_temp.staged_events s, (SELECT $1::bigint[] AS id) ids
ORDER BY s.occurred_at, s.event_uid
ON CONFLICT (occurred_at, event_uid) DO NOTHING
