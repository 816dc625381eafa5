SELECT q.quarantine_id, q.topic, q.partition, q.kafka_offset, q.reason, q.detail,
       to_char(q.received_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS received_at, q.state,
       to_char(q.decided_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS decided_at, q.note,
       encode(q.key, 'hex') AS key, encode(q.value, 'hex') AS value
FROM store.quarantine q
WHERE q.quarantine_id = $1::bigint
