"""Every payload of Stripe, HubSpot and Zendesk among the shared fixtures, signed
as its sender signs it and posted: on the timeline field by field, or ignored by
a rule, or in quarantine with its reason, as support/fixture_expectations.json
has it."""
import datetime
import json
from decimal import Decimal
from urllib.parse import unquote

import pytest

from support.paths import ROOT, fixtures

EXPECTATIONS = json.loads(
    (ROOT / "tests/support/fixture_expectations.json").read_text(encoding="utf-8"))["fixtures"]
PROGRAMS = {"stripe": "tl-billing", "hubspot": "tl-sales", "hubspot-tickets": "tl-service",
            "zendesk": "tl-service"}
COUNTS = {"mapped": "accepted", "ignored": "ignored", "quarantined": "quarantined"}

pytestmark = pytest.mark.skipif(fixtures() is None, reason="no shared fixtures (set FIXTURES)")


def body_of(name, expected):
    """(what the system posts, the element of it that the payload is)"""
    body = (fixtures() / name).read_bytes()
    payload = json.loads(body.decode("utf-8-sig"))
    if "unique_id_pointer" in expected:
        payload[expected["unique_id_pointer"][1:]] = f"fixture:{name}"
        body = json.dumps(payload).encode()
    element = payload[0] if isinstance(payload, list) else payload
    return (b"[" + body + b"]" if expected.get("wrap") else body), element


@pytest.fixture(scope="module")
def answers(stack):
    """All of them posted, and the aggregator has caught up."""
    posted = {}
    for name, expected in EXPECTATIONS.items():
        body, _ = body_of(name, expected)
        posted[name] = stack.post_webhook(PROGRAMS[expected["source"]], expected["source"], body)
    stack.wait_caught_up()
    return posted


def known_by(stack, customer):
    rows = stack.query("SELECT kind, value FROM throughline.identities WHERE customer_id = %s", (customer,))
    return {f"{row['kind']}={row['value']}" for row in rows}


def assert_on_timeline(stack, expected, payload):
    rows = stack.query("SELECT * FROM throughline.timeline WHERE data -> 'payload' = %s::jsonb",
                       (json.dumps(payload),))
    assert len(rows) == 1
    row = rows[0]
    assert row["type"] == expected["type"]
    assert row["department"] == expected["type"].split(".")[0]
    assert row["occurred_at"] == datetime.datetime.fromisoformat(expected["time"].replace("Z", "+00:00"))
    assert row["summary"] == expected["summary"]
    assert row["amount"] == (Decimal(expected["amount"]) if "amount" in expected else None)
    assert row["currency"] == expected.get("currency")
    assert row["data"]["payload"] == payload
    identities = {unquote(pair) for pair in expected["customer"].split("&")}
    account = {pair for pair in identities if pair.startswith("account.")}
    if identities - account:
        assert identities - account <= known_by(stack, row["customer_id"])
    if account:
        assert account <= known_by(stack, row["account_id"])
    else:
        assert row["account_id"] is None


@pytest.mark.parametrize("name", EXPECTATIONS)
def test_a_payload_comes_to_what_is_expected(stack, answers, name):
    expected, answer = EXPECTATIONS[name], answers[name]
    counts = {"accepted": 0, "ignored": 0, "quarantined": 0, COUNTS[expected["outcome"]]: 1}
    assert (answer.status, answer.json) == (202, counts)
    _, payload = body_of(name, expected)
    if expected["outcome"] == "mapped":
        assert_on_timeline(stack, expected, payload)
    if expected["outcome"] == "quarantined":
        reasons = stack.query("SELECT detail, state FROM throughline.quarantine")
        assert any(expected["reason"] in row["detail"] and row["state"] == "waiting" for row in reasons)


def test_every_payload_is_expected_to_come_to_something(capsys):
    systems = {source.split("-")[0] for source in PROGRAMS}
    there = {str(path.relative_to(fixtures())) for system in systems
             for path in (fixtures() / system).glob("*.json")}
    assert there == set(EXPECTATIONS)
    outcomes = [expected["outcome"] for expected in EXPECTATIONS.values()]
    assert outcomes.count("mapped") >= 30
    with capsys.disabled():
        print(f"\n{len(outcomes)} payloads: {outcomes.count('mapped')} on the timeline; not there:")
        for name, expected in EXPECTATIONS.items():
            if expected["outcome"] != "mapped":
                print(f"  {expected['outcome']:11} {name}: {expected['reason']}")


def test_nothing_else_is_in_quarantine_and_the_books_balance(stack, answers):
    quarantined = [e for e in EXPECTATIONS.values() if e["outcome"] == "quarantined"]
    assert len(stack.query("SELECT * FROM throughline.quarantine")) == len(quarantined)
    assert all(row["difference"] == 0 for row in stack.query("SELECT * FROM throughline.reconciliation"))


@pytest.mark.parametrize("source", PROGRAMS)
def test_a_forged_payload_is_refused(stack, kafka, source):
    before = sum(kafka.count(topic) for topic in kafka.topics())
    signed = stack.sources.signed(source, b'{"id": "evt_1"}')
    answer = stack.post_webhook(PROGRAMS[source], source, b'{"id": "evt_2"}', signed)
    assert answer.status == 401
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert stack.post_webhook(PROGRAMS[source], source, b"{}", {}).status == 401
    assert sum(kafka.count(topic) for topic in kafka.topics()) == before


@pytest.mark.parametrize("name", EXPECTATIONS)
def test_byte_for_byte_as_it_is_a_payload_is_answered_202(stack, name):
    """Several files have the same placeholder id, and one begins with a byte order mark."""
    expected = EXPECTATIONS[name]
    body = (fixtures() / name).read_bytes()
    body = b"[" + body + b"]" if expected.get("wrap") else body
    answer = stack.post_webhook(PROGRAMS[expected["source"]], expected["source"], body)
    assert (answer.status, sum(answer.json.values())) == (202, 1)
