"""`throughline status`: whatever is wrong stands on top, and the exit status says so."""
import json
import re

import pytest
from confluent_kafka.admin import ConfigResource

from support.events import event, person
from support.wait import wait_for
from test_cli import failing

SERVICES = ("tl-sales", "tl-billing", "tl-service", "tl-aggregator")


@pytest.fixture(scope="module")
def well(bare_stack):
    """All is well; the command line is told where the services are."""
    stack = bare_stack
    stack.run("migrate")
    stack.env["TL_QUARANTINE_LIMIT"] = "10"
    stack.start(*SERVICES)
    stack.env["TL_SERVICES"] = ",".join(f"{name}=127.0.0.1:{stack.ports[name]}" for name in SERVICES)
    put(stack)
    stack.wait_caught_up()
    return stack


def put(stack, department="sales", count=1):
    for _ in range(count):
        one = event(f"{department}.customer.linked", {"customer": person("status")})
        assert stack.post_event(department, one).status == 202


def wrong(stack, *arguments, **env):
    """{part: text} of what is wrong, and that it stands on top, of both forms."""
    out, _ = failing(stack, "status", *arguments, **env)
    top, _, rest = out.partition("\n\n")
    assert top and all(line.startswith("WRONG ") for line in top.splitlines()), out
    assert "WRONG" not in rest and "  ok " in rest, out
    found = json.loads(failing(stack, "status", "--json", *arguments, **env)[0])
    oks = [part["ok"] for part in found["parts"]]
    assert not found["ok"] and oks == sorted(oks)
    parts = {part["name"]: part["text"] for part in found["parts"] if not part["ok"]}
    assert [line.split()[1] for line in top.splitlines()] == list(parts)
    return parts


def test_all_is_well(well):
    wait_for(lambda: json.loads(well.run("status", "--json", status=None))["ok"], 30, "all is well")
    out = well.run("status")
    assert "WRONG" not in out
    assert "the timeline has what Kafka has" in out and "7, all there" in out
    for name in SERVICES:
        assert f"127.0.0.1:{well.ports[name]}, ready" in out
    found = json.loads(well.run("status", "--json"))
    assert found["ok"] and found["waiting"] == 0
    assert found["lag"]["events.sales"] == {"records": 0, "seconds": 0}
    assert well.run("status", "--recount").count("they balance\n") == 1


def test_many_things_at_once(well):
    """A service is down, the aggregator is, a topic is not as it should be, one is missing, the books do not balance,
    a partition is stopped, quarantine is full, and something waits to be told: each of them is on top."""
    well.stop("tl-service", "tl-aggregator")
    put(well, "billing", 3)
    kafka = well.kafka
    admin = kafka.admin()
    small = ConfigResource("topic", "events.sales", set_config={"max.message.bytes": "1000"})
    for future in admin.alter_configs([small]).values():
        future.result(20)
    kafka.forget_topics("handoffs.billing")
    well.query("UPDATE store.consumer_offsets SET duplicates = duplicates + 1 WHERE (topic, partition) ="
               " (SELECT min(topic), min(partition) FROM store.consumer_offsets)")
    well.query("UPDATE store.consumer_offsets SET stopped = 'of a test' WHERE (topic, partition) ="
               " (SELECT max(topic), max(partition) FROM store.consumer_offsets)")
    well.query("INSERT INTO store.quarantine (topic, partition, kafka_offset, reason, detail, value)"
               " SELECT 'events.sales', 0, 1000000 + n, 'test', 'd', 'v'::bytea FROM generate_series(1, 10) n")
    well.query("INSERT INTO store.outbox (topic, key, type, event_id, occurred_at, data, created_at)"
               " VALUES ('handoffs.sales', 'k', 't', 'e', now(), '{}', now() - interval '2 minutes')")
    try:
        found = wrong(well)
        assert list(found) == ["topics", "tl-service", "tl-aggregator", "partitions", "books", "quarantine",
                               "handoffs", "leases"]
        assert found["topics"].startswith("events.sales max.message.bytes is 1000, should be at least 2097152")
        assert found["topics"].endswith("; and 1 more")
        assert "does not answer" in found["tl-service"] and "does not answer" in found["tl-aggregator"]
        assert "stopped: of a test" in found["partitions"]
        assert found["books"].startswith("1 of ")
        assert found["quarantine"].startswith("full: 10 of at most 10 wait")
        assert "no aggregator publishes them" in found["handoffs"]
        assert found["leases"].startswith("no aggregator holds: relay, watch")
        out, _ = failing(well, "status")
        (line,) = [line for line in out.splitlines() if re.match(r" *ok +lag ", line)]
        assert re.search(r"billing 3 \(\d+ s\)", line), line
        assert re.search(r"events\.billing +\d +\d+ +\d", out)  # the partitions that are behind
    finally:
        well.query("UPDATE store.consumer_offsets SET stopped = NULL, duplicates = duplicates"
                   " + (next_offset - first_offset + read_again - on_timeline - duplicates - quarantined - void)")
        well.query("DELETE FROM store.quarantine; DELETE FROM store.outbox")
        for future in admin.alter_configs([ConfigResource("topic", "events.sales", set_config={
                "max.message.bytes": "2097152", "retention.ms": "604800000"})]).values():
            future.result(20)
        well.run("migrate")
        well.start("tl-service", "tl-aggregator")
    well.wait_caught_up()
    wait_for(lambda: json.loads(well.run("status", "--json", status=None))["ok"], 30, "all is well again")


