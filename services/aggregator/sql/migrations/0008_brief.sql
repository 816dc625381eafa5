-- The brief of a handoff: what its receiver needs to know so as not to start from scratch. Frozen
-- with the opening; docs/protocol.md has its members (brief_version 1).
--
-- A batch may open hundreds of handoffs, so what is looked up for one is bounded, and goes by index:
-- at most 200 of the latest events of a customer, read once, give the last events and the money; at
-- most 100 identities, and 100 rows of whatever else is listed.

-- A list's first elements, as many as fit into `room` octets of JSON text.
CREATE FUNCTION store.brief_fitting(list jsonb, room bigint) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(f.element ORDER BY f.place), '[]')
    FROM (
        SELECT e.element, e.place, 2 + sum(octet_length(e.element::text) + 2) OVER (ORDER BY e.place) AS octets
        FROM jsonb_array_elements(list) WITH ORDINALITY AS e (element, place)
    ) f
    WHERE f.octets <= room
$$;

-- A field of the opening event in at most `room` octets: of a text its beginning, of a list its
-- first elements, of anything else nothing.
CREATE FUNCTION store.brief_field(field jsonb, room integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN octet_length(field::text) <= room THEN field
        -- A character takes up to 6 octets.
        WHEN jsonb_typeof(field) = 'string' THEN to_jsonb(left(field #>> '{}', room / 6 - 2) || '…')
        WHEN jsonb_typeof(field) = 'array' THEN store.brief_fitting(field, room)
        ELSE 'null'
    END
$$;

-- The ids of the events that a brief tells of, the opening one first.
CREATE FUNCTION store.brief_event_ids(brief jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_array(brief #> '{event,id}') || jsonb_path_query_array(brief, '$.events[*].id')
$$;

-- A brief in at most `room` octets, and in "cut" what was taken away: first the fields that are
-- larger than their share, then of each list the end, the least important list first. What is never
-- cut is small: the opening event, the money, and the identities, which the receiver finds the
-- customer by.
CREATE FUNCTION store.brief_shrink(INOUT brief jsonb, room integer)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    cut jsonb := brief -> 'cut';
    fields jsonb;
    share integer;
    section text;
    list jsonb;
    fitting jsonb;
    rest bigint;
BEGIN
    share := (room / 4) / greatest((SELECT count(*) FROM jsonb_object_keys(brief -> 'fields')), 1);
    SELECT jsonb_object_agg(f.key, store.brief_field(f.value, share)),
           jsonb_agg(f.key ORDER BY f.key) FILTER (WHERE octet_length(f.value::text) > share)
    INTO fields, list
    FROM jsonb_each(brief -> 'fields') f;
    IF list IS NOT NULL THEN
        cut := cut || jsonb_build_object('fields', list);
        brief := brief || jsonb_build_object('fields', fields, 'cut', cut);
    END IF;

    FOREACH section IN ARRAY ARRAY['events', 'handoffs', 'promises', 'issues', 'owners'] LOOP
        -- 100: for what "cut" is about to say.
        rest := octet_length((brief - section)::text) + length(section) + 100;
        IF rest + octet_length((brief -> section)::text) > room THEN
            list := brief -> section;
            fitting := store.brief_fitting(list, room - rest);
            cut := cut || jsonb_build_object(section, coalesce((cut ->> section)::bigint, 0)
                                             + jsonb_array_length(list) - jsonb_array_length(fitting));
            brief := brief || jsonb_build_object(section, fitting, 'cut', cut);
        END IF;
        IF section = 'events' THEN
            brief := brief || jsonb_build_object('event_ids', store.brief_event_ids(brief));
        END IF;
    END LOOP;
END
$$;

-- Briefs of handoffs that are about to be opened: of each customer, with its opening
-- {"handoff": uuid, "event": {…}, "fields": {"/pointer": value}}. One row an element.
--
-- The settings: plans are made once a session and stay right while tables grow, as nothing but
-- indexes is thought of; nothing is compiled for them.
CREATE FUNCTION store.briefs(customers bigint[], openings jsonb[])
RETURNS TABLE (ordinal integer, brief jsonb)
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
               ARRAY(SELECT i.identity_id FROM store.identities i WHERE i.customer_id = u.customer LIMIT 100) AS ids
        FROM unnest(customers, openings) WITH ORDINALITY AS u (customer, opening, ordinal)
    ), whole AS MATERIALIZED (
        SELECT a.ordinal,
               jsonb_build_object(
                   'customer', jsonb_build_object('customer_id', a.customer, 'kind', a.kind),
                   'event', a.opening -> 'event',
                   'fields', coalesce(a.opening -> 'fields', '{}'),
                   'identities', coalesce(k.identities, '{}'),
                   'owners', coalesce(o.list, '[]'),
                   'promises', coalesce(p.list, '[]'),
                   'issues', coalesce(s.list, '[]'),
                   'handoffs', coalesce(h.list, '[]'),
                   'money', coalesce(t.money, '{}'),
                   'events', coalesce(t.list, '[]'),
                   'event_ids', jsonb_build_array(a.opening #> '{event,id}') || coalesce(t.event_ids, '[]'),
                   'cut', jsonb_strip_nulls(jsonb_build_object(
                       'identities', k.more, 'owners', o.more, 'promises', p.more, 'issues', s.more,
                       'handoffs', h.more)),
                   'since', t.since) AS brief
        FROM asked a
        CROSS JOIN LATERAL (
            WITH read AS MATERIALIZED (
                SELECT e.*
                FROM unnest(a.ids) AS i (id)
                CROSS JOIN LATERAL (
                    SELECT e.occurred_at, e.event_uid, e.department, e.type, e.summary, e.event_id,
                           e.amount, e.currency, e.account_identity_id
                    FROM store.events e
                    WHERE e.identity_id = i.id AND a.kind = 'person'
                    ORDER BY e.occurred_at DESC LIMIT 201
                ) e
                UNION ALL
                SELECT e.*
                FROM unnest(a.ids) AS i (id)
                CROSS JOIN LATERAL (
                    SELECT e.occurred_at, e.event_uid, e.department, e.type, e.summary, e.event_id,
                           e.amount, e.currency, e.account_identity_id
                    FROM store.events e
                    WHERE e.account_identity_id = i.id AND a.kind = 'account'
                    ORDER BY e.occurred_at DESC LIMIT 201
                ) e
            ), recent AS MATERIALIZED (
                SELECT r.*, row_number() OVER (PARTITION BY r.department
                                               ORDER BY r.occurred_at DESC, r.event_uid DESC) AS place
                FROM (SELECT * FROM read ORDER BY occurred_at DESC, event_uid DESC LIMIT 200) r
            ), last AS (
                SELECT jsonb_agg(jsonb_build_object('id', r.event_id, 'time', r.occurred_at, 'type', r.type,
                                                    'department', r.department, 'summary', r.summary)
                                 ORDER BY r.occurred_at DESC, r.event_uid DESC) AS list,
                       jsonb_agg(r.event_id ORDER BY r.occurred_at DESC, r.event_uid DESC) AS event_ids
                FROM recent r WHERE r.place <= 5
            )
            SELECT last.list, last.event_ids,
                   -- One row more than is used tells that there are older ones.
                   CASE WHEN (SELECT count(*) FROM read) > 200
                        THEN (SELECT min(r.occurred_at) FROM recent r) END AS since,
                   (SELECT r.account_identity_id FROM recent r
                    WHERE a.kind = 'person' AND r.account_identity_id IS NOT NULL
                    ORDER BY r.occurred_at DESC, r.event_uid DESC LIMIT 1) AS account,
                   (SELECT jsonb_object_agg(m.currency, m.sums)
                    FROM (SELECT r.currency,
                                 jsonb_build_object(
                                     'promised', coalesce(sum(r.amount) FILTER (WHERE y.money = 'promised'), 0),
                                     'billed', coalesce(sum(r.amount) FILTER (WHERE y.money = 'billed'), 0),
                                     'received', coalesce(sum(r.amount) FILTER (WHERE y.money = 'received'), 0),
                                     'refunded', coalesce(sum(r.amount) FILTER (WHERE y.money = 'refunded'), 0)) AS sums
                          FROM recent r JOIN store.event_types y ON y.type = r.type
                          WHERE r.amount IS NOT NULL AND r.currency IS NOT NULL AND y.money <> 'none'
                          GROUP BY r.currency ORDER BY count(*) DESC, r.currency LIMIT 20) m) AS money
            FROM last
        ) t
        CROSS JOIN LATERAL (
            -- The strong ones first, then those of the account that the last event names, then the weak ones.
            SELECT jsonb_object_agg(g.kind, g.list) FILTER (WHERE g.list IS NOT NULL) AS identities, nullif(sum(g.more), 0) AS more
            FROM (
                SELECT f.kind, jsonb_agg(f.value ORDER BY f.place) FILTER (WHERE f.octets <= 16384) AS list,
                       (count(*) FILTER (WHERE f.octets > 16384))::bigint AS more
                FROM (
                    SELECT n.kind, n.value, row_number() OVER w AS place,
                           sum(octet_length(to_jsonb(n.value)::text) + octet_length(n.kind) + 8) OVER w AS octets
                    FROM (
                        SELECT 1 AS class, i.kind, i.value
                        FROM unnest(a.ids) AS u (id) JOIN store.identities i ON i.identity_id = u.id
                        UNION ALL
                        (SELECT 2, i.kind, i.value
                         FROM store.identities l JOIN store.identities i ON i.customer_id = l.customer_id
                         WHERE l.identity_id = t.account LIMIT 100)
                        UNION ALL
                        (SELECT 3, i.kind, i.value
                         FROM unnest(a.ids) AS u (id) JOIN store.attached_identities i ON i.identity_id = u.id
                         LIMIT 100)
                    ) n
                    GROUP BY n.kind, n.value
                    WINDOW w AS (ORDER BY min(n.class), n.kind, n.value)
                ) f
                GROUP BY f.kind
            ) g
        ) k
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                       'department', r.department, 'role', nullif(r.role, ''), 'region', nullif(r.region, ''),
                       'owner', r.owner, 'since', r.since)) ORDER BY r.department, r.role, r.region) AS list,
                   NULL::bigint AS more
            FROM (
                SELECT DISTINCT ON (q.department, q.role, q.region) q.*
                FROM unnest(a.ids) AS u (id) JOIN store.owners q ON q.identity_id = u.id
                ORDER BY q.department, q.role, q.region, q.named_at DESC, q.event_uid DESC
                LIMIT 100
            ) r
        ) o
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(jsonb_build_object('promise', r.promise, 'department', r.department, 'made_at', r.made_at)
                             ORDER BY r.made_at DESC, r.promise) AS list,
                   NULL::bigint AS more
            FROM (
                SELECT q.promise, max(q.made_at) AS made_at,
                       (array_agg(q.department ORDER BY q.made_at DESC NULLS LAST))[1] AS department
                FROM unnest(a.ids) AS u (id) JOIN store.promises q ON q.identity_id = u.id
                GROUP BY q.promise
                HAVING max(q.made_at) > coalesce(max(q.kept_at), '-infinity')
                ORDER BY 2 DESC, 1 LIMIT 100
            ) r
        ) p
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                       'id', r.issue_id, 'department', r.department, 'summary', r.summary, 'opened_at', r.reopened_at,
                       'told_at', r.told_at)) ORDER BY r.reopened_at DESC, r.issue_id) AS list,
                   NULL::bigint AS more
            FROM (
                SELECT q.issue_id, max(q.reopened_at) AS reopened_at,
                       (array_agg(q.department ORDER BY q.opened_at NULLS LAST))[1] AS department,
                       (array_agg(q.summary ORDER BY q.summary_at DESC NULLS LAST))[1] AS summary,
                       CASE WHEN max(q.told_at) >= max(q.reopened_at) THEN max(q.told_at) END AS told_at
                FROM unnest(a.ids) AS u (id) JOIN store.issues q ON q.identity_id = u.id
                GROUP BY q.issue_id
                HAVING max(q.reopened_at) > coalesce(max(q.closed_at), '-infinity')
                ORDER BY 2 DESC, 1 LIMIT 100
            ) r
        ) s
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                       'handoff', r.handoff_id, 'rule', r.rule, 'from', r.from_department, 'to', r.to_department,
                       'ask', r.ask, 'state', r.state, 'overdue', r.overdue, 'due_at', r.due_at))
                             ORDER BY r.due_at, r.handoff_id) AS list,
                   NULL::bigint AS more
            FROM (
                SELECT q.*
                FROM unnest(a.ids) AS u (id) JOIN store.handoffs q ON q.identity_id = u.id
                WHERE q.state IN ('open', 'delivered', 'accepted')
                  AND q.handoff_id <> (a.opening ->> 'handoff')::uuid
                ORDER BY q.due_at, q.handoff_id LIMIT 100
            ) r
        ) h
    )
    SELECT w.ordinal, CASE WHEN octet_length(w.brief::text) <= 65536 THEN w.brief
                           ELSE store.brief_shrink(w.brief, 65536) END
    FROM whole w;
END
$$;

REVOKE ALL ON FUNCTION store.briefs(bigint[], jsonb[]), store.brief_shrink(jsonb, integer),
    store.brief_event_ids(jsonb), store.brief_field(jsonb, integer), store.brief_fitting(jsonb, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store.briefs(bigint[], jsonb[]), store.brief_shrink(jsonb, integer),
    store.brief_event_ids(jsonb), store.brief_field(jsonb, integer), store.brief_fitting(jsonb, bigint)
    TO throughline_writer;
