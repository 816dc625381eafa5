SELECT q.quarantine_id, to_char(q.received_at, 'YYYY-MM-DD HH24:MI:SS') AS received, q.topic,
       q.partition, q.kafka_offset, q.state, q.reason, q.detail, row_to_json(q) AS json
FROM throughline.quarantine q
WHERE ($1::text = 'all' OR q.state = $1) AND ($2::text IS NULL OR q.reason = $2)
ORDER BY q.quarantine_id
LIMIT $3::integer
