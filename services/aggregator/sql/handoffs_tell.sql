-- ids, kinds, old receivers, traceparents
SELECT store.tell_handoffs($1::uuid[], $2::text[], $3::text[], $4::text[])
