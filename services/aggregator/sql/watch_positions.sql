SELECT topic, partition, next_offset FROM store.consumer_offsets ORDER BY topic COLLATE "C", partition
