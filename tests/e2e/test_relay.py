"""The relay: rows of the outbox reach Kafka, as CloudEvents, each once where nothing fails and at least once
where something does, in the order of their key; one aggregator at a time does it."""
import json
import signal
import threading
import time

import psycopg2
import pytest

from support import outbox
from support.kafka import headers
from support.wait import wait_for

LEASE = 2  # seconds


def settings(stack, **more):
    with open(f"{stack.config}/throughline.json", encoding="utf-8") as file:
        config = json.load(file)
    config.setdefault("tl-aggregator", {}).update(lease=f"{LEASE}s", writers=1, **more)
    stack.write_config("throughline.json", config)


@pytest.fixture(scope="module")
def relayed(bare_stack):
    settings(bare_stack)
    return bare_stack.start("tl-aggregator")


def wait_empty(stack, seconds=60):
    wait_for(lambda: outbox.waiting(stack) == 0, seconds,
             lambda: f"the outbox is empty, {outbox.waiting(stack)} rows wait")


def test_a_row_becomes_a_cloudevent(relayed):
    stack = relayed
    outbox.put(stack, [("handoffs.billing", "h-1", 7)], "throughline.handoff.opened")
    record, = stack.kafka.records("handoffs.billing", 1)
    assert record.key() == b"h-1"
    assert headers(record) == {
        "ce_specversion": "1.0", "ce_id": "h-1/7", "ce_source": "/throughline",
        "ce_type": "throughline.handoff.opened", "ce_time": "2026-01-08T10:12:07.500000Z",
        "content-type": "application/json", "ce_customer": "email=ann%40acme.example", "ce_sequence": "7"}
    assert json.loads(record.value())["handoff"] == "h-1"
    wait_empty(stack)


def test_what_the_system_says_reaches_the_timeline(relayed):
    stack = relayed
    outbox.put(stack, [("events.throughline", "email=ann%40acme.example", 3)], "throughline.handoff.overdue")
    rows = wait_for(lambda: stack.query("SELECT * FROM throughline.timeline WHERE department = 'throughline'"), 30,
                    "it is on the timeline")
    assert len(rows) == 1
    assert rows[0]["type"] == "throughline.handoff.overdue"
    assert rows[0]["summary"] == "Handoff to billing overdue: Call"
    assert rows[0]["source"] == "/throughline"
    customer, = stack.query("SELECT last_touch FROM throughline.customers WHERE customer_id = %s",
                            (rows[0]["customer_id"],))
    assert customer["last_touch"] is None


@pytest.mark.parametrize("topic,kind", [
    ("events.throughline", "sales.deal.won"), ("events.throughline", "throughline.handoff.accept"),
    ("events.throughline", "throughline.something.else"), ("events.sales", "throughline.handoff.overdue"),
    ("events.sales", "throughline.customer.stale")])
def test_who_says_what_is_anothers_is_quarantined(relayed, topic, kind):
    stack = relayed
    before = stack.query("SELECT coalesce(max(quarantine_id), 0) AS id FROM store.quarantine")[0]["id"]
    outbox.put(stack, [(topic, "email=ann%40acme.example", 4)], kind)
    row, = wait_for(lambda: stack.query("SELECT reason, detail FROM store.quarantine WHERE quarantine_id > %s",
                                        (before,)), 30, "it is in quarantine")
    assert row["reason"] == "inadmissible" and row["detail"].startswith("/type")


