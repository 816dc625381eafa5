"""Under valgrind, over a start, 1,000 events and a stop, no program loses memory or touches what
is not its own."""
import json
import shutil
import subprocess

import pytest

from support import sanitizer
from support.events import event
from support.paths import BUILD
from support.process import Process
from support.stack import DEPARTMENTS
from support.wait import wait_for

ERROR = 99  # valgrind's exit status when it found something
VALGRIND = ["valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect", f"--error-exitcode={ERROR}"]
EVENTS = 1000

pytestmark = [
    pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed"),
    pytest.mark.skipif(sanitizer.NAME is not None,
                       reason=f"valgrind cannot run programs built under {sanitizer.NAME}")]


@pytest.fixture(scope="module")
def watched(bare_stack):
    """All programs under valgrind, with time to be slow in."""
    bare_stack.wrapper = VALGRIND
    bare_stack.write_config("departments/shipping.json", {
        "events": {"shipping.parcel.sent": {"touch": True}}})
    names = [f"tl-{d}" for d in DEPARTMENTS] + ["tl-department:shipping", "tl-aggregator"]
    bare_stack.start(*names, ready=False)
    for name in names:
        bare_stack.wait_ready(name, 120)
    return bare_stack


def lines(count):
    """JSON Lines, one of them bad, with a new customer every ten events."""
    for n in range(count):
        yield json.dumps(event("sales.deal.won", {
            "customer": {"email": f"v{n // 10}@acme.example", "account": {"domain": "acme.example"},
                         "phone": f"+4930{n}"},
            "amount": 1.5, "currency": "EUR", "promises": ["a visit"]}))
    yield json.dumps(event("sales.deal.won", {}))


def test_services_over_a_thousand_events(watched):
    stack = watched
    stack.run("send", "-", "--department", "sales", "--url",
              f"http://127.0.0.1:{stack.ports['tl-sales']}", status=3, timeout=300,
              input="\n".join(lines(EVENTS)) + "\n")
    for department, source in (("billing", "stripe"), ("service", "zendesk")):
        for n in range(5):
            answer = stack.post_webhook(f"tl-{department}", source, {
                "id": f"evt_{n}", "object": "event", "type": "customer.created", "created": 1767225600,
                "data": {"object": {"id": f"cus_{n}", "email": f"v{n}@acme.example"}}})
            assert answer.status == 202, answer
    sent = event("shipping.parcel.sent", {"customer": {"email": "v0@acme.example"}})
    assert stack.request("tl-department:shipping", "POST", "/events", sent,
                         {"Content-Type": "application/cloudevents+json"}).status == 202
    assert stack.request("tl-sales", "POST", "/events", b"{", {"Content-Type": "application/json"}).status >= 400
    stack.kafka.produce("events.sales", b"no event")
    stack.wait_caught_up(180)
    assert stack.query("SELECT count(*) AS n FROM throughline.timeline WHERE type = 'sales.deal.won'"
                       )[0]["n"] == EVENTS
    for command in (["customers", "v1@acme.example"], ["timeline", "v1@acme.example"],
                    ["quarantine", "list"], ["status", "--json"], ["migrate", "--topics", "check"], ["check"],
                    ["quarantine", "replay", "--all"], ["reconcile"]):
        stack.run(*command, status=None, timeout=120)
    log = open(f"{stack.folder}/throughline.log", encoding="utf-8").read()
    assert "==" not in log, log  # what valgrind found begins so
    statuses = {name: program.stop(60) for name, program in stack.programs.items()}
    assert not any(statuses.values()), (statuses, {
        name: program.tail(60) for name, program in stack.programs.items() if statuses[name]})


def test_embedded_broker(tmp_path):
    broker = Process("tl-embedded-broker", VALGRIND + [BUILD / "tl-embedded-broker", "--file",
                                                       tmp_path / "bootstrap"], tmp_path / "log")
    broker.start()
    broker.wait_until(lambda: (tmp_path / "bootstrap").exists(), 60, "says where it listens")
    address = (tmp_path / "bootstrap").read_text().strip().removeprefix("bootstrap=")
    wait_for(lambda: subprocess.run(["kcat", "-b", address, "-L"], capture_output=True, check=False,
                                    timeout=30).returncode == 0, 60, "the broker answers")
    assert broker.stop(60) == 0, broker.tail(60)
