-- $1 ids that are at hand already, $2 topics that are left out, $3 most rows, $4 most bytes of data
-- (and one row more). The sequence of ids is drawn before their rows are committed: a row may turn
-- up below those that were read before.
SELECT p.outbox_id, p.topic, p.key, p.type, p.event_id,
       to_char(p.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       p.customer, p.sequence,
       CASE WHEN p.type = 'throughline.handoff.overdue' AND p.event_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/'
            THEN (SELECT h.traceparent FROM store.handoffs h
                  WHERE h.handoff_id = split_part(p.event_id, '/', 1)::uuid)
            ELSE p.traceparent END,
       p.data
FROM (
    SELECT o.*, sum(octet_length(o.data)) OVER (ORDER BY o.outbox_id) AS bytes
    FROM (
        SELECT * FROM store.outbox
        WHERE outbox_id <> ALL ($1::bigint[]) AND topic <> ALL ($2::text[])
        ORDER BY outbox_id LIMIT $3::integer
    ) o
) p
WHERE p.bytes - octet_length(p.data) < $4::bigint
ORDER BY p.outbox_id
