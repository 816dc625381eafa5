-- $1 name
SELECT store.lease_release($1)
