-- snapshot, most: handoffs to confirm that could be seen then, with all that their customers have become by now:
-- who closes one may have looked for it under a customer of before, and is not waited for
SELECT h.handoff_id::text
FROM store.handoffs h
WHERE h.confirm_xid IS NOT NULL AND pg_visible_in_snapshot(h.confirm_xid, $1::pg_snapshot)
  AND (SELECT count(*) FROM store.merges m
       WHERE m.survivor = (SELECT i.customer_id FROM store.identities i WHERE i.identity_id = h.identity_id)
         AND NOT pg_visible_in_snapshot(m.xid, $1::pg_snapshot)) = 0
ORDER BY h.handoff_id LIMIT $2::integer
