-- Whose lease is held by a session that is there
SELECT l.name, l.until > clock_timestamp()
               AND EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = l.backend_pid) AS held
FROM store.leases l
ORDER BY l.name
