-- $1 name, $2 for how long from now, in ms
SELECT store.lease_keep($1, $2::bigint)
