-- names, values
WITH gone AS (
    DELETE FROM store.settings s WHERE s.name LIKE 'stale_after%' AND s.name <> ALL ($1::text[])
)
INSERT INTO store.settings AS s (name, value)
SELECT * FROM unnest($1::text[], $2::text[]) AS u (name, value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE s.value <> excluded.value
