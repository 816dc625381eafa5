-- The staged rows that were not put in, in key order: is what is there the same event?
SELECT s.topic, s.partition, s.kafka_offset, e.source = s.source AND e.event_id = s.event_id
FROM pg_temp.staged_events s
JOIN store.events e ON e.occurred_at = s.occurred_at AND e.event_uid = s.event_uid
WHERE NOT s.put
ORDER BY s.occurred_at, s.event_uid
