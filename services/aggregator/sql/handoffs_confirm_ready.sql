-- transaction id: have all that were at work before it ended? Those of our own role in this database: nobody
-- else puts anything on the timeline.
SELECT NOT EXISTS (
    SELECT 1
    FROM pg_locks l
    JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database() AND a.usename = current_user
    WHERE l.locktype = 'transactionid' AND l.granted AND l.mode = 'ExclusiveLock' AND l.pid <> pg_backend_pid()
      AND age(l.transactionid) > age($1::xid8::xid)
)
