-- $1 most handoffs that are counted, each department has the same share of them: many of one hide none of another.
-- Those that are not closed, by department and state, the first due first, so that what is overdue is counted before
-- the rest; and those that were not delivered, by themselves, wherever they stand. There are indexes of all these
-- alone, so that closed ones, however many, are not looked at.
WITH RECURSIVE departments (name) AS (
    (SELECT t.to_department FROM store.handoffs t
     WHERE t.state IN ('open', 'delivered', 'accepted')
     ORDER BY t.to_department LIMIT 1)
    UNION ALL
    SELECT n.to_department
    FROM departments d
    CROSS JOIN LATERAL (
        SELECT t.to_department FROM store.handoffs t
        WHERE t.state IN ('open', 'delivered', 'accepted') AND t.to_department > d.name
        ORDER BY t.to_department LIMIT 1
    ) n
),
shares AS (
    SELECT d.name, greatest($1::integer / count(*) OVER (), 1) AS share FROM departments d
)
SELECT s.name, h.state, count(*), count(*) FILTER (WHERE h.overdue), 0 AS undeliverable
FROM shares s
CROSS JOIN LATERAL (
    SELECT t.state, t.overdue FROM store.handoffs t
    WHERE t.to_department = s.name AND t.state IN ('open', 'delivered', 'accepted')
    ORDER BY t.due_at LIMIT s.share
) h
GROUP BY 1, 2
UNION ALL
SELECT s.name, 'open', 0, 0, count(*)
FROM shares s
CROSS JOIN LATERAL (
    SELECT FROM store.handoffs t
    WHERE t.to_department = s.name AND t.undeliverable AND t.state IN ('open', 'delivered', 'accepted')
    LIMIT s.share
) u
GROUP BY 1
