"""What stands in logs: at level info nothing of a customer nor of who looks after them, at any level no
secret, whatever comes in and whatever goes wrong; and each line is one event that programs can read."""
import base64
import json
import re
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest

from support.events import binary
from support.handoffs import change, new_handoff, publish
from support.postgres import execute
from support.receiver import Receiver
from support.wait import wait_for

# Each stands where such a thing stands, and nowhere else, so that what is found tells where it came from.
PERSONAL = {what: f"zzq{what}marker" for what in (
    "mailbox", "stripeid", "domain", "name", "owner", "summary", "issue", "promise", "body", "by", "note", "answer",
    "subject", "field", "path", "query", "row", "header", "attribute", "record", "kind")}
SECRET = {what: f"zzs{what}marker" for what in ("token", "badtoken", "user", "password", "url", "delivery", "database", "half",
                                          "webhook", "signature", "basic",
                                          "kafka")}
EMAIL = f"{PERSONAL['mailbox']}@{PERSONAL['domain']}.example"

RULES = [{"rule": "invoice", "when": "sales.deal.won", "to": "billing", "ask": "Invoice it", "due": "1s",
          "brief": ["/amount", "/promises", "/secretfield"]},
         {"rule": "back", "when": "service.ticket.opened", "to": "sales", "ask": "Call", "due": "4h"}]
SOURCE = {"department": "sales", "signature": {"scheme": "none"}, "id": "/id", "time": {"pointer": "/at", "format": "rfc3339"},
          "customer": {"email": "/mail"}, "rules": [{"if": {"/kind": "new"}, "type": "sales.deal.created"}],
          "otherwise": "quarantine"}


def ago(**time):
    return (datetime.now(timezone.utc) - timedelta(**time)).isoformat().replace("+00:00", "Z")


