-- topics, partitions, generations: those that somebody else has by now
SELECT u.topic, u.partition
FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS u (topic, partition, generation)
JOIN store.consumer_offsets o ON o.topic = u.topic AND o.partition = u.partition
WHERE o.generation <> u.generation
LIMIT 1
