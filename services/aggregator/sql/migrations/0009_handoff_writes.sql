-- How changes of handoffs are told, and what the way of an event needs for them.

CREATE FUNCTION store.percent_encoded(value text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(CASE
               WHEN chr(b) ~ '[A-Za-z0-9._~-]' THEN chr(b)
               ELSE '%' || upper(lpad(to_hex(b), 2, '0'))
           END, '' ORDER BY n)
    FROM (
        SELECT n, get_byte(bytes, n) AS b
        FROM (SELECT convert_to(value, 'UTF8') AS bytes) v, generate_series(0, length(bytes) - 1) AS n
    ) each_byte
$$;

-- An identity as the attribute `customer` has it: "email=ann%40acme.example". One expression without a
-- query in it, which becomes part of whatever asks.
CREATE FUNCTION store.identity_text(kind text, value text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT kind || '=' || CASE WHEN value ~ '^[A-Za-z0-9._~@-]*$' THEN replace(value, '@', '%40')
                               ELSE store.percent_encoded(value) END
$$;

CREATE FUNCTION store.rfc3339(moment timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- What is said of a handoff wherever it is spoken of: docs/protocol.md, "Handoffs". Without the brief.
CREATE FUNCTION store.handoff_data(h store.handoffs) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'handoff', h.handoff_id, 'rule', h.rule, 'state', h.state, 'from', h.from_department,
        'to', h.to_department, 'ask', h.ask, 'overdue', h.overdue,
        'opened_at', store.rfc3339(h.opened_at), 'due_at', store.rfc3339(h.due_at),
        'sequence', h.sequence, 'depth', h.depth, 'accepted_by', h.accepted_by,
        'closed_by', h.closed_by, 'closing_event_id', h.closing_event_id, 'note', h.note))
$$;

-- Writes to the outbox what became of handoffs, after their rows were put. kinds:
--   opened      to its receiver, with the brief
--   updated, overdue, closed   to its receiver; a declined one also to the department it came from
--   reassigned  with the brief to the new receiver; to the old one (`were`), that it is no longer theirs
--   ended       opened and closed at once: nobody is asked for work that is done
-- Each of them also goes to the timeline, by events.throughline. The ids follow from the handoff and
-- its sequence, so that what is published twice is recognised.
CREATE FUNCTION store.tell_handoffs(ids uuid[], kinds text[], were text[], traces text[]) RETURNS void
LANGUAGE plpgsql -- a session keeps the plan: row by row, by index, which stays right while tables grow
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    INSERT INTO store.outbox (topic, key, type, event_id, occurred_at, customer, sequence, traceparent, data)
    SELECT m.topic, m.key, 'throughline.handoff.' || m.verb, c.event_id || m.suffix, now(), c.who || c.account, h.sequence,
           t.trace, c.data || m.more || '}'
    FROM unnest(ids, kinds, were, traces) WITH ORDINALITY AS t (id, kind, was, trace, n)
    JOIN store.handoffs h ON h.handoff_id = t.id AND h.handoff_id = ANY (ids)
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

-- As before (0002), and: the customers of the components in `to_lock` are locked, too, though they tie
-- nothing, since whether they ever had a handoff is about to be looked at. merged: whether customers became this one.
DROP FUNCTION store.resolve_identities(text[], text[], integer[], text[]);
CREATE FUNCTION store.resolve_identities(kinds text[], vals text[], components integer[], records text[],
                                         to_lock integer[] DEFAULT '{}')
RETURNS TABLE (ordinal integer, identity_id bigint, customer_id bigint, merged boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    tying integer[];    -- components of more than one identity
    locking integer[];  -- these and to_lock
    concerned bigint[]; -- their customers, ascending
    fresh bigint[];     -- customers made here: nobody else knows them yet
    survivors bigint[]; -- of merges made here
BEGIN
    SELECT array_agg(component) INTO tying
    FROM (SELECT component FROM unnest(components) AS u (component) GROUP BY component HAVING count(*) > 1) t;
    locking := nullif(coalesce(tying, '{}') || to_lock, '{}');

    FOR attempt IN 1 .. 50 LOOP
        BEGIN
            IF locking IS NOT NULL THEN
                concerned := store.customers_concerned(kinds, vals, components, locking);
                PERFORM 1 FROM store.customers c WHERE c.customer_id = ANY (concerned)
                ORDER BY c.customer_id FOR UPDATE;
            END IF;

            -- New identities: of their component's customer, or of a new one.
            WITH asked AS (
                SELECT u.kind, u.value, u.component, u.record, i.customer_id
                FROM unnest(kinds, vals, components, records) AS u (kind, value, component, record)
                LEFT JOIN store.identities i ON i.kind = u.kind AND i.value = u.value
            ), target AS (
                SELECT component, coalesce(min(customer_id), nextval('store.customers_customer_id_seq')) AS customer_id,
                       count(customer_id) = 0 AS is_fresh
                FROM asked GROUP BY component HAVING count(*) > count(customer_id)
            ), put AS (
                INSERT INTO store.identities (kind, value, customer_id, record)
                SELECT a.kind, a.value, t.customer_id, a.record
                FROM asked a JOIN target t ON t.component = a.component
                WHERE a.customer_id IS NULL
                ORDER BY a.kind, a.value
                ON CONFLICT (kind, value) DO NOTHING
                RETURNING kind, value, customer_id
            ), made AS (
                INSERT INTO store.customers (customer_id, kind)
                SELECT DISTINCT p.customer_id, CASE WHEN p.kind LIKE 'account.%' THEN 'account' ELSE 'person' END
                FROM put p
                ON CONFLICT (customer_id) DO NOTHING -- attached to one that exists
            )
            SELECT array_agg(t.customer_id) INTO fresh FROM target t WHERE t.is_fresh;

            IF locking IS NOT NULL AND EXISTS (
                SELECT unnest(store.customers_concerned(kinds, vals, components, locking))
                EXCEPT SELECT unnest(concerned || fresh)) THEN
                RAISE EXCEPTION 'another writer came in between' USING ERRCODE = 'TL002';
            END IF;

            IF tying IS NOT NULL AND cardinality(concerned) > 1 THEN
                survivors := store.merge_components(kinds, vals, components, tying, records);
            END IF;

            RETURN QUERY
                SELECT u.ordinal::integer, i.identity_id, i.customer_id,
                       coalesce(i.customer_id = ANY (survivors), false)
                FROM unnest(kinds, vals) WITH ORDINALITY AS u (kind, value, ordinal)
                JOIN store.identities i ON i.kind = u.kind AND i.value = u.value;
            RETURN;
        EXCEPTION WHEN SQLSTATE 'TL002' THEN
            NULL; -- the savepoint gave the locks back; look again
        END;
    END LOOP;
    RAISE EXCEPTION 'identities did not come to rest' USING ERRCODE = '40001';
END
$$;

-- As before (0002), but tells who survived.
DROP FUNCTION store.merge_components(text[], text[], integer[], integer[], text[]);
CREATE FUNCTION store.merge_components(kinds text[], vals text[], components integer[],
                                       tying integer[], records text[]) RETURNS bigint[]
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    current_component integer;
    tied bigint[]; -- ascending: the first survives
    survivors bigint[];
    evidence jsonb;
BEGIN
    FOR current_component IN
        SELECT u.component
        FROM unnest(kinds, vals, components) AS u (kind, value, component)
        JOIN store.identities i ON i.kind = u.kind AND i.value = u.value
        WHERE u.component = ANY (tying)
        GROUP BY u.component HAVING count(DISTINCT i.customer_id) > 1
        ORDER BY u.component
    LOOP
        SELECT array_agg(DISTINCT i.customer_id ORDER BY i.customer_id),
               jsonb_build_object(
                   'identities', jsonb_agg(u.kind || '=' || u.value ORDER BY u.kind, u.value),
                   'records', to_jsonb(array_agg(DISTINCT u.record)))
        INTO tied, evidence
        FROM unnest(kinds, vals, components, records) AS u (kind, value, component, record)
        JOIN store.identities i ON i.kind = u.kind AND i.value = u.value
        WHERE u.component = current_component;
        IF cardinality(tied) < 2 THEN
            CONTINUE; -- one before it has tied them
        END IF;
        INSERT INTO store.merges (survivor, absorbed, evidence, identity_ids)
        SELECT tied[1], a.customer_id, evidence,
               (SELECT array_agg(i.identity_id ORDER BY i.identity_id)
                FROM store.identities i WHERE i.customer_id = a.customer_id)
        FROM unnest(tied[2:]) AS a (customer_id);
        UPDATE store.customers SET merged_into = tied[1] WHERE customer_id = ANY (tied[2:]);
        UPDATE store.identities SET customer_id = tied[1] WHERE customer_id = ANY (tied[2:]);
        survivors := survivors || tied[1];
    END LOOP;
    RETURN survivors;
END
$$;

REVOKE ALL ON FUNCTION store.percent_encoded(text), store.identity_text(text, text), store.rfc3339(timestamptz),
    store.handoff_data(store.handoffs), store.tell_handoffs(uuid[], text[], text[], text[]),
    store.resolve_identities(text[], text[], integer[], text[], integer[]),
    store.merge_components(text[], text[], integer[], integer[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store.percent_encoded(text), store.identity_text(text, text), store.rfc3339(timestamptz),
    store.handoff_data(store.handoffs), store.tell_handoffs(uuid[], text[], text[], text[]),
    store.resolve_identities(text[], text[], integer[], text[], integer[]),
    store.merge_components(text[], text[], integer[], integer[], text[]) TO throughline_writer;
