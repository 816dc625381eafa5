"""Each container killed in turn, under load; and aggregators that share the partitions."""
import time

import pytest

from composed import run
from load import Load
from support.wait import wait_for

PARTITIONS = 24  # of events.*, as docker-compose.yml has them


def _kill_once(stack, load, service):
    began = time.monotonic()
    stack.compose("kill", service)
    time.sleep(1)  # away, while senders go on
    stack.up("--no-deps", service)
    healthy = time.monotonic() - began
    load.wait_more()
    return healthy


def test_every_container_is_killed_in_turn(stack):
    with Load(stack, "kills") as load:
        load.wait_more(1000)
        print()
        for service in ("sales", "billing", "service", "aggregator", "kafka", "postgres"):
            seconds = _kill_once(stack, load, service)
            print(f"docker compose kill {service}: all healthy again after {seconds:.1f} s")
        rate = load.stop()
    stack.wait_balanced()
    load.check()
    print(f"{len(load.accepted)} events answered 202 ({rate:.0f}/s), {load.answers[503]} times 503, {load.cut} requests "
          "without an answer: each event is on the timeline exactly once, the books balance")
    assert load.answers[503] + load.cut > 0, "nobody noticed that anything was killed"


@pytest.mark.parametrize("service", ["sales", "aggregator"])
def test_docker_starts_a_program_again_that_crashed(stack, service):
    """Killed from outside Docker, as the kernel does when memory runs out; also after a SIGHUP, which Docker may
    take for a wish that it ends."""
    stack.compose("kill", "-s", "HUP", service)
    before = stack.inspect(*stack.containers(service))[0]
    run("docker", "run", "--rm", "--privileged", "--pid", "host", "--network", "none", "debian:trixie-slim",
        "sh", "-c", f"kill -9 {before['State']['Pid']}")
    wait_for(lambda: stack.inspect(before["Id"])[0]["RestartCount"] == 1, 30, f"{service} is started again")
    stack.wait_healthy(service)


def test_three_aggregators_share_the_partitions(stack):
    with Load(stack, "scaled") as load:
        stack.up("--no-recreate", "--scale", "aggregator=3", "aggregator")
        wait_for(lambda: sorted(stack.shares().values()) == [8, 8, 8], 120, lambda: f"shares are {stack.shares()}")
        shares = stack.shares()
        load.wait_more(1000)
        victim = stack.containers("aggregator")[0]
        networks = stack.inspect(victim)[0]["NetworkSettings"]["Networks"]
        address = next(iter(networks.values()))["IPAddress"]
        began = time.monotonic()
        stack.kill(victim)
        wait_for(lambda: address not in stack.shares() and sum(stack.shares().values()) == PARTITIONS, 120,
                 lambda: f"shares are {stack.shares()}")
        moved, left = time.monotonic() - began, stack.shares()
        assert len(left) == 2  # 12 and 12 or 16 and 8: Kafka deals out each topic's six to four writers, by their names
        load.wait_more(1000)
        rate = load.stop()
    began = time.monotonic()
    stack.wait_balanced()
    load.check()
    print(f"\n--scale aggregator=3: {PARTITIONS} partitions shared {shares}; one killed: {left} after {moved:.1f} s; "
          f"{len(load.accepted)} events at {rate:.0f}/s, all on the timeline {time.monotonic() - began:.1f} s after the "
          "last, the books balance")
    stack.up("--scale", "aggregator=1", "aggregator")
