SELECT version, name FROM store.migrations ORDER BY version
