-- 1 ids, 2 rules, 3 identities, 4 accounts, 5 from, 6 to, 7 asks, 8 openings (for the brief), 9 occurred (µs),
-- 10 uids of the opening events, 11 match values, 12 due (ms), 13 depths, 14 traceparents. The brief is of whose
-- the identity is now. One that is there already was opened by this event before.
INSERT INTO store.handoffs (handoff_id, rule, identity_id, account_identity_id, from_department, to_department, ask,
                            brief, brief_version, occurred_at, opening_uid, match, opened_at, due_at, due_ms, depth,
                            traceparent)
SELECT u.id, u.rule, u.identity, u.account, u.from_department, u.to_department, u.ask, b.brief, 1,
       timestamptz 'epoch' + u.occurred * interval '1 microsecond', u.opening_uid, u.match::jsonb, now(),
       now() + u.due_ms * interval '1 millisecond', u.due_ms, u.depth, u.trace
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $9::bigint[],
            $10::uuid[], $11::text[], $12::bigint[], $13::integer[], $14::text[])
     WITH ORDINALITY AS u (id, rule, identity, account, from_department, to_department, ask, occurred, opening_uid,
                           match, due_ms, depth, trace, n)
JOIN store.briefs(
         ARRAY(SELECT (SELECT i.customer_id FROM store.identities i WHERE i.identity_id = t.identity)
               FROM unnest($3::bigint[]) WITH ORDINALITY AS t (identity, n) ORDER BY t.n),
         $8::jsonb[]) b ON b.ordinal = u.n
ORDER BY u.id
ON CONFLICT (handoff_id) DO NOTHING
