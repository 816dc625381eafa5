-- After a restore into another cluster, whose transaction ids begin anew: ids that this cluster has not had yet
-- would hold handoffs back until it has. Whoever wrote them is gone: what waits is looked at from now on, and
-- merges were seen. A row of this cluster that can be seen has an id below the snapshot's end.
UPDATE store.handoffs SET confirm_xid = pg_current_xact_id()
WHERE confirm_xid >= pg_snapshot_xmax(pg_current_snapshot());
UPDATE store.merges SET xid = NULL WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
