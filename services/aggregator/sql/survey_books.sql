-- By topic: how many records of its partitions the kept books do not account for. The rows themselves
-- are counted by `throughline reconcile` alone.
SELECT o.topic, sum(abs(o.next_offset - o.first_offset + o.read_again
                        - o.on_timeline - o.duplicates - o.quarantined - o.void))::bigint
FROM store.consumer_offsets o GROUP BY 1
