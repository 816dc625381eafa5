-- customers, rules, whether first_seen is wanted. Answers, in that order: whether an issue is open;
-- when the customer was first seen (µs); whether the rule ever opened a handoff for them; the
-- department of the owner named last
SELECT EXISTS (
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
               SELECT p.occurred_at FROM store.events p
               WHERE p.identity_id = y.identity_id ORDER BY p.occurred_at LIMIT 1
           ) e
           WHERE y.customer_id = u.customer
       ) END,
       EXISTS (
           SELECT 1
           FROM store.identities y JOIN store.handoffs h ON h.identity_id = y.identity_id
           WHERE y.customer_id = u.customer AND h.rule = u.rule
       ),
       (
           SELECT o.department
           FROM store.identities y JOIN store.owners o ON o.identity_id = y.identity_id
           WHERE y.customer_id = u.customer
           ORDER BY o.named_at DESC, o.event_uid DESC LIMIT 1
       )
FROM unnest($1::bigint[], $2::text[], $3::boolean[]) WITH ORDINALITY AS u (customer, rule, wants_first_seen, n)
ORDER BY u.n
