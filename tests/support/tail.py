"""What is new in a topic since one looked last."""
import uuid

from confluent_kafka import Consumer, KafkaException, TopicPartition

from support.wait import wait_for


class Tail:
    """Begins at the topic's end; the topic must be there."""

    def __init__(self, kafka, topic):
        self.topic = topic
        self.consumer = Consumer({"bootstrap.servers": kafka.brokers, "group.id": f"test-{uuid.uuid4()}",
                                  "enable.auto.commit": False, "auto.offset.reset": "error", "fetch.wait.max.ms": 20, "log_level": 0})
        self.partitions = list(self.consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        self.next = wait_for(self._ends, 20, f"{topic} can be read")
        self.consumer.assign([TopicPartition(topic, p, offset) for p, offset in self.next.items()])

    def close(self):
        self.consumer.close()

    def _ends(self):
        """{partition: where it ends}; empty where a partition has no leader yet."""
        try:
            return {p: self.consumer.get_watermark_offsets(TopicPartition(self.topic, p), timeout=10)[1]
                    for p in self.partitions}
        except KafkaException:
            return {}

    def new(self, seconds=20):
        """The records of the topic up to this moment that were not given out before."""
        ends, found = wait_for(self._ends, seconds, f"{self.topic} can be read"), []
        count = sum(ends.values()) - sum(self.next.values())

        def read():
            for message in self.consumer.consume(count - len(found), 0.1) if count > len(found) else []:
                assert message.error() is None, message.error()
                found.append(message)
            return len(found) >= count
        wait_for(read, seconds, lambda: f"{count} new records of {self.topic}, read {len(found)}")
        self.next = ends
        return found
