-- ids, snapshot: those that are still to be confirmed, as in handoffs_load.sql; not what was called in doubt
-- after the snapshot, perhaps just now, nor what a merge has missed (handoffs_confirm_page.sql): that waits for
-- others than were waited for
SELECT h.handoff_id, h.rule, h.identity_id,
       (SELECT i.customer_id FROM store.identities i WHERE i.identity_id = h.identity_id),
       h.from_department, h.to_department, h.state,
       h.overdue, h.undeliverable,
       (extract(epoch FROM h.occurred_at) * 1000000)::bigint,
       (extract(epoch FROM h.due_at) * 1000000)::bigint,
       (extract(epoch FROM h.delivered_at) * 1000000)::bigint,
       (extract(epoch FROM h.accepted_at) * 1000000)::bigint,
       (extract(epoch FROM h.closed_at) * 1000000)::bigint,
       h.accepted_by, h.closed_by, h.note, h.closing_event_id, h.closing_uid,
       nullif(h.match, '[]')::text, h.due_ms, h.sequence, h.opened_sequence, h.depth, h.told, h.traceparent
FROM store.handoffs h
WHERE h.handoff_id = ANY ($1::uuid[])
  AND h.confirm_xid IS NOT NULL AND pg_visible_in_snapshot(h.confirm_xid, $2::pg_snapshot)
  AND (SELECT count(*) FROM store.merges m
       WHERE m.survivor = (SELECT i.customer_id FROM store.identities i WHERE i.identity_id = h.identity_id)
         AND NOT pg_visible_in_snapshot(m.xid, $2::pg_snapshot)) = 0
ORDER BY h.handoff_id
FOR UPDATE OF h
