-- $1 topic, $2 partition
WITH shared AS MATERIALIZED (SELECT epoch FROM store.epoch FOR SHARE)
SELECT o.next_offset FROM store.consumer_offsets o, shared
WHERE o.topic = $1 AND o.partition = $2::integer
FOR UPDATE OF o
