-- $1 ids, $2 for how long the lease is kept, in ms
SELECT store.outbox_done($1::bigint[], $2::bigint)
