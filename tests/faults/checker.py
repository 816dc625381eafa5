"""Compares what the system says with the ledger, and with a count of its own from Kafka's records and
PostgreSQL's rows. Breaches are sentences; none means that all is right."""
import collections
import contextlib
import datetime
import json

from confluent_kafka import Consumer, TopicPartition
from psycopg2.extensions import cursor

from handoff_checker import HANDOFFS, HandoffChecker

SHOWN = 5  # examples of each kind of breach

SYSTEM = "/throughline"  # sources of what the system and its department services say themselves
Row = collections.namedtuple("Row", "key content place customer account")
EVENTS = """
SELECT e.source, e.event_id, e.department, e.type, e.occurred_at, e.amount, e.currency,
       e.topic, e.partition, e.kafka_offset, i.customer_id, a.customer_id
FROM store.events e
LEFT JOIN store.identities i ON i.identity_id = e.identity_id
LEFT JOIN store.identities a ON a.identity_id = e.account_identity_id"""
QUARANTINE = "SELECT topic, partition, kafka_offset, reason, value, state FROM store.quarantine"
VIEWED = "SELECT count(*) FROM throughline.timeline"
BOOKS = """
SELECT topic, partition, first_offset, next_offset, on_timeline, duplicates, quarantined, void
FROM store.consumer_offsets"""
IDENTITIES = "SELECT kind, value, customer_id FROM throughline.identities"


class Checker:
    """check() after everything has come to rest; `breaches` are told by kind, with examples. Events are
    known by source and id, what the system says itself also by its time: who reports the same delivery
    twice does so at two moments."""

    def __init__(self, ledger, people, kafka, connection):
        self.ledger, self.people, self.kafka = ledger, people, kafka
        self.breaches = []
        with contextlib.closing(connection), connection.cursor(cursor_factory=cursor) as plain:
            def rows(sql):
                plain.execute(sql)
                return plain.fetchall()
            self.rows = [Row(key_of(r[0], r[1], r[4]), r[2:7], r[7:10], r[10], r[11])
                         for r in rows(EVENTS)]
            self.quarantine = {r[:3]: r[3:] for r in rows(QUARANTINE)}
            self.books = {r[:2]: r[2:] for r in rows(BOOKS)}
            self.viewed = rows(VIEWED)[0][0]
            self.identities = {r[:2]: r[2] for r in rows(IDENTITIES)}
            plain.execute(HANDOFFS)
            names = [column.name for column in plain.description]
            self.handoffs = [dict(zip(names, r)) for r in plain.fetchall()]
        self.records, self.ends, self.said = read_topics(kafka)
        self.told = read_handoffs(kafka)
        self.root = self.components()

    def breach(self, what, examples):
        examples = list(examples)
        if examples:
            self.breaches.append(f"{what}: {len(examples)}, such as "
                                 f"{', '.join(str(e) for e in sorted(map(str, examples))[:SHOWN])}")

    def check(self):
        self.check_answers()
        self.check_timeline()
        self.check_quarantine()
        self.check_books()
        self.check_customers()
        self.handoff_checker = HandoffChecker(
            self.breach, self.ledger, self.people, self.handoffs, self.told, self.said,
            {row.key for row in self.rows}, self.root)
        self.handoff_checker.check()
        return self.breaches

    def check_answers(self):
        self.breach("answers that are none of 202, 503 with Retry-After, cut",
                    self.ledger.wrong_answers)

    def check_timeline(self):
        own = collections.Counter(row.key for row in self.rows if is_system(row.key))
        self.breach("what the system said itself is not on the timeline, or is there more than once", (
            key for key in {key for key, _ in self.records.values() if key and is_system(key)} | own.keys()
            if own[key] != 1))
        times = collections.Counter(row.key for row in self.rows if not is_system(row.key))
        self.breach("events answered 202 are not on the timeline",
                    self.ledger.accepted - times.keys())
        self.breach("events are on the timeline more than once",
                    (f"{key} {n} times" for key, n in times.items() if n > 1))
        self.breach("events on the timeline were never sent", times.keys() - self.ledger.sent.keys())
        self.breach("events have another content than they were sent with",
                    (f"{row.key}: {row.content}, sent {self.ledger.sent[row.key][:5]}"
                     for row in self.rows if row.key in self.ledger.sent
                     and tuple(row.content) != tuple(self.ledger.sent[row.key][:5])))
        if self.viewed != len(self.rows):
            self.breaches.append(f"the view has {self.viewed} rows, the table {len(self.rows)}")

    def check_quarantine(self):
        """Every record that is no event, by its place and bytes, and nothing else."""
        expected = {place: value for place, (key, value) in self.records.items() if key is None}
        self.breach("records that are no events are not in quarantine",
                    expected.keys() - self.quarantine.keys())
        self.breach("records are in quarantine that are events, or not in Kafka",
                    self.quarantine.keys() - expected.keys())
        self.breach("records in quarantine have other bytes", (
            place for place in expected.keys() & self.quarantine.keys()
            if bytes(self.quarantine[place][1] or b"") != expected[place]))
        values = [bytes(row[1] or b"") for row in self.quarantine.values()]
        found = {text for value in values for text in value.decode("utf-8", "replace").split('"')
                 if text.startswith("evt_")}
        self.breach("unmappable webhooks answered 202 are not in quarantine",
                    self.ledger.unmappable_accepted - found)
        self.breach("unmappable webhooks in quarantine were never sent",
                    found - self.ledger.unmappable_sent)
        self.breach("records put past the intakes are not in quarantine", (
            place for *place, value in self.ledger.produced
            if bytes(self.quarantine.get(tuple(place), (None, b""))[1] or b"") != value))

    def check_books(self):
        """Recounted: an event is on the timeline by the first record that carries it."""
        first, counts = {}, collections.defaultdict(collections.Counter)
        for place in sorted(self.records):
            key = self.records[place][0]
            if key is None:
                counts[place[:2]]["quarantined"] += 1
            elif key in first:
                counts[place[:2]]["duplicates"] += 1
            else:
                first[key] = place
                counts[place[:2]]["on_timeline"] += 1
        self.breach("rows have another place than the first record of their event", (
            f"{row.key} at {row.place}, not {first.get(row.key)}"
            for row in self.rows if row.place != first.get(row.key)))
        self.breach("partitions have no books",
                    (part for part, (low, high) in self.ends.items()
                     if high > low and part not in self.books))
        for part, (begin, end, *told) in sorted(self.books.items()):
            low, high = self.ends.get(part, (0, 0))
            if (begin, end) != (low, high):
                self.breaches.append(f"books of {part} go from {begin} to {end}, Kafka's records from"
                                     f" {low} to {high}")
            own = counts[part]
            own = [own["on_timeline"], own["duplicates"], own["quarantined"],
                   high - low - sum(own.values())]
            if told != own:
                self.breaches.append(f"books of {part} say on_timeline, duplicates, quarantined, void"
                                     f" {told}, recounted {own}")

    def components(self):
        """Which identities the events on the timeline tie together: a function from an identity to one
        that stands for all of them."""
        parent = {}

        def root(identity):
            parent.setdefault(identity, identity)
            while parent[identity] != identity:
                parent[identity] = parent[parent[identity]]
                identity = parent[identity]
            return identity

        for row in self.rows:
            for group in self.groups(row):
                for identity in group:
                    parent[root(identity)] = root(group[0])
        return root

    def groups(self, row):
        """The identities that a row's event names: persons', accounts'."""
        content = self.ledger.sent.get(row.key)
        found = content.identities if content else ()
        return ([i for i in found if not i[0].startswith("account.")],
                [i for i in found if i[0].startswith("account.")])

    def check_customers(self):
        """Customers are the components that the events' identities tie together, no more, no less."""
        named = []  # (an identity of the row's customer, or account; the customer that it has)
        for row in self.rows:
            if row.key in self.ledger.sent:
                for group, customer in zip(self.groups(row), (row.customer, row.account)):
                    named.append((group[0] if group else None, customer))
        customers, components = collections.defaultdict(set), collections.defaultdict(set)
        for identity, customer in [*named, *self.identities.items()]:
            component = self.root(identity) if identity else None
            if component is not None or customer is not None:
                customers[component].add(customer)
                components[customer].add(component)
        self.breach("customers are split", (f"{c} is {sorted(map(str, ids))}"
                                            for c, ids in customers.items() if len(ids) > 1))
        self.breach("different customers are one", (f"{c} is {sorted(map(str, them))}"
                                                    for c, them in components.items()
                                                    if len(them) > 1))


