-- customers, moments (µs) from which on, rules, types (with commas), whether the rule matches values:
-- events that may close a handoff of the rule and have closed none of it yet
SELECT u.customer, u.rule, (extract(epoch FROM e.occurred_at) * 1000000)::bigint, e.event_uid, e.event_id, e.type,
       e.data
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::boolean[])
     AS u (customer, since_us, rule, types, matches)
CROSS JOIN LATERAL (
    SELECT p.occurred_at, p.event_uid, p.event_id, p.type, CASE WHEN u.matches THEN p.data::text END AS data
    FROM store.identities y
    JOIN store.events p ON p.identity_id = y.identity_id
    WHERE y.customer_id = u.customer
      AND p.occurred_at >= timestamptz 'epoch' + u.since_us * interval '1 microsecond'
      AND p.type = ANY (string_to_array(u.types, ','))
      AND NOT EXISTS (SELECT 1 FROM store.handoffs x WHERE x.rule = u.rule AND x.closing_uid = p.event_uid)
    ORDER BY p.occurred_at, p.event_uid
    LIMIT 100
) e
