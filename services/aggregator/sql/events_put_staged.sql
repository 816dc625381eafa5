-- Puts the staged rows on the timeline that are not there yet; answers with the others' keys.
WITH put AS (
    INSERT INTO store.events (occurred_at, event_uid, identity_id, account_identity_id, department, type,
        source, event_id, summary, owner, amount, currency, data, topic, partition, kafka_offset)
    SELECT occurred_at, event_uid, identity_id, account_identity_id, department, type,
        source, event_id, summary, owner, amount, currency, data, topic, partition, kafka_offset
    FROM pg_temp.staged_events
    ORDER BY occurred_at, event_uid
    ON CONFLICT (occurred_at, event_uid) DO NOTHING
    RETURNING occurred_at, event_uid
), marked AS (
    UPDATE pg_temp.staged_events s SET put = EXISTS (
        SELECT FROM put p WHERE p.occurred_at = s.occurred_at AND p.event_uid = s.event_uid)
    RETURNING s.put
)
SELECT FROM marked WHERE NOT put
