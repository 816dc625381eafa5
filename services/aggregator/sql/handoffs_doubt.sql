-- merged customers: what they have become may have had closing events that nobody has held against
-- their handoffs
UPDATE store.handoffs SET confirm_xid = pg_current_xact_id()
WHERE handoff_id = ANY (ARRAY(
    SELECT h.handoff_id
    FROM store.handoffs h
    WHERE h.identity_id = ANY (ARRAY(SELECT y.identity_id FROM store.identities y WHERE y.customer_id = ANY ($1::bigint[])))
      AND h.state IN ('open', 'delivered', 'accepted')
    ORDER BY h.handoff_id
    FOR UPDATE OF h
))
