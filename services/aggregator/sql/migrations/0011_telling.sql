-- Telling of handoffs at less than half the processor time. What is called for each row is either part of
-- whatever calls it (PostgreSQL takes a function's one expression in, unless that promises less than the
-- function does: to_char is stable), or not called at all for what is not there.

CREATE OR REPLACE FUNCTION store.rfc3339(moment timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

ALTER FUNCTION store.percent_encoded(text) STRICT;

-- As before (0009), each handoff found by its key.
CREATE OR REPLACE FUNCTION store.tell_handoffs(ids uuid[], kinds text[], were text[], traces text[]) RETURNS void
LANGUAGE plpgsql
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET enable_material = off
AS $$
BEGIN
    INSERT INTO store.outbox (topic, key, type, event_id, occurred_at, customer, sequence, traceparent, data)
    SELECT m.topic, m.key, 'throughline.handoff.' || m.verb, c.event_id || m.suffix, now(), c.who || c.account, h.sequence,
           t.trace, c.data || m.more || '}'
    FROM unnest(ids, kinds, were, traces) WITH ORDINALITY AS t (id, kind, was, trace, n)
    JOIN store.handoffs h ON h.handoff_id = t.id
    JOIN store.identities i ON i.identity_id = h.identity_id
    LEFT JOIN store.identities a ON a.identity_id = h.account_identity_id AND a.identity_id <> i.identity_id
    CROSS JOIN LATERAL (
        SELECT left(store.handoff_data(h)::text, -1) AS data, -- without its closing brace
               h.handoff_id::text AS id,
               h.handoff_id || '/' || h.sequence AS event_id,
               store.identity_text(i.kind, i.value) AS who,
               coalesce('&' || store.identity_text(a.kind, a.value), '') AS account,
               CASE t.kind WHEN 'ended' THEN 'closed' WHEN 'reassigned' THEN 'updated' ELSE t.kind END AS verb
        OFFSET 0 -- once a handoff
    ) c
    CROSS JOIN LATERAL (
        SELECT 1 AS n, 'handoffs.' || h.to_department AS topic, c.id AS key, 'opened' AS verb, '' AS suffix,
               ', "brief_version": ' || h.brief_version::text || ', "brief": ' || h.brief::text AS more
        WHERE t.kind IN ('opened', 'reassigned')
        UNION ALL
        SELECT 2, 'handoffs.' || h.to_department, c.id, t.kind, '', ''
        WHERE t.kind IN ('updated', 'overdue', 'closed')
        UNION ALL
        SELECT 3, 'handoffs.' || h.from_department, c.id, 'closed', '/' || h.from_department, ''
        WHERE t.kind = 'closed' AND h.state = 'declined' AND h.from_department <> h.to_department
        UNION ALL
        SELECT 4, 'handoffs.' || t.was, c.id, 'closed', '/' || t.was,
               ', "reassigned_to": ' || to_jsonb(h.to_department)::text
        WHERE t.was <> h.to_department AND t.kind <> 'ended'
        UNION ALL
        SELECT 5, 'events.throughline', c.who, c.verb, '', ''
    ) m
    ORDER BY t.n, m.n;
END
$$;
