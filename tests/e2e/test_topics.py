"""`throughline migrate` and the topics: made, checked, left alone, and what it says where it cannot."""
import json
import os
import time

import pytest
from confluent_kafka.admin import ConfigResource, NewPartitions, NewTopic

from support.events import event, person
from support.paths import RUNS
from support.stack import Stack
from support.wait import wait_for
from test_cli import failing

TOPICS = ["events.billing", "events.sales", "events.service", "events.throughline",
          "handoffs.billing", "handoffs.sales", "handoffs.service"]
WEEK = 7 * 86400 * 1000
PLAN = {"cleanup.policy": "delete", "retention.ms": str(WEEK), "max.message.bytes": "2097152"}


@pytest.fixture
def world(request, kafka, postgres):
    """No topics, an empty database."""
    stack = Stack(RUNS / f"topics-{request.node.name}".replace("[", "-").rstrip("]"), kafka, postgres.new_database())
    stack.env["TL_TOPIC_PARTITIONS"] = "3"
    yield stack
    stack.close()


def settings(kafka, topic):
    admin = kafka.admin()
    (future,) = admin.describe_configs([ConfigResource("topic", topic)]).values()
    return {name: entry.value for name, entry in future.result(20).items()}


def partitions(kafka, topic):
    return len(kafka.admin().list_topics(topic, timeout=20).topics[topic].partitions)


def make(kafka, name, partitions=3, **config):
    admin = kafka.admin()
    config = {**PLAN, **{key.replace("_", "."): value for key, value in config.items()}}
    (future,) = admin.create_topics([NewTopic(name, partitions, 1, config=config)]).values()
    future.result(20)
    wait_for(lambda: name in kafka.topics(), 20, f"{name} is there")


def migrate(stack, *arguments, status=0):
    found = json.loads(stack.run("migrate", "--json", *arguments, status=status))
    return {topic["topic"]: topic for topic in found["topics"]}


def test_makes_them_and_says_so(world, kafka):
    out = world.run("migrate")
    assert kafka.topics() == TOPICS
    for topic in TOPICS:
        assert f"topic {topic} made, 3 partitions\n" in out
        assert partitions(kafka, topic) == 3
        found = settings(kafka, topic)
        assert {name: found[name] for name in PLAN} == PLAN
    assert out.endswith("7 topics are as configured now\n")
    assert world.run("migrate").endswith("\n7 topics are as configured already\n")
    assert world.run("migrate", "--topics", "check").endswith("\n7 topics are as configured already\n")


def test_as_configured(world, kafka):
    world.env.update(TL_TOPIC_PARTITIONS="2", TL_TOPIC_RETENTION="30d", TL_TOPIC_REPLICATION="1",
                     TL_TOPIC_MIN_INSYNC="1")
    world.write_config("departments/shipping.json", {"events": {"shipping.parcel.sent": {}}})
    found = migrate(world)
    assert sorted(found) == sorted(TOPICS + ["events.shipping", "handoffs.shipping"])
    assert all(t["made"] and t["partitions"] == 2 and not t["differences"] for t in found.values())
    assert settings(kafka, "events.shipping")["retention.ms"] == str(30 * 86400 * 1000)
    world.write_config("departments/legal.json", {"events": {"legal.letter.sent": {}}})
    found = migrate(world)
    assert {t for t, of in found.items() if of["made"]} == {"events.legal", "handoffs.legal"}


def test_the_services_work_with_them(world, kafka):
    """Records of 2 MiB among them: a topic that the broker makes takes what server.properties says."""
    world.run("migrate")
    world.start("tl-sales", "tl-aggregator")
    assert world.post_event("sales", event("sales.deal.lost", {"customer": person("topics")})).status == 202
    world.wait_caught_up()
    assert partitions(kafka, "events.sales") == 3


def test_check_makes_none(world, kafka):
    found = migrate(world, "--topics", "check", status=1)
    assert kafka.topics() == []
    assert all(not t["exists"] and not t["made"] for t in found.values()) and sorted(found) == TOPICS
    out, _ = failing(world, "migrate", "--topics", "check")
    assert "ERROR topic events.sales is missing\n" in out
    assert (f"kafka-topics.sh --bootstrap-server {kafka.brokers} --create --topic events.sales --partitions 3"
            f" --config cleanup.policy=delete --config retention.ms={WEEK} --config max.message.bytes=2097152\n") in out
    assert "7 topics, 0 of them made now; 7 errors, 0 warnings" in out


def test_skip_asks_nobody(world, kafka):
    out = world.run("migrate", "--topics", "skip", env={"TL_BROKERS": "127.0.0.1:1"})
    assert "topic" not in out and kafka.topics() == []


# What differs is told with what mends it, and is never changed.