class Traffic:
    def __init__(self, stack, receivers):
        self.stack, self.receivers = stack, receivers
        self.auth = {"Authorization": f"Bearer {SECRET['token']}"}
        self.before = len(receivers["billing"].tries)

    def event(self, kind="sales.deal.won", **changes):
        data = {"customer": {"email": EMAIL, "stripe": PERSONAL["stripeid"], "name": PERSONAL["name"],
                             "account": {"domain": f"{PERSONAL['domain']}.example"}},
                "owner": PERSONAL["owner"], "summary": PERSONAL["summary"], "amount": 12, "currency": "EUR",
                "promises": [PERSONAL["promise"]], "secretfield": PERSONAL["field"],
                "issue": {"id": PERSONAL["issue"], "summary": PERSONAL["issue"]}}
        event = {"specversion": "1.0", "id": uuid.uuid4().hex, "source": "/tests/logs", "type": kind, "time": ago(seconds=5),
                 "subject": PERSONAL["subject"], "data": data, **changes}
        return {name: value for name, value in event.items() if value is not None}

    def post(self, path, body, content="application/cloudevents+json", program="tl-sales", **headers):
        return self.stack.request(program, "POST", path, body, {"Content-Type": content, **self.auth, **headers}).status

    def good(self):
        assert self.post("/events", self.event()) == 202
        assert self.post("/events", [self.event("sales.deal.created"), self.event("sales.call.made")],
                         "application/cloudevents-batch+json") == 202
        one = self.event("sales.deal.lost", customer=f"email={quote(EMAIL)}", data=None)
        assert self.post("/events", PERSONAL["body"].encode(), "text/plain",
                         **{f"ce-{name}": value for name, value in one.items()}) == 202
        assert self.post("/events", self.event("service.ticket.opened"), program="tl-service") == 202
        assert self.post("/events", self.event("sales.customer.linked", time="2020-01-01T00:00:00Z")) == 202

    def bad(self):
        wrong = [self.event(type=f"sales.{PERSONAL['attribute']}.won"), self.event(time=PERSONAL["attribute"]),
                 self.event(**{PERSONAL["attribute"].upper(): "x"}), self.event(source=f"a b {PERSONAL['attribute']}"),
                 self.event(data={"customer": {PERSONAL["kind"]: PERSONAL["name"]}, "amount": PERSONAL["field"]}),
                 self.event(customer=f"{PERSONAL['kind']}=%zz{PERSONAL['name']}"), self.event(data=PERSONAL["body"]),
                 self.event(time="2099-01-01T00:00:00Z"), self.event(id=f"\u0007{PERSONAL['attribute']}")]
        for event in wrong:
            assert self.post("/events", event) == 400
        for body in (f'{{"{PERSONAL["body"]}": ', f'"{PERSONAL["body"]}\\ud800"', f"[[[[{PERSONAL['body']}"):
            assert self.post("/events", body.encode()) == 400
            assert self.post("/events", body.encode(), "application/cloudevents-batch+json") == 400
        assert self.post("/events", PERSONAL["body"].encode(), f"application/{PERSONAL['header']}") == 415
        assert self.post("/events", PERSONAL["body"].encode() * 40000) == 413
        assert self.post(f"/{PERSONAL['path']}?mail={PERSONAL['query']}", b"{}") == 404
        assert self.post(f"/webhooks/{PERSONAL['path']}", b"{}") == 404
        assert self.post("/events", self.event(), Authorization=f"Bearer {SECRET['badtoken']}") == 401

    def webhooks(self):
        for body, status in ((json.dumps({"id": PERSONAL["record"], "kind": "new", "at": ago(seconds=5), "mail": EMAIL}), 202),
                             (json.dumps({"id": PERSONAL["record"], "kind": PERSONAL["kind"]}), 202),
                             (f'{{"a{PERSONAL["field"]}": 1, "a{PERSONAL["field"]}": 2}}', 202), (PERSONAL["body"], 400)):
            assert self.post("/webhooks/crm", body.encode(), "application/json") == status
        stripe = json.dumps({"id": "evt_1", "object": "event", "data": {"object": {"email": EMAIL}}}).encode()
        for headers in ({"Stripe-Signature": f"t=1,v1={SECRET['signature']}"}, {"Stripe-Signature": SECRET["signature"]}, {},
                        self.stack.sources.signed("stripe", stripe)):
            self.stack.post_webhook("tl-billing", "stripe", stripe, headers)
        basic = base64.b64encode(f"{SECRET['basic']}:{SECRET['basic']}".encode()).decode()
        self.stack.post_webhook("tl-sales", "pipedrive", stripe, {"Authorization": f"Basic {basic}"})

    def records(self):
        """Past every intake: what goes to quarantine, and what is no change of a handoff."""
        structured = {"content-type": "application/cloudevents+json"}
        mark = PERSONAL["record"]
        for value, headers in ((mark.encode(), {}), (f'{{"{mark}'.encode(), structured), (b"{}", {"ce_" + mark: mark}),
                               (json.dumps(self.event(type=f"sales.{mark}.x")).encode(), structured),
                               (json.dumps(self.event("throughline.handoff.accept", data={"handoff": mark})).encode(), structured),
                               (json.dumps(self.event("throughline.handoff.accept",
                                                      data={"handoff": str(uuid.uuid4()), "by": PERSONAL["by"]})).encode(), structured),
                               (f'{{"a": "{mark}\\u0000"}}'.encode(), structured),
                               (json.dumps({mark: 1}).encode(), {"throughline_source": "crm", "throughline_reason": mark}),
                               (json.dumps({mark: 1}).encode(), {"throughline_source": mark, "throughline_reason": mark})):
            self.stack.kafka.produce("events.sales", value, mark, headers)
        for headers in ({"ce_type": mark}, {"ce_id": f"{mark} x"}, {"ce_sequence": mark}, {"ce_" + mark.upper(): mark},
                        {"ce_time": mark}):
            handoff, good, value = change(new_handoff(), 1)
            publish(self.stack.kafka, "billing", (handoff, {**good, **headers}, value))
        self.stack.kafka.produce("handoffs.billing", mark.encode(), mark, structured)

    def handoffs(self):
        """People's requests, good and bad, and a receiver that has something to say."""
        def ask(verb, handoff=None, status=202, **body):
            found = self.post(f"/handoffs/{handoff or mine}/{verb}", {"by": PERSONAL["by"], **body}, "application/json", "tl-billing")
            assert found == status, (verb, found)
        receiver = self.receivers["billing"]
        mine = wait_for(lambda: next((t.handoff for t in receiver.tries[self.before:] if t.event["type"].endswith("handoff.opened")
                                      and t.event["data"]["rule"] == "invoice" and EMAIL in str(t.event)), None), 60, "a handoff")
        receiver.wait_for(mine, "overdue", 60)
        ask("accept", note=PERSONAL["note"])
        ask("decline", status=400, note="")
        ask("accept", handoff=PERSONAL["note"], status=400)
        ask("accept", handoff=str(uuid.uuid4()), note=PERSONAL["note"])
        ask("decline", note=PERSONAL["note"])
        receiver.wait_for(mine, "closed", 60)
        ask("done", note=PERSONAL["note"])
        receiver.wait_for(mine, "refused", 60)

    def trouble_with_the_database(self):
        """A trigger that speaks of what it refuses, and sessions that are ended."""
        self.stack.query("""CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.value LIKE '%%noentry%%' THEN RAISE EXCEPTION 'no entry for "%%"', NEW.value; END IF; RETURN NEW; END $$""", ())
        self.stack.query("CREATE TRIGGER refuse BEFORE INSERT ON store.identities FOR EACH ROW EXECUTE FUNCTION public.refuse()")
        refused = f"noentry{PERSONAL['row']}@acme.example"
        assert self.post("/events", self.event("sales.call.made", data={"customer": {"email": refused}})) == 202
        wait_for(lambda: "no entry for" in log_of(self.stack, "tl-aggregator"), 30, "the refusal is told")
        self.stack.query("DROP TRIGGER refuse ON store.identities")
        self.stack.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tl-aggregator%%'", ())
        self.stack.wait_caught_up(60)


