-- The staging table of this session, empty. Made once; the next transaction finds it empty.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_events (LIKE store.events INCLUDING DEFAULTS)
    ON COMMIT DELETE ROWS
