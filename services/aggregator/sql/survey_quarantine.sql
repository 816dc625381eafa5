-- $1 most records that are counted. What waits for a decision, by reason, and for how many seconds the
-- first has
SELECT q.reason, count(*), extract(epoch FROM clock_timestamp() - min(q.received_at))::bigint
FROM (
    SELECT w.reason, w.received_at FROM store.quarantine w WHERE w.state = 'waiting'
    ORDER BY w.quarantine_id LIMIT $1::integer
) q
GROUP BY 1
