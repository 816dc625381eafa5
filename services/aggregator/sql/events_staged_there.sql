-- The staged rows whose key is on the timeline, in key order: is what is there the same event? LIMIT keeps
-- the planner from reading the whole timeline to find the few: each is looked up by its key.
SELECT s.topic, s.partition, s.kafka_offset, e.source = s.source AND e.event_id = s.event_id
FROM pg_temp.staged_events s
CROSS JOIN LATERAL (
    SELECT t.source, t.event_id
    FROM store.events t
    WHERE t.occurred_at = s.occurred_at AND t.event_uid = s.event_uid
    LIMIT 1
) e
ORDER BY s.occurred_at, s.event_uid
