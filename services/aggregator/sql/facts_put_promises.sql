-- identities, promises, departments, times, kept: an event makes a promise, or says that it was kept
INSERT INTO store.promises AS p (identity_id, promise, department, made_at, kept_at)
SELECT u.identity_id, u.promise,
       (array_agg(u.department ORDER BY u.us DESC, u.department DESC) FILTER (WHERE NOT u.kept))[1],
       max(t.at) FILTER (WHERE NOT u.kept),
       max(t.at) FILTER (WHERE u.kept)
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::boolean[])
     AS u (identity_id, promise, department, us, kept)
CROSS JOIN LATERAL (SELECT timestamptz 'epoch' + u.us * interval '1 microsecond') AS t (at)
GROUP BY u.identity_id, u.promise
ORDER BY u.identity_id, u.promise
ON CONFLICT (identity_id, promise) DO UPDATE
SET department = CASE WHEN p.made_at IS NULL
                        OR (excluded.made_at, excluded.department) > (p.made_at, p.department)
                      THEN excluded.department ELSE p.department END,
    made_at = greatest(p.made_at, excluded.made_at),
    kept_at = greatest(p.kept_at, excluded.kept_at)
