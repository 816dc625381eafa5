-- $1 topic, $2 partition, $3 offset to go on at, $4 note, $5 lock timeout in ms
SELECT was, skipped FROM store.replay_from($1, $2::integer, $3::bigint, $4, $5::bigint)
