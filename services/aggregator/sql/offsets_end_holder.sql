-- $1 topic, $2 partition
SELECT store.end_holder($1, $2::integer)
