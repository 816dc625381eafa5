-- 1 department or NULL, 2 overdue ones alone, 3 closed ones too, 4 customer or NULL, 5 and 6 the last row
-- of the page before (NULL: none), 7 how many, 8 whether JSON is wanted: briefs are large, 9 this handoff alone,
-- with its brief, or NULL. An account's are those, too, whose event names it.
SELECT h.handoff_id, to_char(h.due_at, 'YYYY-MM-DD HH24:MI') AS due,
       concat_ws(', ', h.state, CASE WHEN h.overdue THEN 'overdue' END,
                 CASE WHEN h.undeliverable THEN 'undeliverable' END) AS state,
       coalesce(h.from_department, 'throughline') AS from_department, h.to_department, h.ask,
       (SELECT i.kind || '=' || i.value
        FROM store.handoffs s JOIN store.identities i ON i.identity_id = s.identity_id
        WHERE s.handoff_id = h.handoff_id) AS customer,
       coalesce(h.closed_by, h.accepted_by) AS who, h.due_at,
       CASE WHEN $9::uuid IS NOT NULL THEN jsonb_pretty(h.brief::jsonb) END AS brief,
       CASE WHEN $8::boolean THEN row_to_json(h) END AS json
FROM throughline.handoffs h
WHERE ($1::text IS NULL OR h.to_department = $1)
  AND ($9::uuid IS NULL OR h.handoff_id = $9)
  AND (NOT $2::boolean OR h.overdue)
  AND ($3::boolean OR h.state IN ('open', 'delivered', 'accepted'))
  AND ($4::bigint IS NULL OR h.handoff_id IN (
          SELECT s.handoff_id
          FROM store.identities i JOIN store.handoffs s ON s.identity_id = i.identity_id
          WHERE i.customer_id = $4
          UNION
          SELECT s.handoff_id
          FROM store.identities i JOIN store.handoffs s ON s.account_identity_id = i.identity_id
          WHERE i.customer_id = $4))
  AND ($5::timestamptz IS NULL OR (h.due_at, h.handoff_id) > ($5, $6::uuid))
ORDER BY h.due_at, h.handoff_id
LIMIT $7::integer
