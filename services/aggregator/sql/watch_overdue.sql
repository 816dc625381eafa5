-- $1 microseconds since 1970, $2 most rows, $3 for how long the lease is kept, in ms
SELECT store.watch_overdue(timestamptz 'epoch' + $1::bigint * interval '1 microsecond', $2::integer, $3::bigint)
