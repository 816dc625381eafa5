-- identities, rules, and whether is wanted: open issues, first_seen, the owner. Answers, in that order: whether an
-- issue is open; when the customer was first seen (µs); whether the rule ever opened a handoff for them; how many
-- it did within a day, up to 1,000; the department of the owner named last. By arrays, as a join leaves it to the
-- planner's guess of new tables which side it begins with.
SELECT u.wants_issue AND EXISTS (
           SELECT 1
           FROM store.issues s
           WHERE s.identity_id = ANY (y.ids)
           GROUP BY s.issue_id
           HAVING max(s.reopened_at) IS NOT NULL
              AND (max(s.closed_at) IS NULL OR max(s.closed_at) < max(s.reopened_at))
       ),
       CASE WHEN u.wants_first_seen THEN (
           SELECT (extract(epoch FROM min(e.occurred_at)) * 1000000)::bigint
           FROM unnest(y.ids) AS i (id)
           CROSS JOIN LATERAL (
               (SELECT p.occurred_at FROM store.events p
                WHERE p.identity_id = i.id ORDER BY p.occurred_at LIMIT 1)
               UNION ALL
               (SELECT p.occurred_at FROM store.events p
                WHERE p.account_identity_id = i.id ORDER BY p.occurred_at LIMIT 1)
           ) e
       ) END,
       EXISTS (SELECT 1 FROM store.handoffs x WHERE x.identity_id = ANY (y.ids) AND x.rule = u.rule),
       (SELECT count(*)
        FROM (SELECT 1 FROM store.handoffs x
              WHERE x.identity_id = ANY (y.ids) AND x.rule = u.rule AND x.opened_at > now() - interval '1 day'
              LIMIT 1000) r),
       CASE WHEN u.wants_owner THEN (
           SELECT o.department
           FROM store.owners o
           WHERE o.identity_id = ANY (y.ids)
           ORDER BY o.named_at DESC, o.event_uid DESC LIMIT 1
       ) END
FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::boolean[], $5::boolean[])
     WITH ORDINALITY AS u (identity, rule, wants_issue, wants_first_seen, wants_owner, n)
CROSS JOIN LATERAL (
    SELECT ARRAY(
        SELECT i.identity_id FROM store.identities i
        WHERE i.customer_id = (SELECT c.customer_id FROM store.identities c WHERE c.identity_id = u.identity)) AS ids
    OFFSET 0 -- once a row
) y
ORDER BY u.n
