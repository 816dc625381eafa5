-- What analysts read: schema throughline, views only. Every view and column has a comment.
--
-- Personal data and free text are masked here and nowhere else, by
--     CASE WHEN (SELECT pg_has_role('throughline_analyst_pii', 'member')) THEN … END
-- The sub-select stands for a value that is found once a query, not once a row. Inside a view
-- pg_has_role asks about the role that runs the query, not about the view's owner.

CREATE SCHEMA throughline;
COMMENT ON SCHEMA throughline IS
    'Throughline for analysts: one timeline per customer, across departments. Views only.';

-- Views call this as the role that queries, which may not read store.customers itself.
ALTER FUNCTION store.survivor_of(bigint) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;

-- One row per event. LEFT JOIN: an event is never hidden by what it points to.
CREATE VIEW throughline.timeline AS
SELECT i.customer_id,
       a.customer_id AS account_id,
       e.occurred_at,
       e.recorded_at,
       e.department,
       e.type,
       CASE WHEN e.summary IS NULL OR (SELECT pg_has_role('throughline_analyst_pii', 'member'))
            THEN e.summary ELSE '***' END AS summary,
       CASE WHEN e.owner IS NULL OR (SELECT pg_has_role('throughline_analyst_pii', 'member'))
            THEN e.owner ELSE '***' END AS owner,
       e.amount,
       e.currency,
       e.source,
       e.event_id,
       e.event_uid,
       CASE WHEN (SELECT pg_has_role('throughline_analyst_pii', 'member'))
            THEN e.data END AS data
FROM store.events e
LEFT JOIN store.identities i ON i.identity_id = e.identity_id
LEFT JOIN store.identities a ON a.identity_id = e.account_identity_id;

COMMENT ON VIEW throughline.timeline IS
    'One row per event, of all departments. For one customer''s newest events use throughline.timeline_of(), which stays fast however long the timeline is.';
COMMENT ON COLUMN throughline.timeline.customer_id IS 'Whom the event is about: the person, or the account where no person is named.';
COMMENT ON COLUMN throughline.timeline.account_id IS 'The account (organisation) that the event names; NULL where it names none.';
COMMENT ON COLUMN throughline.timeline.occurred_at IS 'When it happened, as the department says. The timeline is ordered by it, then by event_uid.';
COMMENT ON COLUMN throughline.timeline.recorded_at IS 'When it came to the timeline.';
COMMENT ON COLUMN throughline.timeline.department IS 'The department that published it.';
COMMENT ON COLUMN throughline.timeline.type IS 'What happened: <department>.<noun>.<verb in the past>.';
COMMENT ON COLUMN throughline.timeline.summary IS 'One line for people. Free text: *** without throughline_analyst_pii.';
COMMENT ON COLUMN throughline.timeline.owner IS 'The employee who looks after the customer, as the event says. *** without throughline_analyst_pii.';
COMMENT ON COLUMN throughline.timeline.amount IS 'Money, in units of currency; what it means for the customer''s value depends on the type.';
COMMENT ON COLUMN throughline.timeline.currency IS 'ISO 4217 code of amount.';
COMMENT ON COLUMN throughline.timeline.source IS 'The system that sent it (CloudEvents source).';
COMMENT ON COLUMN throughline.timeline.event_id IS 'Its id in that system (CloudEvents id).';
COMMENT ON COLUMN throughline.timeline.event_uid IS 'The first 128 bits of SHA-256 over source and event_id; unique together with occurred_at.';
COMMENT ON COLUMN throughline.timeline.data IS 'The event''s data as it came. NULL without throughline_analyst_pii.';

-- What each customer is known by: own identities, and the weak ones that came with them (the same
-- one may have come with several).
CREATE VIEW throughline.identities AS
SELECT k.customer_id,
       k.kind,
       CASE WHEN (SELECT pg_has_role('throughline_analyst_pii', 'member'))
            THEN k.value ELSE '***' END AS value,
       k.first_seen
