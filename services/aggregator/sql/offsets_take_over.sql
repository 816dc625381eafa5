-- $1 topic, $2 partition, $3 low watermark, $4 lock timeout in ms
SELECT generation, next_offset FROM store.take_over($1, $2::integer, $3::bigint, $4::bigint)
