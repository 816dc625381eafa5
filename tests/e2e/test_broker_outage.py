"""Kafka away for a while under load from many connections, in every way it can be away: what is answered
meanwhile, what the services take of memory, and that all goes on by itself.

OUTAGE=60 tests/run e2e tests/e2e/test_broker_outage.py -s   # the long form, with figures"""
import collections
import json
import os
import signal
import time

import pytest

from support import sanitizer
from support.crowd import Crowd, one_event, smallest_events
from support.kafka import Kafka
from support.paths import RUNS, SERVERS
from support.ports import free_port
from support.proxy import Proxy
from support.stack import DEPARTMENTS, Stack
from support.wait import wait_for

OUTAGE = float(os.environ.get("OUTAGE", "8"))  # seconds
CONNECTIONS = int(os.environ.get("CONNECTIONS", "64"))  # of each of three services
MEMORY = 64 * 1024  # KiB of each service, at its peak
ANSWER = 5.0  # seconds
BODIES = (one_event(10), one_event(2000), one_event(200_000), smallest_events(50), smallest_events(3000))
PROGRAMS = [f"tl-{d}" for d in DEPARTMENTS] + ["tl-aggregator"]


@pytest.fixture
def outage(request, postgres):
    """A Kafka of its own that clients reach through a proxy, and a stack that uses it."""
    kafka = Kafka(SERVERS / "outage-kafka")
    inside = free_port()
    proxy = Proxy(inside)
    with open(f"{kafka.folder}/server.properties", "a", encoding="utf-8") as file:
        file.write(f"listeners=PLAINTEXT://127.0.0.1:{kafka.port},PROXIED://127.0.0.1:{inside},"
                   f"CONTROLLER://127.0.0.1:{kafka.controller}\n"
                   f"advertised.listeners=PLAINTEXT://127.0.0.1:{kafka.port},PROXIED://127.0.0.1:{proxy.port}\n"
                   "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT\n")
    kafka.start()
    stack = Stack(RUNS / f"outage-{request.node.callspec.id}", kafka, postgres.new_database())
    stack.env["TL_BROKERS"] = f"127.0.0.1:{proxy.port}"
    stack.run("migrate", "--topics", "skip")
    try:
        stack.start(*PROGRAMS)
        yield stack, kafka, proxy
    finally:
        proxy.normal()
        kafka.process.signal(signal.SIGCONT)
        stack.close()
        proxy.close()
        kafka.remove()


def kill(kafka, proxy):
    kafka.kill()
    return kafka.start


def freeze(kafka, proxy):
    kafka.process.signal(signal.SIGSTOP)
    return lambda: kafka.process.signal(signal.SIGCONT)


def cut_off(kafka, proxy):
    """What is under way is reset, and nothing new gets through."""
    proxy.refuse()
    proxy.cut()
    return proxy.normal


def swallow(kafka, proxy):
    """Connections stand, and nothing comes through them."""
    proxy.freeze()
    return proxy.normal


def peak(stack, name):
    with open(f"/proc/{stack.programs[name].pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM")).split()[1])


def lines(stack, name):
    with open(stack.programs[name].log, encoding="utf-8", errors="replace") as log:
        return log.readlines()


@pytest.mark.parametrize("way", [kill, freeze, cut_off, swallow], ids=lambda way: way.__name__)
def test_kafka_away_under_load(outage, way):
    stack, kafka, proxy = outage
    ports = {d: stack.ports[f"tl-{d}"] for d in DEPARTMENTS}
    before = {name: len(lines(stack, name)) for name in PROGRAMS}
    with Crowd(ports, CONNECTIONS, BODIES) as crowd:
        wait_for(lambda: sum(a[2] == 202 for a in crowd.answers) > CONNECTIONS, 60, "answers at first")
        begin = time.monotonic() - crowd.began
        bring_back = way(kafka, proxy)
        wait_for(lambda: time.monotonic() - crowd.began > begin + OUTAGE, OUTAGE + 30, "the outage is over")
        for name in PROGRAMS:
            assert stack.request(name, "GET", "/readyz").status == 503, name
            assert "Kafka: no broker answers" in stack.request(name, "GET", "/readyz").json["detail"]
            assert 'throughline_kafka_trouble{cause="away"} 0' not in (
                stack.request(name, "GET", "/metrics").body.decode())
        end = time.monotonic() - crowd.began
        bring_back()
        wait_for(lambda: len({a[4][0] for a in crowd.answers[-200:] if a[2] == 202}) > 100, 90, "202 again", step=0.1)
        back = time.monotonic() - crowd.began - end
    counted = collections.Counter(a[2] for a in crowd.answers)
    during = [a for a in crowd.answers if begin <= a[0] <= end]
    assert set(counted) <= {202, 503}, counted
    assert all(a[3] for a in crowd.answers if a[2] == 503), "503 without Retry-After"
    slowest = max(a[1] for a in crowd.answers)
    memory = {name: peak(stack, name) for name in PROGRAMS}
    told = {name: len(lines(stack, name)) - before[name] for name in PROGRAMS}
    print(f"\n{way.__name__}: {OUTAGE:g} s, {3 * CONNECTIONS} connections, {dict(counted)} answers, {len(during)} of them"
          f" meanwhile, slowest {slowest:.2f} s (with at most {crowd.lag:.2f} s of the test's own), 202 again after {back:.1f} s; {crowd.cut} connections cut;"
          f" peak MiB {({n: round(kib / 1024, 1) for n, kib in memory.items()})}; log lines {told}")
    assert not crowd.cut
    # A sanitizer takes the time of three departments' work; with it nobody is judged.
    assert slowest < ANSWER + crowd.lag or sanitizer.NAME, slowest
    for name in PROGRAMS:
        stack.wait_ready(name, 60)
        log = lines(stack, name)[before[name]:]
        assert sum("Kafka: no broker answers" in line for line in log) in range(1, 5), (name, log)
        assert len(log) < 30, (name, log)
    stack.wait_caught_up(180)
    accepted = {i for a in crowd.answers if a[2] == 202 for i in a[4]}
    stored = collections.Counter({row["event_id"]: row["n"] for row in stack.query(
        "SELECT event_id, count(*) AS n FROM store.events GROUP BY 1")})
    assert not accepted - set(stored), f"{len(accepted - set(stored))} of {len(accepted)} are missing"
    assert set(stored.values()) == {1}
    found = json.loads(stack.run("reconcile", "--json"))
    assert found["balanced"]
    sanitizer.skip_memory()
    assert all(kib <= MEMORY for name, kib in memory.items()), memory
