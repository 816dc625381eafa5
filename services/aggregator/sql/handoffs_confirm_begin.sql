-- What can be seen at this moment, where handoffs are to be confirmed.
SELECT pg_current_snapshot()::text
WHERE EXISTS (SELECT 1 FROM store.handoffs WHERE confirm_xid IS NOT NULL)
