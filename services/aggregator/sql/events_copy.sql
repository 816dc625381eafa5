-- The columns in the order in which a batch encodes its rows.
COPY store.events (
    identity_id, account_identity_id, occurred_at, event_uid, source, event_id, department, type,
    summary, owner, amount, currency, data, topic, partition, kafka_offset
) FROM STDIN (FORMAT binary)
