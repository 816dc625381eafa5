"""Records written past every intake: each has exactly the outcome that hostile_records.py tells,
none stops or spoils what comes after it, and the books balance."""
import json
import time

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

import hostile_records as hostile
from support import sanitizer
from support.events import event, person
from support.kafka import Kafka
from support.paths import RUNS
from support.records import RawProducer
from support.stack import Stack
from support.wait import wait_for

BATCH_BYTES, FETCH_BYTES = hostile.MIB, 256 * 1024
MEMORY_LIMIT = 512 * hostile.MIB  # resident at most: several copies of the largest record

# The cleaner of compacted topics is in a hurry.
KAFKA = "log.cleaner.backoff.ms=100\nlog.cleaner.min.cleanable.ratio=0.01\ntransaction.max.timeout.ms=60000\n"
TOPICS = {
    "events.sales": (1, {"max.message.bytes": str(64 * hostile.MIB)}),
    "events.billing": (1, {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "segment.ms": "200",
                           "max.message.bytes": str(64 * hostile.MIB)}),
    "events.service": (2, {"message.timestamp.type": "LogAppendTime"}),
    "events.throughline": (1, {}),  # none is to be made later, and rebalanced for
}


@pytest.fixture(scope="module")
def own_kafka():
    server = Kafka(RUNS / "hostile-kafka", settings=KAFKA, heap="1g")
    server.start()
    admin = server.admin()
    topics = [NewTopic(name, partitions, 1, config=config) for name, (partitions, config) in TOPICS.items()]
    for future in admin.create_topics(topics, operation_timeout=20).values():
        future.result(30)
    yield server
    server.remove()


@pytest.fixture(scope="module")
def stack(request, own_kafka, postgres):
    class Keeping(Stack):
        """The topics are the fixture's."""
    keep, own_kafka.forget_topics = own_kafka.forget_topics, lambda: None
    one = Keeping(RUNS / "hostile_records", own_kafka, postgres.new_database())
    own_kafka.forget_topics = keep
    one.run("migrate", "--topics", "skip")
    one.start("tl-aggregator", env={"TL_BATCH_BYTES": str(BATCH_BYTES), "TL_FETCH_BYTES": str(FETCH_BYTES)})
    yield one
    one.close()


def good(name, department="sales", kind="sales.deal.lost"):
    one = event(kind, {"customer": person("good")}, source="/tests/good")
    return dict(one, id=f"good after {name}", type=kind)


def good_record(one):
    return json.dumps(one).encode(), [hostile.STRUCTURED]


@pytest.fixture(scope="module")
def produced(stack):
    """Each case, and a good event behind it, on one partition: {name: offset}."""
    producer, offset, found = RawProducer(stack.kafka.brokers), 0, {}
    for case in hostile.CASES:
        producer.produce("events.sales", 0, case.value, case.key, case.headers)
        value, headers = good_record(good(case.name))
        producer.produce("events.sales", 0, value, b"good", headers)
        producer.flush()
        found[case.name] = offset
        offset += 2
    producer.close()
    assert len(found) == len(hostile.CASES), "two cases of one name"
    assert stack.kafka.watermarks("events.sales") == {0: (0, offset)}
    stack.wait_caught_up(120)
    return found


def timeline_at(stack, topic, partition, offset):
    return stack.query("SELECT * FROM store.events WHERE topic = %s AND partition = %s AND kafka_offset = %s",
                       (topic, partition, offset))


def quarantine_at(stack, topic, partition, offset):
    return stack.query("SELECT * FROM store.quarantine WHERE topic = %s AND partition = %s AND kafka_offset = %s",
                       (topic, partition, offset))


def as_bytes(column):
    return None if column is None else bytes(column)


@pytest.mark.parametrize("case", hostile.CASES, ids=lambda case: case.name)
def test_each_has_its_outcome(stack, produced, case):
    offset = produced[case.name]
    rows = timeline_at(stack, "events.sales", 0, offset)
    waiting = quarantine_at(stack, "events.sales", 0, offset)
    assert timeline_at(stack, "events.sales", 0, offset + 1)[0]["event_id"] == f"good after {case.name}"
    if isinstance(case.expect, hostile.Repeats):
        assert (rows, waiting) == ([], [])
    elif isinstance(case.expect, hostile.Lands):
        assert waiting == []
        (row,) = rows
        for column, value in case.expect.values.items():
            found = str(row[column]) if column == "amount" else row[column]
            assert found == value, column
    else:
        assert rows == []
        (row,) = waiting
        assert (row["reason"], row["detail"], row["state"]) == (case.expect.reason, case.expect.detail, "waiting")
        assert as_bytes(row["key"]) == case.key and as_bytes(row["value"]) == case.value
        assert [as_bytes(piece) for piece in row["headers"]] == [piece for pair in case.headers for piece in pair]


