"""What a container scan looks for: no root, nothing to write to, no rights, no secret anywhere but in its volume."""
import json

import pytest

from composed import DEPARTMENTS, PROGRAMS, run
from support.http import request
from support.wait import wait_for

GIB = 2**30
MOST_OVER_BASE = 120 * 10**6  # bytes
COMPILERS = ("cc", "gcc", "clang", "as", "ld", "make", "curl")
BASE = "debian:trixie-slim"


@pytest.fixture(scope="module")
def containers(stack):
    """All that run, and the one-shots that ran."""
    stack.up(profile="demo")
    stack.compose("--profile", "observability", "up", "--wait", "prometheus")
    found = stack.inspect(*stack.containers(everything=True))
    services = {one["Config"]["Labels"]["com.docker.compose.service"] for one in found}
    assert services == {*PROGRAMS, "kafka", "postgres", "secrets", "migrate", "demo", "prometheus"}
    return found


def _name(one):
    return one["Config"]["Labels"]["com.docker.compose.service"]


def test_nobody_is_root(containers):
    for one in containers:
        assert one["Config"]["User"].split(":")[0] not in ("", "0", "root"), _name(one)
        if one["State"]["Running"]:
            status = dict(line.split(":\t", 1) for line in run("docker", "exec", one["Id"], "cat", "/proc/1/status").splitlines()
                          if ":\t" in line)
            assert "0" not in status["Uid"].split(), _name(one)
            for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                assert int(status[kind], 16) == 0, f"{_name(one)} has capabilities: {kind} {status[kind]}"
            assert status["NoNewPrivs"] == "1", _name(one)


def test_nothing_can_be_written_to(containers):
    for one in containers:
        assert one["HostConfig"]["ReadonlyRootfs"], _name(one)
        if one["State"]["Running"]:
            tried = run("docker", "exec", one["Id"], "sh", "-c", "touch /x /usr/bin/x /etc/x /var/x; ls /x /usr/bin/x /etc/x /var/x",
                        status=None)
            assert tried == "", f"{_name(one)} can write to {tried}"


def test_no_rights_and_bounds(containers):
    for one in containers:
        host = one["HostConfig"]
        assert host["CapDrop"] == ["ALL"] and not host["CapAdd"], _name(one)
        assert not host["Privileged"] and not host["Devices"], _name(one)
        assert "no-new-privileges:true" in host["SecurityOpt"], _name(one)
        assert host["NetworkMode"] != "host" and host["PidMode"] != "host" and host["IpcMode"] != "host", _name(one)
        assert 0 < host["Memory"] <= GIB and 0 < host["PidsLimit"] <= 512, _name(one)
        assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}, _name(one)
        for mount in one["Mounts"]:
            assert mount["Type"] == "volume" or not mount["RW"], f"{_name(one)} may write to {mount['Source']}"
            assert "docker.sock" not in mount["Source"], _name(one)


def test_only_what_is_asked_for_has_a_port_and_that_on_loopback(containers):
    published = {(_name(one), port, binding["HostIp"]) for one in containers
                 for port, bindings in (one["HostConfig"]["PortBindings"] or {}).items() for binding in bindings}
    assert published == {("sales", "8101/tcp", "127.0.0.1"), ("billing", "8102/tcp", "127.0.0.1"),
                         ("service", "8103/tcp", "127.0.0.1"), ("prometheus", "9090/tcp", "127.0.0.1")}


def _secrets(stack):
    """Every secret that the stack made: {where it stands: its value}"""
    text = stack.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "sh", "secrets", "-c",
                         "cd /secrets && for file in */*; do echo $file $(cat $file); done")
    found = dict(line.split(" ", 1) for line in text.splitlines())
    for name in found:
        if name.endswith("/TL_DATABASE"):
            found[name] = found[name].split("@")[0].rsplit(":", 1)[1]
    del found["sales/HUBSPOT_PUBLIC_URI"]
    return found


def test_no_secret_is_to_be_seen(stack, containers):
    secrets = _secrets(stack)
    assert len(secrets) >= 14 and all(len(value) >= 24 for value in secrets.values())
    assert len(set(secrets.values())) == 11  # the token is known to four, three roles' passwords to two
    image = stack.env["THROUGHLINE_IMAGE"]
    places = {
        "docker history": run("docker", "history", "--no-trunc", image),
        "docker image inspect": run("docker", "image", "inspect", image),
        "docker inspect": json.dumps(containers),
        "docker compose config": stack.compose("--profile", "*", "config"),
        "logs": stack.compose("--profile", "*", "logs", "--no-color"),
    }
    for one in containers:
        if one["State"]["Running"]:
            places[f"processes of {_name(one)}"] = run("docker", "top", one["Id"], "-eo", "pid,args")
    for place, text in places.items():
        seen = [name for name, value in secrets.items() if value in text]
        assert not seen, f"{place} shows {seen}"


