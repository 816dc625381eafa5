-- identities, ids, departments, summaries, times, told, closed: an event that is neither opens. At one
-- moment the words decide, so that the order of arrival does not. What is opened again is untold again.
INSERT INTO store.issues AS i (identity_id, issue_id, department, summary, summary_at, opened_at,
                               reopened_at, told_at, closed_at)
SELECT u.identity_id, u.issue_id,
       (array_agg(u.department ORDER BY u.us, u.department) FILTER (WHERE NOT u.told AND NOT u.closed))[1],
       (array_agg(u.summary ORDER BY u.us DESC, u.summary DESC) FILTER (WHERE u.summary IS NOT NULL))[1],
       max(t.at) FILTER (WHERE u.summary IS NOT NULL),
       min(t.at) FILTER (WHERE NOT u.told AND NOT u.closed),
       max(t.at) FILTER (WHERE NOT u.told AND NOT u.closed),
       max(t.at) FILTER (WHERE u.told),
       max(t.at) FILTER (WHERE u.closed)
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::boolean[], $7::boolean[])
     AS u (identity_id, issue_id, department, summary, us, told, closed)
CROSS JOIN LATERAL (SELECT timestamptz 'epoch' + u.us * interval '1 microsecond') AS t (at)
GROUP BY u.identity_id, u.issue_id
ORDER BY u.identity_id, u.issue_id
ON CONFLICT (identity_id, issue_id) DO UPDATE
SET department = CASE WHEN i.opened_at IS NULL
                        OR (excluded.opened_at, excluded.department) < (i.opened_at, i.department)
                      THEN excluded.department ELSE i.department END,
    summary = CASE WHEN i.summary_at IS NULL OR (excluded.summary_at, excluded.summary) > (i.summary_at, i.summary)
                   THEN excluded.summary ELSE i.summary END,
    summary_at = greatest(i.summary_at, excluded.summary_at),
    opened_at = least(i.opened_at, excluded.opened_at),
    reopened_at = greatest(i.reopened_at, excluded.reopened_at),
    told_at = greatest(i.told_at, excluded.told_at),
    closed_at = greatest(i.closed_at, excluded.closed_at),
    untold_raised_for = CASE WHEN excluded.reopened_at > i.reopened_at THEN NULL ELSE i.untold_raised_for END
