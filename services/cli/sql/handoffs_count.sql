-- Of handoffs that are not closed: how many, how many overdue, how many undeliverable; how many changes wait
-- to be told (up to 100,000), and for how many seconds the first has; for how many seconds the first opening has
-- waited to be confirmed
SELECT h.live, h.overdue, h.undeliverable,
       (SELECT count(*) FROM (SELECT 1 FROM store.outbox LIMIT 100000) w),
       coalesce((SELECT extract(epoch FROM clock_timestamp() - o.created_at)::bigint
                 FROM store.outbox o ORDER BY o.outbox_id LIMIT 1), 0),
       coalesce((SELECT extract(epoch FROM clock_timestamp() - min(c.opened_at))::bigint
                 FROM store.handoffs c WHERE c.confirm_xid IS NOT NULL AND NOT c.told), 0)
FROM (
    SELECT count(*) AS live, count(*) FILTER (WHERE t.overdue) AS overdue,
           count(*) FILTER (WHERE t.undeliverable) AS undeliverable
    FROM throughline.handoffs t
    WHERE t.state IN ('open', 'delivered', 'accepted')
) h