def test_the_bytes_and_the_memory_are_bounded(stack, produced):
    """Records of many times batch_bytes and fetch_bytes have been read."""
    sanitizer.skip_memory()
    with open(f"/proc/{stack.programs['tl-aggregator'].pid}/status", encoding="ascii") as status:
        most = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    assert most < MEMORY_LIMIT, most


def clients(stack, **settings):
    return Producer({"bootstrap.servers": stack.kafka.brokers, "log_level": 0, "linger.ms": 0, **settings})


def send(producer, topic, partition, names, kind, **more):
    """Events by that producer; returns them."""
    sent = [good(name, kind=kind) for name in names]
    for one in sent:
        value, headers = good_record(one)
        producer.produce(topic, value, one["id"], partition, headers=[(n.decode(), v) for n, v in headers], **more)
    return sent


def landed(stack, events):
    ids = [one["id"] for one in events]
    return [row["event_id"] for row in stack.query(
        "SELECT event_id FROM store.events WHERE event_id = ANY(%s) ORDER BY kafka_offset", (ids,))]


def books(stack, topic, partition=0):
    row, = stack.query("SELECT records, on_timeline, duplicates, quarantined, void, difference"
                       " FROM throughline.reconciliation WHERE topic = %s AND partition = %s", (topic, partition))
    return row


def test_records_of_transactions(stack):
    """What was aborted does not appear, nor the markers: void; what is open is waited for."""
    kind = "service.ticket.closed"
    first = clients(stack, **{"transactional.id": "first"})
    first.init_transactions(30)
    first.begin_transaction()
    kept = send(first, "events.service", 0, ["committed 1", "committed 2"], kind)
    first.commit_transaction(30)
    first.begin_transaction()
    gone = send(first, "events.service", 0, ["aborted 1", "aborted 2"], kind)
    assert first.flush(30) == 0
    first.abort_transaction(30)
    wait_for(lambda: landed(stack, kept) == [one["id"] for one in kept], 30, "what was committed is there")

    first.begin_transaction()
    open_ones = send(first, "events.service", 0, ["open"], kind)
    assert first.flush(30) == 0

    other = clients(stack)
    behind = send(other, "events.service", 0, ["behind the open one"], kind)
    beside = send(other, "events.service", 1, ["beside the open one"], kind)
    assert other.flush(30) == 0
    wait_for(lambda: landed(stack, beside), 30, "another partition goes on")
    assert landed(stack, behind + open_ones) == []  # read_committed: nothing passes an open transaction
    first.abort_transaction(30)
    wait_for(lambda: landed(stack, behind), 30, "what stood behind the open transaction")
    stack.wait_caught_up(30)
    assert landed(stack, gone + open_ones) == []
    assert books(stack, "events.service") == {"records": 9, "on_timeline": 3, "duplicates": 0, "quarantined": 0,
                                              "void": 6, "difference": 0}  # 3 aborted, 3 markers


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_every_codec(stack, produced, codec):
    producer = clients(stack, **{"compression.type": codec, "linger.ms": 50})
    sent = send(producer, "events.sales", 0, [f"{codec} {n}" for n in range(20)], "sales.deal.lost")
    large = dict(good(f"{codec} large"), data={"customer": person("codec"), "text": "text" * 3 * hostile.MIB})
    value, headers = good_record(large)
    big = clients(stack, **{"compression.type": codec, "message.max.bytes": 64 * hostile.MIB})
    big.produce("events.sales", value, "k", 0, headers=[(n.decode(), v) for n, v in headers])
    assert big.flush(60) == 0
    assert producer.flush(30) == 0
    stack.wait_caught_up(60)
    assert sorted(landed(stack, sent + [large])) == sorted(one["id"] for one in sent + [large])