def log_of(stack, program):
    with open(stack.programs[program].log, encoding="utf-8") as log:  # which is UTF-8, or this fails
        return log.read()


def forms(mark):
    """How somebody might write it."""
    plain = mark.encode()
    cores = (base64.b64encode(b"x" * shift + plain).decode()[4:-4].lower() for shift in range(3))
    return {mark.lower(), plain.hex(), *cores}


def expect_none(stack, marks):
    for program in stack.programs:
        text = log_of(stack, program).lower()
        for what, mark in marks.items():
            for form in forms(mark):
                at = text.find(form)
                assert at < 0, f"{program} tells of {what}: …{text[max(0, at - 300):at + 100]}"


def own_user(stack):
    """The database's URI with a user whose password is a marker."""
    stack.query(f"CREATE ROLE tests_logs LOGIN PASSWORD '{SECRET['database']}' IN ROLE throughline_writer, throughline_analyst_pii")
    return re.sub(r"://[^@/]+@", f"://tests_logs:{SECRET['database']}@", stack.database)


@pytest.fixture(scope="module")
def receivers():
    found = {name: Receiver(secret="whsec_" + base64.b64encode(SECRET["delivery"].encode() * 3).decode()) for name in ("billing", "sales")}
    for one in found.values():
        one.start()
    yield found
    for one in found.values():
        one.stop()


@pytest.fixture(scope="module")
def world(bare_stack, receivers):
    stack = bare_stack
    stack.write_config("handoffs.json", RULES)
    stack.write_config("sources/crm.json", SOURCE)
    stack.learn_sources()
    stack.env["STRIPE_WEBHOOK_SECRET"] = stack.sources.secrets["stripe"] = SECRET["webhook"]
    stack.env.update(TL_TOKEN=SECRET["token"], TL_DATABASE=own_user(stack))
    for department, receiver in receivers.items():
        stack.deliver_to(department, receiver, deliver_refused_tries="2", deliver_tries="3", deliver_breaker_failures="4")
        stack.own_env[f"tl-{department}"]["TL_DELIVER_URL"] = (
            f"http://{SECRET['user']}:{SECRET['password']}@127.0.0.1:{receiver.port}/handoffs/{SECRET['url']}?key={SECRET['url']}")
    return stack


def run(stack, receivers, **env):
    stack.start("tl-aggregator", "tl-sales", "tl-billing", "tl-service", env={"TL_UNTOLD_AFTER": "1s", **env})
    receivers["sales"].answer = lambda event: (500, {"X-Note": PERSONAL["answer"]})
    traffic = Traffic(stack, receivers)
    traffic.good()
    traffic.bad()
    traffic.webhooks()
    traffic.records()
    traffic.handoffs()
    receivers["billing"].answer = lambda event: 422
    assert traffic.post("/events", traffic.event()) == 202
    wait_for(lambda: "could not be delivered" in log_of(stack, "tl-billing"), 60, "an undeliverable handoff is told")
    receivers["billing"].answer = lambda event: 200
    stack.wait_caught_up(60)


