"""Offsets that Kafka cannot serve, records that cannot be read, and `throughline replay`: where reading
goes on, what the books say afterwards, and a rebuild of all."""
import glob
import json
import os
import subprocess
import time

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import NewTopic

from support.events import event, person
from support.paths import KAFKA_LIBS, ROOT
from support.wait import wait_for

TOPIC = "events.sales"


@pytest.fixture(scope="module")
def replayed(bare_stack):
    """All of one writer, which notices within a second what became of topics."""
    with open(f"{bare_stack.config}/throughline.json", encoding="utf-8") as file:
        settings = json.load(file)
    settings.setdefault("tl-aggregator", {}).update(writers=1)
    settings.setdefault("kafka", {})["topic.metadata.refresh.interval.ms"] = "1000"
    bare_stack.write_config("throughline.json", settings)
    return bare_stack.start("tl-sales", "tl-billing", "tl-service", "tl-aggregator")


def make(name="replay"):
    return event("sales.deal.won", {"customer": person(name), "amount": 1, "currency": "EUR"})


def put(stack, partition, count=1):
    """`count` events in one partition, past the intake."""
    events = [make() for _ in range(count)]
    for one in events:
        stack.kafka.produce(TOPIC, json.dumps(one), partition=partition,
                            headers={"content-type": "application/cloudevents+json"})
    return events


def stored(stack, events):
    return len(stack.query("SELECT 1 AS one FROM store.events WHERE event_id = ANY(%s)",
                           ([e["id"] for e in events],)))


def wait_stored(stack, events, seconds=30):
    wait_for(lambda: stored(stack, events) == len(events), seconds,
             lambda: f"{stored(stack, events)} of {len(events)} events are on the timeline", step=0.1)


def row(stack, partition, topic=TOPIC):
    found, = stack.query("SELECT o.*, b.records, b.difference FROM store.consumer_offsets o"
                         " JOIN throughline.reconciliation b USING (topic, partition)"
                         " WHERE o.topic = %s AND o.partition = %s", (topic, partition))
    return found


def wait_stopped(stack, partition):
    return wait_for(lambda: row(stack, partition)["stopped"], 40, f"partition {partition} is stopped", step=0.1)


def metric(stack, name):
    lines = stack.request("tl-aggregator", "GET", "/metrics").body.decode().splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith(name))


def wait_none_stopped(stack):
    wait_for(lambda: metric(stack, "throughline_aggregator_partitions_stopped") == 0, 40, "none is stopped")


def assert_balanced(stack):
    found = json.loads(stack.run("reconcile", "--wait", "60s", "--json"))
    assert found["balanced"] and found["caught_up"]
    kept = (ROOT / "services" / "aggregator" / "sql" / "survey_books.sql").read_text(encoding="utf-8")
    assert not any(row["sum"] for row in stack.query(kept)), "the kept books, which an alert is about, balance, too"
    return {(p["topic"], p["partition"]): p for p in found["partitions"]}


def replay(stack, *arguments, status=0):
    text = stack.run("replay", "--json", *arguments, status=status)
    return json.loads(text) if text else None


