"""Waits until everything has come to rest: what the system was told it has told on, to the last
handoff and what people answered to it."""
from confluent_kafka import Consumer, TopicPartition

from support.wait import wait_for

STEP = 0.25
LEFT = """
SELECT (SELECT count(*) FROM store.outbox) AS outbox, count(*) AS open FROM store.handoffs
WHERE state = 'open' OR confirm_xid IS NOT NULL"""


class Rest:
    def __init__(self, world):
        self.world, self.people = world, world.people
        self.changes = set()  # (department, webhook-id) of all records for receivers
        self.consumer = Consumer({"bootstrap.servers": world.kafka.brokers, "group.id": "faults-rest",
                                  "enable.auto.commit": False, "auto.offset.reset": "earliest",
                                  "log_level": 0})
        self.consumer.assign([TopicPartition(topic, partition, 0) for topic in world.kafka.topics()
                              if topic.startswith("handoffs.")
                              for partition in world.kafka.watermarks(topic)])

    def read(self):
        while messages := self.consumer.consume(10000, 0.3):
            for message in messages:
                if message.error() is None:
                    self.changes.add((message.topic().removeprefix("handoffs."),
                                      dict(message.headers())["ce_id"].decode()))

    def untaken(self):
        self.read()
        return self.changes - self.people.taken

    def left(self):
        return self.world.query(LEFT)[0]

    def reached(self):
        """Looked at from what comes last to what comes first, and once more at the end: nothing new."""
        if self.people.error:
            raise self.people.error
        taken, left = len(self.people.taken), self.left()
        if not self.people.idle or self.untaken() or left["outbox"] or left["open"]:
            return False
        self.world.stack.wait_caught_up(60)
        left = self.left()
        return (not left["outbox"] and not left["open"] and not self.untaken() and self.people.idle
                and taken == len(self.people.taken))

    def wait(self, seconds):
        try:
            self.world.stack.wait_caught_up(seconds)
            wait_for(self.reached, seconds, lambda: f"handoffs are not at rest: {dict(self.left())}"
                     f" left, {len(self.untaken())} changes not taken,"
                     f" people {'idle' if self.people.idle else 'busy'}", step=STEP)
        finally:
            self.consumer.close()
