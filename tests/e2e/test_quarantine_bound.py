"""The bound of quarantine: at it, a partition whose next record has to go there is held, and no
other; with room it goes on by itself. It is told once, by log, metrics and /readyz."""
import json

import pytest

from support.events import event, person
from support.wait import wait_for
from test_refused_rows import POISON, REFUSE

LIMIT = 3
TOPIC = "events.sales"
HEADERS = {"content-type": "application/cloudevents+json"}


@pytest.fixture(scope="module")
def bounded(bare_stack):
    stack = bare_stack
    with open(f"{stack.config}/throughline.json", encoding="utf-8") as file:
        settings = json.load(file)
    settings.setdefault("tl-aggregator", {}).update(quarantine_limit=LIMIT, writers=1)
    stack.write_config("throughline.json", settings)
    for topic in (TOPIC, "events.billing", "events.service"):
        stack.kafka.produce(topic, json.dumps(good()) if topic == TOPIC else b"", partition=3,
                            headers=HEADERS)
    stack.start("tl-aggregator")
    stack.wait_caught_up()
    make_room(stack)
    return stack


def good():
    return event("sales.deal.lost", {"customer": person("bound")})


def bad(stack, partition, count=1):
    for _ in range(count):
        stack.kafka.produce(TOPIC, b"no event", partition=partition)


def say(stack, partition):
    one = good()
    stack.kafka.produce(TOPIC, json.dumps(one), partition=partition, headers=HEADERS)
    return one["id"]


def stored(stack, *ids):
    return len(stack.query("SELECT 1 AS one FROM store.events WHERE event_id = ANY(%s)", (list(ids),)))


def arrives(stack, *ids):
    wait_for(lambda: stored(stack, *ids) == len(ids), 40,
             lambda: f"{stored(stack, *ids)} of {len(ids)} are on the timeline")


def waiting(stack):
    return [row["quarantine_id"] for row in stack.query(
        "SELECT quarantine_id FROM store.quarantine WHERE state = 'waiting' ORDER BY 1")]


def wait_waiting(stack, count):
    wait_for(lambda: len(waiting(stack)) == count, 40, lambda: f"{len(waiting(stack))} wait, not {count}")


def make_room(stack, count=None):
    for number in waiting(stack)[:count]:
        stack.run("quarantine", "discard", str(number), "--note", "a test")


def metric(stack, name):
    lines = stack.request("tl-aggregator", "GET", "/metrics").body.decode().splitlines()
    return next(int(line.split()[-1]) for line in lines if line.startswith(f"throughline_aggregator_{name} "))


def readiness(stack):
    answer = stack.request("tl-aggregator", "GET", "/readyz")
    return answer.status, answer.body.decode()


def wait_held(stack, count):
    wait_for(lambda: metric(stack, "partitions_held") == count, 40,
             lambda: f"{metric(stack, 'partitions_held')} partitions are held, not {count}")


def told(stack):
    with open(stack.programs["tl-aggregator"].log, encoding="utf-8") as log:
        text = log.read()
    assert "begins anew" not in text
    return text.count("Quarantine is full"), text.count("Quarantine has room again")


def balanced(stack):
    stack.wait_caught_up(60)
    assert json.loads(stack.run("reconcile", "--json", "--wait", "30s"))["balanced"]


