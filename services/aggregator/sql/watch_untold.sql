-- $1 microseconds since 1970, $2 the oldest that is raised, in ms, $3 most rows, $4 for how long the lease is kept, in
-- ms, $5 after how long
SELECT store.watch_untold(timestamptz 'epoch' + $1::bigint * interval '1 microsecond', $5, $2::bigint, $3::integer,
                          $4::bigint)
