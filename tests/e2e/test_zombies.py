"""A writer that stops where it hurts, is replaced, and comes back: the successor goes on within a bound, nothing
is lost or doubled, and who comes back works again."""
import json
import signal
import time
from urllib.parse import urlsplit

import pytest

from support.events import event
from support.proxy import Proxy
from support.wait import wait_for

SESSION = 6  # seconds: Kafka's session and poll interval in these tests
LOCK = 1  # seconds: how long a successor waits for the predecessor's batch
BOUND = 45  # seconds from the zombie's stop to the last event stored, on a busy machine
EVENTS = 4000
OLD, NEW = "tl-aggregator", "tl-aggregator#2"


class Place:
    def __init__(self, stack):
        self.stack = stack
        with stack_connection(stack) as parameters:
            self.proxy = Proxy(parameters["port"])
        self.through = stack.database.replace(f":{parameters['port']}", f":{self.proxy.port}").replace(
            f"port={parameters['port']}", f"port={self.proxy.port}")
        assert self.through != stack.database, stack.database
        self.stopped = None  # when the old writer was

    def send(self, count=EVENTS):
        """Known identities, so that a batch is little else than COPY."""
        ids = []
        for _ in range(0, count, 500):
            events = [event("sales.call.made", {"customer": {"email": f"z{n % 50}@acme.example"}, "note": "n" * 200})
                      for n in range(500)]
            assert self.stack.post_event("sales", events).status == 202
            ids += [e["id"] for e in events]
        return ids

    def stored(self, ids):
        return self.stack.query("SELECT count(*) AS n, count(DISTINCT event_id) AS once FROM store.events"
                                " WHERE event_id = ANY(%s)", (ids,))[0]

    def wait_activity(self, where, what, seconds=40):
        """Until a session of the old writer's is where the test wants it."""
        wait_for(lambda: self.stack.query("SELECT 1 AS one FROM pg_stat_activity a LEFT JOIN pg_stat_progress_copy c"
                                          f" ON c.pid = a.pid WHERE a.datname = current_database() AND {where}"),
                 seconds, what, step=0.01)


class stack_connection:
    """host and port of a connection string or URI."""

    def __init__(self, stack):
        text = stack.database
        if "://" in text:
            self.found = {"port": urlsplit(text).port}
        else:
            self.found = dict(part.split("=", 1) for part in text.split())

    def __enter__(self):
        return self.found

    def __exit__(self, *_):
        pass


@pytest.fixture(scope="module")
def place(bare_stack):
    bare_stack.write_config("throughline.json", {
        "kafka": {"session.timeout.ms": str(SESSION * 1000), "max.poll.interval.ms": str(SESSION * 1000)},
        "tl-aggregator": {"writers": 1, "lock_timeout": f"{LOCK}s"}})
    bare_stack.start("tl-sales")
    found = Place(bare_stack)
    bare_stack.start(OLD, env={"TL_DATABASE": found.through})
    ids = found.send(500)  # makes the identities known
    wait_for(lambda: found.stored(ids)["n"] == 500, 30, "the first events are stored")
    yield found
    found.proxy.normal()
    found.proxy.close()


def stop_old(place):
    place.stopped = time.monotonic()
    old = place.stack.programs[OLD]
    old.signal(signal.SIGSTOP)
    return lambda: (place.proxy.normal(), old.signal(signal.SIGCONT))


def idle(place):
    """Frozen past its session, with nothing under way."""
    back = stop_old(place)
    return place.send(), back


def in_the_middle_of_copy(place):
    place.proxy.throttle(150_000)
    ids = place.send()
    place.wait_activity("c.relid IS NOT NULL AND c.bytes_processed > 0", "a COPY is under way")
    return ids, stop_old(place)


def between_copy_and_commit(place):
    place.proxy.delay(0.5)
    ids = place.send()
    place.wait_activity("a.state = 'idle in transaction' AND a.query LIKE '%COPY store.events%'", "a COPY is done, not committed")
    return ids, stop_old(place)


def waiting_for_the_database(place):
    """The process runs and its heartbeats go on, but the database is silent past max.poll.interval.ms."""
    place.stopped = time.monotonic()
    place.proxy.freeze()
    return place.send(), place.proxy.normal


def connection_lost(place):
    """Cut off from the database alone; Kafka still has it in the group for a while."""
    place.stopped = time.monotonic()
    place.proxy.refuse()
    place.proxy.cut()
    return place.send(), place.proxy.normal


@pytest.mark.parametrize("how", [idle, in_the_middle_of_copy, between_copy_and_commit, waiting_for_the_database,
                                 connection_lost], ids=lambda how: how.__name__)
def test_a_zombie_is_replaced_and_comes_back(place, how):
    stack = place.stack
    ids, back = how(place)
    try:
        stack.start(NEW, ready=False)
        wait_for(lambda: place.stored(ids)["once"] == len(ids), BOUND + 60,
                 lambda: f"{place.stored(ids)} of {len(ids)}\n{stack.programs[NEW].tail(12)}", step=0.1)
        took = time.monotonic() - place.stopped
    finally:
        back()
    print(f"\n{how.__name__}: the successor had stored all {len(ids)} after {took:.1f} s"
          f" (session {SESSION} s, lock {LOCK} s)")
    assert took < BOUND
    stack.wait_ready(OLD, 60)
    more = place.send(1000)
    wait_for(lambda: place.stored(more)["n"] == 1000, 60, "what came afterwards is stored")
    stack.stop(NEW)
    alone = place.send(500)  # by who came back
    wait_for(lambda: place.stored(alone)["n"] == 500, 60,
             lambda: f"the zombie works again\n{stack.programs[OLD].tail(12)}")
    everything = ids + more + alone
    assert place.stored(everything) == {"n": len(everything), "once": len(everything)}
    found = json.loads(stack.run("reconcile", "--wait", "30s", "--json"))
    assert found["balanced"]
