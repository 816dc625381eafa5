"""A backup of the database is restored elsewhere, while Kafka went on: what came after it is read again, and
handoffs that were told after it are told again, under the same ids."""
import os
import shutil
import subprocess
import uuid
from datetime import datetime, timezone

import pytest

from support.receiver import Receiver
from support.stack import DEPARTMENTS
from support.wait import wait_for

RULES = [{"rule": "invoice", "when": "sales.deal.won", "to": "billing", "ask": "Invoice it", "due": "4h",
          "done_when": "billing.invoice.issued"}]
FUTURE = "99999999999"  # a transaction id that a fresh cluster will not see for long


def tool(name):
    folders = ["/usr/lib/postgresql/" + v + "/bin" for v in sorted(os.listdir("/usr/lib/postgresql"), key=int, reverse=True)]
    return next(path for folder in folders for path in [shutil.which(name, path=folder)] if path)


def tell(stack, kind, email, **data):
    event = {"specversion": "1.0", "id": uuid.uuid4().hex, "source": "/tests/restore", "type": kind,
             "time": datetime.now(timezone.utc).isoformat(), "data": {"customer": {"email": email, **data.pop("customer", {})}, **data}}
    answer = stack.post_event(kind.split(".")[0], event)
    assert answer.status == 202, answer
    return event["id"]


def won(stack, email, **more):
    return tell(stack, "sales.deal.won", email, amount=10, currency="EUR", **more)


def timeline(stack):
    """What departments told, exactly; and what the system says of handoffs, which has the time at which it is told:
    read from Kafka and told again it is there twice, under one id."""
    rows = stack.query("SELECT event_id, type, occurred_at FROM throughline.timeline ORDER BY event_id, type, occurred_at")
    own = {(row["event_id"], row["type"]) for row in rows if row["type"].startswith("throughline.")}
    return [tuple(row.values()) for row in rows if not row["type"].startswith("throughline.")], own


def handoffs(stack):
    return stack.query("SELECT handoff_id, state, closing_event_id, delivered_at IS NOT NULL AS delivered"
                       " FROM throughline.handoffs ORDER BY handoff_id")


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as one:
        yield one


@pytest.fixture(scope="module")
def world(bare_stack, receiver):
    bare_stack.write_config("handoffs.json", RULES)
    bare_stack.deliver_to("billing", receiver)
    return bare_stack.start("tl-aggregator", *(f"tl-{name}" for name in DEPARTMENTS))


def accept(stack, receiver, email):
    handoff = wait_for(lambda: next((t.handoff for t in list(receiver.tries) if email.replace("@", "%40") in t.event["customer"]), None),
                       30, f"the handoff of {email}")
    answer = stack.request("tl-billing", "POST", f"/handoffs/{handoff}/accept", {"by": "Bill"}, {"Content-Type": "application/json"})
    assert answer.status == 202, answer


def settled(stack, states):
    """Everything is read, and handoffs have come to these states."""
    def look():
        found = [h["state"] for h in handoffs(stack) if h["delivered"] or h["state"] == "done"]
        return sorted(found) == sorted(states)
    wait_for(look, 60, lambda: f"handoffs are {states}: {handoffs(stack)}")
    stack.wait_caught_up(60)


def restored(stack, postgres, dump):
    """A database made of a dump; as if from a cluster whose transaction ids were far ahead."""
    database = postgres.new_database()
    subprocess.run([tool("pg_restore"), "--exit-on-error", "-d", database, dump], check=True)
    stack.database = stack.env["TL_DATABASE"] = database
    stack.query("UPDATE store.merges SET xid = %s::text::xid8", (FUTURE,))
    stack.query("UPDATE store.handoffs SET confirm_xid = %s::text::xid8", (FUTURE,))


def test_after_a_restore_all_is_read_and_told_again(world, receiver, postgres, tmp_path):
    stack, dump = world, str(tmp_path / "backup")
    for name in ("ann", "bob"):
        won(stack, f"{name}@restore.example")
    tell(stack, "sales.customer.linked", "ann@restore.example", customer={"hubspot": "1"})
    tell(stack, "sales.customer.linked", "anna@restore.example", customer={"hubspot": "1"})  # merges two customers
    settled(stack, ["delivered", "delivered"])
    subprocess.run([tool("pg_dump"), "-Fc", "-f", dump, stack.database], check=True)

    won(stack, "carl@restore.example")
    closing = tell(stack, "billing.invoice.issued", "ann@restore.example", amount=10, currency="EUR")
    won(stack, "ann@restore.example")
    settled(stack, ["delivered", "delivered", "delivered", "done"])
    accept(stack, receiver, "carl@restore.example")
    settled(stack, ["accepted", "delivered", "delivered", "done"])
    before, known, ids = timeline(stack), handoffs(stack), {t.id for t in receiver.tries}
    told = len(receiver.tries)
    stack.stop("tl-aggregator")

    restored(stack, postgres, dump)
    assert len(timeline(stack)[0]) == len(before[0]) - 3
    stack.run("migrate")
    stack.start("tl-aggregator")
    stack.wait_caught_up(60)
    # What was said of a handoff before its opening was read again: topics have no order among each other.
    assert {row["reason"] for row in stack.query("SELECT reason FROM throughline.quarantine")} <= {"unknown-handoff"}
    stack.run("quarantine", "replay", "--reason", "unknown-handoff", status=None)
    settled(stack, ["accepted", "delivered", "delivered", "done"])
    wait_for(lambda: not stack.query("SELECT 1 FROM store.handoffs WHERE confirm_xid IS NOT NULL OR NOT told"), 30, "all are confirmed")
    assert timeline(stack) == before and handoffs(stack) == known
    assert [h["closing_event_id"] for h in handoffs(stack) if h["state"] == "done"] == [closing]
    again = {t.id for t in receiver.tries[told:] if not t.event["type"].endswith(".refused")}
    assert again and again <= ids, "what was told again has the ids that it had"
    refused = [t.event["data"]["action"] for t in receiver.tries[told:] if t.event["type"].endswith(".refused")]
    assert refused in ([], ["accept"]), "of reports nobody is told anything"
    stack.run("reconcile", "--wait", "30s")


def test_after_kafka_was_lost_new_topics_are_read_from_their_beginning(world, receiver):
    stack = world
    stack.stop()
    before = timeline(stack)
    stack.kafka.forget_topics()
    stack.run("migrate")
    stack.run("replay", "--from", "beginning", "--note", "Kafka was lost")
    stack.start("tl-aggregator", *(f"tl-{name}" for name in DEPARTMENTS))
    event = won(stack, "dora@restore.example")
    stack.wait_caught_up(60)
    wait_for(lambda: any("dora%40" in t.event["customer"] for t in list(receiver.tries)), 60, "the handoff of dora")
    assert {row[0] for row in timeline(stack)[0]} == {row[0] for row in before[0]} | {event}
    stack.run("reconcile", "--wait", "30s")
