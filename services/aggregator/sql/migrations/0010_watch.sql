-- Leases of what one aggregator does at a time, the relay of the outbox, and the watch.

-- Takes a lease: 'taken'; 'held' by somebody else; 'ended': its holder had let its time pass (its
-- client may be frozen), and that backend was told to end; ask again. All by this server's clock. A
-- holder whose backend is gone holds nothing, whatever time is left. (Of another role's backend its
-- start is not to be seen: then the pid alone counts.)
CREATE FUNCTION store.lease_take(a_name text, lease_ms bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    seen store.leases;
    holder integer;
BEGIN
    SELECT l.* INTO seen FROM store.leases l WHERE l.name = a_name;
    SELECT a.pid INTO holder FROM pg_stat_activity a
    WHERE a.pid = seen.backend_pid AND a.pid <> pg_backend_pid()
      AND coalesce(a.backend_start, seen.backend_start) = seen.backend_start;
    IF holder IS NOT NULL THEN
        IF seen.until > clock_timestamp() THEN
            RETURN 'held';
        END IF;
        PERFORM pg_terminate_backend(holder);
        RETURN 'ended';
    END IF;
    UPDATE store.leases l
    SET backend_pid = pg_backend_pid(),
        backend_start = (SELECT a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()),
        until = clock_timestamp() + lease_ms * interval '1 millisecond'
    WHERE l.name = a_name
      AND (l.backend_pid, l.backend_start) IS NOT DISTINCT FROM (seen.backend_pid, seen.backend_start);
    RETURN CASE WHEN FOUND THEN 'taken' ELSE 'held' END; -- somebody else was quicker
END
$$;

-- The first statement of whatever a holder writes, and what renews a lease: fails with TL001 where
-- it is not ours any more. The row stays locked until the end of the transaction, so nobody takes
-- the lease meanwhile, unless they end this backend first.
CREATE FUNCTION store.lease_keep(a_name text, lease_ms bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE store.leases l SET until = clock_timestamp() + lease_ms * interval '1 millisecond'
    WHERE l.name = a_name AND l.backend_pid = pg_backend_pid();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the lease % was taken by somebody else', a_name USING ERRCODE = 'TL001';
    END IF;
END
$$;

CREATE FUNCTION store.lease_release(a_name text) RETURNS void
LANGUAGE sql AS $$
    UPDATE store.leases l SET backend_pid = NULL, backend_start = NULL, until = NULL
    WHERE l.name = a_name AND l.backend_pid = pg_backend_pid()
$$;

-- Kafka has these rows.
CREATE FUNCTION store.outbox_done(ids bigint[], lease_ms bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM store.lease_keep('relay', lease_ms);
    DELETE FROM store.outbox o WHERE o.outbox_id = ANY (ids);
END
$$;

-- Rows come and go all the time, and are looked for at the beginning of the index.
ALTER TABLE store.outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
                              autovacuum_vacuum_insert_threshold = 100000);
ALTER TABLE store.leases SET (fillfactor = 20);

REVOKE ALL ON FUNCTION store.lease_take(text, bigint), store.lease_keep(text, bigint), store.lease_release(text),
    store.outbox_done(bigint[], bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store.lease_take(text, bigint), store.lease_keep(text, bigint), store.lease_release(text),
    store.outbox_done(bigint[], bigint) TO throughline_writer;
