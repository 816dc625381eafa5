-- $1 name, $2 for how long, in ms
SELECT store.lease_take($1, $2::bigint)
