"""docs/asyncapi.yaml is true: it is well-formed, has every type and header that the programs write, and what
they write in a whole round of everything is as it says."""
import re
import uuid
from datetime import datetime, timedelta, timezone

import pytest
from jsonschema import Draft7Validator

from support.asyncapi import FIELDS, Document
from support.paths import ROOT
from support.receiver import Receiver
from support.wait import wait_for

RULES = [
    {"rule": "invoice", "when": "sales.deal.won", "to": "billing", "ask": "Invoice it", "due": "4h",
     "done_when": "billing.invoice.issued", "brief": ["/amount", "/promises"]},
    {"rule": "late", "when": "sales.promise.made", "to": "service", "ask": "Keep it", "due": "1s"},
    {"rule": "nobody", "when": "service.ticket.opened", "to": "sales", "ask": "Call", "due": "4h"}]
SOURCE = {"department": "sales", "signature": {"scheme": "none"}, "id": "/id", "time": {"pointer": "/at", "format": "rfc3339"},
          "customer": {"email": "/mail"}, "rules": [{"if": {"/kind": "new"}, "type": "sales.deal.created"}],
          "otherwise": "quarantine"}
EMAIL = "ann@asyncapi.example"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def document():
    return Document()


# The document itself.

def test_objects_have_the_fields_of_the_specification(document):
    def check(kind, node, where):
        required, optional = FIELDS[kind]
        assert required <= set(node) <= required | optional, f"{where}: {set(node) ^ required}"
    whole = document.whole
    assert whole["asyncapi"] == "3.0.0"
    check("root", whole, "root")
    check("info", whole["info"], "info")
    for name, server in whole["servers"].items():
        check("server", server, name)
    for name, channel in document.channels.items():
        check("channel", channel, name)
        check("kafka channel", channel["bindings"]["kafka"], name)
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel.get("parameters", {})), name
        for parameter in channel.get("parameters", {}).values():
            check("parameter", parameter, name)
    for name, operation in whole["operations"].items():
        check("operation", operation, name)
        assert operation["action"] in ("send", "receive"), name
    for name, message in whole["components"]["messages"].items():
        check("message", message, name)
        check("kafka message", message["bindings"]["kafka"], name)


def test_every_schema_is_one_and_examples_keep_to_theirs(document):
    for name, message in document.whole["components"]["messages"].items():
        for part in (message["headers"], message["payload"], message["bindings"]["kafka"]["key"]):
            Draft7Validator.check_schema(part)
        for example in message.get("examples", []):
            for part in ("headers", "payload"):
                assert not list(Draft7Validator(message[part]).iter_errors(example[part])), f"{name}: {part}"