def test_how_long_the_oldest_has_waited(well):
    """By the time that its record bears, without an aggregator; more than five minutes are wrong."""
    well.stop("tl-aggregator")
    from confluent_kafka import Producer
    import time
    producer = Producer({"bootstrap.servers": well.kafka.brokers})
    now = int(time.time() * 1000)
    for age in (3000, 400, 5):
        producer.produce("events.service", b"{}", partition=1, timestamp=now - age * 1000)
    assert producer.flush(20) == 0
    found = json.loads(failing(well, "status", "--json")[0])
    lag = found["lag"]["events.service"]
    assert lag["records"] == 3 and 3000 <= lag["seconds"] < 3120, lag
    assert found["lag"]["events.sales"] == {"records": 0, "seconds": 0}
    parts = wrong(well)
    assert re.fullmatch(r"records that are not read yet: service 3 \(3\d\d\d s\)", parts["lag"])
    well.start("tl-aggregator")
    well.wait_caught_up()
    assert json.loads(well.run("status", "--json", status=None))["lag"]["events.service"] == {"records": 0, "seconds": 0}


def test_brokers_away(well):
    found = wrong(well, TL_BROKERS="127.0.0.1:1")
    assert list(found) == ["brokers"] and "Connection refused" in found["brokers"]


def test_database_away(well):
    found = wrong(well, TL_DATABASE="postgresql://127.0.0.1:1/none")
    assert list(found) == ["database"]


def test_a_database_that_is_not_migrated(well, postgres):
    found = wrong(well, TL_DATABASE=postgres.new_database())
    assert list(found) == ["database"] and "run throughline migrate" in found["database"]


def test_a_service_that_is_not_ready(well):
    well.stop("tl-aggregator")
    well.start("tl-aggregator", env={"TL_DATABASE": "postgresql://127.0.0.1:1/none"}, ready=False)
    wait_for(lambda: "is not ready (503): " in wrong(well).get("tl-aggregator", ""), 30, "it says what it waits for")
    well.kill("tl-aggregator")
    well.start("tl-aggregator")


def test_where_a_service_is_asked(well):
    """The address of option `services` wins over the configuration's, also for send."""
    found = wrong(well, TL_SERVICES="tl-sales=127.0.0.1:1, tl-billing=http://127.0.0.1:2,tl-service=127.0.0.1:3")
    assert found["tl-sales"].startswith("127.0.0.1:1 does not answer") and found["tl-billing"].startswith("127.0.0.1:2 ")
    body = json.dumps(event("sales.customer.linked", {"customer": person("status")}))
    assert json.loads(well.run("send", "-", "--department", "sales", "--json", input=body))["accepted"] == 1


def test_a_wrong_configuration_tells_nothing(well):
    _, err = failing(well, "status", status=2, TL_LOG_LEVEL="loud")
    assert "TL_LOG_LEVEL" in err
    failing(well, "status", "--all", status=2)
