-- The whole row as JSON only where it is asked for: data is large.
SELECT to_char(t.occurred_at, 'YYYY-MM-DD HH24:MI:SS') AS occurred, t.department, t.type, t.summary,
       t.owner, concat_ws(' ', t.amount, t.currency) AS amount, t.occurred_at, t.event_uid,
       CASE WHEN $5::boolean THEN row_to_json(t) END AS json
FROM throughline.timeline_of($1::bigint, $2::timestamptz, $3::uuid, $4::integer) t
ORDER BY t.occurred_at DESC, t.event_uid DESC
