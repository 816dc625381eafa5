"""Department services that deliver handoffs are killed, stopped, joined by others and cut off from
Kafka, and nothing is lost; what they refuse to start with, and what they keep to themselves."""
import base64
import subprocess
import time

import pytest

from support.handoffs import change, new_handoff, publish, reports, said
from support.paths import BUILD
from support.receiver import Receiver
from support.wait import wait_for


@pytest.fixture
def receiver():
    with Receiver() as one:
        yield one
        assert not one.forged


@pytest.fixture
def billing(bare_stack, receiver):
    """The stack, with nothing running and nothing left of the test before."""
    bare_stack.deliver_to("billing", receiver)
    yield bare_stack
    bare_stack.stop()


def opened(count):
    handoffs = [new_handoff() for _ in range(count)]
    return handoffs, [change(h, n, kind) for n, kind in ((1, "opened"), (2, "updated")) for h in handoffs]


def slowly(_):
    time.sleep(0.05)
    return 200


def all_taken(receiver, handoffs):
    return all(set(receiver.taken(h)) == {("opened", 1), ("updated", 2)} for h in handoffs)


def wait_all(receiver, handoffs, seconds=60):
    wait_for(lambda: all_taken(receiver, handoffs), seconds,
             lambda: f"all are taken; missing: {[h for h in handoffs if len(set(receiver.taken(h))) < 2]}")


def well_ordered(receiver, handoff):
    """Behind a change come only later ones and such as were taken before."""
    seen = set()
    for sequence in (n for _, n in receiver.taken(handoff)):
        assert sequence in seen or all(sequence > n for n in seen), receiver.taken(handoff)
        seen.add(sequence)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_service_that_ends_in_the_middle_loses_nothing(billing, receiver, end):
    handoffs, changes = opened(150)
    billing.start("tl-billing")
    publish(billing.kafka, "billing", *changes)
    for part in (20, 100):
        wait_for(lambda part=part: len(receiver.events) >= part, 30, f"{part} were taken")
        getattr(billing, end)("tl-billing")
        billing.start("tl-billing")
    wait_all(receiver, handoffs)
    found = reports(billing.kafka, "billing", *handoffs)
    for handoff in handoffs:
        assert {t.id for t in receiver.of(handoff)} == {f"{handoff}/1", f"{handoff}/2"}
        well_ordered(receiver, handoff)
        assert {(kind, h["ce_id"]) for kind, _, h in found[handoff]} == {("delivered", f"{handoff}/1/delivered")}


def test_kafka_is_never_told_of_what_is_not_done_with(billing, receiver):
    done, changes = opened(20)
    billing.start("tl-billing")
    publish(billing.kafka, "billing", *changes)
    wait_all(receiver, done)

    def noted():
        return sum(billing.kafka.noted("throughline-billing", "handoffs.billing").values())
    total = billing.kafka.count("handoffs.billing")
    wait_for(lambda: noted() == total, 30, lambda: f"{noted()} of {total} are noted")
    receiver.answer = lambda event: 503
    handoffs, changes = opened(20)
    publish(billing.kafka, "billing", *changes)
    wait_for(lambda: receiver.of(handoffs[0]), 30, "it is tried")
    watched = time.monotonic() + 3  # it notes every second
    while time.monotonic() < watched:
        assert noted() == total
    billing.kill("tl-billing")
    receiver.answer = lambda event: 200
    billing.start("tl-billing")
    wait_all(receiver, handoffs)


def test_what_is_done_with_is_not_sent_again(billing, receiver):
    handoffs, changes = opened(20)
    billing.start("tl-billing")
    publish(billing.kafka, "billing", *changes)
    wait_all(receiver, handoffs)
    reports(billing.kafka, "billing", *handoffs)
    billing.stop("tl-billing")
    before = len(receiver.tries)
    billing.start("tl-billing")
    (last,), more = opened(1)
    publish(billing.kafka, "billing", *more)
    wait_all(receiver, [last])
    assert len(receiver.tries) == before + 2


