-- ids, to, states, undeliverable, overdue, due, delivered, accepted, closed (µs), accepted_by, closed_by, notes,
-- closing event ids, closing uids, sequences, opened_sequences
UPDATE store.handoffs h
SET to_department = u.to_department,
    state = u.state,
    undeliverable = u.undeliverable,
    overdue = u.overdue,
    due_at = timestamptz 'epoch' + u.due * interval '1 microsecond',
    delivered_at = timestamptz 'epoch' + u.delivered * interval '1 microsecond',
    accepted_at = timestamptz 'epoch' + u.accepted * interval '1 microsecond',
    closed_at = timestamptz 'epoch' + u.closed * interval '1 microsecond',
    accepted_by = u.accepted_by,
    closed_by = u.closed_by,
    note = u.note,
    closing_event_id = u.closing_id,
    closing_uid = u.closing_uid,
    sequence = u.sequence,
    opened_sequence = u.opened_sequence
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::boolean[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::uuid[],
            $15::bigint[], $16::bigint[])
     AS u (id, to_department, state, undeliverable, overdue, due, delivered, accepted, closed, accepted_by, closed_by,
           note, closing_id, closing_uid, sequence, opened_sequence)
WHERE h.handoff_id = u.id AND h.handoff_id = ANY ($1::uuid[])
