-- ids of handoffs; and of each rule: its name, the types of events that close by it (with commas), whether it
-- matches values. Events on the timeline that may close one of them and have closed none of the rule yet
SELECT i.customer_id, h.rule, (extract(epoch FROM e.occurred_at) * 1000000)::bigint, e.event_uid, e.event_id, e.type,
       e.data
FROM store.handoffs h
JOIN store.identities i ON i.identity_id = h.identity_id
JOIN (SELECT u.rule, string_to_array(u.types, ',') AS types, u.matches
      FROM unnest($2::text[], $3::text[], $4::boolean[]) AS u (rule, types, matches) OFFSET 0) r ON r.rule = h.rule
CROSS JOIN LATERAL (
    SELECT p.occurred_at, p.event_uid, p.event_id, p.type, CASE WHEN r.matches THEN p.data::text END AS data
    FROM store.identities y
    CROSS JOIN LATERAL ( -- a person's events; those that name an account
        SELECT q.occurred_at, q.event_uid, q.event_id, q.type, q.data
        FROM store.events q
        WHERE i.kind NOT LIKE 'account.%' AND q.identity_id = y.identity_id AND q.occurred_at >= h.occurred_at
        UNION ALL
        SELECT q.occurred_at, q.event_uid, q.event_id, q.type, q.data
        FROM store.events q
        WHERE i.kind LIKE 'account.%' AND q.account_identity_id = y.identity_id AND q.occurred_at >= h.occurred_at
    ) p
    WHERE y.customer_id = i.customer_id
      AND p.type = ANY (r.types)
      -- Compared, not joined: by the index, however little the planner knows of the table.
      AND (SELECT x.handoff_id FROM store.handoffs x WHERE x.rule = h.rule AND x.closing_uid = p.event_uid) IS NULL
    ORDER BY p.occurred_at, p.event_uid
    LIMIT 100
) e
WHERE h.handoff_id = ANY ($1::uuid[]) AND h.state IN ('open', 'delivered', 'accepted')
