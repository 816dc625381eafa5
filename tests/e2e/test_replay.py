"""What waits in quarantine, after the configuration was mended: onto the timeline under its own
offset, once, whatever runs beside it or kills it; what is still refused says why it is today."""
import json
import os
import subprocess

import pytest

from support.events import event, person
from support.paths import BUILD
from support.wait import wait_for

HEADERS = {"content-type": "application/cloudevents+json"}
SOURCE = {
    "department": "sales",
    "signature": {"scheme": "none"},
    "each": "/items",
    "id": "/id",
    "time": {"pointer": "/at", "format": "rfc3339"},
    "customer": {"email": "/mail"},
    "rules": [{"if": {"/kind": "called"}, "type": "sales.call.made"}],
    "otherwise": "quarantine",
}


@pytest.fixture(scope="module")
def shop(bare_stack):
    bare_stack.write_config("sources/shop.json", SOURCE)
    bare_stack.learn_sources()
    return bare_stack.start("tl-sales", "tl-aggregator")


def rules(stack, *more):
    stack.write_config("sources/shop.json", {**SOURCE, "rules": [*SOURCE["rules"], *more]})


def learn_type(stack, name, **more):
    """A type for today's command line; the programs that run do not know it."""
    path = os.path.join(stack.config, "departments", "sales.json")
    with open(path, encoding="utf-8") as file:
        vocabulary = json.load(file)
    vocabulary["events"][name] = {"summary": name, "money": "none", "touch": False, **more}
    stack.write_config("departments/sales.json", vocabulary)


def item(number, kind):
    return {"id": f"item-{number}", "kind": kind, "at": "2026-02-02T00:00:00Z",
            "mail": f"i{number}@replay.example"}


def waiting(stack):
    return stack.query("SELECT quarantine_id, topic, partition, kafka_offset, reason, detail FROM store.quarantine"
                       " WHERE state = 'waiting' ORDER BY quarantine_id")


def balanced(stack):
    return json.loads(stack.run("reconcile", "--json", "--wait", "30s"))["balanced"]


def books(stack):
    return stack.query("SELECT sum(on_timeline) AS on_timeline, sum(quarantined) AS quarantined, sum(duplicates) AS"
                       " duplicates FROM throughline.reconciliation")[0]


def test_a_webhook_that_could_not_be_mapped(shop):
    body = {"items": [item(1, "called"), item(2, "wrote")]}
    answer = shop.post_webhook("tl-sales", "shop", body, {})
    assert (answer.status, answer.json) == (202, {"accepted": 1, "ignored": 0, "quarantined": 1})
    assert balanced(shop)
    before, (record,) = books(shop), waiting(shop)
    assert record["reason"] == "unmapped"
    number = str(record["quarantine_id"])
    shop.run("quarantine", "replay", number, status=1)
    assert waiting(shop) == [record]

    rules(shop, {"if": {"/kind": "wrote"}, "type": "sales.quote.sent",  # better, but not right
                 "data": {"amount": "/price", "currency": "/currency"}})
    told = shop.run("quarantine", "replay", number, status=1)
    (still,) = waiting(shop)
    assert "amount" in still["detail"] and still["detail"] in told and still["reason"] == "unmapped"

    rules(shop, {"if": {"/kind": "wrote"}, "type": "sales.email.sent"})
    assert shop.run("quarantine", "replay", number).startswith("1 on the timeline")
    row, = shop.query("SELECT topic, partition, kafka_offset, type, event_id FROM store.events"
                      " WHERE event_id = 'item-2'")
    assert (row["type"], [row[k] for k in ("topic", "partition", "kafka_offset")]) == (
        "sales.email.sent", [record[k] for k in ("topic", "partition", "kafka_offset")])
    after = books(shop)
    assert (after["on_timeline"] - before["on_timeline"], after["quarantined"] - before["quarantined"]) == (1, -1)

    shop.run("quarantine", "replay", number, status=1)
    assert shop.run("quarantine", "replay", "--all").startswith("0 on the timeline")
    assert books(shop) == after and balanced(shop)


