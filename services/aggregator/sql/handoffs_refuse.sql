-- departments, handoff ids, ids of the requests, traceparents, data: told to who asked, on no timeline
INSERT INTO store.outbox (topic, key, type, event_id, occurred_at, customer, traceparent, data)
SELECT 'handoffs.' || u.department, u.id::text, 'throughline.handoff.refused', u.request || '/refused', now(),
       store.identity_text(i.kind, i.value), u.trace, u.data
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[])
     WITH ORDINALITY AS u (department, id, request, trace, data, n)
LEFT JOIN store.handoffs h ON h.handoff_id = u.id
LEFT JOIN store.identities i ON i.identity_id = h.identity_id
ORDER BY u.n
