-- What analysts read of handoffs, owners, issues and silence. Masked as in 0003_views.sql: by
-- pg_has_role, where personal data or free text stands.

-- The owner by customer: of several identities the one that the latest event named.
CREATE VIEW throughline.owners AS
SELECT DISTINCT ON (i.customer_id, o.department, o.role, o.region)
       i.customer_id,
       o.department,
       nullif(o.role, '') AS role,
       nullif(o.region, '') AS region,
       CASE WHEN (SELECT pg_has_role('throughline_analyst_pii', 'member'))
            THEN o.owner ELSE '***' END AS owner,
       o.since
FROM store.owners o
JOIN store.identities i ON i.identity_id = o.identity_id
ORDER BY i.customer_id, o.department, o.role, o.region, o.named_at DESC, o.event_uid DESC;

COMMENT ON VIEW throughline.owners IS
    'Who looks after a customer in each department: whom the latest event names, by the time it occurred.';
COMMENT ON COLUMN throughline.owners.customer_id IS 'The customer.';
COMMENT ON COLUMN throughline.owners.department IS 'The department whose events name the owner.';
COMMENT ON COLUMN throughline.owners.role IS 'In which role, where a department tells several apart.';
COMMENT ON COLUMN throughline.owners.region IS 'For which region, where a department tells several apart.';
COMMENT ON COLUMN throughline.owners.owner IS 'The employee. *** without throughline_analyst_pii.';
COMMENT ON COLUMN throughline.owners.since IS 'When an event first named them, nobody else having been named since.';

-- Issues by customer: of several identities the earliest opening and the latest of the rest. Being
-- told and closed before it was opened again does not count.
CREATE VIEW throughline.issues AS
SELECT f.customer_id,
       f.issue_id,
       f.department,
       CASE WHEN f.summary IS NULL OR (SELECT pg_has_role('throughline_analyst_pii', 'member'))
            THEN f.summary ELSE '***' END AS summary,
       f.opened_at,
       CASE WHEN f.reopened_at IS NULL OR f.told_at >= f.reopened_at THEN f.told_at END AS told_at,
       CASE WHEN f.reopened_at IS NULL OR f.closed_at >= f.reopened_at THEN f.closed_at END AS closed_at
FROM (
    SELECT i.customer_id, s.issue_id,
           (array_agg(s.department ORDER BY s.opened_at NULLS LAST))[1] AS department,
           (array_agg(s.summary ORDER BY s.summary_at DESC NULLS LAST))[1] AS summary,
           min(s.opened_at) AS opened_at,
           max(s.reopened_at) AS reopened_at,
           max(s.told_at) AS told_at,
           max(s.closed_at) AS closed_at
    FROM store.issues s
    JOIN store.identities i ON i.identity_id = s.identity_id
    GROUP BY i.customer_id, s.issue_id
) f;

COMMENT ON VIEW throughline.issues IS
    'What would make a customer leave: complaints, outages, broken promises; open where opened_at is known and closed_at is NULL.';
COMMENT ON COLUMN throughline.issues.customer_id IS 'The customer.';
COMMENT ON COLUMN throughline.issues.issue_id IS 'Its id in the department that opened it.';
COMMENT ON COLUMN throughline.issues.department IS 'The department that opened it.';
COMMENT ON COLUMN throughline.issues.summary IS 'One line for people. Free text: *** without throughline_analyst_pii.';
COMMENT ON COLUMN throughline.issues.opened_at IS 'When it was opened first; NULL where only its end is known.';
COMMENT ON COLUMN throughline.issues.told_at IS 'When the customer was told of it, since it was last opened; NULL while they were not.';
COMMENT ON COLUMN throughline.issues.closed_at IS 'When it was closed, since it was last opened; NULL while it is open.';

CREATE VIEW throughline.handoffs AS
SELECT h.handoff_id,
       h.rule,
       i.customer_id,
       h.from_department,
       h.to_department,
       h.state,
       h.overdue,
       h.ask,
       CASE WHEN (SELECT pg_has_role('throughline_analyst_pii', 'member')) THEN h.brief::jsonb END AS brief,
       h.opened_at,
       h.delivered_at,
       h.accepted_at,
       CASE WHEN h.accepted_by IS NULL OR (SELECT pg_has_role('throughline_analyst_pii', 'member'))
            THEN h.accepted_by ELSE '***' END AS accepted_by,
       h.due_at,
       h.closed_at,
       CASE WHEN h.closed_by IS NULL OR (SELECT pg_has_role('throughline_analyst_pii', 'member'))
            THEN h.closed_by ELSE '***' END AS closed_by,
       h.closing_event_id,
       h.undeliverable,
       h.brief_version
FROM store.handoffs h
LEFT JOIN store.identities i ON i.identity_id = h.identity_id;

COMMENT ON VIEW throughline.handoffs IS
    'Work that an event in one department opened for another, and what became of it.';
COMMENT ON COLUMN throughline.handoffs.handoff_id IS 'The handoff: a hash of the rule and the event that opened it.';
COMMENT ON COLUMN throughline.handoffs.rule IS 'The rule of handoffs.json that opened it.';
COMMENT ON COLUMN throughline.handoffs.customer_id IS 'Whom it is about.';
COMMENT ON COLUMN throughline.handoffs.from_department IS 'Whose event opened it; NULL where the system itself did (a silence, an untold issue).';
COMMENT ON COLUMN throughline.handoffs.to_department IS 'Whose work it is.';
COMMENT ON COLUMN throughline.handoffs.state IS 'open, delivered (the receiver''s system has it), accepted, done, declined or cancelled.';
COMMENT ON COLUMN throughline.handoffs.overdue IS 'Its due time passed before it was closed.';
COMMENT ON COLUMN throughline.handoffs.ask IS 'What is to be done, in one line.';
COMMENT ON COLUMN throughline.handoffs.brief IS 'What the receiver needs to know, as it was at the opening. NULL without throughline_analyst_pii.';
COMMENT ON COLUMN throughline.handoffs.opened_at IS 'When it was opened; after a reassignment it still says when first.';
COMMENT ON COLUMN throughline.handoffs.delivered_at IS 'When the receiver''s system took it.';
COMMENT ON COLUMN throughline.handoffs.accepted_at IS 'When somebody accepted it.';
COMMENT ON COLUMN throughline.handoffs.accepted_by IS 'Who. *** without throughline_analyst_pii.';
COMMENT ON COLUMN throughline.handoffs.due_at IS 'By when it is to be done; a reassignment restarts the clock.';
COMMENT ON COLUMN throughline.handoffs.closed_at IS 'When it was done, declined or cancelled.';
COMMENT ON COLUMN throughline.handoffs.closed_by IS 'Who did it by hand; NULL where an event did. *** without throughline_analyst_pii.';
COMMENT ON COLUMN throughline.handoffs.closing_event_id IS 'The id of the event that closed it.';
COMMENT ON COLUMN throughline.handoffs.undeliverable IS 'The receiver''s system did not take it, and nobody tries any more.';
COMMENT ON COLUMN throughline.handoffs.brief_version IS 'The form of the brief.';

GRANT SELECT ON throughline.owners, throughline.issues, throughline.handoffs TO throughline_analyst;