def test_a_record_that_is_refused_for_another_reason_says_so(shop):
    one = event("sales.sample.shipped", {"customer": person("replay")})
    shop.kafka.produce("events.sales", json.dumps(one), headers=HEADERS)
    assert balanced(shop)
    (record,) = waiting(shop)
    assert record["reason"] == "inadmissible" and record["detail"].startswith("/type: ")
    learn_type(shop, "sales.sample.shipped", required={"weight": "number"})
    shop.run("quarantine", "replay", "--all", status=1)
    (still,) = waiting(shop)
    assert (still["reason"], still["detail"]) == (
        "inadmissible", "/data/weight: is missing: sales.sample.shipped needs it as a number")
    learn_type(shop, "sales.sample.shipped")
    assert shop.run("quarantine", "replay", "--reason", "inadmissible").startswith("1 on the timeline")
    assert waiting(shop) == [] and balanced(shop)


def test_a_source_in_a_header_makes_no_webhook(shop):
    """Both headers do; anybody may write one of them beside an event."""
    one = event("sales.sample.returned", {"customer": person("replay")})
    shop.kafka.produce("events.sales", json.dumps(one), headers={**HEADERS, "throughline_source": "shop"})
    assert balanced(shop)
    learn_type(shop, "sales.sample.returned")
    assert shop.run("quarantine", "replay", "--all").startswith("1 on the timeline")
    assert balanced(shop)


def test_what_cannot_be_replayed_says_so(shop):
    """A body of many elements that was quarantined whole; a record that is too large."""
    whole = {"items": [item(n, "wrote") for n in range(1001)]}
    answer = shop.post_webhook("tl-sales", "shop", whole, {})
    assert answer.json == {"accepted": 0, "ignored": 0, "quarantined": 1}
    assert balanced(shop)
    shop.query("INSERT INTO store.quarantine (topic, partition, kafka_offset, reason, value)"
               " VALUES ('elsewhere', 0, 0, 'unmapped', decode(repeat('00', 17 << 20), 'hex'))")
    shop.run("quarantine", "replay", "--all", status=1)
    body, large = waiting(shop)
    assert body["detail"] == ("it was quarantined as a whole, with all its elements: have it sent again in smaller"
                              " requests, then discard it")
    assert (large["reason"], large["detail"]) == ("inadmissible", "is larger than 16 MiB: it cannot be replayed")
    shop.query("DELETE FROM store.quarantine WHERE topic = 'elsewhere'")
    shop.run("quarantine", "discard", str(body["quarantine_id"]), "--note", "a test")
    assert balanced(shop)


def replaying(shop):
    return subprocess.Popen([BUILD / "throughline", "quarantine", "replay", "--all"], env=shop.env,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_killed_in_the_middle_and_beside_others_nothing_is_lost_or_twice(shop):
    def there():
        return [row["event_id"] for row in shop.query(
            "SELECT event_id FROM store.events WHERE type = 'sales.sample.lost' ORDER BY event_id")]
    sent = [event("sales.sample.lost", {"customer": person("replay")}) for _ in range(600)]
    for one in sent:
        shop.kafka.produce("events.sales", json.dumps(one), headers=HEADERS)
    assert balanced(shop) and len(waiting(shop)) == len(sent)
    before = books(shop)
    learn_type(shop, "sales.sample.lost")
    killed = replaying(shop)
    try:
        wait_for(lambda: len(there()) >= 50, 60, "the replay is on its way", step=0.01)
    finally:
        killed.kill()
        killed.communicate()
    some = len(there())
    assert 50 <= some < len(sent)
    assert balanced(shop)  # at any moment
    two = [replaying(shop), replaying(shop)]
    try:
        beside = [event("sales.deal.lost", {"customer": person("replay")}) for _ in range(200)]
        for i in range(0, len(beside), 10):
            assert shop.post_event("sales", beside[i:i + 10]).status == 202
        told = [process.communicate(timeout=120)[0] for process in two]
    finally:
        for process in two:
            process.kill()
    assert [process.returncode for process in two] == [0, 0], told
    assert there() == sorted(one["id"] for one in sent) and waiting(shop) == []
    assert balanced(shop)
    after = books(shop)
    assert {key: after[key] - before[key] for key in after} == {
        "on_timeline": len(sent) + len(beside), "quarantined": -len(sent), "duplicates": 0}
