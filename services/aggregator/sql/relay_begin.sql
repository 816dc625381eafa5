-- The outbox, and what is to be confirmed, may grow from nothing to much between two looks of the
-- planner: always by an index, row by row.
SELECT set_config('enable_bitmapscan', 'off', false), set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false)
