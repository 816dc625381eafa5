"""Fence, take-over and stops: a predecessor that holds on, a generation that has moved on, an offset
that Kafka does not have, a quarantine that is full."""
import hashlib
import json

import psycopg2
import pytest

from support.events import event, person
from support.wait import wait_for

BEYOND = 1000000  # an offset that no topic of these tests reaches
LIMIT = 2  # records in quarantine


@pytest.fixture(scope="module")
def held(bare_stack):
    """The aggregator starts only once the tests have prepared its rows."""
    with open(f"{bare_stack.config}/throughline.json", encoding="utf-8") as file:
        settings = json.load(file)
    settings.setdefault("tl-aggregator", {}).update(
        lock_timeout="300ms", quarantine_limit=LIMIT, writers=1)
    bare_stack.write_config("throughline.json", settings)
    return bare_stack.start("tl-sales", "tl-billing", "tl-service")


def deal(stack, **more):
    one = event("sales.deal.won", {"customer": person("held"), "amount": 1, "currency": "EUR"}, **more)
    return one if stack.post_event("sales", one).status == 202 else pytest.fail("not accepted")


def stored(stack, *events):
    return len(stack.query("SELECT 1 AS one FROM store.events WHERE event_id = ANY(%s)",
                           ([e["id"] for e in events],)))


def wait_stored(stack, *events):
    wait_for(lambda: stored(stack, *events) == len(events), 30,
             lambda: f"{stored(stack, *events)} of {len(events)} events are on the timeline")


def offsets(stack, topic):
    return {row["partition"]: row for row in stack.query(
        "SELECT partition, generation, next_offset, backend_pid FROM store.consumer_offsets"
        " WHERE topic = %s", (topic,))}


def metric(stack, name):
    lines = stack.request("tl-aggregator", "GET", "/metrics").body.decode().splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith(name))


def test_a_predecessor_that_holds_on_is_ended(held):
    """A session in the middle of a batch whose client does not go on, as when it is frozen."""
    stack, one = held, deal(held)
    frozen = psycopg2.connect(stack.database)
    cursor = frozen.cursor()
    for partition in stack.kafka.watermarks("events.sales"):
        cursor.execute("SELECT store.take_over('events.sales', %s, 0, 1000)", (partition,))
    frozen.commit()
    cursor.execute("UPDATE store.consumer_offsets SET next_offset = next_offset + 1")
    stack.start("tl-aggregator")
    wait_stored(stack, one)
    with pytest.raises(psycopg2.Error):
        frozen.commit()
    assert {row["generation"] for row in offsets(stack, "events.sales").values()} == {2}


def test_who_has_lost_the_generation_begins_anew(held):
    stack = held
    stack.query("UPDATE store.consumer_offsets SET generation = generation + 1 RETURNING 1 AS one")
    before = offsets(stack, "events.sales")
    events = [deal(stack) for _ in range(5)]
    wait_stored(stack, *events)
    stack.wait_caught_up()
    after = offsets(stack, "events.sales")
    assert all(after[p]["generation"] > before[p]["generation"] for p in before)
    assert stack.query("SELECT * FROM throughline.reconciliation WHERE difference <> 0") == []


def test_another_event_under_the_same_key_goes_to_quarantine(held):
    """What is on the timeline under its key is not the event that comes: not a duplicate."""
    stack = held
    one = event("sales.deal.won", {"customer": person("held"), "amount": 1, "currency": "EUR"},
                time="2026-05-05T00:00:00Z")
    parts = [part.encode() for part in (one["source"], one["id"])]
    uid = hashlib.sha256(b"".join(len(p).to_bytes(4, "big") + p for p in parts)).hexdigest()[:32]
    stack.query("SELECT store.make_month(%s) AS made", (one["time"],))
    stack.query("INSERT INTO store.events (occurred_at, event_uid, identity_id, department, type, source,"
                " event_id, topic, partition, kafka_offset)"
                " VALUES (%s, %s, 1, 'sales', 'x', '/other', 'other', 'elsewhere', 0, 0)"
                " RETURNING 1 AS one", (one["time"], uid))
    beside = deal(stack)
    assert stack.post_event("sales", [one, beside]).status == 202
    stack.wait_caught_up()
    waiting, = stack.query("SELECT quarantine_id, reason, state FROM store.quarantine")
    assert waiting["reason"] == "uid-collision" and stored(stack, one) == 0
    assert stored(stack, beside) == 1
    assert stack.query("SELECT * FROM throughline.reconciliation WHERE difference <> 0"
                       " AND topic <> 'elsewhere'") == []
    told = stack.run("quarantine", "replay", str(waiting["quarantine_id"]), status=1)
    assert "has the same event_uid" in told
    stack.run("quarantine", "discard", str(waiting["quarantine_id"]), "--note", "a test")
    stack.query("DELETE FROM store.events WHERE topic = 'elsewhere' RETURNING 1 AS one")


def test_a_full_quarantine_holds_its_partition_until_there_is_room(held):
    stack = held
    for _ in range(LIMIT):
        stack.kafka.produce("events.sales", b"no event", key=b"k")
    stack.wait_caught_up()
    stack.kafka.produce("events.sales", b"no event", key=b"k")
    wait_for(lambda: b"room in quarantine" in stack.request("tl-aggregator", "GET", "/readyz").body, 20,
             "the aggregator waits for room")
    later = deal(stack)
    waiting = stack.query("SELECT quarantine_id FROM store.quarantine WHERE state = 'waiting'")
    assert len(waiting) <= LIMIT
    for row in waiting:
        stack.run("quarantine", "discard", str(row["quarantine_id"]), "--note", "a test")
    wait_stored(stack, later)
    stack.wait_caught_up()
    assert stack.query("SELECT * FROM throughline.reconciliation WHERE difference <> 0") == []


def test_records_that_kafka_lacks_stop_their_partition_alone(held):
    stack = held
    lost, sound = 0, 1
    stack.stop("tl-aggregator")
    stack.query("UPDATE store.consumer_offsets SET next_offset = next_offset + %s, first_offset ="
                " first_offset + %s WHERE topic = 'events.sales' AND partition = %s RETURNING 1 AS one",
                (BEYOND, BEYOND, lost))
    stack.start("tl-aggregator")
    wait_for(lambda: metric(stack, "throughline_aggregator_partitions_stopped") == 1, 20,
             "one partition is stopped")
    one = event("sales.deal.won", {"customer": person("sound"), "amount": 1, "currency": "EUR"})
    stack.kafka.produce("events.sales", json.dumps(one), partition=sound,
                        headers={"content-type": "application/cloudevents+json"})
    wait_stored(stack, one)
    assert offsets(stack, "events.sales")[lost]["next_offset"] >= BEYOND
    stack.stop("tl-aggregator")