def test_every_message_is_sent_and_received_on_its_channel(document):
    used = {"send": set(), "receive": set()}
    for name, operation in document.raw["operations"].items():
        channel = operation["channel"]["$ref"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/"), f"{name}: {message}"
            used[operation["action"]].add(message["$ref"])
    every = {f"#/channels/{name}/messages/{message}" for name, channel in document.channels.items()
             for message in channel["messages"]}
    assert used == {"send": every, "receive": every}
    named = {reference["$ref"] for channel in document.raw["channels"].values() for reference in channel["messages"].values()}
    assert named == {f"#/components/messages/{name}" for name in document.raw["components"]["messages"]}


def test_topics_are_as_migrate_makes_them(document):
    options = (ROOT / "common/base/options.c").read_text(encoding="utf-8")
    partitions, days = (re.search(rf'{{"topic_{name}", \w+, "(\d+)d?"', options).group(1) for name in ("partitions", "retention"))
    for name, channel in document.channels.items():
        kafka = channel["bindings"]["kafka"]
        assert kafka["partitions"] == int(partitions), name
        assert kafka["topicConfiguration"] == {"cleanup.policy": ["delete"], "retention.ms": int(days) * 86400000,
                                               "max.message.bytes": 2097152}, name


# What the code writes.

def test_every_type_of_the_system_is_there(document):
    header = (ROOT / "common/event/system_events.h").read_text(encoding="utf-8")
    assert document.types() == set(re.findall(r'"(throughline\.[a-z_]+\.[a-z_]+)"', header))


def test_every_header_that_the_code_writes_is_there(document):
    written = {"content-type"}
    for file in ("common/event/event_kafka.c", "common/event/event_kafka.h", "services/aggregator/relay_record.c",
                 "services/department/handoff_message.c", "services/department/webhook.c"):
        text = (ROOT / file).read_text(encoding="utf-8")
        written.update(re.findall(r'"(ce_[a-z]+)"', text))
        written.update(f"ce_{name}" for name in re.findall(r'\bPREFIX "([a-z]+)"', text))
        written.update(re.findall(r'"(throughline_[a-z]+)"', text))
    assert document.headers() == written | {"ce_traceparent"}  # which an intake passes on as an extension


# What the programs write.

def ago(**time):
    return (datetime.now(timezone.utc) - timedelta(**time)).isoformat().replace("+00:00", "Z")


class Everything:
    """Makes the programs write each message once at least; `receivers` by department."""

    def __init__(self, stack, receivers):
        self.stack, self.receivers = stack, receivers

    def tell(self, kind, time=None, customer=None, **more):
        data = {"customer": customer or {"email": EMAIL}, **more.pop("data", {})}
        event = {"specversion": "1.0", "id": uuid.uuid4().hex, "source": "/tests/asyncapi", "type": kind,
                 "time": time or ago(seconds=5), "data": data, **more}
        answer = self.stack.post_event(kind.split(".")[0], event, traceparent=TRACE)
        assert answer.status == 202, answer

    def ask(self, department, handoff, verb, **body):
        answer = self.stack.request(f"tl-{department}", "POST", f"/handoffs/{handoff}/{verb}", {"by": "Bill", **body},
                                    {"Content-Type": "application/json"})
        assert answer.status == 202, answer

    def opened(self, department, rule, count=1):
        """The id of the `count`th handoff of a rule that a department's receiver was told of."""
        def look():
            ids = {t.handoff: None for t in list(self.receivers[department].tries)
                   if t.event["type"].endswith(".opened") and t.event["data"]["rule"] == rule}
            return list(ids)[count - 1] if len(ids) >= count else None
        return wait_for(look, 60, f"handoff {count} of {rule} for {department}")

    def is_told(self, department, handoff, kind):
        self.receivers[department].wait_for(handoff, kind, 60)

    def happen(self):
        self.events_of_all_kinds()
        self.what_people_do()
        self.webhooks()

    def events_of_all_kinds(self):
        self.tell("sales.customer.linked", customer={"email": EMAIL, "hubspot": "77", "account": {"domain": "asyncapi.example"}})
        self.tell("sales.meeting.held", ago(days=91), {"email": "silent@asyncapi.example"})  # stale
        self.tell("service.complaint.opened", data={"issue": {"id": "T-1", "summary": "It squeaks"}})  # untold
        self.tell("sales.promise.kept", data={"kept": ["soon"]}, subject="a subject", dataschema="https://acme.example/s",
                  zone="north")
        self.tell("sales.deal.created", data={"owner": {"name": "Grace", "role": "deal", "region": "EMEA"}})
        for kind, body in (("text/plain", b"words"), (None, b"")):
            headers = {"ce-specversion": "1.0", "ce-id": uuid.uuid4().hex, "ce-source": "/tests", "ce-type": "sales.call.made",
                       "ce-time": ago(seconds=5), "ce-customer": "email=ann%2540asyncapi.example"}
            answer = self.stack.request("tl-sales", "POST", "/events", body, {**headers, **({"Content-Type": kind} if kind else {})})
            assert answer.status == 202, answer

    def what_people_do(self):
        won = {"amount": 12000.5, "currency": "EUR", "owner": "Grace", "promises": ["onboarding"]}
        self.tell("sales.deal.won", data=won)
        first = self.opened("billing", "invoice")
        self.ask("billing", first, "accept")
        self.is_told("billing", first, "updated")
        self.ask("billing", first, "done", note="sent by post")
        self.is_told("billing", first, "closed")
        self.ask("billing", first, "accept", note="once more")
        self.is_told("billing", first, "refused")
        self.ask("billing", str(uuid.uuid4()), "accept")
        self.tell("sales.deal.won", data=won)
        second = self.opened("billing", "invoice", 2)
        self.ask("billing", second, "decline", note="no VAT number")  # closed to sales, too
        self.tell("sales.promise.made", data={"promises": ["soon"]})
        late = self.opened("service", "late")
        self.is_told("service", late, "overdue")
        self.ask("service", late, "reassign", to="billing")
        self.opened("billing", "late")
        self.tell("service.ticket.opened", data={"summary": "It squeaks"})  # undeliverable
        self.tell("billing.invoice.issued", data={"amount": 1, "currency": "EUR"})

    def webhooks(self):
        for body, counted in (({"id": "1", "kind": "new", "at": ago(seconds=5), "mail": EMAIL}, "accepted"),
                              ({"id": "2", "kind": "odd"}, "quarantined")):
            answer = self.stack.post_webhook("tl-sales", "crm", body, headers={})
            assert (answer.status, answer.json[counted]) == (202, 1), answer


@pytest.fixture(scope="module")
def records(bare_stack, document):
    """All of them, by (channel, message), once every message was written."""
    receivers = {name: Receiver() for name in ("sales", "billing", "service")}
    receivers["sales"].answer = lambda event: 422
    bare_stack.write_config("handoffs.json", RULES)
    bare_stack.write_config("sources/crm.json", SOURCE)
    bare_stack.learn_sources()
    for department, receiver in receivers.items():
        bare_stack.deliver_to(department, receiver.start(), deliver_refused_tries="2")
    bare_stack.start("tl-aggregator", env={"TL_UNTOLD_AFTER": "2s", "TL_STALE_AFTER": "90d"})
    bare_stack.start("tl-sales", "tl-billing", "tl-service")
    Everything(bare_stack, receivers).happen()
    every = {(name, message) for name, channel in document.channels.items() for message in channel["messages"]}

    def look():
        found = {}
        for topic in bare_stack.kafka.topics():
            channel = document.topic_channel(topic)
            count = bare_stack.kafka.count(topic) if channel else 0
            for record in bare_stack.kafka.records(topic, count) if count else []:
                found.setdefault((channel, document.message_of(channel, record)), []).append(record)
        return found
    yield wait_for(lambda: (lambda found: found if set(found) >= every else None)(look()), 90,
                   lambda: f"every message is written; missing: {sorted(every - set(look()))}", step=0.5)
    for receiver in receivers.values():
        receiver.stop()


def test_every_record_is_as_described(records, document):
    wrong = [f"{channel}/{message} {record.topic()}[{record.partition()}]@{record.offset()} {fault}"
             for (channel, message), found in records.items() for record in found
             for fault in document.faults(channel, message, record)]
    assert not wrong, "\n".join(wrong)


def test_no_record_is_of_another_kind(records, document):
    assert set(records) == {(name, message) for name, channel in document.channels.items() for message in channel["messages"]}


@pytest.mark.parametrize("channel,message", [("handoffs", "opened"), ("handoffs", "closed"), ("events", "report"),
                                             ("system", "stale")])
def test_a_member_or_header_that_is_not_described_is_found(records, document, channel, message):
    """The schemas are not so wide that anything fits."""
    record = records[(channel, message)][0]

    class Changed:
        def __init__(self, headers, value):
            self._headers, self._value = headers, value

        def headers(self):
            return self._headers

        def value(self):
            return self._value

        def key(self):
            return record.key()
    assert document.faults(channel, message, Changed(record.headers() + [("ce_more", b"x")], record.value()))
    assert document.faults(channel, message, Changed(record.headers(), record.value()[:-1] + b', "more": 1}'))
