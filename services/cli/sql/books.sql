SELECT b.topic, b.partition, b.records, b.on_timeline, b.duplicates, b.quarantined, b.void,
       b.difference, o.next_offset, o.stopped, coalesce(o.skipped, 0)
FROM throughline.reconciliation b
LEFT JOIN store.consumer_offsets o ON o.topic = b.topic AND o.partition = b.partition
ORDER BY b.topic, b.partition