FROM (
    SELECT known.customer_id, known.kind, known.value, min(known.first_seen) AS first_seen
    FROM (
        SELECT i.customer_id, i.kind, i.value, i.first_seen FROM store.identities i
        UNION ALL
        SELECT i.customer_id, w.kind, w.value, w.first_seen
        FROM store.attached_identities w
        JOIN store.identities i ON i.identity_id = w.identity_id
    ) known
    GROUP BY known.customer_id, known.kind, known.value
) k;

COMMENT ON VIEW throughline.identities IS
    'What each customer is known by. Strong kinds belong to one customer only; weak ones (a phone number, a name) may be shared.';
COMMENT ON COLUMN throughline.identities.customer_id IS 'The customer.';
COMMENT ON COLUMN throughline.identities.kind IS 'email, stripe, …; a kind that begins with account. names an organisation.';
COMMENT ON COLUMN throughline.identities.value IS 'The normalised value. *** without throughline_analyst_pii.';
COMMENT ON COLUMN throughline.identities.first_seen IS 'When it was first recorded for this customer.';

-- The figures of a customer come from his events by index, customer by customer, so that one is
-- cheap; lifetime_value and name are computed only where they are asked for.
CREATE VIEW throughline.customers AS
SELECT c.customer_id,
       c.kind,
       CASE WHEN n.name IS NULL OR (SELECT pg_has_role('throughline_analyst_pii', 'member'))
            THEN n.name ELSE '***' END AS name,
       CASE WHEN c.account_id IS NOT NULL THEN store.survivor_of(c.account_id) END AS account_id,
       coalesce(f.first_event, c.created_at) AS first_seen,
       f.last_touch,
       coalesce(f.departments, '{}') AS departments,
       f.events,
       (
           SELECT coalesce(jsonb_object_agg(v.currency, v.value), '{}')
           FROM (
               SELECT e.currency,
                      sum(CASE t.money WHEN 'received' THEN e.amount ELSE -e.amount END) AS value
               FROM (
                   SELECT p.type, p.amount, p.currency
                   FROM store.identities i JOIN store.events p ON p.identity_id = i.identity_id
                   WHERE c.kind = 'person' AND i.customer_id = c.customer_id
                   UNION ALL
                   SELECT o.type, o.amount, o.currency
                   FROM store.identities i JOIN store.events o ON o.account_identity_id = i.identity_id
                   WHERE c.kind = 'account' AND i.customer_id = c.customer_id
               ) e
               JOIN store.event_types t ON t.type = e.type
               WHERE t.money IN ('received', 'refunded')
                 AND e.amount IS NOT NULL AND e.currency IS NOT NULL
               GROUP BY e.currency
           ) v
       ) AS lifetime_value
FROM store.customers c
LEFT JOIN LATERAL (
    SELECT min(e.occurred_at) AS first_event,
           max(e.occurred_at) FILTER (WHERE t.touch) AS last_touch,
           array_agg(DISTINCT e.department ORDER BY e.department) AS departments,
           count(*) AS events
    FROM (
        SELECT p.occurred_at, p.department, p.type
        FROM store.identities i JOIN store.events p ON p.identity_id = i.identity_id
        WHERE c.kind = 'person' AND i.customer_id = c.customer_id
        UNION ALL
        SELECT o.occurred_at, o.department, o.type
        FROM store.identities i JOIN store.events o ON o.account_identity_id = i.identity_id
        WHERE c.kind = 'account' AND i.customer_id = c.customer_id
    ) e
    LEFT JOIN store.event_types t ON t.type = e.type
) f ON true
LEFT JOIN LATERAL (
    SELECT k.value AS name
    FROM (
        SELECT w.kind, w.value, w.first_seen
        FROM store.identities i
        JOIN store.attached_identities w ON w.identity_id = i.identity_id
        WHERE i.customer_id = c.customer_id
        UNION ALL
        SELECT i.kind, i.value, i.first_seen
        FROM store.identities i
        WHERE i.customer_id = c.customer_id
    ) k
    WHERE k.kind = CASE c.kind WHEN 'account' THEN 'account.name' ELSE 'name' END
    ORDER BY k.first_seen DESC, k.value
    LIMIT 1
) n ON true
WHERE c.merged_into IS NULL;