def test_who_sees_which_secrets(stack):
    """Each container has its own alone."""
    seen = {service: stack.compose("exec", "-T", service, "ls", "/run/secrets").split() for service in (*PROGRAMS, "postgres")}
    assert seen == {
        "sales": ["HUBSPOT_CLIENT_SECRET", "HUBSPOT_PUBLIC_URI", "TL_DELIVER_SECRET", "TL_TOKEN"],
        "billing": ["STRIPE_WEBHOOK_SECRET", "TL_DELIVER_SECRET", "TL_TOKEN"],
        "service": ["TL_DELIVER_SECRET", "TL_TOKEN", "ZENDESK_WEBHOOK_SECRET"],
        "aggregator": ["TL_DATABASE"],
        "postgres": ["throughline", "throughline_aggregator", "throughline_people"],
    }


def test_a_token_is_exchanged_without_a_restart(stack):
    started = {one: stack.inspect(one)[0]["State"]["StartedAt"] for one in stack.containers(*DEPARTMENTS)}
    old, new = stack.token, "a-new-token-of-the-tests"

    def answers(token):
        return {department: request(stack.ports[department], "POST", "/events", "{}", {
            "Content-Type": "application/cloudevents+json", "Authorization": f"Bearer {token}"}).status
                for department in DEPARTMENTS}

    def put(text):
        stack.compose("run", "--rm", "--no-deps", "-T", "secrets", "put", "departments", "TL_TOKEN", input=text)
        stack.compose("kill", "-s", "HUP", *DEPARTMENTS)
    known, unknown = ({department: status for department in DEPARTMENTS} for status in (400, 401))
    assert (answers(old), answers(new)) == (known, unknown)
    put(f"{new}\n{old}\n")
    wait_for(lambda: answers(new) == known, 30, lambda: f"the new token is answered {answers(new)}")
    assert answers(old) == known
    put(f"{new}\n")
    wait_for(lambda: answers(old) == unknown, 30, lambda: f"the old token is answered {answers(old)}")
    assert answers(new) == known
    put(f"{old}\n")
    wait_for(lambda: answers(old) == known, 30, lambda: f"the first token is answered {answers(old)}")
    assert started == {one: stack.inspect(one)[0]["State"]["StartedAt"] for one in stack.containers(*DEPARTMENTS)}


def test_the_image(stack):
    image, base = (json.loads(run("docker", "image", "inspect", name))[0] for name in (stack.env["THROUGHLINE_IMAGE"], BASE))
    over = image["Size"] - base["Size"]
    print(f"\nthe image is {over / 10**6:.1f} MB over {BASE}")
    assert 0 < over <= MOST_OVER_BASE
    labels = image["Config"]["Labels"]
    version = stack.compose("exec", "-T", "sales", "tl-sales", "--version").split()[-1]
    assert labels["org.opencontainers.image.version"] == version
    assert labels["org.opencontainers.image.title"] == "Throughline" and labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert image["Config"]["Healthcheck"] and image["Config"]["User"] == "10001:10001"
    there = stack.compose("exec", "-T", "sales", "sh", "-c", f"command -v {' '.join(COMPILERS)}; true")
    assert there == "", f"the image has {there}"
    for program in ("tl-sales", "tl-billing", "tl-service", "tl-department", "tl-aggregator", "throughline", "tl-embedded-broker"):
        stack.compose("exec", "-T", "sales", program, "--version")


def test_the_same_tree_makes_the_same_image(stack):
    """Built anew, not from the cache: the same layers, byte for byte."""
    again = f"{stack.name}:again"
    stack.images.add(again)
    run("docker", "build", "--no-cache-filter", "build,programs", "-f", "deploy/Dockerfile", "--target", "runtime",
        "-t", again, ".", cwd=stack.tree, timeout=1200)
    first, second = (json.loads(run("docker", "image", "inspect", name))[0] for name in (stack.env["THROUGHLINE_IMAGE"], again))
    assert first["RootFS"]["Layers"] == second["RootFS"]["Layers"]
