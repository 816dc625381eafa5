SELECT q.state FROM throughline.quarantine q WHERE q.quarantine_id = $1::bigint
