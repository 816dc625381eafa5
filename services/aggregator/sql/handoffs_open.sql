-- 1 ids, 2 rules, 3 identities, 4 accounts, 5 customers, 6 from, 7 to, 8 asks, 9 openings (for the
-- brief), 10 occurred (µs), 11 uids of the opening events, 12 match values, 13 due (ms), 14 depths,
-- 15 states, 16 closed (µs), 17 closing event ids, 18 closing uids, 19 sequences.
-- Answers the places of those put, from 1: one that is there already is none of them.
WITH put AS (
    INSERT INTO store.handoffs (handoff_id, rule, identity_id, account_identity_id, from_department, to_department, ask,
                                brief, brief_version, occurred_at, opening_uid, match, opened_at, due_at, due_ms, depth,
                                state, closed_at, closing_event_id, closing_uid, sequence)
    SELECT u.id, u.rule, u.identity, u.account, u.from_department, u.to_department, u.ask, b.brief, 1,
           timestamptz 'epoch' + u.occurred * interval '1 microsecond', u.opening_uid, u.match::jsonb, now(),
           now() + u.due_ms * interval '1 millisecond', u.due_ms, u.depth, u.state,
           timestamptz 'epoch' + u.closed * interval '1 microsecond', u.closing_id, u.closing_uid, u.sequence
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $6::text[], $7::text[], $8::text[], $10::bigint[],
                $11::uuid[], $12::text[], $13::bigint[], $14::integer[], $15::text[], $16::bigint[], $17::text[],
                $18::uuid[], $19::bigint[])
         WITH ORDINALITY AS u (id, rule, identity, account, from_department, to_department, ask, occurred, opening_uid,
                               match, due_ms, depth, state, closed, closing_id, closing_uid, sequence, n)
    JOIN store.briefs($5::bigint[], $9::jsonb[]) b ON b.ordinal = u.n
    ORDER BY u.id
    ON CONFLICT (handoff_id) DO NOTHING
    RETURNING handoff_id
)
SELECT w.n FROM unnest($1::uuid[]) WITH ORDINALITY AS w (id, n) JOIN put ON put.handoff_id = w.id ORDER BY w.n
