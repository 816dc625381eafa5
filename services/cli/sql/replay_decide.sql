-- $1 quarantine id, $2 state, $3 note
UPDATE store.quarantine SET state = $2, note = $3, decided_at = now()
WHERE quarantine_id = $1::bigint AND state = 'waiting'
