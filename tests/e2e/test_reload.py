"""SIGHUP: programs read their configuration anew while they serve. No request fails for it, and what is
wrong is refused."""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import uuid
from datetime import datetime, timezone

import pytest

from support import sign
from support.certificates import Authority
from support.events import event
from support.handoffs import change, new_handoff, publish
from support.paths import RUNS
from support.receiver import Receiver
from support.stack import Stack
from support.wait import wait_for

TAKEN = 'msg="The configuration was read anew"'
REFUSED = 'msg="The new configuration is refused, and the old one goes on"'
RESTART = 'msg="Of the new configuration this needs a restart, and stays as it was"'
FAILED = "throughline_config_reload_failed"

PHONE = {"department": "sales",
         "signature": {"scheme": "hmac", "secret": "${PHONE_SECRET}", "header": "X-Signature", "prefix": "sha256="},
         "id": "/id", "time": {"pointer": "/at", "format": "rfc3339"}, "customer": {"email": "/who"},
         "rules": [{"type": "sales.call.made"}]}


class Running:
    """A stack whose secrets are files, and whose programs are told to read anew."""

    def __init__(self, stack):
        self.stack = stack
        self.secrets = os.path.join(stack.folder, "secrets")
        os.makedirs(self.secrets)
        stack.env["TL_SECRETS"] = self.secrets
        stack.write_config("sources/phone.json", PHONE)
        self.secret("TL_TOKEN", "old")
        self.secret("PHONE_SECRET", "old secret")

    def secret(self, name, *lines):
        with open(os.path.join(self.secrets, name), "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    def config(self, name):
        with open(os.path.join(self.stack.config, name), encoding="utf-8") as file:
            return json.load(file)

    def check(self, program):
        """What its --check says."""
        done = subprocess.run([*self.stack.programs[program].argv, "--check"], check=False, capture_output=True,
                              text=True, timeout=60, env=self.stack.programs[program].env)
        assert done.returncode == 2
        return done.stderr

    def lines(self, program, message):
        with open(self.stack.programs[program].log, encoding="utf-8") as log:
            return [line for line in log if message in line]

    def reload(self, *programs, message=TAKEN):
        """Returns when each has said so."""
        for program in programs:
            before = len(self.lines(program, message))
            self.stack.programs[program].signal(signal.SIGHUP)
            wait_for(lambda: len(self.lines(program, message)) > before, 10,
                     lambda: f"{program} does not say {message}")

    def post(self, token, one=None):
        return self.stack.post_event("sales", one or new_event(), Authorization=f"Bearer {token}")

    def call(self, secret):
        body = json.dumps({"id": uuid.uuid4().hex, "at": "2026-01-08T10:12:07Z", "who": "ann@acme.example"}).encode()
        return self.stack.post_webhook("tl-sales", "phone", body, sign.github_style(secret, body))

    def on_timeline(self, kind):
        return self.stack.query("SELECT count(*) FROM throughline.timeline WHERE type = %s", (kind,))[0]["count"]


def new_event(kind="sales.call.made", **data):
    return event(kind, {"customer": {"email": "ann@acme.example"}, **data})


def now():
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


@pytest.fixture
def running(request, kafka, postgres):
    stack = Stack(RUNS / f"reload-{request.node.name}", kafka, postgres.new_database())
    stack.run("migrate", "--topics", "skip")
    world = Running(stack)
    stack.start("tl-sales", "tl-aggregator")
    yield world
    stack.close()


class Senders:
    """Events and webhooks without a pause, by what `credentials` says at the moment."""

    def __init__(self, world, count=3):
        self.world, self.credentials = world, ("old", "old secret")
        self.ending, self.statuses, self.accepted = threading.Event(), {}, 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.send_on, daemon=True) for _ in range(count)]

    def send_on(self):
        while not self.ending.is_set():
            token, secret = self.credentials
            for answer in (self.world.post(token), self.world.call(secret)):
                with self.lock:
                    self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1

    def wait_for_more(self, count=20):
        wanted = self.statuses.get(202, 0) + count
        wait_for(lambda: self.statuses.get(202, 0) >= wanted, 60, lambda: f"too few answers: {self.statuses}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join(60)


def test_secrets_are_exchanged_under_load(running):
    with Senders(running) as senders:
        senders.wait_for_more()
        running.secret("TL_TOKEN", "new", "old")
        running.secret("PHONE_SECRET", "new secret", "old secret")
        running.reload("tl-sales", "tl-aggregator")
        senders.wait_for_more()
        senders.credentials = ("new", "new secret")
        senders.wait_for_more()
        running.secret("TL_TOKEN", "new")
        running.secret("PHONE_SECRET", "new secret")
        for _ in range(10):
            running.reload("tl-sales", "tl-aggregator")
        senders.wait_for_more()
    assert set(senders.statuses) == {202}
    assert [running.post(token).status for token in ("old", "new")] == [401, 202]
    assert [running.call(secret).status for secret in ("old secret", "new secret")] == [401, 202]
    running.stack.wait_caught_up()
    assert running.on_timeline("sales.call.made") == senders.statuses[202] + 2
    assert running.stack.query("SELECT count(*) FROM throughline.quarantine")[0]["count"] == 0
    running.stack.run("reconcile")


def test_what_does_not_check_is_refused(running):
    right = running.config("departments/sales.json")
    wrong = json.loads(json.dumps(right))
    wrong["events"]["sales.call.made"]["money"] = "plenty"
    loaded = running.stack.metric("tl-sales", "throughline_config_loaded_timestamp_seconds")
    running.stack.write_config("departments/sales.json", wrong)
    running.secret("TL_TOKEN", "new")
    assert "departments/sales.json: /events/sales.call.made/money: " in running.check("tl-aggregator")
    running.reload("tl-sales", "tl-aggregator", message=REFUSED)
    for program in ("tl-sales", "tl-aggregator"):
        line = running.lines(program, REFUSED)[-1]
        assert "level=error" in line and "departments/sales.json" in line
        assert "pointer=/events/sales.call.made/money" in line and "detail=" in line
        assert running.stack.metric(program, FAILED) == 1
        assert running.lines(program, TAKEN) == []
    assert [running.post(token).status for token in ("old", "new")] == [202, 401]
    assert running.stack.metric("tl-sales", "throughline_config_loaded_timestamp_seconds") == loaded

    running.stack.write_config("departments/sales.json", right)
    running.reload("tl-sales", "tl-aggregator")
    assert [running.post(token).status for token in ("old", "new")] == [401, 202]
    assert running.stack.metric("tl-sales", FAILED) == running.stack.metric("tl-aggregator", FAILED) == 0
    assert running.stack.metric("tl-sales", "throughline_config_loaded_timestamp_seconds") >= loaded


def test_what_needs_a_restart_is_said_once(running):
    settings = running.config("throughline.json")
    settings["tl-sales"].update(http_idle="61s", log_level="debug")
    settings["tl-aggregator"]["writers"] = 1
    running.stack.write_config("throughline.json", settings)
    running.reload("tl-sales", "tl-aggregator")
    for program, names in (("tl-sales", "settings=http_idle"), ("tl-aggregator", "settings=writers")):
        [line] = running.lines(program, RESTART)
        assert "level=warn" in line and names in line
    running.post("old")
    wait_for(lambda: running.lines("tl-sales", "level=debug"), 10, "the new log level counts")


def test_a_new_type_and_a_new_rule(running):
    """The aggregator first, then the intake."""
    vocabulary = running.config("departments/sales.json")
    vocabulary["events"]["sales.gift.sent"] = {"money": "none", "touch": True}
    gift = new_event("sales.gift.sent")
    gift["time"] = now()
    assert running.post("old", gift).status == 400
    running.stack.write_config("departments/sales.json", vocabulary)
    running.stack.write_config("handoffs.json", [
        {"rule": "thank-for-the-gift", "when": "sales.gift.sent", "to": "service", "ask": "Ask whether it came",
         "due": "2d"}])
    running.reload("tl-aggregator")
    assert running.post("old", gift).status == 400
    running.reload("tl-sales")
    assert running.post("old", gift).status == 202
    running.stack.wait_caught_up()
    assert running.on_timeline("sales.gift.sent") == 1
    assert running.stack.query("SELECT touch FROM store.event_types WHERE type = 'sales.gift.sent'") == [{"touch": True}]
    rows = running.stack.query("SELECT rule, to_department FROM throughline.handoffs")
    assert rows == [{"rule": "thank-for-the-gift", "to_department": "service"}]


def test_a_new_department(running):
    """Its topic is read by an aggregator that was running before there was such a department."""
    shipping = {"listen": "127.0.0.1:0", "events": {"shipping.parcel.sent": {"money": "none", "touch": True}}}
    running.stack.write_config("departments/shipping.json", shipping)
    running.reload("tl-aggregator")
    running.stack.start("tl-department:shipping")
    answer = running.stack.request(
        "tl-department:shipping", "POST", "/events", new_event("shipping.parcel.sent"),
        {"Content-Type": "application/cloudevents+json", "Authorization": "Bearer old"})
    assert answer.status == 202
    wait_for(lambda: running.on_timeline("shipping.parcel.sent") == 1, 60, "the parcel is on the timeline")
    running.stack.wait_ready("tl-aggregator")
    lag = 'throughline_lag_records{topic="events.shipping"}'
    wait_for(lambda: lag in running.stack.request("tl-aggregator", "GET", "/metrics").body.decode(), 30, "its lag is shown")


def test_a_receiver_and_its_secret_are_exchanged(running):
    """A delivery is signed with each secret, so that the receiver may know either; then another one is told."""
    with Receiver() as receiver, Receiver() as other:
        receiver.answer = other.answer = lambda event: 200
        running.secret("TL_DELIVER_URL", receiver.url)
        running.secret("TL_DELIVER_SECRET", receiver.secret)
        running.stack.stop("tl-sales")
        running.stack.start("tl-sales")

        def deliver(to):
            handoff = new_handoff()
            publish(running.stack.kafka, "sales", change(handoff, 1))
            to.wait_for(handoff, "opened")
            assert to.forged == []

        deliver(receiver)
        running.secret("TL_DELIVER_SECRET", other.secret, receiver.secret)
        running.reload("tl-sales")
        deliver(receiver)
        receiver.secret = other.secret
        deliver(receiver)
        running.secret("TL_DELIVER_SECRET", other.secret)
        running.secret("TL_DELIVER_URL", other.url)
        running.reload("tl-sales")
        deliver(other)


def test_a_certificate_is_exchanged(running, tmp_path):
    """For who connects from then on; one without its key is refused."""
    stack, authority = running.stack, Authority(tmp_path, "authority")
    programs = ("tl-sales", "tl-aggregator")
    shown = {"TL_TLS_CERTIFICATE": str(tmp_path / "shown.pem"), "TL_TLS_KEY": str(tmp_path / "shown-key.pem")}

    def show(certificate, key):
        for source, target in zip((certificate, key), shown.values()):
            shutil.copyfile(source, target)

    def serials():
        found = []
        for program in programs:
            with socket.create_connection(("127.0.0.1", stack.ports[program]), 10) as plain:
                with context.wrap_socket(plain, server_hostname="localhost") as connection:
                    found.append(connection.getpeercert()["serialNumber"])
        return found

    first, second = authority.issue("first"), authority.issue("second")
    context = stack.tls = ssl.create_default_context(cafile=authority.ca)
    show(*first)
    stack.env.update(shown)
    stack.stop(*programs)
    stack.start(*programs)
    before = serials()
    show(*second)
    running.reload(*programs)
    after = serials()
    assert len(set(before)) == len(set(after)) == 1 and before != after
    show(first[0], second[1])
    running.reload(*programs, message=REFUSED)
    assert serials() == after
    for program in programs:
        assert "pointer=/tls_" in running.lines(program, REFUSED)[-1]


def test_the_watch_goes_by_new_settings(running):
    """The view of stale customers reads what the watch has written."""
    running.post("old")
    running.stack.wait_caught_up()
    assert running.stack.query("SELECT count(*) FROM throughline.stale_customers")[0]["count"] == 0
    running.stack.env.pop("TL_STALE_AFTER")
    settings = running.config("throughline.json")
    settings["tl-aggregator"]["stale_after"] = "1h"
    running.stack.write_config("throughline.json", settings)
    running.stack.stop("tl-aggregator")
    running.stack.start("tl-aggregator")
    stale = "SELECT count(*) FROM throughline.stale_customers"
    wait_for(lambda: running.stack.query(stale)[0]["count"] == 1, 30, "the customer is stale")
    settings["tl-aggregator"]["stale_after"] = "36500d"
    running.stack.write_config("throughline.json", settings)
    running.reload("tl-aggregator")
    wait_for(lambda: running.stack.query(stale)[0]["count"] == 0, 30, "the customer is stale no more")