def is_system(key):
    return key[0].startswith(SYSTEM)


def key_of(source, event_id, moment):
    """By which an event is known; `moment` is a datetime."""
    return (source, event_id, moment) if source.startswith(SYSTEM) else (source, event_id)


def read_all(kafka, prefix):
    """(messages of all topics that begin so, in the order of each partition; {(topic, partition):
    (low, high)})"""
    ends = {(topic, partition): marks for topic in kafka.topics() if topic.startswith(prefix)
            for partition, marks in kafka.watermarks(topic).items()}
    found = []
    consumer = Consumer({"bootstrap.servers": kafka.brokers, "group.id": "faults-checker",
                         "enable.auto.commit": False, "enable.partition.eof": True,
                         "auto.offset.reset": "earliest", "log_level": 0})
    try:
        waiting = {part for part, (low, high) in ends.items() if high > low}
        consumer.assign([TopicPartition(*part, ends[part][0]) for part in waiting])
        while waiting:
            messages = consumer.consume(10000, 10)
            assert messages, f"Kafka does not tell all of its records: {waiting}"
            for message in messages:
                if message.error() is not None:
                    waiting.discard((message.topic(), message.partition()))  # its end
                else:
                    found.append(message)
    finally:
        consumer.close()
    return found, ends


def read_topics(kafka):
    """({(topic, partition, offset): (key of the event or None, value)}, {(topic, partition): (low,
    high)}) of all records of departments' topics and the system's own, and what this one says of
    handoffs: {handoff: {(kind, sequence)}}"""
    messages, ends = read_all(kafka, "events.")
    records, said = {}, collections.defaultdict(set)
    for message in messages:
        headers = {name: text.decode() for name, text in message.headers() or []}
        key = value = None
        if "ce_id" in headers and "throughline_reason" not in headers:
            key = key_of(headers["ce_source"], headers["ce_id"],
                         datetime.datetime.fromisoformat(headers["ce_time"]))
        else:
            value = message.value() or b""
        records[(message.topic(), message.partition(), message.offset())] = (key, value)
        kind = headers.get("ce_type", "").partition("throughline.handoff.")[2]
        if kind and message.topic() == "events.throughline":
            said[json.loads(message.value())["handoff"]].add((kind, int(headers["ce_sequence"])))
    return records, ends, said


def read_handoffs(kafka):
    """(department, webhook-id, handoff, kind, sequence) of each record for a receiver."""
    found = []
    for message in read_all(kafka, "handoffs.")[0]:
        headers = {name: text.decode() for name, text in message.headers()}
        found.append((message.topic().removeprefix("handoffs."), headers["ce_id"], message.key().decode(),
                      headers["ce_type"].removeprefix("throughline.handoff."),
                      int(headers.get("ce_sequence", 0))))
    return found
