-- $1 ids, $2 for how long the lease is kept, in ms. A deletion that a crash of the server takes back is a
-- row that is published again: no need to wait for the disk.
SELECT set_config('synchronous_commit', 'off', true), store.outbox_done($1::bigint[], $2::bigint)
