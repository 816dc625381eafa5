"""Handoffs on their way from Kafka to a department's own system: signed, in order, each change with
one id at every try, and nobody held up by another."""
import json

import pytest

from support.handoffs import change, new_handoff, publish
from support.kafka import headers as headers_of
from support.receiver import Receiver
from support.wait import wait_for


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as one:
        yield one


@pytest.fixture(scope="module")
def delivering(bare_stack, receiver):
    bare_stack.deliver_to("billing", receiver, deliver_tries="3", deliver_refused_tries="2",
                          deliver_timeout="1s")
    return bare_stack.start("tl-billing")


@pytest.fixture(autouse=True)
def well(receiver):
    receiver.answer = lambda event: 200
    yield
    receiver.answer = lambda event: 200
    assert not receiver.forged


def reports(stack, handoff, count=1, seconds=30):
    """What the service said of a handoff, [(type, data, headers)], once there are so many."""
    def look():
        total = stack.kafka.count("events.billing")
        found = []
        for message in stack.kafka.records("events.billing", total) if total else []:
            if message.key() == handoff.encode():
                found.append((headers_of(message)["ce_type"].removeprefix("throughline.handoff."),
                              json.loads(message.value()), headers_of(message)))
        return found if len(found) >= count else None
    return wait_for(look, seconds, f"{count} reports of {handoff}", step=0.1)


def test_a_change_arrives_signed_and_its_opening_is_reported(delivering, receiver):
    handoff = new_handoff()
    publish(delivering.kafka, "billing", change(handoff, 1))
    event = receiver.wait_for(handoff, "opened")
    assert event["id"] == f"{handoff}/1" and event["sequence"] == "1"
    assert (event["source"], event["time"]) == ("/throughline", "2026-01-08T10:12:07Z")
    assert event["customer"] == "email=ann%40acme.example"
    assert event["data"]["brief"] == {"amount": 12000}
    (one,) = receiver.of(handoff)
    assert one.id == f"{handoff}/1" and one.path == "/handoffs"
    assert one.headers["content-type"] == "application/cloudevents+json; charset=UTF-8"
    assert one.headers["traceparent"] == event["traceparent"]
    ((kind, data, headers),) = reports(delivering, handoff)
    assert (kind, data) == ("delivered", {"handoff": handoff, "sequence": 1})
    assert headers["ce_id"] == f"{handoff}/1/delivered"
    assert headers["ce_source"] == "/throughline/billing"
