-- The outbox may grow from empty to long between two looks of the planner: always by its index.
SELECT set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false)
