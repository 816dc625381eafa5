-- As events_copy, into the staging table; with places among the batch's identities instead of ids.
COPY pg_temp.staged_events (
    identity_id, account_identity_id, occurred_at, event_uid, source, event_id, department, type,
    summary, owner, amount, currency, data, topic, partition, kafka_offset
) FROM STDIN (FORMAT binary)
