-- For how many seconds the first opening has waited to be confirmed, and so to be told
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(h.opened_at))::bigint, 0)
FROM store.handoffs h WHERE h.confirm_xid IS NOT NULL AND NOT h.told