def test_a_delivery_that_hangs_does_not_keep_a_service_from_ending(billing, receiver):
    (handoff,), changes = opened(1)
    receiver.answer = lambda event: Receiver.HANG
    billing.own_env["tl-billing"]["TL_DELIVER_TIMEOUT"] = "60s"
    billing.start("tl-billing")
    publish(billing.kafka, "billing", *changes)
    wait_for(lambda: receiver.of(handoff), 20, "it is being delivered")
    billing.stop("tl-billing")  # within 12 s, with status 0
    receiver.answer = lambda event: 200
    billing.start("tl-billing")
    wait_all(receiver, [handoff])


def test_services_that_share_a_department_lose_nothing(billing, receiver):
    handoffs, changes = opened(200)
    billing.deliver_to("billing", receiver, name="tl-billing#2")
    receiver.answer = slowly
    billing.start("tl-billing")
    publish(billing.kafka, "billing", *changes[:200])
    wait_for(lambda: len(receiver.events) >= 20, 30, "some were taken")
    billing.start("tl-billing#2")
    wait_for(lambda: "partitions=2" in billing.programs["tl-billing#2"].tail(), 30, "they share the partitions")
    publish(billing.kafka, "billing", *changes[200:])
    wait_for(lambda: len(receiver.events) >= 250, 30, "some were taken")
    billing.kill("tl-billing")
    wait_all(receiver, handoffs)
    for handoff in handoffs:
        well_ordered(receiver, handoff)


def test_without_kafka_nothing_is_lost_and_what_is_delivered_is_reported_later(billing, receiver):
    proxy = billing.kafka.proxy()
    try:
        billing.own_env["tl-billing"]["TL_BROKERS"] = proxy.brokers
        handoffs, changes = opened(30)
        receiver.answer = lambda event: 503
        billing.start("tl-billing")
        publish(billing.kafka, "billing", *changes)
        wait_for(lambda: billing.metric("tl-billing", "throughline_delivery_waiting") >= len(changes), 30,
                 "all are read")
        proxy.refuse()
        proxy.cut()
        receiver.answer = lambda event: 200
        for handoff in handoffs:
            receiver.wait_for(handoff, "opened")
        assert not set(said(billing.kafka, "billing")) & set(handoffs)
        proxy.normal()
        wait_all(receiver, handoffs)
        reports(billing.kafka, "billing", *handoffs, seconds=60)
    finally:
        billing.stop()
        proxy.close()


def test_more_than_there_is_room_for_waits_in_kafka(billing, receiver):
    handoffs, changes = opened(120)
    receiver.answer = lambda event: 503
    billing.own_env["tl-billing"].update(TL_DELIVER_QUEUE_RECORDS="20", TL_DELIVER_THREADS="2")
    billing.start("tl-billing")
    publish(billing.kafka, "billing", *changes)
    wait_for(lambda: billing.metric("tl-billing", "throughline_delivery_waiting") == 20, 30, "it is full")
    receiver.answer = lambda event: 200
    wait_all(receiver, handoffs)
    for handoff in handoffs:
        assert receiver.taken(handoff) == [("opened", 1), ("updated", 2)]


def test_one_that_fails_takes_no_room_from_others_and_is_sent_again_after_a_restart(billing, receiver):
    """Others are done with by the hundred, five times what there is room for, before its second try."""
    billing.own_env["tl-billing"].update(TL_DELIVER_QUEUE_RECORDS="20", TL_DELIVER_RETRY_FLOOR="1h",
                                         TL_DELIVER_RETRY_CEILING="1h")
    bad, (handoffs, changes) = new_handoff(), opened(50)
    receiver.answer = lambda event: 500 if event["data"]["handoff"] == bad else 200
    billing.start("tl-billing")
    publish(billing.kafka, "billing", change(bad, 1), change(bad, 2, "updated"))
    wait_for(lambda: receiver.of(bad), 30, "the first try")
    publish(billing.kafka, "billing", *changes)
    wait_all(receiver, handoffs)
    assert len(receiver.of(bad)) == 1
    receiver.answer = lambda event: 200
    billing.kill("tl-billing")
    billing.start("tl-billing")
    wait_all(receiver, [bad])


# Settings.

