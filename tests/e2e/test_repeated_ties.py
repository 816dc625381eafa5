"""An event that is sent again naming another customer is a duplicate, and ties nobody: what it names
counts only where the event is put on the timeline; also between two writers at the same moment."""
import json

import psycopg2
import pytest
from confluent_kafka import Producer

from support.events import event, event_uid
from support.wait import wait_for

HEADERS = {"content-type": "application/cloudevents+json"}


def tell(stack, *tellings):
    """Each is (name, customer, partition): the same event each time that `name` is told, but for
    its customer."""
    producer = Producer({"bootstrap.servers": stack.kafka.brokers, "log_level": 0})
    for name, customer, partition in tellings:
        one = dict(event("sales.deal.lost", {"customer": customer}, source="/tests/ties"), id=name)
        producer.produce("events.sales", json.dumps(one), None, partition, headers=HEADERS)
    assert producer.flush(30) == 0


def telling(stack, name, customer, partition=0):
    tell(stack, (name, customer, partition))


def customers(stack, *emails):
    return [row["customer_id"] for row in stack.query(
        "SELECT i.customer_id FROM store.identities i WHERE i.value = ANY(%s) ORDER BY i.value", (list(emails),))]


def known(stack, value):
    return bool(stack.query("SELECT 1 AS one FROM store.identities WHERE value = %s", (value,)))


def attached(stack, value):
    return bool(stack.query("SELECT 1 AS one FROM store.attached_identities WHERE value = %s", (value,)))


def settled(stack):
    stack.wait_caught_up(60)
    wrong = stack.query("SELECT * FROM throughline.reconciliation WHERE difference <> 0")
    assert wrong == []


@pytest.fixture(scope="module")
def two(bare_stack):
    stack = bare_stack
    for n in range(4):
        telling(stack, f"warm {n}", {"email": f"warm{n}@ties.example"}, n)
    for topic in ("events.billing", "events.service", "events.throughline"):  # none is made later, rebalanced for
        stack.kafka.produce(topic, b"{}", partition=0)
    stack.start("tl-aggregator", "tl-aggregator#2")
    stack.wait_caught_up(60)
    wait_for(lambda: len(stack.query("SELECT DISTINCT backend_pid FROM store.consumer_offsets"
                                     " WHERE backend_pid IS NOT NULL")) > 1, 30, "partitions are shared out")
    return stack


def test_a_repeat_in_a_later_batch_ties_nobody(two):
    telling(two, "later", {"email": "a@later.example"})
    telling(two, "later b", {"email": "b@later.example"})
    settled(two)
    telling(two, "later", {"email": ["a@later.example", "b@later.example", "new@later.example"],
                           "phone": "+49305551"})
    settled(two)
    a, b = customers(two, "a@later.example", "b@later.example")
    assert a != b and not known(two, "new@later.example") and not attached(two, "+49305551")
    telling(two, "later 3", {"email": "new@later.example", "phone": "+49305551"})  # nothing was remembered wrong
    settled(two)
    assert len(customers(two, "new@later.example")) == 1 and attached(two, "+49305551")


def test_a_repeat_in_the_same_batch_ties_nobody(two):
    """All are in Kafka before an aggregator reads any, in an order in which the repeats come last."""
    two.stop("tl-aggregator", "tl-aggregator#2")
    for n in range(20):
        telling(two, f"same {n}", {"email": f"a{n}@same.example"})
        telling(two, f"same b {n}", {"email": f"b{n}@same.example"})
        telling(two, f"same {n}", {"email": [f"a{n}@same.example", f"b{n}@same.example", f"c{n}@same.example"],
                                   "phone": f"+4930555{n:03}"})
    two.start("tl-aggregator", "tl-aggregator#2")
    settled(two)
    for n in range(20):
        a, b = customers(two, f"a{n}@same.example", f"b{n}@same.example")
        assert a != b and not known(two, f"c{n}@same.example") and not attached(two, f"+4930555{n:03}")


def test_whoever_of_two_writers_is_first_ties_alone(two):
    """The same events on partitions of both aggregators, each telling another second identity: for
    each, one of the two is known, the other is not, and nobody is tied to both."""
    two.stop("tl-aggregator", "tl-aggregator#2")
    count = 300
    for partition in range(4):
        order = range(count) if partition % 2 else reversed(range(count))
        tell(two, *((f"race {n}", {"email": [f"r{n}@race.example", f"r{n}-{partition}@race.example"]}, partition)
                    for n in order))
    two.start("tl-aggregator", "tl-aggregator#2")
    settled(two)
    rows = two.query("SELECT event_id, partition FROM store.events WHERE event_id LIKE 'race %%'")
    assert len(rows) == count
    for row in rows:
        n = row["event_id"].split()[1]
        found = two.query("SELECT value, customer_id FROM store.identities WHERE value LIKE %s ORDER BY value",
                          (f"r{n}-%@race.example",))
        assert [one["value"] for one in found] == [f"r{n}-{row['partition']}@race.example"], row
        assert customers(two, f"r{n}@race.example") == [found[0]["customer_id"]]


@pytest.mark.parametrize("way", ["fast", "careful"])
def test_an_event_put_in_meanwhile_is_a_repeat(two, way):
    """Another transaction has put it in, and commits only when the writer stands behind it."""
    name = f"meanwhile {way}"
    telling(two, name + " a", {"email": f"a{way}@mean.example"})
    telling(two, name + " b", {"email": f"b{way}@mean.example"})
    settled(two)
    if way == "careful":  # a repeat makes the writer take care for a while
        telling(two, name + " a", {"email": f"a{way}@mean.example"})
        settled(two)
    with psycopg2.connect(two.database) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO store.events (occurred_at, event_uid, identity_id, department, type, source,"
                       " event_id, topic, partition, kafka_offset)"
                       " SELECT %s, %s, identity_id, 'sales', 'sales.deal.lost', '/tests/ties', %s, topic, 9, 0"
                       " FROM store.events WHERE event_id = %s",
                       ("2026-01-08T10:12:07Z", event_uid("/tests/ties", name), name, name + " a"))
        telling(two, name, {"email": [f"a{way}@mean.example", f"b{way}@mean.example"]})
        wait_for(lambda: two.query("SELECT 1 AS one FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                   " AND application_name LIKE 'tl-aggregator writer %'"
                                   " AND datname = current_database()"), 30, "the writer waits for the other")
    connection.close()
    two.wait_caught_up(60)
    a, b = customers(two, f"a{way}@mean.example", f"b{way}@mean.example")
    assert a != b
    two.query("DELETE FROM store.events WHERE partition = 9")
    settled(two)
    log = two.programs["tl-aggregator"].tail(2000) + two.programs["tl-aggregator#2"].tail(2000)
    assert ("was put on the timeline meanwhile" in log) or way == "fast"
