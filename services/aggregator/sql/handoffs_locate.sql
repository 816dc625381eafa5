-- ids: what the handoffs hang on, which never changes
SELECT h.handoff_id::text, i.kind, i.value
FROM store.handoffs h
JOIN store.identities i ON i.identity_id = h.identity_id
WHERE h.handoff_id = ANY ($1::uuid[])
ORDER BY h.handoff_id
