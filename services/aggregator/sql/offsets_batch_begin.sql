-- topics, partitions, generations, expected, next, on_timeline, duplicates, quarantined, void
SELECT store.batch_begin($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[],
                         $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