COMMENT ON VIEW throughline.customers IS
    'One row per customer, a person or an account. Absorbed customers are not listed: see throughline.merges.';
COMMENT ON COLUMN throughline.customers.customer_id IS 'The customer.';
COMMENT ON COLUMN throughline.customers.kind IS 'person or account (an organisation).';
COMMENT ON COLUMN throughline.customers.name IS 'The name that was seen last. *** without throughline_analyst_pii.';
COMMENT ON COLUMN throughline.customers.account_id IS 'The account that a person belongs to; NULL where none is known.';
COMMENT ON COLUMN throughline.customers.first_seen IS 'When the first event occurred; for a customer without events, when it was made.';
COMMENT ON COLUMN throughline.customers.last_touch IS 'When the last event occurred that counts as contact with the customer.';
COMMENT ON COLUMN throughline.customers.departments IS 'The departments that the customer has events of.';
COMMENT ON COLUMN throughline.customers.events IS 'How many events are on the timeline; an account''s are those that name it.';
COMMENT ON COLUMN throughline.customers.lifetime_value IS 'Money received minus refunded, by currency: {"EUR": 1200.00}.';

CREATE VIEW throughline.quarantine AS
SELECT q.quarantine_id,
       q.topic,
       q.partition,
       q.kafka_offset,
       q.reason,
       CASE WHEN (SELECT pg_has_role('throughline_analyst_pii', 'member'))
            THEN q.detail ELSE '***' END AS detail,
       q.received_at,
       q.state
FROM store.quarantine q;

COMMENT ON VIEW throughline.quarantine IS
    'Records that could not go on the timeline, each with its reason.';
COMMENT ON COLUMN throughline.quarantine.quarantine_id IS 'What `throughline quarantine show` and `replay` want.';
COMMENT ON COLUMN throughline.quarantine.topic IS 'The Kafka topic of the record.';
COMMENT ON COLUMN throughline.quarantine.partition IS 'Its partition.';
COMMENT ON COLUMN throughline.quarantine.kafka_offset IS 'Its offset.';
COMMENT ON COLUMN throughline.quarantine.reason IS 'Why, as a word that can be counted by.';
COMMENT ON COLUMN throughline.quarantine.detail IS 'Why, in full. Free text: *** without throughline_analyst_pii.';
COMMENT ON COLUMN throughline.quarantine.received_at IS 'When it was put into quarantine.';
COMMENT ON COLUMN throughline.quarantine.state IS 'waiting, replayed (it is on the timeline now, or a duplicate) or discarded.';

CREATE VIEW throughline.merges AS
SELECT m.merge_id,
       m.survivor,
       m.absorbed,
       m.merged_at,
       CASE WHEN (SELECT pg_has_role('throughline_analyst_pii', 'member'))
            THEN m.evidence ELSE jsonb_build_object('records', m.evidence -> 'records') END AS evidence,
       m.undone_at
FROM store.merges m;

COMMENT ON VIEW throughline.merges IS
    'Which customers were found to be the same. The lower id survives; an absorbed id resolves to its survivor.';
COMMENT ON COLUMN throughline.merges.merge_id IS 'The merge.';
COMMENT ON COLUMN throughline.merges.survivor IS 'The customer that went on.';
COMMENT ON COLUMN throughline.merges.absorbed IS 'The customer whose identities the survivor took over.';
COMMENT ON COLUMN throughline.merges.merged_at IS 'When.';
COMMENT ON COLUMN throughline.merges.evidence IS 'The identities that were named together, and the records that did. Without throughline_analyst_pii the records alone.';
COMMENT ON COLUMN throughline.merges.undone_at IS 'When it was taken back; NULL while it holds.';

