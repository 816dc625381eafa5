-- One migration at a time in a database; a migration that cannot get a table's lock gives up and
-- is tried again, so that the writers queued up behind it go on meanwhile.
SET LOCAL lock_timeout = '60s';
SELECT pg_advisory_xact_lock(hashtext('throughline.migrate'));
SET LOCAL lock_timeout = '5s';
CREATE SCHEMA IF NOT EXISTS store;
CREATE TABLE IF NOT EXISTS store.migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
