"""Every JSON payload of the six systems among the shared fixtures, signed as its
sender signs it and posted: on the timeline field by field, or ignored by a rule,
or in quarantine with its reason, as support/fixture_expectations.json has it."""
import datetime
import json
from decimal import Decimal
from urllib.parse import unquote

import pytest

from support import sign
from support.paths import ROOT, fixtures

EXPECTED = json.loads((ROOT / "tests/support/fixture_expectations.json").read_text(encoding="utf-8"))
EXPECTATIONS = EXPECTED["fixtures"]
REFUSED = EXPECTED["refused"]  # by POST /events
PROGRAMS = {"stripe": "tl-billing", "hubspot": "tl-sales", "hubspot-tickets": "tl-service",
            "zendesk": "tl-service", "shopify": "tl-billing", "pipedrive": "tl-sales",
            "salesforce": "tl-sales"}
SIGNED = [source for source in PROGRAMS if source != "salesforce"]
COUNTS = {"mapped": "accepted", "ignored": "ignored", "quarantined": "quarantined"}

pytestmark = pytest.mark.skipif(fixtures() is None, reason="no shared fixtures (set FIXTURES)")


def body_of(name, expected):
    """(what the system posts, the element of it that the payload is)"""
    body = (fixtures() / name).read_bytes()
    payload = json.loads(body.decode("utf-8-sig"))
    if "unique_id_pointer" in expected:
        payload[expected["unique_id_pointer"][1:]] = f"fixture:{name}"
        body = json.dumps(payload).encode()
    if "unwrap" in expected:
        for step in expected["unwrap"][1:].split("/"):
            payload = payload[int(step) if isinstance(payload, list) else step]
        body = json.dumps(payload).encode()
    element = payload[0] if isinstance(payload, list) else payload
    return (b"[" + body + b"]" if expected.get("wrap") else body), element


def post(stack, expected, body):
    source = expected["source"]
    headers = {**stack.sources.signed(source, body), **expected.get("headers", {})}
    return stack.post_webhook(PROGRAMS[source], source, body, headers)


@pytest.fixture(scope="module")
def answers(stack):
    """All of them posted, and the aggregator has caught up."""
    posted = {}
    for name, expected in EXPECTATIONS.items():
        body, _ = body_of(name, expected)
        posted[name] = post(stack, expected, body)
    stack.wait_caught_up()
    return posted


def known_by(stack, customer):
    rows = stack.query("SELECT kind, value FROM throughline.identities WHERE customer_id = %s", (customer,))
    return {f"{row['kind']}={row['value']}" for row in rows}


def on_timeline(stack, payload):
    return stack.query("SELECT * FROM throughline.timeline WHERE data -> 'payload' = %s::jsonb",
                       (json.dumps(payload),))


def assert_on_timeline(stack, expected, payload):
    rows = on_timeline(stack, payload)
    if "headers" in expected:  # the same resource may be told under several topics
        rows = [row for row in rows if row["event_id"] == expected["headers"]["X-Shopify-Event-Id"]]
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
    if "duplicate_of" in expected:
        assert not on_timeline(stack, payload)
    elif expected["outcome"] == "mapped":
        assert_on_timeline(stack, expected, payload)
    if expected["outcome"] == "quarantined":
        reasons = stack.query("SELECT detail, state FROM throughline.quarantine")
        assert any(expected["reason"] in row["detail"] and row["state"] == "waiting" for row in reasons)


def test_every_payload_is_expected_to_come_to_something(capsys):
    systems = {source.split("-")[0] for source in PROGRAMS}
    there = {str(path.relative_to(fixtures())) for system in systems
             for path in (fixtures() / system).glob("*.json")}
    assert there == set(EXPECTATIONS) | set(REFUSED)
    outcomes = ["duplicate" if "duplicate_of" in expected else expected["outcome"]
                for expected in EXPECTATIONS.values()]
    assert outcomes.count("mapped") >= 42
    with capsys.disabled():
        print(f"\n{len(outcomes)} payloads: {outcomes.count('mapped')} on the timeline; not there:")
        for name, expected in EXPECTATIONS.items():
            if "duplicate_of" in expected:
                print(f"  {'duplicate':11} {name}: {expected['duplicate_of']} sent again")
            elif expected["outcome"] != "mapped":
                print(f"  {expected['outcome']:11} {name}: {expected['reason']}")


def test_nothing_else_is_in_quarantine_and_the_books_balance(stack, answers):
    quarantined = [e for e in EXPECTATIONS.values() if e["outcome"] == "quarantined"]
    assert len(stack.query("SELECT * FROM throughline.quarantine")) == len(quarantined)
    books = stack.query("SELECT * FROM throughline.reconciliation")
    assert all(row["difference"] == 0 for row in books)
    assert sum(row["duplicates"] for row in books) == sum("duplicate_of" in e for e in EXPECTATIONS.values())


def test_money_of_a_shop_is_not_counted_by_its_orders(stack, answers):
    """Three orders and a draft of one customer: what they say was paid is not what was received."""
    rows = stack.query("SELECT c.lifetime_value FROM throughline.customers c JOIN throughline.identities i "
                       "USING (customer_id) WHERE i.kind = 'shopify' AND i.value = '207119551'")
    assert [row["lifetime_value"] for row in rows] == [{}]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_cloudevent_is_refused(stack, name):
    answer = stack.request("tl-sales", "POST", "/events", (fixtures() / name).read_bytes(),
                           {"Content-Type": "application/cloudevents+json"})
    assert answer.status == REFUSED[name]["status"]
    assert answer.json["errors"][0]["pointer"] == REFUSED[name]["pointer"]


@pytest.mark.parametrize("source", SIGNED)
def test_a_forged_payload_is_refused(stack, kafka, source):
    before = sum(kafka.count(topic) for topic in kafka.topics())
    signed = stack.sources.signed(source, b'{"id": "evt_1"}')
    if "Authorization" in signed:  # HTTP Basic signs no body: another password
        signed = sign.basic(stack.sources.users[source], "guessed")
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
    answer = post(stack, expected, body)
    assert (answer.status, sum(answer.json.values())) == (202, 1)
