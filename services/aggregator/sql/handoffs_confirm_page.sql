-- snapshot, most: handoffs to confirm that could be seen then
SELECT h.handoff_id::text
FROM store.handoffs h
WHERE h.confirm_xid IS NOT NULL AND pg_visible_in_snapshot(h.confirm_xid, $1::pg_snapshot)
ORDER BY h.handoff_id LIMIT $2::integer
