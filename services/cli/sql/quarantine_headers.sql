SELECT encode(h.bytes, 'hex')
FROM store.quarantine q CROSS JOIN unnest(q.headers) WITH ORDINALITY AS h (bytes, place)
WHERE q.quarantine_id = $1::bigint
ORDER BY h.place
