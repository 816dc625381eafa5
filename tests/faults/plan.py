"""The seeded plan: which fault comes when, and how it is carried out."""
import itertools
import random
import time

from confluent_kafka import Producer

from fault_kinds import KILLS, KINDS
from world import DEPARTMENTS

TOPICS = [f"events.{name.removeprefix('tl-')}" for name in DEPARTMENTS]


class Plan:
    """`count` faults: every kind once, in any order, then the next round of every kind; and kills in
    turn, at any place, until there are so many."""

    def __init__(self, seed, count, kills):
        self.random = random.Random(f"plan/{seed}")
        self.names = []
        while len(self.names) < count:
            self.names += self.random.sample(sorted(KINDS), len(KINDS))
        del self.names[max(count, len(KINDS)):]
        more = itertools.cycle(self.random.sample(KILLS, len(KILLS)))
        while self.kills < kills:
            self.names.insert(self.random.randrange(len(self.names) + 1), next(more))

    @property
    def kills(self):
        return sum(name in KILLS for name in self.names)

    def carry_out(self, world, say):
        """One after the other; each waits until what the one before it broke goes on by itself."""
        poison = _Poison(world, self.random)
        world.wait_progress("the start")
        for number, name in enumerate(self.names, 1):
            poison.drop()
            begin = time.monotonic()
            told = KINDS[name](world, self.random)
            harmed = time.monotonic() - begin
            recovered = world.wait_progress(name)
            say(f"fault {number:2}/{len(self.names)} {name:40} {harmed:4.1f} s, goes on after"
                f" {recovered:4.1f} s; {world.load.ledger.accepted_events} events accepted"
                + (f" ({told})" if told else ""))
        poison.close()


class _Poison:
    """Puts records that are no events past the intakes, now and then."""

    def __init__(self, world, rng):
        self.world, self.random = world, rng
        self.producer = Producer({"bootstrap.servers": world.kafka.brokers, "log_level": 0,
                                  "enable.idempotence": True})
        self.number = 0

    def drop(self):
        for _ in range(self.random.randrange(4)):
            self.number += 1
            value = f"this is no CloudEvent, the {self.number}th".encode()
            self.producer.produce(self.random.choice(TOPICS), value, key=str(self.number),
                                  on_delivery=self._delivered)
        self.producer.poll(0)

    def _delivered(self, error, message):
        if error is None:
            self.world.load.ledger.produced.append(
                (message.topic(), message.partition(), message.offset(), message.value()))

    def close(self):
        left = self.producer.flush(30)
        assert left == 0, f"Kafka has not taken {left} records of the test's own"
