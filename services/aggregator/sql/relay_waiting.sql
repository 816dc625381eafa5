-- $1 most rows that are counted. How many wait, and for how many seconds the first one has.
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(o.created_at))::bigint, 0)
FROM (SELECT created_at FROM store.outbox ORDER BY outbox_id LIMIT $1::integer) o
