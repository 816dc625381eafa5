-- $1 quarantine id, $2 reason, $3 detail
UPDATE store.quarantine SET reason = $2, detail = $3
WHERE quarantine_id = $1::bigint AND state = 'waiting' AND (reason, detail) IS DISTINCT FROM ($2, $3)
