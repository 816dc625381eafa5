-- Puts the staged rows on the timeline that are not there yet, and marks them. Marked by a join, and
-- not row by row by a look into what was put: that takes the square of a batch's time.
WITH put AS (
    INSERT INTO store.events (occurred_at, event_uid, identity_id, account_identity_id, department, type,
        source, event_id, summary, owner, amount, currency, data, topic, partition, kafka_offset)
    SELECT occurred_at, event_uid, identity_id, account_identity_id, department, type,
        source, event_id, summary, owner, amount, currency, data, topic, partition, kafka_offset
    FROM pg_temp.staged_events
    ORDER BY occurred_at, event_uid
    ON CONFLICT (occurred_at, event_uid) DO NOTHING
    RETURNING occurred_at, event_uid
)
UPDATE pg_temp.staged_events s SET put = true
FROM put p WHERE p.occurred_at = s.occurred_at AND p.event_uid = s.event_uid
