-- Where handoffs are to be confirmed: what can be seen at this moment, and a transaction id that is later than
-- those of all who are at work now. (The snapshot's own end is not: that follows the last who has ended.)
SELECT pg_current_snapshot()::text, pg_current_xact_id()::text
WHERE EXISTS (SELECT 1 FROM store.handoffs WHERE confirm_xid IS NOT NULL)