def test_rows_arrive_once_and_in_order(relayed):
    stack = relayed
    rows = [("handoffs.sales", f"k{n % 40}", n // 40) for n in range(2000)]
    outbox.put(stack, rows)
    wait_empty(stack)
    found = outbox.found(stack, "handoffs.sales")
    assert len(found) == len(rows)
    for key, sequences in outbox.first_seen(found).items():
        assert sequences == list(range(50)), key


def test_a_row_below_what_was_read_is_found(relayed):
    """Ids are drawn before their rows are committed."""
    stack = relayed
    stack.query("INSERT INTO store.outbox (outbox_id, topic, key, type, event_id, occurred_at, sequence, data)"
                " OVERRIDING SYSTEM VALUE VALUES (-5, 'handoffs.service', 'late', 'throughline.handoff.updated',"
                " 'late/1', now(), 1, '{}') RETURNING 1 AS one")
    wait_empty(stack)
    assert ("late", 1) in outbox.found(stack, "handoffs.service")


def test_a_topic_that_kafka_refuses_delays_no_other(relayed):
    stack = relayed
    outbox.put(stack, [("no topic's name", f"n{n}", 1) for n in range(1200)])
    outbox.put(stack, [("handoffs.service", f"m{n}", 1) for n in range(100)])
    wait_for(lambda: stack.query("SELECT 1 AS one FROM store.outbox WHERE topic = 'handoffs.service'") == [], 30,
             "the other topic's rows are published")
    assert outbox.waiting(stack) == 1200
    stack.query("DELETE FROM store.outbox RETURNING 1 AS one")


def holder(stack, lease="relay"):
    row, = stack.query("SELECT backend_pid, until > clock_timestamp() AS valid FROM store.leases WHERE name = %s",
                       (lease,))
    return row["backend_pid"] if row["valid"] else None


def test_who_gives_the_lease_back_is_succeeded_at_once(relayed):
    stack = relayed
    first = wait_for(lambda: holder(stack), 20, "somebody holds the lease")
    stack.start("tl-aggregator#2")
    assert holder(stack) == first
    stack.stop("tl-aggregator")
    wait_for(lambda: holder(stack) not in (None, first), 10, "the other aggregator relays")
    outbox.put(stack, [("handoffs.billing", "h-2", 1)])
    wait_empty(stack)
    stack.start("tl-aggregator")
    stack.stop("tl-aggregator#2")


def test_a_frozen_holder_is_ended_and_says_nothing_again(relayed):
    stack = relayed
    first = wait_for(lambda: holder(stack), 20, "somebody holds the lease")
    old = stack.programs["tl-aggregator"]
    before = len(outbox.found(stack, "handoffs.billing"))
    old.signal(signal.SIGSTOP)
    try:
        stack.start("tl-aggregator#2", ready=False)
        outbox.put(stack, [("handoffs.billing", f"f{n}", 1) for n in range(300)])
        wait_empty(stack, 30 + LEASE)
        assert holder(stack) != first
        assert stack.query("SELECT 1 AS one FROM pg_stat_activity WHERE pid = %s AND application_name LIKE '%%relay'",
                           (first,)) == []
    finally:
        old.signal(signal.SIGCONT)
    outbox.put(stack, [("handoffs.billing", f"g{n}", 1) for n in range(300)])
    wait_empty(stack)
    stack.wait_ready("tl-aggregator", 60)
    assert len(outbox.found(stack, "handoffs.billing")) == before + 600
    stack.stop("tl-aggregator#2")


def test_a_missing_topic_of_the_system_stops_no_other(relayed):
    """Where brokers make no topics by themselves: see test_broker_trouble for what is said of it."""
    stack = relayed
    admin = stack.kafka.admin()
    admin.delete_topics(["events.throughline"])["events.throughline"].result(20)
    outbox.put(stack, [("handoffs.billing", "h-9", 1)])
    wait_for(lambda: not stack.query("SELECT 1 AS one FROM store.outbox WHERE key = 'h-9'"), 30, "the others go on")
    outbox.put(stack, [("events.throughline", "email=eve%40acme.example", 9)], "throughline.handoff.updated")
    wait_empty(stack)
    stack.stop("tl-aggregator")


KEYS, ROUNDS = 20, 120


def put_rounds(stack, done):
    """A row of each key to a department and to the timeline, round after round, whatever is away."""
    for sequence in range(ROUNDS):
        rows = [(topic, f"kill-{key}", sequence) for key in range(KEYS) for topic in ("handoffs.sales", "events.throughline")]

        def placed(rows=rows):
            try:
                return outbox.put(stack, rows)
            except psycopg2.Error:
                return None
        wait_for(placed, 60, "the database takes rows", step=0.05)
        time.sleep(0.05)  # so that they come while things are killed
    done.append(True)


def test_nothing_is_missing_or_out_of_order_whatever_is_killed(bare_stack, postgres):
    stack, kafka = bare_stack, bare_stack.kafka
    stack.start("tl-aggregator", "tl-aggregator#2")
    done, killed = [], 0
    putting = threading.Thread(target=put_rounds, args=(stack, done))
    putting.start()

    def kill_an_aggregator():
        name = f"tl-aggregator{'#2' if killed % 2 else ''}"
        stack.kill(name)
        stack.start(name, ready=False)

    def kill_kafka():
        kafka.kill()
        kafka.start()

    for kill in (kill_an_aggregator, kill_kafka, kill_an_aggregator, lambda: postgres.restart("immediate"), kill_kafka,
                 kill_an_aggregator, lambda: postgres.restart("immediate"), kill_an_aggregator):
        kill()
        killed += 1
        time.sleep(0.5)  # something goes through in between
    putting.join(120)
    assert done
    wait_empty(stack, 120)
    for topic in ("handoffs.sales", "events.throughline"):
        found = [pair for pair in outbox.found(stack, topic) if pair[0].startswith("kill-")]
        order = outbox.first_seen(found)
        print(f"\n{topic}: {KEYS * ROUNDS} rows, {len(found)} records, {killed} kills")
        assert len(order) == KEYS
        for key, sequences in order.items():
            assert sequences == list(range(ROUNDS)), (topic, key)
    for message in kafka.records("handoffs.sales", kafka.count("handoffs.sales")):
        told = headers(message)
        if message.key().startswith(b"kill-"):
            assert told["ce_id"] == f"{message.key().decode()}/{told['ce_sequence']}"
