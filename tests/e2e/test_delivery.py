"""Handoffs on their way from Kafka to a department's own system: signed, in order, each change with
one id at every try, and nobody held up by another."""
import pytest

from support.handoffs import change, new_handoff, publish, reports
from support.receiver import Receiver
from support.records import RawProducer
from support.wait import wait_for

TRIES, REFUSED_TRIES = 4, 2


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as one:
        yield one


@pytest.fixture(scope="module")
def delivering(bare_stack, receiver):
    bare_stack.deliver_to("billing", receiver, deliver_tries=str(TRIES), deliver_timeout="2s",
                          deliver_refused_tries=str(REFUSED_TRIES), deliver_breaker_failures="20")
    return bare_stack.start("tl-billing")


@pytest.fixture(autouse=True)
def well(receiver):
    receiver.answer = lambda event: 200
    yield
    receiver.answer = lambda event: 200
    receiver.start()
    assert not receiver.forged


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
    ((kind, data, headers),) = reports(delivering.kafka, "billing", handoff)
    assert (kind, data) == ("delivered", {"handoff": handoff, "sequence": 1})
    assert headers["ce_id"] == f"{handoff}/1/delivered"
    assert headers["ce_source"] == "/throughline/billing"


def test_changes_of_a_handoff_arrive_in_order_with_one_id_at_every_try(delivering, receiver):
    handoff, failed = new_handoff(), []

    def fail_each_once(event):
        if event["id"] in failed:
            return 200
        failed.append(event["id"])
        return 500
    receiver.answer = fail_each_once
    kinds = ["opened", "updated", "overdue", "updated", "closed"]
    publish(delivering.kafka, "billing", *(change(handoff, n, kind) for n, kind in enumerate(kinds, 1)))
    receiver.wait_for(handoff, "closed")
    assert receiver.taken(handoff) == list(zip(kinds, range(1, 6)))
    assert [t.id for t in receiver.of(handoff)] == [f"{handoff}/{n}" for n in range(1, 6) for _ in range(2)]
    assert [kind for kind, _, _ in reports(delivering.kafka, "billing", handoff)] == ["delivered"]


@pytest.mark.parametrize("status", [400, 422, 410])
def test_what_is_refused_delays_no_other_and_ends_undeliverable(delivering, receiver, status):
    refused, others = new_handoff(), [new_handoff() for _ in range(20)]
    receiver.answer = lambda event: status if event["id"] == f"{refused}/1" else 200
    publish(delivering.kafka, "billing", change(refused, 1), *(change(h, 1) for h in others),
            change(refused, 2, "closed"))
    for handoff in others:
        receiver.wait_for(handoff, "opened")
    ((kind, data, _),) = reports(delivering.kafka, "billing", refused)
    assert (kind, data["sequence"]) == ("undeliverable", 1)
    assert data["note"] == f"{REFUSED_TRIES} tries; the receiver answered {status}"
    receiver.wait_for(refused, "closed")  # what comes later goes its way
    assert len([t for t in receiver.of(refused) if t.id == f"{refused}/1"]) == REFUSED_TRIES


@pytest.mark.parametrize("way", [500, 404, Receiver.HANG, Receiver.FLOOD, Receiver.DRIP, Receiver.CUT])
def test_one_that_always_fails_holds_up_nobody(delivering, receiver, way):
    bad, others = new_handoff(), [new_handoff() for _ in range(5)]
    receiver.answer = lambda event: way if event["data"]["handoff"] == bad else 200
    receiver.flooded = 0
    publish(delivering.kafka, "billing", change(bad, 1))
    wait_for(lambda: receiver.of(bad), 20, "the first try")
    publish(delivering.kafka, "billing", *(change(h, 1) for h in others))
    for handoff in others:
        receiver.wait_for(handoff, "opened")
    ((kind, data, _),) = reports(delivering.kafka, "billing", bad)
    tries = int(data["note"].split(" tries; the receiver ")[0])
    assert kind == "undeliverable" and tries >= TRIES, data  # those before it took others do not count
    assert len({t.id for t in receiver.of(bad)}) == 1 and len(receiver.of(bad)) >= TRIES
    assert receiver.flooded < 32 * 2**20  # what the sockets in between swallow
    assert delivering.wait_ready("tl-billing") is None


def test_redirects_are_not_followed(delivering, receiver):
    """A brief has personal data. What a proxy answers while the system is away passes, and is tried again."""
    handoff = new_handoff()
    elsewhere = 307, {"Location": f"http://127.0.0.1:{receiver.port}/elsewhere"}
    receiver.answer = lambda event: 200 if len(receiver.of(handoff)) > REFUSED_TRIES else elsewhere
    publish(delivering.kafka, "billing", change(handoff, 1))
    ((kind, _, _),) = reports(delivering.kafka, "billing", handoff)
    assert kind == "delivered" and len(receiver.of(handoff)) > REFUSED_TRIES
    assert {t.path for t in receiver.tries} == {"/handoffs"}