def checked(stack, **settings):
    done = subprocess.run([BUILD / "tl-billing", "--check"], capture_output=True, text=True, check=False,
                          env={**stack.env, "TL_LISTEN": "127.0.0.1:0", **settings}, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("settings, pointer", [
    ({"TL_DELIVER_SECRET": ""}, "/deliver_secret"),
    ({"TL_DELIVER_SECRET": "not base64 at all"}, "/deliver_secret"),
    ({"TL_DELIVER_URL": "crm.example/handoffs"}, "/deliver_url"),
    ({"TL_DELIVER_URL": "ftp://user:geheim@crm.example/"}, "/deliver_url"),
    ({"TL_DELIVER_CA_FILE": "/nowhere.pem"}, "/deliver_ca_file"),
    ({"TL_DELIVER_CA_FILE": "/etc/hostname"}, "/deliver_ca_file"),
    ({"TL_DELIVER_TRIES": "0"}, "DELIVER_TRIES"),
])
def test_settings_that_cannot_work_are_refused(bare_stack, receiver, settings, pointer):
    assert checked(bare_stack, **receiver.environment)[0] == 0
    status, said_so = checked(bare_stack, **{**receiver.environment, **settings})
    assert status == 2 and pointer in said_so and "geheim" not in said_so, said_so


def test_without_a_url_nothing_is_read(billing, receiver):
    billing.own_env.clear()
    handoffs, changes = opened(1)
    billing.start("tl-sales")
    publish(billing.kafka, "sales", *changes)
    # (The group itself may be there still, from an earlier file of tests that delivered to sales.)
    assert not billing.kafka.members("throughline-sales") and not receiver.tries
    assert 'delivers_to=""' in billing.programs["tl-sales"].tail()
    # Told where to, it begins with what waits.
    billing.stop("tl-sales")
    billing.deliver_to("sales", receiver)
    billing.start("tl-sales")
    wait_all(receiver, handoffs)
    assert billing.kafka.members("throughline-sales")
    assert reports(billing.kafka, "sales", handoffs[0])[0][0] == "delivered"


def test_credentials_in_the_url_are_sent_and_never_told(billing, receiver):
    handoffs, changes = opened(1)
    secret = "geheim%40wort"
    billing.own_env["tl-billing"]["TL_DELIVER_URL"] = receiver.url.replace("//", f"//ann:{secret}@") + "?key=" + secret
    receiver.stop()
    billing.start("tl-billing")
    publish(billing.kafka, "billing", *changes)
    wait_for(lambda: "did not take" in billing.programs["tl-billing"].tail(), 30, "it is told")
    receiver.start()
    wait_all(receiver, handoffs)
    given = receiver.of(handoffs[0])[0].headers["authorization"]
    assert base64.b64decode(given.removeprefix("Basic ")) == b"ann:geheim@wort"
    log = billing.programs["tl-billing"].tail(2000)
    assert "geheim" not in log and receiver.secret not in log


# TLS.

@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Two files, each with a key and its certificate for localhost; neither signed by anybody."""
    folder, made = tmp_path_factory.mktemp("tls"), []
    for name in ("right", "wrong"):
        pem, key = folder / f"{name}.pem", folder / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost", "-keyout", key, "-out", pem],
                       check=True, capture_output=True)
        pem.write_bytes(pem.read_bytes() + key.read_bytes())
        made.append(str(pem))
    return made


def test_tls_is_verified(billing, certificates):
    right, wrong = certificates
    handoffs, changes = opened(2)
    with Receiver(certificate=right) as receiver:
        for trusted in (None, wrong):  # the system's authorities; somebody else
            more = {"deliver_ca_file": trusted} if trusted else {}
            billing.deliver_to("billing", receiver, **more)
            billing.start("tl-billing")
            publish(billing.kafka, "billing", *([] if trusted else changes))
            wait_for(lambda: "certificate" in billing.programs["tl-billing"].tail(3), 30, "it is told why")
            assert not receiver.tries
            billing.stop("tl-billing")
        billing.deliver_to("billing", receiver, deliver_ca_file=right)
        billing.start("tl-billing")
        wait_all(receiver, handoffs)
