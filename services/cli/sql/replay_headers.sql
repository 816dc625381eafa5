-- $1 quarantine id; headers are stored as name, value, name, value, …
SELECT q.headers[i], q.headers[i + 1]
FROM store.quarantine q, generate_series(1, cardinality(q.headers) - 1, 2) AS i
WHERE q.quarantine_id = $1::bigint
ORDER BY i
