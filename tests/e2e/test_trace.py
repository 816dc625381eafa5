"""The trace that somebody's request belongs to: from a sender's HTTP header or a CloudEvent's extension, by
Kafka and the database, to the department's own system that gets the handoff. What is no traceparent is left
out, and nothing is refused, nor lost, for it."""
import json
import uuid
from datetime import datetime, timezone

import pytest

from support.handoffs import said
from support.kafka import headers as headers_of
from support.receiver import Receiver
from support.wait import wait_for

NOT_ONE = "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"  # letters must be small

RULES = [{"rule": "invoice", "when": "sales.deal.won", "to": "billing", "ask": "Invoice it", "due": "4h"},
         {"rule": "late", "when": "sales.meeting.held", "to": "billing", "ask": "Send the minutes", "due": "1s"},
         {"rule": "hooked", "when": "sales.deal.created", "to": "billing", "ask": "Prepare", "due": "4h"}]

SOURCE = {"department": "sales", "signature": {"scheme": "none"}, "id": "/id", "time": {"pointer": "/at", "format": "rfc3339"},
          "customer": {"email": "/email"}, "rules": [{"type": "sales.deal.created"}]}


def trace():
    return f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"


def now():
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as one:
        yield one
        assert not one.forged


@pytest.fixture(scope="module")
def world(bare_stack, receiver):
    bare_stack.write_config("handoffs.json", RULES)
    bare_stack.write_config("sources/crm.json", SOURCE)
    bare_stack.learn_sources()
    bare_stack.deliver_to("billing", receiver)
    return bare_stack.start("tl-aggregator", "tl-sales", "tl-billing")


def an_event(kind="sales.deal.won", **more):
    email = f"{uuid.uuid4().hex[:12]}@trace.example"
    return {"specversion": "1.0", "id": email, "source": "/tests/trace", "type": kind, "time": now(), **more,
            "data": {"customer": {"email": email}, "amount": 10, "currency": "EUR"}}


def told(receiver, event, kind="opened"):
    """The request by which the receiver was told of what this event opened."""
    customer = event["data"]["customer"]["email"].replace("@", "%40")

    def look():
        return next((t for t in list(receiver.tries) if t.event["type"] == f"throughline.handoff.{kind}"
                     and customer in t.event["customer"]), None)
    return wait_for(look, 60, f"{kind} for {customer}")


def expect(receiver, event, wanted, kind="opened"):
    one = told(receiver, event, kind)
    assert one.event.get("traceparent") == wanted
    assert one.headers.get("traceparent") == wanted
    return one.event["data"]["handoff"]


def on_topic(stack, topic, handoff):
    """{type: traceparent} of what stands on a topic about a handoff."""
    found = {}
    for record in stack.kafka.records(topic, stack.kafka.count(topic)):
        headers = headers_of(record)
        if record.value() and handoff.encode() in record.value():
            found[headers["ce_type"].rsplit(".", 1)[-1]] = headers.get("ce_traceparent")
    return found


def test_header_of_a_request_reaches_the_receiver(world, receiver):
    event, mine = an_event(), trace()
    assert world.post_event("sales", event, traceparent=mine).status == 202
    handoff = expect(receiver, event, mine)
    assert on_topic(world, "handoffs.billing", handoff)["opened"] == mine
    reported = wait_for(lambda: said(world.kafka, "billing").get(handoff), 30, "the report")
    assert reported[0][2]["ce_traceparent"] == mine
    wait_for(lambda: on_topic(world, "events.throughline", handoff).get("opened") == mine, 30, "the timeline is told")


def test_extension_of_an_event_counts_more_than_the_request(world, receiver):
    mine = trace()
    first, second = an_event(traceparent=mine), an_event()
    whole = trace()
    assert world.post_event("sales", [first, second], traceparent=whole).status == 202
    expect(receiver, first, mine)
    expect(receiver, second, whole)


def test_binary_mode(world, receiver):
    for name in ("ce-traceparent", "traceparent"):
        event, mine = an_event(), trace()
        headers = {"Content-Type": "application/json", name: mine,
                   **{f"ce-{key}": event[key] for key in ("specversion", "id", "source", "type", "time")}}
        answer = world.request("tl-sales", "POST", "/events", json.dumps(event["data"]).encode(), headers)
        assert answer.status == 202, answer
        expect(receiver, event, mine)


def test_what_is_no_traceparent_is_left_out_and_the_handoff_arrives(world, receiver):
    extension, header = an_event(traceparent="any words"), an_event()
    assert world.post_event("sales", extension, traceparent=NOT_ONE).status == 202
    assert world.post_event("sales", header, traceparent=NOT_ONE).status == 202
    expect(receiver, extension, None)
    expect(receiver, header, None)
    by_others = an_event(traceparent="an\u00ef")  # past the intake
    world.kafka.produce("events.sales", json.dumps(by_others).encode(), headers={"content-type": "application/cloudevents+json"})
    expect(receiver, by_others, None)


def test_webhook(world, receiver):
    event, mine = an_event("sales.deal.created"), trace()
    email = event["data"]["customer"]["email"]
    answer = world.post_webhook("tl-sales", "crm", {"id": email, "at": event["time"], "email": email},
                                headers={"traceparent": mine})
    assert (answer.status, answer.json["accepted"]) == (202, 1), answer
    expect(receiver, event, mine)


def test_overdue_belongs_to_what_opened_it_and_a_request_to_its_own(world, receiver):
    event, mine, asked = an_event("sales.meeting.held"), trace(), trace()
    assert world.post_event("sales", event, traceparent=mine).status == 202
    handoff = expect(receiver, event, mine)
    assert expect(receiver, event, mine, "overdue") == handoff
    answer = world.request("tl-billing", "POST", f"/handoffs/{handoff}/done", {"by": "Bill"},
                           {"Content-Type": "application/json", "traceparent": asked})
    assert answer.status == 202, answer
    expect(receiver, event, asked, "closed")
