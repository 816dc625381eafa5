-- $1 for a statement and for a transaction that does not go on, $2 for a lock, in ms: nothing that a
-- writer asks is waited for without a bound. And the planner knows tables from its last look, when they
-- may have been empty: what is asked here goes by an index, so it need not think of reading whole
-- tables, nor compile anything for how dear that seems.
SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),
       set_config('idle_in_transaction_session_timeout', $1, false),
       set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false)
