-- identities, customers: which of the identities are theirs
SELECT y.identity_id, y.customer_id
FROM store.identities y
WHERE y.identity_id = ANY ($1::bigint[]) AND y.customer_id = ANY ($2::bigint[])
ORDER BY y.identity_id
