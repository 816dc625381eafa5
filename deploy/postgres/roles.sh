#!/bin/sh
# Run by PostgreSQL's image when its volume is empty: the roles that log in, with the passwords that the
# service `secrets` made, and the group roles, so that a backup can be restored, which has their rights. Else
# `throughline migrate` makes those; that they are there already is fine with it.
set -eu
psql -v ON_ERROR_STOP=1 -qd throughline -U throughline \
    -v aggregator="$(cat /run/secrets/throughline_aggregator)" -v people="$(cat /run/secrets/throughline_people)" <<'SQL'
SET log_statement = 'none';
SET log_min_error_statement = 'panic'; -- no password in the log, whatever fails
CREATE ROLE throughline_writer NOLOGIN;
CREATE ROLE throughline_analyst NOLOGIN;
CREATE ROLE throughline_analyst_pii NOLOGIN;
GRANT throughline_analyst TO throughline_analyst_pii; -- of the server, not of the database: no backup has it
GRANT throughline_analyst_pii TO throughline;
CREATE ROLE throughline_aggregator LOGIN PASSWORD :'aggregator' IN ROLE throughline_writer;
CREATE ROLE throughline_people LOGIN PASSWORD :'people' IN ROLE throughline_writer, throughline_analyst_pii;
SQL
