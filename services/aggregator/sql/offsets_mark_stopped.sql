-- $1 topic, $2 partition, $3 generation, $4 why
SELECT store.mark_stopped($1, $2::integer, $3::bigint, $4)
