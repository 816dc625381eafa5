-- customers, rules, and whether is wanted: open issues, first_seen, the owner. Answers, in that order: whether an
-- issue is open; when the customer was first seen (µs); whether the rule ever opened a handoff for them; how many
-- it did within a day, up to 1,000; the department of the owner named last
SELECT u.wants_issue AND EXISTS (
           SELECT 1
           FROM store.identities y JOIN store.issues s ON s.identity_id = y.identity_id
           WHERE y.customer_id = u.customer
           GROUP BY s.issue_id
           HAVING max(s.reopened_at) IS NOT NULL
              AND (max(s.closed_at) IS NULL OR max(s.closed_at) < max(s.reopened_at))
       ),
       CASE WHEN u.wants_first_seen THEN (
           SELECT (extract(epoch FROM min(e.occurred_at)) * 1000000)::bigint
           FROM store.identities y
           CROSS JOIN LATERAL (
               (SELECT p.occurred_at FROM store.events p
                WHERE p.identity_id = y.identity_id ORDER BY p.occurred_at LIMIT 1)
               UNION ALL
               (SELECT p.occurred_at FROM store.events p
                WHERE p.account_identity_id = y.identity_id ORDER BY p.occurred_at LIMIT 1)
           ) e
           WHERE y.customer_id = u.customer
       ) END,
       h.ever,
       h.recently,
       CASE WHEN u.wants_owner THEN (
           SELECT o.department
           FROM store.identities y JOIN store.owners o ON o.identity_id = y.identity_id
           WHERE y.customer_id = u.customer
           ORDER BY o.named_at DESC, o.event_uid DESC LIMIT 1
       ) END
FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::boolean[], $5::boolean[])
     WITH ORDINALITY AS u (customer, rule, wants_issue, wants_first_seen, wants_owner, n)
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS ever, count(*) FILTER (WHERE r.opened_at > now() - interval '1 day') AS recently
    FROM (
        SELECT x.opened_at
        FROM store.identities y JOIN store.handoffs x ON x.identity_id = y.identity_id
        WHERE y.customer_id = u.customer AND x.rule = u.rule
        ORDER BY x.opened_at DESC LIMIT 1000
    ) r
) h
ORDER BY u.n