-- on_timeline and quarantined are counted from the rows themselves, so that a row taken away by
-- hand is found; duplicates and void leave no rows and come from the counters. One statement sees
-- one snapshot, and a batch moves offsets and rows in one transaction, so this is right at any
-- moment. FULL JOIN: rows of a partition that the books do not know show as a difference too.
CREATE VIEW throughline.reconciliation AS
SELECT b.topic,
       b.partition,
       b.records,
       b.on_timeline,
       b.duplicates,
       b.quarantined,
       b.void,
       b.records - b.on_timeline - b.duplicates - b.quarantined - b.void AS difference
FROM (
    SELECT coalesce(o.topic, r.topic) AS topic,
           coalesce(o.partition, r.partition) AS partition,
           coalesce(o.next_offset - o.first_offset, 0) AS records,
           coalesce(r.on_timeline, 0) AS on_timeline,
           coalesce(o.duplicates, 0) AS duplicates,
           coalesce(r.quarantined, 0) AS quarantined,
           coalesce(o.void, 0) AS void
    FROM store.consumer_offsets o
    FULL JOIN (
        SELECT u.topic, u.partition,
               sum(u.on_timeline)::bigint AS on_timeline, sum(u.quarantined)::bigint AS quarantined
        FROM (
            SELECT e.topic, e.partition, count(*) AS on_timeline, 0 AS quarantined
            FROM store.events e GROUP BY e.topic, e.partition
            UNION ALL
            SELECT q.topic, q.partition, 0, count(*)
            FROM store.quarantine q WHERE q.state <> 'replayed' GROUP BY q.topic, q.partition
        ) u
        GROUP BY u.topic, u.partition
    ) r ON r.topic = o.topic AND r.partition = o.partition
) b;

COMMENT ON VIEW throughline.reconciliation IS
    'The books: the account of every Kafka record read, per partition. A difference other than 0 means that rows are missing or too many. Counts every row of the timeline: not for a dashboard that refreshes every second.';
COMMENT ON COLUMN throughline.reconciliation.topic IS 'The Kafka topic.';
COMMENT ON COLUMN throughline.reconciliation.partition IS 'Its partition.';
COMMENT ON COLUMN throughline.reconciliation.records IS 'Offsets that the aggregator has passed.';
COMMENT ON COLUMN throughline.reconciliation.on_timeline IS 'Rows of the timeline that came from this partition, counted now.';
COMMENT ON COLUMN throughline.reconciliation.duplicates IS 'Records that repeated an event of the timeline.';
COMMENT ON COLUMN throughline.reconciliation.quarantined IS 'Rows in quarantine, waiting or discarded, counted now; a replayed one counts where it went.';
COMMENT ON COLUMN throughline.reconciliation.void IS 'Offsets that hold no record: gaps and control records.';
COMMENT ON COLUMN throughline.reconciliation.difference IS 'records minus the other four: 0 when the books balance.';

