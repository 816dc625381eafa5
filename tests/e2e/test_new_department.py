"""A new department, and a new source, are configuration files and nothing else."""
import json

import pytest

from support import sign
from support.events import event

SHIPPING = {
    "listen": "127.0.0.1:0",
    "identity_kinds": {"parcelpost": {"strong": True, "rank": 40}},
    "events": {
        "shipping.parcel.sent": {
            "required": {"carrier": "string"},
            "summary": "Parcel sent by {/carrier}",
            "money": "none",
            "touch": True},
        "shipping.parcel.lost": {
            "summary": "Parcel {/parcel} lost", "money": "none", "touch": False},
    },
}
PARCELPOST = {
    "department": "shipping",
    "signature": {"scheme": "hmac", "secret": "${PARCELPOST_SECRET}", "hash": "sha256",
                  "encoding": "hex", "header": "X-Parcelpost-Signature", "format": "plain",
                  "prefix": "sha256="},
    "id": "/uuid",
    "time": {"pointer": "/at", "format": "rfc3339"},
    "customer": {"parcelpost": "/recipient/id", "email": "/recipient/mail"},
    "rules": [
        {"if": {"/kind": "sent"}, "type": "shipping.parcel.sent", "data": {"carrier": "/by"}},
        {"if": {"/kind": "lost"}, "type": "shipping.parcel.lost", "data": {"parcel": "/number"}},
        {"if": {"/kind": "weighed"}, "ignore": "says nothing about the customer"},
    ],
}


@pytest.fixture(scope="module")
def shipping(bare_stack):
    bare_stack.write_config("departments/shipping.json", SHIPPING)
    bare_stack.write_config("sources/parcelpost.json", PARCELPOST)
    bare_stack.learn_sources()
    bare_stack.run("check")
    return bare_stack.start("tl-department:shipping", "tl-aggregator")


def test_its_event_arrives(shipping):
    one = event("shipping.parcel.sent", {"customer": {"email": "ann@acme.example"}, "carrier": "Bluebird"})
    answer = shipping.request("tl-department:shipping", "POST", "/events", one,
                              {"Content-Type": "application/cloudevents+json"})
    assert answer.status == 202
    shipping.wait_caught_up()
    rows = shipping.query("SELECT department, type, summary FROM throughline.timeline WHERE event_id = %s",
                          (one["id"],))
    assert rows == [{"department": "shipping", "type": "shipping.parcel.sent",
                     "summary": "Parcel sent by Bluebird"}]


def test_its_source_delivers_and_ties(shipping):
    body = json.dumps({"uuid": "pp-1", "kind": "lost", "at": "2026-01-09T08:00:00Z",
                       "recipient": {"id": "R7", "mail": "ann@acme.example"}, "number": "P-1"}).encode()
    signed = sign.github_style(shipping.sources.secrets["parcelpost"], body, "X-Parcelpost-Signature")
    answer = shipping.request("tl-department:shipping", "POST", "/webhooks/parcelpost", body,
                              {"Content-Type": "application/json", **signed})
    assert (answer.status, answer.json) == (202, {"accepted": 1, "ignored": 0, "quarantined": 0})
    forged = shipping.request("tl-department:shipping", "POST", "/webhooks/parcelpost", body + b" ",
                              {"Content-Type": "application/json", **signed})
    assert forged.status == 401
    weighed = json.dumps({"uuid": "pp-2", "kind": "weighed"}).encode()
    unknown = json.dumps({"uuid": "pp-3", "kind": "eaten", "at": "2026-01-09T08:00:00Z"}).encode()
    for other, counts in ((weighed, (0, 1, 0)), (unknown, (0, 0, 1))):
        answer = shipping.request(
            "tl-department:shipping", "POST", "/webhooks/parcelpost", other,
            {"Content-Type": "application/json",
             **sign.github_style(shipping.sources.secrets["parcelpost"], other, "X-Parcelpost-Signature")})
        assert (answer.status, tuple(answer.json.values())) == (202, counts)
    shipping.wait_caught_up()
    waiting = shipping.query("SELECT topic, state FROM throughline.quarantine")
    assert waiting == [{"topic": "events.shipping", "state": "waiting"}]
    rows = shipping.query(
        "SELECT t.type, t.summary, t.occurred_at, i.value FROM throughline.timeline t "
        "JOIN throughline.identities i USING (customer_id) "
        "WHERE i.kind = 'parcelpost' ORDER BY t.occurred_at")
    assert [(row["type"], row["value"]) for row in rows] == [
        ("shipping.parcel.sent", "R7"), ("shipping.parcel.lost", "R7")]
    assert rows[1]["summary"] == "Parcel P-1 lost"
    assert rows[1]["occurred_at"].isoformat() == "2026-01-09T08:00:00+00:00"