def drop_before(stack, partition, offset):
    """As retention does: the partition's records before `offset` are gone."""
    path = os.path.join(stack.folder, "drop.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"version": 1, "partitions": [
            {"topic": TOPIC, "partition": partition, "offset": offset}]}, file)
    done = subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{KAFKA_LIBS}/*",
                           "org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server",
                           stack.kafka.brokers, "--offset-json-file", path],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: stack.kafka.watermarks(TOPIC)[partition][0] == offset, 20, "the records are gone")


def test_what_retention_took_stops_one_partition_until_somebody_decides(replayed):
    stack, lost, sound = replayed, 0, 1
    put(stack, lost, 3)
    stack.wait_caught_up()
    stack.stop("tl-aggregator")
    before = row(stack, lost)
    gone, kept = put(stack, lost, 4), put(stack, lost, 2)
    drop_before(stack, lost, before["next_offset"] + len(gone))
    stack.start("tl-aggregator")
    wait_stored(stack, put(stack, sound, 2))  # the others go on
    assert "does not have" in wait_stopped(stack, lost)
    wait_for(lambda: metric(stack, "throughline_aggregator_partitions_stopped") == 1, 20, "the metric says so")
    assert stored(stack, kept) == 0
    log = stack.programs["tl-aggregator"].tail(1000)
    assert log.count("A partition is stopped") == 1
    told = stack.run("status", status=1)
    assert "Kafka dropped 4 records before they were read: see throughline replay" in told

    told = stack.run("replay", "--from", "beginning", "--stopped", status=1)
    assert "4" in told and row(stack, lost)["next_offset"] == before["next_offset"]
    plan = replay(stack, "--from", "beginning", "--stopped", "--dry-run")
    assert not plan["applied"] and plan["left_out"] == 4 and plan["read_again"] == 0
    assert row(stack, lost)["next_offset"] == before["next_offset"]

    done = replay(stack, "--from", "beginning", "--stopped", "--note", "retention was too short")
    assert done["applied"] and done["left_out"] == 4
    assert [(p["topic"], p["partition"]) for p in done["partitions"]] == [(TOPIC, lost)]
    wait_stored(stack, kept)
    wait_none_stopped(stack)
    books = assert_balanced(stack)[TOPIC, lost]
    assert books["skipped"] == 4 and books["void"] - before["void"] == 4 and stored(stack, gone) == 0
    decision, = stack.query("SELECT * FROM store.replays WHERE note IS NOT NULL")
    assert (decision["note"], decision["to_offset"] - decision["from_offset"]) == ("retention was too short", 4)


def test_a_topic_made_anew_stops_and_goes_on_from_its_beginning(replayed):
    """Its records have offsets that others had before, and are other records, also in quarantine."""
    stack = replayed
    for _ in range(2):
        stack.kafka.produce(TOPIC, b"no event of the old topic", partition=2)
    put(stack, 2, 8)
    stack.wait_caught_up()
    admin = stack.kafka.admin()
    admin.delete_topics([TOPIC])[TOPIC].result(20)
    wait_for(lambda: TOPIC not in stack.kafka.topics(), 20, "the topic is gone")

    def made():
        if TOPIC in stack.kafka.topics():
            return True
        try:
            admin.create_topics([NewTopic(TOPIC, 4, 1)])[TOPIC].result(20)
        except Exception:  # pylint: disable=broad-except  (a program has made it meanwhile)
            return False
        return True
    wait_for(made, 30, "the topic is made anew")

    def led():
        try:
            return len(stack.kafka.watermarks(TOPIC)) == 4
        except KafkaException:
            return False
    wait_for(led, 30, "its partitions have leaders")
    stack.kafka.produce(TOPIC, b"no event of the new topic", partition=2)
    events = put(stack, 2, 3)
    wait_stopped(stack, 2)
    assert "was the topic made anew?" in stack.run("reconcile", status=1)
    done = replay(stack, "--from", "beginning", "--topic", TOPIC)
    assert done["applied"] and done["left_out"] == 0
    wait_stored(stack, events)
    wait_none_stopped(stack)
    books = assert_balanced(stack)[TOPIC, 2]
    waiting = stack.query("SELECT convert_from(value, 'UTF8') AS value FROM store.quarantine"
                          " WHERE topic = %s AND partition = 2 AND kafka_offset = 0", (TOPIC,))
    assert {w["value"] for w in waiting} == {"no event of the old topic", "no event of the new topic"}
    assert books["difference"] == 0


def test_a_rebuild_of_an_untouched_timeline_doubles_nothing(replayed):
    stack = replayed
    events = [put(stack, p, 3) for p in range(4)]
    for one in (b"no event", None):
        stack.kafka.produce(TOPIC, one, partition=3)
    stack.wait_caught_up()
    before = assert_balanced(stack)
    count = "SELECT (SELECT count(*) FROM store.events) AS events, (SELECT count(*) FROM store.quarantine) AS waiting"
    rows, = stack.query(count)
    generations = {p: row(stack, p)["generation"] for p in range(4)}
    done = replay(stack, "--from", "beginning")
    assert done["applied"] and done["left_out"] == 0 and done["read_again"] > 12
    after = assert_balanced(stack)  # catches up by itself, while the aggregator runs on
    assert stack.query(count) == [rows]
    again = {key: after[key]["records"] - before[key]["records"] for key in before}
    assert sum(again.values()) == done["read_again"]
    for key, books in after.items():
        assert books["duplicates"] - before[key]["duplicates"] + books["void"] - before[key]["void"] == again[key]
        assert books["skipped"] == before[key]["skipped"]
    assert all(row(stack, p)["generation"] > generations[p] for p in range(4))
    assert sum(stored(stack, some) for some in events) == 12


def test_rows_that_were_lost_come_back_from_a_time(replayed):
    stack = replayed
    put(stack, 1, 2)
    stack.wait_caught_up()
    time.sleep(0.01)  # Kafka's times are milliseconds
    moment = time.time()
    events = put(stack, 1, 3)
    stack.wait_caught_up()
    assert len(stack.query("DELETE FROM store.events WHERE event_id = ANY(%s) RETURNING 1 AS one",
                           ([e["id"] for e in events],))) == 3
    assert "3 rows are missing" in stack.run("reconcile", status=1)
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment * 1000) % 1000:03}Z"
    done = replay(stack, "--from", when, "--topic", TOPIC, "--partition", "1")
    assert done["read_again"] == 3 and done["left_out"] == 0
    wait_stored(stack, events)
    stack.wait_caught_up()
    # That they had been taken away stays to be seen: each reading counts, and what the first one had put is gone.
    assert "3 rows are missing" in stack.run("reconcile", status=1)


def test_an_offset_of_one_partition_and_a_duration(replayed):
    stack = replayed
    put(stack, 1, 2)
    stack.wait_caught_up()
    high = stack.kafka.watermarks(TOPIC)[1][1]
    plan = replay(stack, "--from", str(high - 1), "--topic", TOPIC, "--partition", "1", "--dry-run")
    assert plan["read_again"] == 1 and plan["partitions"][0]["to"] == high - 1
    plan = replay(stack, "--from", "1h", "--topic", TOPIC, "--partition", "1", "--dry-run")
    assert plan["partitions"][0]["to"] == stack.kafka.watermarks(TOPIC)[1][0]
    plan = replay(stack, "--from", "2999-01-01T00:00:00Z", "--topic", TOPIC, "--partition", "1", "--dry-run")
    assert plan["partitions"] == []  # the end, where it is


WRONG = {
    "no place": ([], 2, "say where to go on"),
    "no such place": (["--from", "yesterday"], 2, "--from wants beginning"),
    "an offset of all": (["--from", "5"], 2, "an offset is of one partition"),
    "a partition of all": (["--from", "beginning", "--partition", "1"], 2, "--partition wants --topic"),
    "no such topic": (["--from", "beginning", "--topic", "events.nobody"], 1, "never read topic events.nobody"),
    "no such partition": (["--from", "beginning", "--topic", TOPIC, "--partition", "77"], 1, "never read partition 77"),
    "no such offset": (["--from", "99999999", "--topic", TOPIC, "--partition", "1"], 1, "not 99999999"),
    "none stopped": (["--from", "beginning", "--stopped"], 1, "no partition is stopped"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_makes_no_sense_is_refused(replayed, name):
    arguments, status, words = WRONG[name]
    stack = replayed
    before = stack.query("SELECT count(*) AS n FROM store.replays")
    stack.run("replay", *arguments, status=status)
    with open(os.path.join(stack.folder, "throughline.log"), encoding="utf-8") as log:
        assert words in log.read().rsplit("$ throughline", 1)[1]
    assert stack.query("SELECT count(*) AS n FROM store.replays") == before


def test_a_record_damaged_on_the_brokers_disk_stops_its_partition(replayed):
    """It is not passed over as if nothing had been there."""
    stack, partition = replayed, 0
    put(stack, partition)
    stack.wait_caught_up()
    stack.stop("tl-aggregator")
    damaged = row(stack, partition)["next_offset"]
    mark = b"a mark to be found on the disk"
    stack.kafka.produce(TOPIC, mark, partition=partition)
    after = put(stack, partition, 2)
    stack.kafka.stop()
    path, = glob.glob(f"{stack.kafka.folder}/data/{TOPIC}-{partition}/*.log")
    with open(path, "r+b") as file:
        at = file.read().index(mark)
        file.seek(at)
        file.write(b"A")
    stack.kafka.start()
    stack.start("tl-aggregator")
    assert "cannot be read" in wait_stopped(stack, partition)
    found = row(stack, partition)
    assert found["next_offset"] == damaged and stored(stack, after) == 0
    assert "cannot be read" in stack.run("status", status=1)
    log = stack.programs["tl-aggregator"].tail(1000)
    assert log.count("cannot be read: once more") == 1, log
    done = replay(stack, "--from", str(damaged + 1), "--topic", TOPIC, "--partition", str(partition),
                  "--note", "damaged on disk")
    assert done["left_out"] == 1
    wait_stored(stack, after)
    wait_none_stopped(stack)
    assert row(stack, partition)["skipped"] - found["skipped"] == 1
