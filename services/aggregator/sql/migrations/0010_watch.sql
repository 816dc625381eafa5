-- Leases of what one aggregator does at a time, the relay of the outbox, and the watch.

-- Takes a lease: 'taken'; 'held' by somebody else; 'ended': its holder had let its time pass (its
-- client may be frozen), and that backend was told to end; ask again. All by this server's clock. A
-- holder whose backend is gone holds nothing, whatever time is left. (Of another role's backend its
-- start is not to be seen: then the pid alone counts.)
CREATE FUNCTION store.lease_take(a_name text, lease_ms bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    seen store.leases;
    holder integer;
BEGIN
    SELECT l.* INTO seen FROM store.leases l WHERE l.name = a_name;
    SELECT a.pid INTO holder FROM pg_stat_activity a
    WHERE a.pid = seen.backend_pid AND a.pid <> pg_backend_pid()
      AND coalesce(a.backend_start, seen.backend_start) = seen.backend_start;
    IF holder IS NOT NULL THEN
        IF seen.until > clock_timestamp() THEN
            RETURN 'held';
        END IF;
        PERFORM pg_terminate_backend(holder);
        RETURN 'ended';
    END IF;
    UPDATE store.leases l
    SET backend_pid = pg_backend_pid(),
        backend_start = (SELECT a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()),
        until = clock_timestamp() + lease_ms * interval '1 millisecond'
    WHERE l.name = a_name
      AND (l.backend_pid, l.backend_start) IS NOT DISTINCT FROM (seen.backend_pid, seen.backend_start);
    RETURN CASE WHEN FOUND THEN 'taken' ELSE 'held' END; -- somebody else was quicker
END
$$;

-- The first statement of whatever a holder writes, and what renews a lease: fails with TL001 where
-- it is not ours any more. The row stays locked until the end of the transaction, so nobody takes
-- the lease meanwhile, unless they end this backend first.
CREATE FUNCTION store.lease_keep(a_name text, lease_ms bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE store.leases l SET until = clock_timestamp() + lease_ms * interval '1 millisecond'
    WHERE l.name = a_name AND l.backend_pid = pg_backend_pid();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the lease % was taken by somebody else', a_name USING ERRCODE = 'TL001';
    END IF;
END
$$;

CREATE FUNCTION store.lease_release(a_name text) RETURNS void
LANGUAGE sql AS $$
    UPDATE store.leases l SET backend_pid = NULL, backend_start = NULL, until = NULL
    WHERE l.name = a_name AND l.backend_pid = pg_backend_pid()
$$;

-- Kafka has these rows.
CREATE FUNCTION store.outbox_done(ids bigint[], lease_ms bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM store.lease_keep('relay', lease_ms);
    DELETE FROM store.outbox o WHERE o.outbox_id = ANY (ids);
END
$$;

-- Rows come and go all the time, and are looked for at the beginning of the index.
ALTER TABLE store.outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
                              autovacuum_vacuum_insert_threshold = 100000);
ALTER TABLE store.leases SET (fillfactor = 20);

REVOKE ALL ON FUNCTION store.lease_take(text, bigint), store.lease_keep(text, bigint), store.lease_release(text),
    store.outbox_done(bigint[], bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store.lease_take(text, bigint), store.lease_keep(text, bigint), store.lease_release(text),
    store.outbox_done(bigint[], bigint) TO throughline_writer;

-- Who has been silent for long. What is long, the watch writes down when it begins: `stale_after`, and
-- `stale_after/<department>` where a department has a time of its own; intervals as text.
CREATE TABLE store.settings (
    name text PRIMARY KEY,
    value text NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON store.settings TO throughline_writer;

-- The last contact of anybody with a customer since a moment: when, by which identity, and how long a
-- silence of theirs the department that it was with thinks long. last_touch NULL: there was none.
-- Like what follows: by indexes alone, whatever the planner thinks of tables that it last saw empty,
-- and planned once, for it is asked for one customer after the other.
CREATE FUNCTION store.last_touch_of(customer bigint, since timestamptz, OUT last_touch timestamptz,
                                    OUT identity_id bigint, OUT stale_after text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET max_parallel_workers_per_gather = 0
SET jit = off
AS $$
DECLARE
    of_account boolean := (SELECT c.kind = 'account' FROM store.customers c WHERE c.customer_id = customer);
    ids bigint[] := ARRAY(SELECT i.identity_id FROM store.identities i WHERE i.customer_id = customer);
    touching text[] := ARRAY(SELECT t.type FROM store.event_types t WHERE t.touch);
    touched text;
BEGIN
    IF of_account THEN
        SELECT e.occurred_at, u.id, e.type INTO last_touch, last_touch_of.identity_id, touched
        FROM unnest(ids) AS u (id)
        CROSS JOIN LATERAL (
            SELECT a.occurred_at, a.type FROM store.events a
            WHERE a.account_identity_id = u.id AND a.occurred_at >= since AND a.type = ANY (touching)
            ORDER BY a.occurred_at DESC LIMIT 1
        ) e
        ORDER BY e.occurred_at DESC, u.id LIMIT 1;
    ELSE
        SELECT e.occurred_at, u.id, e.type INTO last_touch, last_touch_of.identity_id, touched
        FROM unnest(ids) AS u (id)
        CROSS JOIN LATERAL (
            SELECT p.occurred_at, p.type FROM store.events p
            WHERE p.identity_id = u.id AND p.occurred_at >= since AND p.type = ANY (touching)
            ORDER BY p.occurred_at DESC LIMIT 1
        ) e
        ORDER BY e.occurred_at DESC, u.id LIMIT 1;
    END IF;
    IF last_touch IS NOT NULL THEN
        stale_after := coalesce((SELECT s.value FROM store.event_types t
                                 JOIN store.settings s ON s.name = 'stale_after/' || t.department
                                 WHERE t.type = touched),
                                (SELECT s.value FROM store.settings s WHERE s.name = 'stale_after'));
    END IF;
END
$$;

-- After how long a silence a customer is stale: the shortest time of the departments that were ever in
-- contact with them, since that one would have expected to hear first; `known` is the time of one that
-- was. Reads all events of a customer with whom a less patient department was never in contact.
CREATE FUNCTION store.patience_with(customer bigint, known text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET max_parallel_workers_per_gather = 0
SET jit = off
AS $$
DECLARE
    of_account boolean;
    ids bigint[];
    expecting record;
    found_it boolean;
BEGIN
    FOR expecting IN
        SELECT p.value AS time, array_agg(p.type) AS types
        FROM (
            SELECT t.type, coalesce((SELECT s.value FROM store.settings s WHERE s.name = 'stale_after/' || t.department),
                                    (SELECT s.value FROM store.settings s WHERE s.name = 'stale_after')) AS value
            FROM store.event_types t WHERE t.touch
        ) p
        WHERE p.value::interval < known::interval
        GROUP BY p.value ORDER BY p.value::interval
    LOOP
        IF ids IS NULL THEN
            of_account := (SELECT c.kind = 'account' FROM store.customers c WHERE c.customer_id = customer);
            ids := ARRAY(SELECT i.identity_id FROM store.identities i WHERE i.customer_id = customer);
        END IF;
        IF of_account THEN
            found_it := EXISTS (SELECT FROM unnest(ids) AS u (id) CROSS JOIN LATERAL (
                SELECT FROM store.events a
                WHERE a.account_identity_id = u.id AND a.type = ANY (expecting.types) LIMIT 1) e);
        ELSE
            found_it := EXISTS (SELECT FROM unnest(ids) AS u (id) CROSS JOIN LATERAL (
                SELECT FROM store.events p
                WHERE p.identity_id = u.id AND p.type = ANY (expecting.types) LIMIT 1) e);
        END IF;
        IF found_it THEN
            RETURN expecting.time;
        END IF;
    END LOOP;
    RETURN known;
END
$$;

CREATE VIEW throughline.stale_customers AS
SELECT c.customer_id,
       s.last_touch,
       now() - s.last_touch AS silent_for,
       (
           SELECT coalesce(jsonb_object_agg(o.department, o.owner ORDER BY o.since), '{}')
           FROM throughline.owners o WHERE o.customer_id = c.customer_id
       ) AS owners
FROM store.customers c
CROSS JOIN LATERAL store.last_touch_of(c.customer_id, '-infinity') s
WHERE c.merged_into IS NULL
  AND CASE WHEN s.last_touch < now() - (SELECT min(t.value::interval) FROM store.settings t WHERE t.name LIKE 'stale_after%')
           THEN s.last_touch < now() - store.patience_with(c.customer_id, s.stale_after)::interval END;

COMMENT ON VIEW throughline.stale_customers IS
    'Customers whom nobody has been in contact with for longer than the configuration allows. Looks at every customer.';
COMMENT ON COLUMN throughline.stale_customers.customer_id IS 'The customer.';
COMMENT ON COLUMN throughline.stale_customers.last_touch IS 'When the last event occurred that counts as contact.';
COMMENT ON COLUMN throughline.stale_customers.silent_for IS 'How long ago that is.';
COMMENT ON COLUMN throughline.stale_customers.owners IS 'Who looks after them, by department: {"sales": "ann"}, of several the one who became it last. *** without throughline_analyst_pii.';

GRANT SELECT ON throughline.stale_customers TO throughline_analyst;

-- The watch. Each function is a transaction of its own: the fence, then flags and what is to be said of
-- them together, of one page; rows that a batch has locked are left for the next time, so that nothing
-- waits for the watch or makes it wait. `judged`: everything that Kafka had until then is on the
-- timeline. They return how many were raised.

-- Handoffs past their due time, once their opening has been told.
CREATE FUNCTION store.watch_overdue(judged timestamptz, page integer, lease_ms bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    late uuid[];
BEGIN
    PERFORM store.lease_keep('watch', lease_ms);
    late := ARRAY(
        SELECT h.handoff_id FROM store.handoffs h
        WHERE h.due_at < judged AND h.state IN ('open', 'delivered', 'accepted') AND NOT h.overdue
          AND h.told AND h.confirm_xid IS NULL
        ORDER BY h.due_at LIMIT page FOR UPDATE SKIP LOCKED);
    UPDATE store.handoffs h SET overdue = true, sequence = h.sequence + 1 WHERE h.handoff_id = ANY (late);
    PERFORM store.tell_handoffs(late, array_fill('overdue'::text, ARRAY[cardinality(late)]),
                                array_fill(NULL::text, ARRAY[cardinality(late)]),
                                array_fill(NULL::text, ARRAY[cardinality(late)]))
    WHERE cardinality(late) > 0;
    RETURN cardinality(late);
END
$$;

-- Looks at customers who may have been silent for too long, locking nobody: when each is to be looked at
-- again, and, of who is stale and to be raised, the last touch and after how long it counts (NULL: not
-- to be raised). What is dear is asked only of whom it decides about. Ends with the page, or with the
-- customer at whom its time is over: at least one is looked at. 100,000 customers, 7 events each in 26
-- months, tables never analysed: 0.35 ms a customer.
CREATE FUNCTION store.look_for_silence(judged timestamptz, max_age interval, page integer, time_to_look interval)
RETURNS TABLE (customer_id bigint, check_at timestamptz, last_touch timestamptz, stale_after text)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET max_parallel_workers_per_gather = 0
SET jit = off
AS $$
DECLARE
    began timestamptz := clock_timestamp();
    shortest interval;
    longest interval;
    rest timestamptz;
    complete timestamptz;
BEGIN
    SELECT min(s.value::interval), max(s.value::interval) INTO shortest, longest
    FROM store.settings s WHERE s.name LIKE 'stale_after%';
    rest := judged + least(shortest, interval '1 day');
    FOR look_for_silence.customer_id IN
        SELECT c.customer_id FROM store.customers c
        WHERE c.merged_into IS NULL AND c.stale_check_at <= judged
        ORDER BY c.stale_check_at LIMIT page
    LOOP
        check_at := rest;
        SELECT t.last_touch, t.stale_after INTO look_for_silence.last_touch, look_for_silence.stale_after
        FROM store.last_touch_of(look_for_silence.customer_id, judged - max_age - longest) t;
        IF last_touch + shortest >= judged THEN
            check_at := least(last_touch + shortest, rest);
            stale_after := NULL;
        ELSIF last_touch + stale_after::interval < judged - max_age THEN
            stale_after := NULL; -- whoever has less patience: it is no news
        ELSIF last_touch IS NOT NULL THEN
            stale_after := store.patience_with(look_for_silence.customer_id, stale_after);
            complete := last_touch + stale_after::interval;
            IF complete >= judged THEN
                check_at := least(complete, rest);
                stale_after := NULL;
            ELSIF complete < judged - max_age THEN
                stale_after := NULL;
            END IF;
        END IF;
        RETURN NEXT;
        EXIT WHEN clock_timestamp() - began > time_to_look;
    END LOOP;
END
$$;

-- Customers whom nobody has been in contact with for too long, each once for a last touch, also where
-- it was raised for a customer that was merged into this one. Who is not stale is looked at again when
-- they can be, and at least once a day, since events come late and times are changed. A silence that
-- was complete more than max_age before `judged` is no news: the view lists it, nothing is raised.
-- Writers want customers' rows FOR UPDATE, so they are locked only once all have been looked at; who was
-- touched or merged meanwhile is looked at again the next time. However long looking takes, the page
-- ends well within the lease, so that what was done is committed.
CREATE FUNCTION store.watch_stale(judged timestamptz, max_age_ms bigint, page integer, lease_ms bigint) RETURNS integer
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET max_parallel_workers_per_gather = 0
SET jit = off
AS $$
DECLARE
    silence record;
    touch record;
    said timestamptz;
    raised integer := 0;
BEGIN
    PERFORM store.lease_keep('watch', lease_ms);
    FOR silence IN
        SELECT s.* FROM store.look_for_silence(judged, max_age_ms * interval '1 millisecond', page,
                                               least(lease_ms / 4, 500) * interval '1 millisecond') s
    LOOP
        PERFORM FROM store.customers c
        WHERE c.customer_id = silence.customer_id AND c.merged_into IS NULL FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        IF silence.stale_after IS NULL THEN
            UPDATE store.customers c SET stale_check_at = silence.check_at
            WHERE c.customer_id = silence.customer_id;
            CONTINUE;
        END IF;
        SELECT t.* INTO touch FROM store.last_touch_of(silence.customer_id, silence.last_touch) t;
        CONTINUE WHEN touch.last_touch IS DISTINCT FROM silence.last_touch;
        WITH RECURSIVE family (customer_id, raised_for) AS (
            SELECT c.customer_id, c.stale_raised_for FROM store.customers c
            WHERE c.customer_id = silence.customer_id
            UNION ALL
            SELECT c.customer_id, c.stale_raised_for
            FROM family f JOIN store.customers c ON c.merged_into = f.customer_id
        )
        SELECT max(f.raised_for) INTO said FROM family f;
        UPDATE store.customers c SET stale_check_at = silence.check_at, stale_raised_for = silence.last_touch
        WHERE c.customer_id = silence.customer_id;
        CONTINUE WHEN said >= silence.last_touch;
        INSERT INTO store.outbox (topic, key, type, event_id, occurred_at, customer, data)
        SELECT 'events.throughline', t.customer, 'throughline.customer.stale',
               format('stale/%s/%s/%s', i.identity_id, store.rfc3339(silence.last_touch),
                      replace(silence.stale_after, ' ', '')),
               silence.last_touch + silence.stale_after::interval, t.customer,
               jsonb_build_object('last_touch', store.rfc3339(silence.last_touch),
                                  'stale_after', silence.stale_after)::text
        FROM store.identities i
        CROSS JOIN LATERAL (SELECT store.identity_text(i.kind, i.value) AS customer) t
        WHERE i.identity_id = touch.identity_id;
        raised := raised + 1;
    END LOOP;
    RETURN raised;
END
$$;

-- Issues that are open and that the customer was not told of in time, each once for an opening. What
-- counts is the customer: who was told under another identity was told. Of several identities the one
-- that the latest opening named speaks.
CREATE FUNCTION store.watch_untold(judged timestamptz, untold_after text, max_age_ms bigint, page integer,
                                   lease_ms bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    mine record;
    whole record;
    raised integer := 0;
BEGIN
    PERFORM store.lease_keep('watch', lease_ms);
    FOR mine IN
        SELECT s.identity_id, s.issue_id, s.reopened_at FROM store.issues s
        WHERE (s.told_at IS NULL OR s.told_at < s.reopened_at) AND (s.closed_at IS NULL OR s.closed_at < s.reopened_at)
          AND (s.untold_raised_for IS NULL OR s.untold_raised_for < s.reopened_at)
          AND s.reopened_at < judged - untold_after::interval
        ORDER BY s.reopened_at LIMIT page FOR UPDATE SKIP LOCKED
    LOOP
        SELECT max(s.told_at) AS told_at, max(s.closed_at) AS closed_at, max(s.untold_raised_for) AS raised_for,
               (array_agg(s.identity_id ORDER BY s.reopened_at DESC NULLS LAST, s.identity_id))[1] AS identity_id,
               (array_agg(s.summary ORDER BY s.summary_at DESC NULLS LAST))[1] AS summary,
               (array_agg(s.department ORDER BY s.opened_at NULLS LAST))[1] AS department,
               (array_agg(store.identity_text(i.kind, i.value)
                          ORDER BY s.reopened_at DESC NULLS LAST, s.identity_id))[1] AS customer
        INTO whole
        FROM store.identities known
        JOIN store.identities i ON i.customer_id = known.customer_id
        JOIN store.issues s ON s.identity_id = i.identity_id AND s.issue_id = mine.issue_id
        WHERE known.identity_id = mine.identity_id;
        UPDATE store.issues s SET untold_raised_for = mine.reopened_at
        WHERE s.identity_id = mine.identity_id AND s.issue_id = mine.issue_id;
        IF whole.identity_id <> mine.identity_id OR whole.told_at >= mine.reopened_at
           OR whole.closed_at >= mine.reopened_at OR whole.raised_for >= mine.reopened_at
           OR mine.reopened_at < judged - untold_after::interval - max_age_ms * interval '1 millisecond' THEN
            CONTINUE;
        END IF;
        INSERT INTO store.outbox (topic, key, type, event_id, occurred_at, customer, data)
        VALUES ('events.throughline', whole.customer, 'throughline.issue.untold',
                format('untold/%s/%s/%s', mine.identity_id, left(mine.issue_id, 256), store.rfc3339(mine.reopened_at)),
                mine.reopened_at + untold_after::interval, whole.customer,
                jsonb_strip_nulls(jsonb_build_object(
                    'issue', jsonb_build_object('id', mine.issue_id, 'summary', whole.summary),
                    'department', whole.department, 'opened_at', store.rfc3339(mine.reopened_at),
                    'untold_after', untold_after))::text);
        raised := raised + 1;
    END LOOP;
    RETURN raised;
END
$$;

REVOKE ALL ON FUNCTION store.last_touch_of(bigint, timestamptz), store.patience_with(bigint, text),
    store.look_for_silence(timestamptz, interval, integer, interval), store.watch_overdue(timestamptz, integer, bigint),
    store.watch_stale(timestamptz, bigint, integer, bigint),
    store.watch_untold(timestamptz, text, bigint, integer, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store.last_touch_of(bigint, timestamptz), store.patience_with(bigint, text)
    TO throughline_analyst, throughline_writer;
GRANT EXECUTE ON FUNCTION store.look_for_silence(timestamptz, interval, integer, interval),
    store.watch_overdue(timestamptz, integer, bigint),
    store.watch_stale(timestamptz, bigint, integer, bigint),
    store.watch_untold(timestamptz, text, bigint, integer, bigint) TO throughline_writer;
