SELECT count(*), count(DISTINCT q.reason)
FROM throughline.quarantine q
WHERE ($1::text = 'all' OR q.state = $1) AND ($2::text IS NULL OR q.reason = $2)
