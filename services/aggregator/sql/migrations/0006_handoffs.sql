-- Facts folded from events, handoffs, and what leaves the database by Kafka. Like events, all of
-- them point to identities, so that merging customers rewrites nothing here either.
--
-- Lock order, after events by primary key and before quarantine: owners, issues, promises, handoffs,
-- outbox; rows by key.

-- Who looks after a customer in a department: the owner that the latest event names, by the time it
-- occurred; of two at one moment the higher event_uid. since: when they were first named in a row.
CREATE TABLE store.owners (
    identity_id bigint NOT NULL,
    department text NOT NULL,
    role text NOT NULL DEFAULT '',
    region text NOT NULL DEFAULT '',
    owner text NOT NULL,
    since timestamptz NOT NULL,
    named_at timestamptz NOT NULL,
    event_uid uuid NOT NULL,
    PRIMARY KEY (identity_id, department, role, region)
) WITH (fillfactor = 70);

-- What would make a customer leave. Whichever department speaks of it, its id is the same: who tells
-- the customer is seldom who opened it. Each column takes the latest (opened_at and department: the
-- earliest opening), so that the order of arrival changes nothing. Open: never closed, or opened
-- again since.
CREATE TABLE store.issues (
    identity_id bigint NOT NULL,
    issue_id text NOT NULL,
    department text, -- of the earliest opening; NULL: only told or closed so far
    summary text,
    summary_at timestamptz,
    opened_at timestamptz,
    reopened_at timestamptz, -- the latest opening
    told_at timestamptz,
    closed_at timestamptz,
    untold_raised_for timestamptz, -- the reopened_at for which the watch has raised it, or had no need to
    PRIMARY KEY (identity_id, issue_id)
) WITH (fillfactor = 70);
CREATE INDEX issues_untold ON store.issues (reopened_at)
    WHERE (told_at IS NULL OR told_at < reopened_at) AND (closed_at IS NULL OR closed_at < reopened_at)
      AND (untold_raised_for IS NULL OR untold_raised_for < reopened_at);

-- What a customer was promised, and whether an event said since that it was kept (member `kept` of
-- data, by the same words).
CREATE TABLE store.promises (
    identity_id bigint NOT NULL,
    promise text NOT NULL,
    department text,     -- of the latest time that it was made
    made_at timestamptz, -- the latest; NULL: only kept so far
    kept_at timestamptz, -- the latest
    PRIMARY KEY (identity_id, promise)
) WITH (fillfactor = 70);

-- Work that an event in one department opened for another.
CREATE TABLE store.handoffs (
    handoff_id uuid PRIMARY KEY, -- of rule and opening event: it cannot open twice
    rule text NOT NULL,
    identity_id bigint NOT NULL, -- of the opening event
    account_identity_id bigint,
    from_department text, -- NULL: the system itself
    to_department text NOT NULL,
    state text NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'delivered', 'accepted', 'done', 'declined', 'cancelled')),
    overdue boolean NOT NULL DEFAULT false,
    undeliverable boolean NOT NULL DEFAULT false,
    ask text NOT NULL,
    brief json NOT NULL, -- as it is told: nobody searches in it
    brief_version integer NOT NULL,
    occurred_at timestamptz NOT NULL, -- of the opening event
    opening_uid uuid NOT NULL,
    match jsonb NOT NULL DEFAULT '[]', -- what the closing event must carry
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    due_ms bigint NOT NULL, -- the clock of a reassignment, should the rule be gone
    delivered_at timestamptz,
    accepted_at timestamptz,
    accepted_by text,
    closed_at timestamptz,
    closed_by text,
    closing_event_id text,
    closing_uid uuid,
    note text,                         -- of the last request
    sequence bigint NOT NULL DEFAULT 1, -- of the last change that its receiver was told
    opened_sequence bigint NOT NULL DEFAULT 1, -- of the opening, or the last reassignment
    depth integer NOT NULL DEFAULT 0,
    traceparent text,                  -- of the opening event
    told boolean NOT NULL DEFAULT false, -- its receiver has been told of the opening, or never will be
    -- What opened it, or merged its customer with another, could not see what others were writing at
    -- that moment. As long as it is set, the timeline has still to be looked at for closing events.
    confirm_xid xid8 DEFAULT pg_current_xact_id()
) WITH (fillfactor = 70);
CREATE INDEX handoffs_identity ON store.handoffs (identity_id, rule, opened_at);
CREATE INDEX handoffs_live_identity ON store.handoffs (identity_id, rule) WHERE state IN ('open', 'delivered', 'accepted');
CREATE INDEX handoffs_to_confirm ON store.handoffs (handoff_id) WHERE confirm_xid IS NOT NULL;
CREATE INDEX handoffs_account ON store.handoffs (account_identity_id, state) WHERE account_identity_id IS NOT NULL;
CREATE INDEX handoffs_due ON store.handoffs (due_at)
    WHERE state IN ('open', 'delivered', 'accepted') AND NOT overdue;
CREATE INDEX handoffs_live ON store.handoffs (to_department, due_at) WHERE state IN ('open', 'delivered', 'accepted');
-- A closing event closes one handoff of a rule, and stays with it.
CREATE UNIQUE INDEX handoffs_closing ON store.handoffs (rule, closing_uid) WHERE closing_uid IS NOT NULL;

-- A merge cannot see the handoffs that others are opening at that moment: they are confirmed once the
-- merge was seen. NULL: before there were handoffs.
ALTER TABLE store.merges ADD COLUMN xid xid8;
ALTER TABLE store.merges ALTER COLUMN xid SET DEFAULT pg_current_xact_id();

-- What is to be published: written with the change that it tells of, deleted once Kafka has it.
CREATE TABLE store.outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    type text NOT NULL,
    event_id text NOT NULL, -- the same each time it is published
    occurred_at timestamptz NOT NULL,
    customer text, -- the attribute: kind=value, percent-encoded
    sequence bigint,
    traceparent text,
    data text NOT NULL, -- JSON
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One aggregator at a time does what is done once: the relay of the outbox, the watch. Who holds a
-- lease past its time is ended by a successor (pid and start time tell it from a later backend).
CREATE TABLE store.leases (
    name text PRIMARY KEY,
    backend_pid integer,
    backend_start timestamptz,
    until timestamptz
);
INSERT INTO store.leases (name) VALUES ('relay'), ('watch');

-- When a customer is worth looking at for silence again: never earlier than they can be stale.
ALTER TABLE store.customers ADD COLUMN stale_check_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN stale_raised_for timestamptz; -- the last touch for which it was raised
CREATE INDEX customers_stale_check ON store.customers (stale_check_at) WHERE merged_into IS NULL;

GRANT SELECT, INSERT, UPDATE ON store.owners, store.issues, store.promises, store.handoffs TO throughline_writer;
GRANT SELECT, INSERT, DELETE ON store.outbox TO throughline_writer;
GRANT SELECT, UPDATE ON store.leases TO throughline_writer;
