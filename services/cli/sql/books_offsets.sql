SELECT o.topic, o.partition, o.next_offset, o.stopped FROM store.consumer_offsets o
