-- $1 most handoffs that are counted. Those that are not closed, by department and state: there are indexes of these
-- alone, so that closed ones, however many, are not looked at.
SELECT h.to_department, h.state, h.overdue, h.undeliverable, count(*)
FROM (
    SELECT t.to_department, t.state, t.overdue, t.undeliverable FROM store.handoffs t
    WHERE t.state IN ('open', 'delivered', 'accepted')
    ORDER BY t.to_department, t.due_at LIMIT $1::integer
) h
GROUP BY 1, 2, 3, 4
