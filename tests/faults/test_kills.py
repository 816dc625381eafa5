"""Services are killed with SIGKILL while events come in: each event answered 202 is on the
timeline exactly once, and the books balance. The plan is seeded; the seed is printed."""
import json
import os
import random

import pytest

from load import Ledger, run_senders, wait_senders
from support.wait import wait_for

EVENTS = 20000
SENDERS = 4
CUSTOMERS = 400
KILLS = 12
SERVICES = ["tl-sales", "tl-billing", "tl-service"]
AGGREGATORS = ["tl-aggregator", "tl-aggregator#2"]


@pytest.fixture(scope="module")
def faulty(bare_stack):
    """Two aggregators; a killed one's partitions move on after 1.5 s instead of 10."""
    with open(f"{bare_stack.config}/throughline.json", encoding="utf-8") as file:
        settings = json.load(file)
    settings.setdefault("tl-aggregator", {})["kafka"] = {
        "session.timeout.ms": 1500, "heartbeat.interval.ms": 400}
    bare_stack.write_config("throughline.json", settings)
    return bare_stack.start(*SERVICES, *AGGREGATORS)


def progress(stack):
    """How many records are in the books."""
    return int(stack.query("SELECT coalesce(sum(next_offset - first_offset), 0) AS n"
                           " FROM store.consumer_offsets")[0]["n"])


def kill_and_restart(stack, plan, threads):
    """Kills one program after another while events come in and go through; every kill waits until
    something has moved since the last one. Aggregators are killed as long as there is a backlog."""
    kills = []
    while len(kills) < KILLS or any(t.is_alive() for t in threads):
        before = progress(stack)
        wait_for(lambda: progress(stack) > before or not any(t.is_alive() for t in threads), 60,
                 f"the books move after {kills[-3:]}", step=0.02)
        name = plan.choice(SERVICES + AGGREGATORS * 2)
        stack.programs[name].kill()
        kills.append(name)
        if plan.random() < 0.5:  # the others go on without it for a while
            moved = progress(stack)
            others = [n for n in AGGREGATORS if n != name]
            if all(stack.programs[n].running for n in others):
                wait_for(lambda: progress(stack) > moved or not any(t.is_alive() for t in threads),
                         30, f"the others go on without {name}", step=0.02)
        stack.start(name, ready=name in SERVICES)
        if len(kills) >= 10 * KILLS:
            break
    return kills


def test_every_202_is_on_the_timeline_exactly_once(faulty):
    stack = faulty
    seed = os.environ.get("SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"seed {seed}")
    ports = {name.removeprefix("tl-"): stack.ports[name] for name in SERVICES}
    ledger = Ledger()
    threads = run_senders(EVENTS, SENDERS, CUSTOMERS, seed, ports, ledger)
    kills = kill_and_restart(stack, random.Random(seed), threads)
    wait_senders(threads, 120)
    for name in AGGREGATORS:
        stack.wait_ready(name)
    stack.wait_caught_up(60)
    print(f"{len(kills)} kills ({sum(k in AGGREGATORS for k in kills)} of aggregators), "
          f"{ledger.repeated} requests sent again")
    assert len(kills) >= 10 and set(kills) & set(AGGREGATORS) and set(kills) & set(SERVICES)
    assert not ledger.other, ledger.other[:10]
    assert len(ledger.accepted) == EVENTS

    rows = stack.query("SELECT event_id, count(*) AS n FROM throughline.timeline GROUP BY 1")
    assert {row["event_id"] for row in rows} == ledger.accepted
    assert [row for row in rows if row["n"] != 1] == []
    grouping(stack)
    stack.run("reconcile", "--wait", "60s")


def grouping(stack):
    """Every customer is one customer, whichever writers met its identities in whichever order."""
    split = stack.query(
        "SELECT substring(value from '\\d+') AS who, count(DISTINCT customer_id) AS customers"
        " FROM throughline.identities WHERE kind = 'customer' OR"
        " (kind = 'email' AND substring(value from '\\d+') IN (SELECT substring(value from '\\d+')"
        "  FROM throughline.identities WHERE kind = 'customer'))"
        " GROUP BY 1 HAVING count(DISTINCT customer_id) > 1")
    assert split == []


def test_rows_taken_away_by_hand_are_found(faulty):
    stack = faulty
    stack.kafka.produce("events.sales", b"this is no CloudEvent")
    stack.wait_caught_up()
    assert [r["reason"] for r in stack.query("SELECT reason FROM throughline.quarantine")] == [
        "not-a-cloudevent"]
    stack.run("reconcile", "--wait", "30s")
    event = stack.query("DELETE FROM store.events WHERE event_uid = (SELECT event_uid FROM store.events"
                        " LIMIT 1) RETURNING topic, partition")[0]
    record = stack.query("DELETE FROM store.quarantine WHERE quarantine_id = (SELECT"
                         " min(quarantine_id) FROM store.quarantine) RETURNING topic, partition")[0]
    books = json.loads(stack.run("reconcile", "--json", status=1))
    found = {(row["topic"], row["partition"]): row["difference"]
             for row in books["partitions"] if row["difference"]}
    expected = {}
    for row in (event, record):
        place = (row["topic"], row["partition"])
        expected[place] = expected.get(place, 0) + 1
    assert found == expected
