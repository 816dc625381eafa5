-- $1 quarantine id
SELECT topic, partition, kafka_offset, key, value
FROM store.quarantine
WHERE quarantine_id = $1::bigint AND state = 'waiting'
