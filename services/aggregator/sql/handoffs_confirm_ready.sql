-- transaction id: have all that were at work before it ended? Those in this database of our own role, of the
-- writers', and of the command line: nobody else puts anything on the timeline.
SELECT NOT EXISTS (
    SELECT 1
    FROM pg_locks l
    JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
     AND (a.usename = current_user OR a.application_name = 'throughline'
          OR NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = a.usesysid)
             AND pg_has_role(a.usesysid, 'throughline_writer', 'MEMBER'))
    WHERE l.locktype = 'transactionid' AND l.granted AND l.mode = 'ExclusiveLock' AND l.pid <> pg_backend_pid()
      AND age(l.transactionid) > age($1::xid8::xid)
)
