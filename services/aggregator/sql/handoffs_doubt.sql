-- merged customers: what they have become may have had closing events that nobody has held against
-- their handoffs
UPDATE store.handoffs SET confirm_xid = pg_current_xact_id()
WHERE handoff_id = ANY (ARRAY(
    SELECT h.handoff_id
    FROM store.identities y
    JOIN store.handoffs h ON h.identity_id = y.identity_id AND h.state IN ('open', 'delivered', 'accepted')
    WHERE y.customer_id = ANY ($1::bigint[])
    ORDER BY h.handoff_id
    FOR UPDATE OF h
))
