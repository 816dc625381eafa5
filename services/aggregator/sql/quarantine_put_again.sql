-- topic, partition, offset, reason, detail, key, value, headers; nothing where this record is there
INSERT INTO store.quarantine (topic, partition, kafka_offset, reason, detail, key, value, headers)
VALUES ($1, $2::integer, $3::bigint, $4, $5, $6::bytea, $7::bytea, $8::bytea[])
ON CONFLICT DO NOTHING
