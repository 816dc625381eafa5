SELECT count(*) FROM store.quarantine WHERE state = 'waiting'
