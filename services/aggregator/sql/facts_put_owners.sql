-- identities, departments, roles, regions, owners, times of the first and of the last naming, uids of
-- the last: each key once, in the order in which they are to be locked; only what is later than what
-- is there counts
INSERT INTO store.owners AS o (identity_id, department, role, region, owner, since, named_at, event_uid)
SELECT u.identity_id, u.department, u.role, u.region, u.owner,
       timestamptz 'epoch' + u.first_us * interval '1 microsecond',
       timestamptz 'epoch' + u.us * interval '1 microsecond', u.uid
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::uuid[])
     AS u (identity_id, department, role, region, owner, first_us, us, uid)
ON CONFLICT (identity_id, department, role, region) DO UPDATE
SET owner = excluded.owner,
    since = CASE WHEN o.owner = excluded.owner THEN o.since ELSE excluded.since END,
    named_at = excluded.named_at,
    event_uid = excluded.event_uid
WHERE (o.named_at, o.event_uid) < (excluded.named_at, excluded.event_uid)
