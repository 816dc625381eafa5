-- $1 for a statement and for a transaction that does not go on, $2 for a lock, in ms: nothing that a
-- writer asks is waited for without a bound.
SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),
       set_config('idle_in_transaction_session_timeout', $1, false)
