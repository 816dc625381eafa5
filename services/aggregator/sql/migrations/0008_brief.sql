-- The brief of a handoff: what its receiver needs to know so as not to start from scratch. Frozen
-- with the opening; docs/protocol.md has its members (brief_version 1).
--
-- A batch may open hundreds of handoffs, so what is looked up for one is bounded and goes by index:
-- of each identity of a customer (100 at most) the latest 200 events, of which the latest 200 are
-- looked at, once, for the last events and the money; of everything else 100 rows. What there is
-- beyond that is told: "since" for events, "cut" for the rest.

-- A list's first elements, at most `most`, as many as fit into `room` octets of JSON text.
CREATE FUNCTION store.brief_fitting(list jsonb, room bigint, most bigint) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(f.element ORDER BY f.place), '[]')
    FROM (
        SELECT e.element, e.place, 2 + sum(octet_length(e.element::text) + 2) OVER (ORDER BY e.place) AS octets
        FROM jsonb_array_elements(list) WITH ORDINALITY AS e (element, place)
    ) f
    WHERE f.octets <= room AND f.place <= most
$$;

-- A field of the opening event in at most `room` octets: of a text its beginning, of a list its
-- first elements, of anything else nothing.
CREATE FUNCTION store.brief_field(field jsonb, room integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN octet_length(field::text) <= room THEN field
        WHEN jsonb_typeof(field) = 'array' THEN store.brief_fitting(field, room, room)
        WHEN jsonb_typeof(field) <> 'string' THEN 'null'
        -- 5: quotes and the mark. A character may take 6 octets.
        WHEN octet_length(to_jsonb(left(field #>> '{}', room - 5))::text) <= room - 3
            THEN to_jsonb(left(field #>> '{}', room - 5) || '…')
        ELSE to_jsonb(left(field #>> '{}', (room - 5) / 6) || '…')
    END
$$;

-- Identities in at most `room` octets: of each kind the first before any kind's second.
CREATE FUNCTION store.brief_identities(identities jsonb, room integer, most bigint) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(g.kind, g.list), '{}')
    FROM (
        SELECT f.kind, jsonb_agg(f.value ORDER BY f.place) AS list
        FROM (
            SELECT k.key AS kind, v.value, v.place,
                   row_number() OVER w AS number,
                   sum(octet_length(v.value::text) + octet_length(to_jsonb(k.key)::text) + 6) OVER w AS octets
            FROM jsonb_each(identities) AS k
            CROSS JOIN LATERAL jsonb_array_elements(k.value) WITH ORDINALITY AS v (value, place)
            WINDOW w AS (ORDER BY v.place, k.key)
        ) f
        WHERE f.octets <= room AND f.number <= most
        GROUP BY f.kind
    ) g
$$;

-- A brief of at most `room` octets and 100 elements a list, and in "cut" what was taken away: first
-- from fields that are larger than their share, then from the ends of the lists, the least important
-- list first. The opening event and the money are small and stay whole; identities get a quarter of
-- the room, as the receiver finds the customer by them.
CREATE FUNCTION store.brief_shrink(INOUT brief jsonb, room integer)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    cut jsonb := '{}';
    whole jsonb;
    part jsonb;
    share integer;
    section text;
    rest bigint;
BEGIN
    whole := brief -> 'identities';
    part := store.brief_identities(whole, room / 4, 100);
    IF part <> whole THEN
        cut := cut || jsonb_build_object('identities',
            (SELECT sum(jsonb_array_length(k.value)) FROM jsonb_each(whole) k)
            - (SELECT coalesce(sum(jsonb_array_length(k.value)), 0) FROM jsonb_each(part) k));
        brief := jsonb_set(brief, '{identities}', part);
    END IF;

    whole := brief -> 'fields';
    IF octet_length(whole::text) > room / 5 THEN
        share := room / 5 / (SELECT count(*) FROM jsonb_object_keys(whole));
        SELECT jsonb_object_agg(f.key, store.brief_field(f.value, share)) INTO part FROM jsonb_each(whole) f;
        cut := cut || jsonb_build_object('fields', (
            SELECT coalesce(jsonb_agg(f.key ORDER BY f.key), '[]')
            FROM jsonb_each(whole) f WHERE part -> f.key <> f.value));
        brief := jsonb_set(brief, '{fields}', part);
    END IF;

    FOREACH section IN ARRAY ARRAY['events', 'handoffs', 'promises', 'issues', 'owners'] LOOP
        whole := brief -> section;
        IF section = 'events' THEN -- those of all departments take turns
            SELECT coalesce(jsonb_agg(e ORDER BY e ->> 'time' DESC), '[]') INTO whole
            FROM jsonb_array_elements(whole) e;
        END IF;
        -- 64: for what "cut" may come to say of this section.
        rest := octet_length((brief - section || jsonb_build_object('cut', cut))::text) + 64;
        part := store.brief_fitting(whole, room - rest, 100);
        CONTINUE WHEN jsonb_array_length(part) = jsonb_array_length(whole);
        cut := cut || jsonb_build_object(section, jsonb_array_length(whole) - jsonb_array_length(part));
        brief := jsonb_set(brief, ARRAY[section], part);
        IF section = 'events' THEN
            brief := jsonb_set(brief, '{event_ids}', jsonb_path_query_array(part, '$[*].id'));
        END IF;
    END LOOP;
    brief := jsonb_set(brief, '{cut}', cut);
END
$$;

-- Briefs of handoffs that are about to be opened: of each customer, with its opening
-- {"handoff": uuid, "event": {…}, "fields": {"/pointer": value}}. One row an element.
--
-- The settings: the plan is made once a session and stays right while tables grow, as nothing but
-- indexes is thought of; nothing is compiled for it. Measured with PostgreSQL 15, 50 customers of two
-- identities at once, 1,000,000 events: 0.24 ms of processor time a brief in 36 monthly partitions
-- (10 events each), 0.12 ms in 12 (5 events each). What grows with the months is the search for
-- events of each identity in each of them (0.7 us); to look back less far would hide money.
CREATE FUNCTION store.briefs(customers bigint[], openings jsonb[])
RETURNS TABLE (ordinal integer, brief json)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET max_parallel_workers_per_gather = 0
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT u.ordinal::integer AS ordinal, u.customer, u.opening,
               (SELECT c.kind FROM store.customers c WHERE c.customer_id = u.customer) AS kind,
               ARRAY(SELECT i.identity_id FROM store.identities i WHERE i.customer_id = u.customer LIMIT 101) AS ids
        FROM unnest(customers, openings) WITH ORDINALITY AS u (customer, opening, ordinal)
    ), whole AS MATERIALIZED (
        -- Text first: what is built as jsonb is copied at every level.
        SELECT a.ordinal,
               greatest(k.length, o.length, p.length, s.length, h.length) AS longest,
               json_build_object(
                   'customer', json_build_object('customer_id', a.customer, 'kind', a.kind),
                   'event', a.opening -> 'event',
                   'fields', coalesce(a.opening -> 'fields', '{}'),
                   'identities', coalesce(k.list, '{}'),
                   'owners', coalesce(o.list, '[]'),
                   'promises', coalesce(p.list, '[]'),
                   'issues', coalesce(s.list, '[]'),
                   'handoffs', coalesce(h.list, '[]'),
                   'money', coalesce(t.money, '{}'),
                   'events', coalesce(t.list, '[]'),
                   'event_ids', coalesce(t.event_ids, '[]'),
                   'since', t.since,
                   'cut', '{}'::json)::text AS brief
        FROM asked a
        CROSS JOIN LATERAL (
            WITH recent AS MATERIALIZED (
                SELECT r.*, row_number() OVER (PARTITION BY r.department
                                               ORDER BY r.occurred_at DESC, r.event_uid DESC) AS place
                FROM (
                    SELECT e.*
                    FROM unnest(CASE WHEN a.kind = 'person' THEN a.ids END) AS i (id)
                    CROSS JOIN LATERAL (
                        SELECT e.occurred_at, e.event_uid, e.department, e.type, e.summary, e.event_id,
                               e.amount, e.currency, e.account_identity_id
                        FROM store.events e WHERE e.identity_id = i.id
                        ORDER BY e.occurred_at DESC LIMIT 200
                    ) e
                    UNION ALL
                    SELECT e.*
                    FROM unnest(CASE WHEN a.kind = 'account' THEN a.ids END) AS i (id)
                    CROSS JOIN LATERAL (
                        SELECT e.occurred_at, e.event_uid, e.department, e.type, e.summary, e.event_id,
                               e.amount, e.currency, NULL::bigint
                        FROM store.events e WHERE e.account_identity_id = i.id
                        ORDER BY e.occurred_at DESC LIMIT 200
                    ) e
                    ORDER BY occurred_at DESC, event_uid DESC LIMIT 200
                ) r
            )
            SELECT json_agg(json_build_object('id', r.event_id, 'time', r.occurred_at, 'type', r.type,
                                              'department', r.department, 'summary', r.summary))
                       FILTER (WHERE r.place <= 5) AS list,
                   json_agg(r.event_id) FILTER (WHERE r.place <= 5) AS event_ids,
                   CASE WHEN count(*) = 200 THEN min(r.occurred_at) END AS since,
                   (array_agg(r.account_identity_id ORDER BY r.occurred_at DESC)
                        FILTER (WHERE r.account_identity_id IS NOT NULL))[1] AS account,
                   (SELECT json_object_agg(m.currency, m.sums)
                    FROM (SELECT q.currency,
                                 json_build_object(
                                     'promised', coalesce(sum(q.amount) FILTER (WHERE y.money = 'promised'), 0),
                                     'billed', coalesce(sum(q.amount) FILTER (WHERE y.money = 'billed'), 0),
                                     'received', coalesce(sum(q.amount) FILTER (WHERE y.money = 'received'), 0),
                                     'refunded', coalesce(sum(q.amount) FILTER (WHERE y.money = 'refunded'), 0)) AS sums
                          FROM recent q JOIN store.event_types y ON y.type = q.type
                          WHERE q.amount IS NOT NULL AND q.currency IS NOT NULL AND y.money <> 'none'
                          GROUP BY q.currency LIMIT 20) m) AS money
            FROM recent r
        ) t
        CROSS JOIN LATERAL (
            SELECT json_object_agg(g.kind, g.list) AS list, sum(g.length) AS length
            FROM (
                SELECT n.kind, json_agg(n.value) AS list, count(*) AS length
                FROM (
                    SELECT i.kind, i.value
                    FROM store.identities i WHERE i.identity_id = ANY (a.ids)
                    UNION
                    (SELECT i.kind, i.value -- of the account that the last event names
                     FROM store.identities i
                     WHERE i.customer_id = (SELECT l.customer_id FROM store.identities l WHERE l.identity_id = t.account)
                     LIMIT 101)
                    UNION
                    (SELECT w.kind, w.value
                     FROM store.attached_identities w WHERE w.identity_id = ANY (a.ids) LIMIT 101)
                ) n
                GROUP BY n.kind
            ) g
        ) k
        CROSS JOIN LATERAL (
            SELECT json_agg(json_build_object(
                       'department', r.department, 'role', nullif(r.role, ''), 'region', nullif(r.region, ''),
                       'owner', r.owner, 'since', r.since)) AS list, count(*) AS length
            FROM (
                SELECT DISTINCT ON (q.department, q.role, q.region)
                       q.department, q.role, q.region, q.owner, q.since
                FROM store.owners q WHERE q.identity_id = ANY (a.ids)
                ORDER BY q.department, q.role, q.region, q.named_at DESC, q.event_uid DESC
                LIMIT 101
            ) r
        ) o
        CROSS JOIN LATERAL (
            SELECT json_agg(json_build_object('promise', r.promise, 'department', r.department,
                                              'made_at', r.made_at)) AS list, count(*) AS length
            FROM (
                SELECT q.promise, max(q.made_at) AS made_at,
                       (array_agg(q.department ORDER BY q.made_at DESC NULLS LAST))[1] AS department
                FROM store.promises q WHERE q.identity_id = ANY (a.ids)
                GROUP BY q.promise
                HAVING max(q.made_at) > coalesce(max(q.kept_at), '-infinity')
                ORDER BY 2 DESC, 1 LIMIT 101
            ) r
        ) p
        CROSS JOIN LATERAL (
            SELECT json_agg(json_build_object(
                       'id', r.issue_id, 'department', r.department, 'summary', r.summary,
                       'opened_at', r.reopened_at, 'told_at', r.told_at)) AS list, count(*) AS length
            FROM (
                SELECT q.issue_id, max(q.reopened_at) AS reopened_at,
                       (array_agg(q.department ORDER BY q.opened_at NULLS LAST))[1] AS department,
                       (array_agg(q.summary ORDER BY q.summary_at DESC NULLS LAST))[1] AS summary,
                       CASE WHEN max(q.told_at) >= max(q.reopened_at) THEN max(q.told_at) END AS told_at
                FROM store.issues q WHERE q.identity_id = ANY (a.ids)
                GROUP BY q.issue_id
                HAVING max(q.reopened_at) > coalesce(max(q.closed_at), '-infinity')
                ORDER BY 2 DESC, 1 LIMIT 101
            ) r
        ) s
        CROSS JOIN LATERAL (
            SELECT json_agg(json_build_object(
                       'handoff', r.handoff_id, 'rule', r.rule, 'from', r.from_department, 'to', r.to_department,
                       'ask', r.ask, 'state', r.state, 'overdue', r.overdue, 'due_at', r.due_at)) AS list,
                   count(*) AS length
            FROM (
                SELECT q.*
                FROM (
                    SELECT p.* FROM store.handoffs p WHERE a.kind = 'person' AND p.identity_id = ANY (a.ids)
                    UNION ALL
                    SELECT o.* FROM store.handoffs o WHERE a.kind = 'account' AND o.account_identity_id = ANY (a.ids)
                ) q
                WHERE q.state IN ('open', 'delivered', 'accepted')
                  AND q.handoff_id <> (a.opening ->> 'handoff')::uuid
                ORDER BY q.due_at, q.handoff_id LIMIT 101
            ) r
        ) h
    )
    SELECT w.ordinal, CASE WHEN octet_length(w.brief) <= 65536 AND w.longest <= 100 THEN w.brief::json
                           ELSE store.brief_shrink(w.brief::jsonb, 65536)::json END
    FROM whole w;
END
$$;

REVOKE ALL ON FUNCTION store.briefs(bigint[], jsonb[]), store.brief_shrink(jsonb, integer),
    store.brief_identities(jsonb, integer, bigint), store.brief_field(jsonb, integer),
    store.brief_fitting(jsonb, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store.briefs(bigint[], jsonb[]), store.brief_shrink(jsonb, integer),
    store.brief_identities(jsonb, integer, bigint), store.brief_field(jsonb, integer),
    store.brief_fitting(jsonb, bigint, bigint) TO throughline_writer;
