-- identities, departments, roles, regions, owners, times, uids: the latest that the batch names, if
-- it is later than what is there
INSERT INTO store.owners AS o (identity_id, department, role, region, owner, since, named_at, event_uid)
SELECT DISTINCT ON (u.identity_id, u.department, u.role, u.region)
       u.identity_id, u.department, u.role, u.region, u.owner, t.at, t.at, u.uid
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::uuid[])
     AS u (identity_id, department, role, region, owner, us, uid)
CROSS JOIN LATERAL (SELECT timestamptz 'epoch' + u.us * interval '1 microsecond') AS t (at)
ORDER BY u.identity_id, u.department, u.role, u.region, u.us DESC, u.uid DESC
ON CONFLICT (identity_id, department, role, region) DO UPDATE
SET owner = excluded.owner,
    since = CASE WHEN o.owner = excluded.owner THEN o.since ELSE excluded.since END,
    named_at = excluded.named_at,
    event_uid = excluded.event_uid
WHERE (o.named_at, o.event_uid) < (excluded.named_at, excluded.event_uid)
