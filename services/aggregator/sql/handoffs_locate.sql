-- ids: what the handoffs hang on, which never changes
SELECT h.handoff_id::text,
       (SELECT i.kind FROM store.identities i WHERE i.identity_id = h.identity_id),
       (SELECT i.value FROM store.identities i WHERE i.identity_id = h.identity_id)
FROM store.handoffs h
WHERE h.handoff_id = ANY ($1::uuid[])
ORDER BY h.handoff_id
