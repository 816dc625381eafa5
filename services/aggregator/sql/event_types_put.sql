-- types, departments, money, touch
INSERT INTO store.event_types AS t (type, department, money, touch)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) AS u (type, department, money, touch)
ORDER BY u.type
ON CONFLICT (type) DO UPDATE
SET department = excluded.department, money = excluded.money, touch = excluded.touch
WHERE (t.department, t.money, t.touch) IS DISTINCT FROM (excluded.department, excluded.money, excluded.touch)
