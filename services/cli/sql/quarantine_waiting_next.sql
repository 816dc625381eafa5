SELECT q.quarantine_id
FROM store.quarantine q
WHERE q.state = 'waiting' AND ($1::text IS NULL OR q.reason = $1)
  AND q.quarantine_id > $2::bigint AND q.quarantine_id <= $3::bigint
ORDER BY q.quarantine_id
LIMIT 500