-- A page of a timeline as keys only: newest first, strictly before (before, before_uid). For each
-- identity the newest by index, then the newest of those; so a page reads a page's worth of rows
-- per identity, however long the timeline is. It may read what its caller may not, and tells keys
-- only; rows come from the masked view.
CREATE FUNCTION store.timeline_keys(customer bigint, before timestamptz, before_uid uuid, page integer)
RETURNS TABLE (occurred_at timestamptz, event_uid uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    survivor bigint := store.survivor_of(customer);
    -- Without a uid: what occurred before, not at. Without a moment: everything.
    upto timestamptz := coalesce(before, 'infinity');
    upto_uid uuid := CASE WHEN before IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'
                          ELSE coalesce(before_uid, '00000000-0000-0000-0000-000000000000') END;
BEGIN
    IF (SELECT c.kind FROM store.customers c WHERE c.customer_id = survivor) = 'account' THEN
        RETURN QUERY
            SELECT k.occurred_at, k.event_uid
            FROM store.identities i
            CROSS JOIN LATERAL (
                SELECT e.occurred_at, e.event_uid
                FROM store.events e
                WHERE e.account_identity_id = i.identity_id
                  AND e.occurred_at <= upto AND (e.occurred_at, e.event_uid) < (upto, upto_uid)
                ORDER BY e.occurred_at DESC, e.event_uid DESC
                LIMIT page
            ) k
            WHERE i.customer_id = survivor
            ORDER BY k.occurred_at DESC, k.event_uid DESC
            LIMIT page;
    ELSE
        RETURN QUERY
            SELECT k.occurred_at, k.event_uid
            FROM store.identities i
            CROSS JOIN LATERAL (
                SELECT e.occurred_at, e.event_uid
                FROM store.events e
                WHERE e.identity_id = i.identity_id
                  AND e.occurred_at <= upto AND (e.occurred_at, e.event_uid) < (upto, upto_uid)
                ORDER BY e.occurred_at DESC, e.event_uid DESC
                LIMIT page
            ) k
            WHERE i.customer_id = survivor
            ORDER BY k.occurred_at DESC, k.event_uid DESC
            LIMIT page;
    END IF;
END
$$;

-- BEGIN ATOMIC: names are bound now, so that callers need no right on schema store.
CREATE FUNCTION throughline.timeline_of(customer_id bigint, before timestamptz DEFAULT NULL,
                                        before_event_uid uuid DEFAULT NULL, "limit" integer DEFAULT 50)
RETURNS SETOF throughline.timeline
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT t.*
    FROM store.timeline_keys(timeline_of.customer_id, timeline_of.before,
                             timeline_of.before_event_uid, coalesce(timeline_of."limit", 50)) k
    JOIN throughline.timeline t ON t.occurred_at = k.occurred_at AND t.event_uid = k.event_uid
    ORDER BY k.occurred_at DESC, k.event_uid DESC;
END;

COMMENT ON FUNCTION throughline.timeline_of(bigint, timestamptz, uuid, integer) IS
    'A customer''s events, newest first. An account''s are those that name it; an absorbed customer''s are its survivor''s. For the next page pass occurred_at and event_uid of the last row.';

-- Customers by what people type: an identity (kind=value), or a part of a value or name. Ids only.
CREATE FUNCTION throughline.find_customers(search text, "limit" integer DEFAULT 50)
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asked_kind text := split_part(search, '=', 1);
    asked_value text := substr(search, length(asked_kind) + 2);
    pattern text := '%' || replace(replace(replace(search, '\', '\\'), '%', '\%'), '_', '\_') || '%';
BEGIN
    IF search LIKE '_%=_%' THEN
        RETURN QUERY
            SELECT i.customer_id FROM store.identities i
            WHERE i.kind = asked_kind AND i.value = asked_value
            UNION
            SELECT i.customer_id
            FROM store.attached_identities w JOIN store.identities i ON i.identity_id = w.identity_id
            WHERE w.kind = asked_kind AND w.value = asked_value
            ORDER BY 1 LIMIT "limit";
    ELSE
        RETURN QUERY
            SELECT i.customer_id FROM store.identities i WHERE i.value ILIKE pattern
            UNION
            SELECT i.customer_id
            FROM store.attached_identities w JOIN store.identities i ON i.identity_id = w.identity_id
            WHERE w.value ILIKE pattern
            ORDER BY 1 LIMIT "limit";
    END IF;
END
$$;

COMMENT ON FUNCTION throughline.find_customers(text, integer) IS
    'Ids of customers by identity (email=ann@acme.example) or by part of a value or name. Needs throughline_analyst_pii.';