def test_info_has_no_personal_data_and_no_secret(world, receivers):
    run(world, receivers)
    Traffic(world, receivers).trouble_with_the_database()
    world.stop()
    for program in ("tl-aggregator", "tl-sales", "tl-billing"):
        assert "level=warn" in log_of(world, program), program  # it had something to tell
    expect_none(world, {**PERSONAL, **SECRET})


LINE = re.compile(r'time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(error|warn|info|debug) program=[a-z-]+ msg=("([^"\\]|\\.)*"|\S+)'
                  r'( [a-z_]+=("([^"\\]|\\.)*"|[^\s"=\\]+))*')


def test_every_line_is_one_event(world):
    for program in world.programs:
        for line in log_of(world, program).splitlines():
            assert LINE.fullmatch(line), f"{program}: {line}"


def test_debug_has_no_secret_and_json_lines_can_be_read(world, receivers):
    """Kafka's client tells everything, its configuration too."""
    with open(f"{world.config}/throughline.json", encoding="utf-8") as file:
        settings = json.load(file)
    world.write_config("throughline.json", {**settings, "kafka": {
        "debug": "generic,broker,topic,metadata,security,consumer,cgrp,conf,eos", "ssl.keystore.password": SECRET["kafka"]}})
    for program in world.programs.values():
        open(program.log, "w", encoding="utf-8").close()
    run(world, receivers, TL_LOG_LEVEL="debug", TL_LOG_FORMAT="json")
    world.stop()
    expect_none(world, SECRET)
    for program in world.programs:
        lines = [json.loads(line) for line in log_of(world, program).splitlines()]
        assert lines and all(list(line)[:4] == ["time", "level", "program", "msg"] for line in lines)
        assert {line["program"] for line in lines} == {program} and "debug" in {line["level"] for line in lines}


@pytest.mark.parametrize("database", [
    "host=127.0.0.1 password={password} {half}", "postgresql://tl:{password}%zz{half}@127.0.0.1:1/x", "postgresql://tl:{password}/{half}@127.0.0.1:1/x",
    "postgresql://tl:{password}@{half}@127.0.0.1:1/x", "host=127.0.0.1 port={password}", "postgresql://127.0.0.1:1/x?password={password}&{half}"])
def test_a_connection_string_that_is_wrong_is_not_repeated(world, database):
    log = f"{world.folder}/tl-aggregator.log"
    open(log, "w", encoding="utf-8").close()
    conninfo = database.format(password=SECRET["database"], half=SECRET["half"])
    world.start("tl-aggregator", ready=False, env={"TL_DATABASE": conninfo, "TL_LOG_LEVEL": "debug"})
    wait_for(lambda: re.search("sqlstate=08001|configuration is wrong", log_of(world, "tl-aggregator")), 30, "the trouble is told")
    world.stop()
    expect_none(world, SECRET)
    for command in ("migrate", "status"):
        world.run(command, status=None, env={"TL_DATABASE": conninfo})
    with open(log.replace("tl-aggregator", "throughline"), encoding="utf-8") as told:
        text = told.read()
    assert SECRET["half"] not in text and SECRET["database"] not in text


@pytest.mark.parametrize("name,value", [
    ("TL_DELIVER_SECRET", "whsec_%{secret}"), ("TL_DELIVER_SECRET", "{secret}"), ("TL_DELIVER_URL", "http://tl:{secret}/x@127.0.0.1/"),
    ("TL_DELIVER_URL", "{secret}"), ("HUBSPOT_CLIENT_SECRET", "{secret}" * 400)])
def test_a_secret_that_is_wrong_is_not_repeated(world, name, value):
    log = f"{world.folder}/tl-sales.log"
    open(log, "w", encoding="utf-8").close()
    secret = SECRET["delivery"]
    world.start("tl-sales", ready=False, env={name: value.format(secret=secret)})
    status = world.programs["tl-sales"].wait(20)
    assert status == 2
    assert log_of(world, "tl-sales") and secret not in log_of(world, "tl-sales")
