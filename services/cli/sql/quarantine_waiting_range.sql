SELECT count(*), coalesce(max(q.quarantine_id), 0)
FROM store.quarantine q
WHERE q.state = 'waiting' AND ($1::text IS NULL OR q.reason = $1)
