-- identities, ids, rules: the live handoffs that these rules opened for the identities' customers, and the named
-- ones, locked in the order of their ids. The ids as an array: a row that another writer has changed
-- meanwhile is looked at anew, and a join with what the ids come from would lose it there.
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
WHERE h.handoff_id = ANY (ARRAY(
    SELECT unnest($2::uuid[])
    UNION ALL
    SELECT x.handoff_id
    FROM store.handoffs x
    WHERE x.identity_id = ANY (ARRAY(
            SELECT y.identity_id FROM store.identities y WHERE y.customer_id = ANY (ARRAY(
                SELECT z.customer_id FROM store.identities z WHERE z.identity_id = ANY ($1::bigint[])))))
      AND x.state IN ('open', 'delivered', 'accepted') AND x.rule = ANY ($3::text[])
))
ORDER BY h.handoff_id
FOR UPDATE OF h
