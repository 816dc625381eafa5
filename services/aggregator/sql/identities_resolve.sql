-- kinds, values, components, records
SELECT ordinal, identity_id, customer_id
FROM store.resolve_identities($1::text[], $2::text[], $3::integer[], $4::text[])
