UPDATE store.quarantine SET state = 'discarded', decided_at = now(), note = $2
WHERE quarantine_id = $1::bigint AND state = 'waiting'