DIFFERENT = [
    ("events.sales", {"max_message_bytes": "1000000"}, "error", "max.message.bytes", "1000000", "at least 2097152",
     "--add-config max.message.bytes=2097152"),
    ("events.sales", {"retention_ms": "86400000"}, "error", "retention.ms", "86400000 (1d)",
     f"at least {WEEK} (7d)", f"--add-config retention.ms={WEEK}"),
    ("handoffs.sales", {"cleanup_policy": "compact,delete"}, "error", "cleanup.policy", "compact,delete", "delete",
     "--add-config cleanup.policy=delete"),
    ("events.sales", {"min_insync_replicas": "2"}, "error", "min.insync.replicas", "2", "at most 1, its replicas",
     "--add-config min.insync.replicas=1"),
    ("events.sales", {"retention_bytes": "1000000"}, "warning", "retention.bytes", "1000000", "-1, no bound",
     "--add-config retention.bytes=-1"),
    ("events.billing", {"partitions": 2}, "warning", "partitions", "2", "3",
     "kafka-topics.sh --bootstrap-server BROKERS --alter --topic events.billing --partitions 3"),
]


@pytest.mark.parametrize("topic, made, severity, setting, is_, should, mend", DIFFERENT,
                         ids=[row[3] for row in DIFFERENT])
def test_what_differs(world, kafka, topic, made, severity, setting, is_, should, mend):
    make(kafka, topic, **made)
    before = settings(kafka, topic)
    status = 1 if severity == "error" else 0
    found = migrate(world, status=status)
    (difference,) = found[topic]["differences"]
    assert {k: difference[k] for k in ("severity", "setting", "is", "should")} == {
        "severity": severity, "setting": setting, "is": is_, "should": should}
    assert mend.replace("BROKERS", kafka.brokers) in difference["mend"]
    assert kafka.topics() == TOPICS  # the others are made all the same
    assert not any(of["differences"] for name, of in found.items() if name != topic)
    assert settings(kafka, topic) == before
    out = world.run("migrate", "--topics", "check", status=status)
    word = "ERROR" if severity == "error" else "WARN "
    assert f"{word} topic {topic}: {setting} is {is_}, should be {should}: " in out
    assert difference["mend"] in out


def test_more_is_no_difference(world, kafka):
    make(kafka, "events.sales", 5, retention_ms="-1", max_message_bytes="9000000")
    found = migrate(world)["events.sales"]
    assert not found["made"] and found["partitions"] == 5 and found["differences"] == []


def test_what_was_told_mends_it(world, kafka):
    """More partitions, by the operator: then all is well, and it was not we who did it."""
    make(kafka, "events.sales", 1)
    assert migrate(world)["events.sales"]["differences"]
    admin = kafka.admin()
    (future,) = admin.create_partitions([NewPartitions("events.sales", 3)]).values()
    future.result(20)
    wait_for(lambda: migrate(world)["events.sales"]["differences"] == [], 20, "all is well")


def test_more_replicas_than_brokers(world, kafka):
    out, _ = failing(world, "migrate", TL_TOPIC_REPLICATION="3")
    assert "the database is at version" in out
    assert "ERROR topic events.sales is missing: " in out and "eplication factor" in out, out
    assert kafka.topics() == []
    world.run("migrate", "--topics", "skip")  # the database is as it should be


def test_several_at_once(world, kafka):
    """Each topic is there once, and nobody fails over it."""
    from concurrent.futures import ThreadPoolExecutor
    world.run("migrate", "--topics", "skip")
    with ThreadPoolExecutor(4) as pool:
        outputs = list(pool.map(lambda _: world.run("migrate"), range(4)))
    assert kafka.topics() == TOPICS
    for topic in TOPICS:
        assert sum(f"topic {topic} made" in out for out in outputs) <= 1


# Nobody answers.

def test_no_broker(world):
    began = time.monotonic()
    out, err = failing(world, "migrate", "--wait", "2s", TL_BROKERS="127.0.0.1:1")
    assert time.monotonic() - began < 30
    assert "the database is at version" in out
    (line,) = err.splitlines()
    assert "the database is migrated, but the topics were not all made and looked at: 127.0.0.1:1: " in line
    assert "Connection refused" in line and "within 2 s" in line and "--topics skip" in line
    out, err = failing(world, "migrate", "--json", "--topics=check", "--wait=1s", TL_BROKERS="127.0.0.1:1")
    assert json.loads(out)["version"] > 0 and "topics" not in json.loads(out)
    assert "the topics were not looked at" in err


def test_a_broker_that_comes_later(world, kafka, postgres):
    """Within --wait: the stack's parts start at the same time."""
    import threading
    with kafka.proxy() as proxy:
        proxy.refuse()
        timer = threading.Timer(2, proxy.normal)
        timer.start()
        out = world.run("migrate", "--wait", "60s", env={"TL_BROKERS": proxy.brokers})
        timer.join()
    assert out.endswith("7 topics are as configured now\n")
    assert kafka.topics() == TOPICS


def test_no_database(world, kafka):
    _, err = failing(world, "migrate", TL_DATABASE="postgresql://127.0.0.1:1/none")
    assert "cannot be reached" in err and kafka.topics() == []


@pytest.mark.parametrize("arguments, words", [
    (["--topics", "perhaps"], 'wants make, check or skip, not "perhaps"'),
    (["--wait", "long"], "--wait wants a time"),
])
def test_wrong_usage(world, arguments, words):
    _, err = failing(world, "migrate", *arguments, status=2)
    assert words in err


def test_a_wrong_setting(world):
    _, err = failing(world, "migrate", status=2, TL_TOPIC_RETENTION="5m")
    assert "TL_TOPIC_RETENTION" in err and os.path.isdir(world.config)
