-- As books.sql, but as the books are kept, without counting a row of the timeline
SELECT o.topic, o.partition, o.next_offset - o.first_offset + o.read_again, o.on_timeline, o.duplicates,
       o.quarantined, o.void, o.next_offset - o.first_offset + o.read_again
                              - o.on_timeline - o.duplicates - o.quarantined - o.void,
       o.next_offset, o.stopped, o.skipped
FROM store.consumer_offsets o
ORDER BY o.topic, o.partition
