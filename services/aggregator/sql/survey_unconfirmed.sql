-- $1 most openings that are looked at. For how many seconds the first opening has waited to be confirmed, and so to
-- be told. Of more than $1 it is the first of a sample, in the order of ids, which are hashes: of ten times as many,
-- one of the first few dozen. An index by time would be written with every opening, for a number that this one
-- comes close enough to.
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(h.opened_at))::bigint, 0)
FROM (
    SELECT t.opened_at FROM store.handoffs t
    WHERE t.confirm_xid IS NOT NULL AND NOT t.told
    ORDER BY t.handoff_id LIMIT $1::integer
) h
