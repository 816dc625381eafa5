-- merged customers: what they have become may have had closing events that nobody has held against
-- their handoffs
UPDATE store.handoffs h SET confirm_xid = pg_current_xact_id()
FROM store.identities y
WHERE y.customer_id = ANY ($1::bigint[]) AND h.identity_id = y.identity_id
  AND h.state IN ('open', 'delivered', 'accepted')
