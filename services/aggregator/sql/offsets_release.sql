SELECT store.release($1::text[], $2::integer[], $3::bigint[])