def test_odd_timestamps_of_records(stack, produced):
    """The time of the record is nobody's business: of 1970, or the broker's own."""
    producer = clients(stack)
    sent = send(producer, "events.sales", 0, ["a timestamp of 1970"], "sales.deal.lost", timestamp=1)
    sent += send(producer, "events.service", 1, ["a timestamp of the broker's"], "service.ticket.closed", timestamp=1)
    assert producer.flush(30) == 0
    stack.wait_caught_up(30)
    assert {str(row["occurred_at"]) for row in stack.query(
        "SELECT occurred_at FROM store.events WHERE event_id = ANY(%s)", ([one["id"] for one in sent],))} == {
            "2026-01-08 10:12:07+00:00"}


def test_gaps_of_compaction(stack):
    """What compaction took away before it was read is void; a tombstone of it is no event."""
    stack.stop("tl-aggregator")
    producer = clients(stack)
    kept, offsets = [], []

    def note(error, message):
        assert error is None, error
        offsets.append(message.offset())
    for number in range(60):
        one = good(f"compacted {number}", kind="billing.reminder.sent")
        value, headers = good_record(one)
        producer.produce("events.billing", value, f"key {number % 3}", 0,
                         headers=[(n.decode(), v) for n, v in headers], on_delivery=note)
        assert producer.flush(30) == 0
        kept.append(one)
        if number % 20 == 19:
            time.sleep(0.3)  # the segment is rolled by its age, at the next record
    last = send(producer, "events.billing", 0, ["the last one"], "billing.reminder.sent")
    assert producer.flush(30) == 0

    def compacted():
        return len(read_all(stack, "events.billing")) < 61
    wait_for(compacted, 60, "the cleaner has been here", step=0.1)
    stack.start("tl-aggregator", env={"TL_BATCH_BYTES": str(BATCH_BYTES)})
    stack.wait_caught_up(30)
    found = books(stack, "events.billing")
    there = len(read_all(stack, "events.billing"))
    stored = landed(stack, kept + last)
    assert last[0]["id"] in stored and found["on_timeline"] == len(stored) >= there
    assert (found["records"], found["difference"]) == (61, 0) and found["void"] == 61 - len(stored) > 0


def read_all(stack, topic):
    """What a consumer sees of partition 0."""
    consumer = stack.kafka._consumer()  # pylint: disable=protected-access
    from confluent_kafka import TopicPartition  # pylint: disable=import-outside-toplevel
    found = []
    try:
        (_, high) = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
        consumer.assign([TopicPartition(topic, 0, 0)])
        while not found or found[-1].offset() < high - 1:
            message = consumer.poll(10)
            assert message is not None and message.error() is None
            found.append(message)
    finally:
        consumer.close()
    return found


def test_another_event_of_the_same_uid(stack, produced):
    """No two are known to have one; the row that is there is given another id instead."""
    first = good("the uid's first")
    producer = RawProducer(stack.kafka.brokers)
    _, high = stack.kafka.watermarks("events.sales")[0]
    value, headers = good_record(first)
    producer.produce("events.sales", 0, value, b"k", headers)
    producer.flush()
    stack.wait_caught_up()
    stack.query("UPDATE store.events SET event_id = 'another' WHERE event_id = %s", (first["id"],))
    producer.produce("events.sales", 0, value, b"k", headers)
    producer.close()
    stack.wait_caught_up()
    (row,) = quarantine_at(stack, "events.sales", 0, high + 1)
    assert (row["reason"], as_bytes(row["value"])) == ("uid-collision", value)
    assert row["detail"] == "another event of the same moment has the same event_uid"
    stack.query("UPDATE store.events SET event_id = %s WHERE event_id = 'another'", (first["id"],))


def test_the_books_balance_and_nothing_began_anew(stack, produced):
    answer = json.loads(stack.run("reconcile", "--json", "--wait", "30s"))
    assert answer["balanced"], answer
    found = books(stack, "events.sales")
    expected = [type(case.expect) for case in hostile.CASES]
    assert found["duplicates"] == expected.count(hostile.Repeats)
    assert found["quarantined"] == expected.count(hostile.Waits) + 1  # the uid's
    assert found["void"] == 0
    with open(stack.programs["tl-aggregator"].log, encoding="utf-8") as log:
        text = log.read()
    assert "begins anew" not in text and "no more memory" not in text
    assert text.count("Partitions were revoked") <= 2 * 2  # at its two ends