def test_retry_after_is_waited_for_but_not_for_ever(delivering, receiver):
    asked = {"0": 0, "3600": 0}
    handoffs = {seconds: new_handoff() for seconds in asked}

    def busy_once(event):
        for seconds, handoff in handoffs.items():
            if event["data"]["handoff"] == handoff and len(receiver.of(handoff)) == 0:
                return 503, {"Retry-After": seconds}
        return 200
    receiver.answer = busy_once
    publish(delivering.kafka, "billing", *(change(h, 1) for h in handoffs.values()))
    waited = {}
    for seconds, handoff in handoffs.items():
        receiver.wait_for(handoff, "opened")
        first, second = receiver.of(handoff)
        waited[seconds] = second.at - first.at
    assert 60 > waited["3600"] >= 0.5 - 0.01  # deliver_retry_ceiling
    assert waited["0"] >= 0.05 - 0.01


def test_a_dead_receiver_gets_everything_when_it_is_back(delivering, receiver):
    handoffs = [new_handoff() for _ in range(40)]
    receiver.stop()
    for n, kind in enumerate(("opened", "updated", "closed"), 1):
        publish(delivering.kafka, "billing", *(change(h, n, kind) for h in handoffs))
    def shown(name):
        return delivering.metric("tl-billing", f"throughline_delivery_{name}")
    wait_for(lambda: shown("breaker_open") == 1, 30, "the breaker is open")
    wait_for(lambda: shown("waiting") == 3 * len(handoffs), 10, "what waits is counted")
    wait_for(lambda: shown("oldest_seconds") >= 1, 10, "its age is told")
    assert delivering.request("tl-billing", "GET", "/readyz").status == 200
    receiver.start()
    for handoff in handoffs:
        receiver.wait_for(handoff, "closed")
        assert receiver.taken(handoff) == [("opened", 1), ("updated", 2), ("closed", 3)]
    wait_for(lambda: (shown("breaker_open"), shown("waiting")) == (0, 0), 10, "nothing waits")
    found = reports(delivering.kafka, "billing", *handoffs)
    assert {tuple(kind for kind, _, _ in found[h]) for h in handoffs} == {("delivered",)}
    log = delivering.programs["tl-billing"].tail(2000)
    assert "The receiver takes nothing" in log and "The receiver takes handoffs again" in log


def test_records_that_are_no_change_are_passed_over(delivering, receiver):
    handoff, counted = new_handoff(), "throughline_delivery_passed_over_total"
    before = delivering.metric("tl-billing", counted)
    _, good, value = change(handoff, 1)
    bad = [
        ("no event", None, handoff, {}), ("", None, handoff, good), ("[", None, handoff, good),
        (value, "key", "not-a-uuid", good), (value, "key", None, good),
        (value, "type", handoff, {**good, "ce_type": "sales.deal.won"}),
        (value, "type", handoff, {**good, "ce_type": "throughline.handoff.accept"}),
        (value, "sequence", handoff, {**good, "ce_sequence": "1e3"}),
        (value, "sequence", handoff, {n: v for n, v in good.items() if n != "ce_sequence"}),
        (value, "id", handoff, {**good, "ce_id": "ann\u00e9"}),
        (b'{"a": 1, "a": 2}', "twice", handoff, good),
        (b"x", "type", handoff, {**good, "content-type": "text/plain"}),
    ]
    for body, _, key, headers in bad:
        delivering.kafka.produce("handoffs.billing", body, key, headers=headers)
    raw = RawProducer(delivering.kafka.brokers)
    raw.produce("handoffs.billing", 0, None, handoff.encode())  # a tombstone
    raw.produce("handoffs.billing", 0, value, handoff.encode(),
                [(f"h{n}".encode(), b"x") for n in range(200)])
    raw.close()
    publish(delivering.kafka, "billing", change(handoff, 7))
    receiver.wait_for(handoff, "opened")
    wait_for(lambda: delivering.metric("tl-billing", counted) == before + len(bad) + 2, 20, "all are counted")
    assert receiver.taken(handoff) == [("opened", 7)]
    assert "is passed over" in delivering.programs["tl-billing"].tail(2000)


def test_a_refusal_is_delivered_and_not_reported(delivering, receiver):
    handoff = new_handoff()
    publish(delivering.kafka, "billing", change(handoff, 0, "refused", action="accept", detail="it is done"),
            change(handoff, 3))
    receiver.wait_for(handoff, "opened")
    assert receiver.taken(handoff) == [("refused", 0), ("opened", 3)]
    assert [data["sequence"] for _, data, _ in reports(delivering.kafka, "billing", handoff)] == [3]
