-- $1 quarantine id, $2 most bytes
WITH record AS (
    SELECT topic, partition, kafka_offset, key, value,
           coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0)
           + coalesce((SELECT sum(octet_length(h)) FROM unnest(headers) AS u (h)), 0) > $2::bigint AS too_large
    FROM store.quarantine
    WHERE quarantine_id = $1::bigint AND state = 'waiting'
)
SELECT topic, partition, kafka_offset, CASE WHEN NOT too_large THEN key END,
       CASE WHEN NOT too_large THEN value END, too_large
FROM record
