-- No statement, lock or idle transaction of a writer is waited for without a bound.
SET statement_timeout = '60s';
SET lock_timeout = '30s';
SET idle_in_transaction_session_timeout = '60s'
