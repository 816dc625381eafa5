SELECT o.topic, o.partition, o.next_offset FROM store.consumer_offsets o