def test_only_the_partition_with_the_bad_record_is_held(bounded):
    stack = bounded
    assert (metric(stack, "quarantine_limit"), metric(stack, "partitions_held")) == (LIMIT, 0)
    bad(stack, 0, LIMIT)
    wait_waiting(stack, LIMIT)
    before = say(stack, 0)
    bad(stack, 0)
    behind = say(stack, 0)
    arrives(stack, before)
    wait_for(lambda: readiness(stack)[0] == 503, 30, "it is not ready")
    assert "room in quarantine" in readiness(stack)[1]
    for _ in range(5):
        arrives(stack, *(say(stack, partition) for partition in (1, 2, 3)))
    assert stored(stack, behind) == 0
    assert (metric(stack, "partitions_held"), metric(stack, "quarantine_waiting")) == (1, LIMIT)
    assert told(stack) == (1, 0)

    bad(stack, 1)  # another partition: held beside it, the others go on
    behind_too = say(stack, 1)
    wait_held(stack, 2)
    arrives(stack, say(stack, 2), say(stack, 3))
    wait_for(lambda: told(stack) == (2, 0), 30, "each partition is told of")
    assert len(waiting(stack)) == LIMIT

    make_room(stack)
    arrives(stack, behind, behind_too)
    wait_waiting(stack, 2)
    wait_for(lambda: readiness(stack)[0] == 200, 30, "ready again")
    assert told(stack) == (2, 2) and metric(stack, "partitions_held") == 0
    balanced(stack)
    make_room(stack)


def test_a_backlog_fills_it_to_the_limit_and_not_past_it(bounded):
    """Also where one batch has more of them than the limit; each that is decided on lets one in."""
    stack = bounded
    stack.stop("tl-aggregator")
    bad(stack, 2, LIMIT + 2)
    last, beside = say(stack, 2), say(stack, 1)
    stack.start("tl-aggregator", ready=False)
    arrives(stack, beside)
    wait_held(stack, 1)
    assert len(waiting(stack)) == LIMIT
    newest = max(waiting(stack))
    make_room(stack, 1)
    wait_for(lambda: len(waiting(stack)) == LIMIT and max(waiting(stack)) > newest, 40, "one more is let in")
    assert stored(stack, last) == 0
    make_room(stack)
    arrives(stack, last)
    balanced(stack)
    make_room(stack)


def test_a_restart_finds_it_full_and_holds_again(bounded):
    stack = bounded
    bad(stack, 3, LIMIT + 1)
    behind = say(stack, 3)
    wait_held(stack, 1)
    stack.stop("tl-aggregator")
    stack.start("tl-aggregator", ready=False)
    arrives(stack, say(stack, 0))
    wait_held(stack, 1)
    assert stored(stack, behind) == 0 and len(waiting(stack)) == LIMIT
    make_room(stack)
    arrives(stack, behind)
    balanced(stack)
    make_room(stack)


def test_rows_that_postgresql_refuses_hold_their_partition_too(bounded):
    """These are known only when they are written."""
    stack = bounded
    stack.stop("tl-aggregator")
    stack.query(REFUSE)
    stack.start("tl-aggregator")
    bad(stack, 0, LIMIT)
    wait_waiting(stack, LIMIT)
    poison = event("sales.call.made", {"summary": POISON, "customer": person("bound")})
    stack.kafka.produce(TOPIC, json.dumps(poison), partition=1, headers=HEADERS)
    behind = say(stack, 1)
    wait_held(stack, 1)
    arrives(stack, say(stack, 0), say(stack, 2))
    assert stored(stack, behind) == 0 and len(waiting(stack)) == LIMIT
    stack.query("UPDATE store.quarantine SET state = 'discarded'")
    arrives(stack, behind)
    wait_waiting(stack, 1)
    stack.wait_caught_up()
    wrong = stack.query("SELECT * FROM store.consumer_offsets WHERE next_offset - first_offset"
                        " <> on_timeline + duplicates + quarantined + void")
    assert wrong == []


def test_refused_rows_of_one_batch_need_room_for_one(bounded):
    """How many there are is known only when they are written: they go in together, or wait together."""
    stack = bounded
    assert len(waiting(stack)) == 1
    stack.stop("tl-aggregator")
    for _ in range(LIMIT):
        poison = event("sales.call.made", {"summary": POISON, "customer": person("bound")})
        stack.kafka.produce(TOPIC, json.dumps(poison), partition=1, headers=HEADERS)
    behind = say(stack, 1)
    stack.start("tl-aggregator", ready=False)
    arrives(stack, behind)
    wait_waiting(stack, LIMIT + 1)
    stack.wait_caught_up()
