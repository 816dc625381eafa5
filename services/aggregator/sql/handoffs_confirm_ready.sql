-- snapshot: has every transaction that was at work then, in this database, ended?
SELECT NOT EXISTS (
    SELECT 1
    FROM pg_locks l
    JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
    WHERE l.locktype = 'transactionid' AND l.granted AND l.mode = 'ExclusiveLock' AND l.pid <> pg_backend_pid()
      AND age(l.transactionid) > age(pg_snapshot_xmax($1::pg_snapshot)::xid)
)
