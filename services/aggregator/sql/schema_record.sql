INSERT INTO store.migrations (version, name) VALUES ($1::integer, $2)
