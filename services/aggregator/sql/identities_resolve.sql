-- kinds, values, components, records, components to lock
SELECT ordinal, identity_id, customer_id, merged
FROM store.resolve_identities($1::text[], $2::text[], $3::integer[], $4::text[], $5::integer[])
