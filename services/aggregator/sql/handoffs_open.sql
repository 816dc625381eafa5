-- 1 ids, 2 rules, 3 identities, 4 accounts, 5 customers, 6 from, 7 to, 8 asks, 9 openings (for the brief),
-- 10 occurred (µs), 11 uids of the opening events, 12 match values, 13 due (ms), 14 depths, 15 traceparents.
-- One that is there already was opened by this event before.
INSERT INTO store.handoffs (handoff_id, rule, identity_id, account_identity_id, from_department, to_department, ask,
                            brief, brief_version, occurred_at, opening_uid, match, opened_at, due_at, due_ms, depth,
                            traceparent)
SELECT u.id, u.rule, u.identity, u.account, u.from_department, u.to_department, u.ask, b.brief, 1,
       timestamptz 'epoch' + u.occurred * interval '1 microsecond', u.opening_uid, u.match::jsonb, now(),
       now() + u.due_ms * interval '1 millisecond', u.due_ms, u.depth, u.trace
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $6::text[], $7::text[], $8::text[], $10::bigint[],
            $11::uuid[], $12::text[], $13::bigint[], $14::integer[], $15::text[])
     WITH ORDINALITY AS u (id, rule, identity, account, from_department, to_department, ask, occurred, opening_uid,
                           match, due_ms, depth, trace, n)
JOIN store.briefs($5::bigint[], $9::jsonb[]) b ON b.ordinal = u.n
ORDER BY u.id
ON CONFLICT (handoff_id) DO NOTHING
