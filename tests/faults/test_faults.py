"""Everything is killed, frozen, cut off and slowed down while events come in: each event answered 202
is on the timeline, or in quarantine, exactly once, the books are right, and each handoff that it opens
is there once, delivered, and as people and events have left it. The plan is seeded; SEED repeats it,
FORM=long is `make soak`."""
import json
import os
import random
import threading
import time

import pytest

from checker import Checker
from growth import Growth
from ledger import Ledger
from load import Load
from people import People
from plan import Plan
from rest import Rest
from support.paths import BUILD
from world import AGGREGATORS, DEPARTMENTS, World

# At least so many events, of which so many open a handoff; senders, events a second as long as the plan
# lasts, customers, faults, kills among them at least.
FORMS = {"short": (20000, 1000, 5, 250, 400, 38, 7), "long": (200000, 10000, 6, 900, 2000, 76, 21)}


@pytest.fixture(name="world", scope="module")
def _world(bare_stack, kafka, postgres):
    world = World(bare_stack, kafka, postgres)
    try:
        yield world
    finally:
        world.close()


class Sampler(threading.Thread):
    """Looks at the programs' memory once a second."""

    def __init__(self, growth):
        super().__init__(daemon=True)
        self.growth, self.ended = growth, threading.Event()

    def run(self):
        while not self.ended.wait(1):
            self.growth.sample()


def say(text):
    print(text, flush=True)


def refused_zombies(stack):
    """How many batches found that their partition was taken over."""
    count = 0
    for name in AGGREGATORS:
        with open(stack.programs[name].log, encoding="utf-8", errors="replace") as log:
            count += sum("lost to another writer" in line for line in log)
    return count


def test_every_202_is_accounted_for_exactly_once(world):
    form = os.environ.get("FORM") or "short"
    count, handoffs, senders, rate, customers, faults, kills = FORMS[form]
    seed = os.environ.get("SEED") or str(random.SystemRandom().randrange(10**6))
    begin = time.monotonic()
    say(f"\nseed {seed}, {form} form: SEED={seed} repeats the plan")
    stack, ledger = world.stack, Ledger()
    names = [name.removeprefix("tl-") for name in DEPARTMENTS]
    people = world.take_handoffs(People(names, stack.ports, ledger, seed))
    world.start()
    ports = {name: stack.ports[f"tl-{name}"] for name in names}
    load = world.load = Load(count, handoffs, rate, customers, seed, ports, stack.sources, ledger)
    growth = Growth(world)
    sampler = Sampler(growth)
    sampler.start()
    plan = Plan(seed, faults, kills)
    load.start(senders)
    breaches = come_to_rest(world, plan)
    sampler.ended.set()
    sampler.join()

    breaches += world.ended
    checker = Checker(ledger, people, world.kafka, world.connect())
    breaches += checker.check()
    breaches += reconciled(stack)
    breaches += growth.check()
    say(f"seed {seed}: {len(plan.names)} faults of {len(set(plan.names))} kinds, {plan.kills} of them"
        f" kills; {ledger.summary()}; {checker.handoff_checker.summary()}; {people.summary()};"
        f" {refused_zombies(stack)} batches of a partition that somebody else had;"
        f" {growth.summary()}; {time.monotonic() - begin:.0f} s; {len(breaches)} breaches")
    (BUILD / "test").mkdir(exist_ok=True)
    (BUILD / "test" / "faults.breaches").write_text("\n".join(breaches), encoding="utf-8")
    assert not breaches, "\n".join(["", *breaches])
    assert ledger.accepted_events >= count and ledger.accepted_openings >= handoffs


def come_to_rest(world, plan):
    """Carries out the plan, ends the load, and waits until all of it is on the timeline. Where that
    does not happen by itself: a breach, told in the words of what was waited for."""
    breaches = []
    try:
        plan.carry_out(world, say)
    except AssertionError as error:  # Timeout is one, too
        breaches += str(error).splitlines()[:1] or [repr(error)]
    finally:
        world.load.hurry()
    try:
        world.load.wait(180)
        world.check_programs()
        for name in (*DEPARTMENTS, *AGGREGATORS):
            world.stack.wait_ready(name, 60)
        Rest(world).wait(180)
    except AssertionError as error:  # Timeout is one, too
        breaches += str(error).splitlines()[:1] or [repr(error)]
    return breaches


def reconciled(stack):
    books = json.loads(stack.run("reconcile", "--wait", "60s", "--json", status=None))
    return [] if books["balanced"] else [
        f"reconcile finds {row['topic']} {row['partition']} wrong: {row['wrong']}"
        for row in books["partitions"] if row["wrong"]]


def test_rows_taken_away_by_hand_are_found(world):
    stack = world.stack
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
