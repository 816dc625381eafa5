-- anchors, kinds, values
SELECT store.attach_identities($1::bigint[], $2::text[], $3::text[])
