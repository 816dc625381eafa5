"""The whole round for one customer, sales → billing → service → sales, through the front doors: payloads
as Pipedrive, Stripe and Zendesk send them, native CloudEvents for the rest, the shipped rules. At each
step the next department's own system gets the handoff, signed, with a brief of what the others knew."""
import uuid

import pytest

from support.paths import fixtures
from support.receiver import Forged, verify
from support.round import Round, Systems
from support.wait import wait_for

pytestmark = pytest.mark.skipif(fixtures() is None, reason="no shared fixtures (set FIXTURES)")

PROMISE = "onboarding within two weeks"


@pytest.fixture(scope="module")
def world(bare_stack):
    one = Round(bare_stack, untold_after="3s", stale_after="90d").start()
    yield one
    one.close()
    assert not any(receiver.forged for receiver in one.receivers.values())


def known_for_long(world, systems):
    """Each system has known the customer for long, under its own id."""
    systems.pipedrive("create.person", world.ago(200))
    systems.billing("customer.created", world.ago(199))
    systems.helpdesk("user.created", world.ago(198))


def silent_customer_goes_to_its_owner(world, systems):
    """Met 91 days ago, and nobody was in contact since: 90 are enough. The first that is heard of them."""
    world.tell("sales.meeting.held", systems.email, world.ago(91), owner="Grace",
               customer={"email": systems.email, "pipedrive": systems.person})
    told = world.arrives(systems.email, "wake-the-silent", "sales")
    brief = told["brief"]
    assert "from" not in told and brief["fields"]["/last_touch"][:10] == str(world.ago(91).date())
    assert ("sales", "Grace") in [(o["department"], o["owner"]) for o in brief["owners"]]
    assert brief["identities"]["pipedrive"] == [systems.person]
    world.answers("sales", told["handoff"], "accept", by="Grace")
    called = world.tell("sales.call.made", systems.email, owner="Grace")
    world.is_closed("sales", told["handoff"], by=called)


def won_deal_is_invoiced(world, systems):
    systems.pipedrive("change.deal", world.next(), id=4711, value=12000, currency="EUR", status="won")
    told = world.arrives(systems.email, "invoice-the-won-deal", "billing")
    brief = told["brief"]
    assert told["from"] == "sales" and told["ask"] == "Issue the first invoice"
    assert (brief["fields"]["/amount"], brief["fields"]["/currency"]) == (12000, "EUR")
    assert brief["identities"]["stripe"] == [systems.stripe]  # billing finds them in its own system
    assert brief["identities"]["email"] == [systems.email]
    assert [(o["department"], o["role"]) for o in brief["owners"]] == [("sales", None), ("sales", "deal")]
    assert brief["money"]["EUR"]["promised"] == 12000
    row = world.answers("billing", told["handoff"], "accept", by="Bill")
    assert row["accepted_by"] == "Bill"
    return told["handoff"]


def promise_is_known_in_service(world, systems):
    world.tell("sales.promise.made", systems.email, promises=[PROMISE], owner="Grace")
    told = world.arrives(systems.email, "know-the-promise", "service")
    brief = told["brief"]
    assert brief["fields"]["/promises"] == [PROMISE]
    assert [(p["promise"], p["department"]) for p in brief["promises"]] == [(PROMISE, "sales")]
    assert brief["identities"]["zendesk"] == [systems.zendesk]
    assert "Grace" in [owner["owner"] for owner in brief["owners"]]
    assert [h["rule"] for h in brief["handoffs"]] == ["invoice-the-won-deal"]  # what else is under way
    return told["handoff"]


def invoice_closes_what_sales_asked(world, systems, handoff):
    systems.billing("invoice.finalized", world.next(), id="in_1", amount_due=1200000)
    world.is_closed("billing", handoff)


def paying_customer_is_onboarded(world, systems):
    systems.billing("invoice.paid", world.next(), id="in_1", amount_due=1200000, amount_paid=1200000)
    told = world.arrives(systems.email, "onboard-the-paying-customer", "service")
    brief = told["brief"]
    assert told["from"] == "billing" and brief["fields"]["/amount"] == 12000
    assert [p["promise"] for p in brief["promises"]] == [PROMISE]
    assert (brief["money"]["EUR"]["billed"], brief["money"]["EUR"]["received"]) == (12000, 12000)
    world.answers("service", told["handoff"], "accept", by="Rosa")
    onboarded = world.tell("service.customer.onboarded", systems.email, owner="Rosa")
    world.is_closed("service", told["handoff"], by=onboarded)
    return told["handoff"]


def promise_is_kept(world, systems, handoff):
    kept = world.tell("sales.promise.kept", systems.email, kept=[PROMISE])
    world.is_closed("service", handoff, by=kept)


def untold_issue_goes_to_service(world, systems):
    """An incident at the helpdesk that nobody has answered."""
    incident = {"id": "5158", "type": "INCIDENT", "subject": "It overheats"}
    systems.helpdesk("ticket.created", world.next(), status="NEW", **incident)
    told = world.arrives(systems.email, "tell-the-customer", "service")
    assert "from" not in told and told["brief"]["fields"]["/issue"]["id"] == "zendesk:5158"
    assert [(i["summary"], i["told_at"]) for i in told["brief"]["issues"]] == [("It overheats", None)]
    world.answers("service", told["handoff"], "accept", by="Rosa")
    systems.helpdesk("ticket.comment_added", world.next(), {"comment": {
        "author": {"id": "31", "is_staff": True, "name": "Rosa"}, "body": "We know, and mend it.", "id": "1",
        "is_public": True}}, status="OPEN", **incident)
    world.is_closed("service", told["handoff"])


def failed_payment_goes_to_a_person(world, systems):
    """Not to dunning: the incident is still open, and Rosa looks after them."""
    systems.billing("invoice.payment_failed", world.next(), id="in_2", amount_due=50000)
    told = world.arrives(systems.email, "call-instead-of-dunning", "service")
    brief = told["brief"]
    assert told["from"] == "billing" and brief["fields"]["/amount"] == 500
    assert [(i["id"], i["summary"], bool(i["told_at"])) for i in brief["issues"]] == [
        ("zendesk:5158", "It overheats", True)]
    assert ("service", "Rosa") in [(o["department"], o["owner"]) for o in brief["owners"]]
    assert brief["promises"] == [] and brief["identities"]["zendesk"] == [systems.zendesk]
    assert world.handoffs(systems.email, "win-back-the-payment") == []
    world.answers("service", told["handoff"], "accept", by="Rosa")
    called = world.tell("service.customer.contacted", systems.email, summary="Will be mended on Friday")
    world.is_closed("service", told["handoff"], by=called)


def satisfied_customer_goes_back_to_sales(world, systems):
    systems.helpdesk("ticket.status_changed", world.next(), {"previous": "OPEN", "current": "SOLVED"}, id="5158")
    world.tell("sales.owner.assigned", systems.email, owner="Grace")
    systems.helpdesk("ticket.csat_received", world.next(), {"satisfaction_score": {"score": "GOOD"}}, id="5158")
    told = world.arrives(systems.email, "grow-who-praised-us", "sales")
    brief = told["brief"]
    assert told["from"] == "service" and brief["fields"]["/rating"] == "GOOD" and brief["issues"] == []
    assert brief["identities"]["pipedrive"] == [systems.person]
    world.answers("sales", told["handoff"], "accept", by="Grace")
    met = world.tell("sales.meeting.held", systems.email, owner="Grace")
    world.is_closed("sales", told["handoff"], by=met)


def test_the_whole_round(world):
    systems = Systems(world.stack, "round")
    silent_customer_goes_to_its_owner(world, systems)
    known_for_long(world, systems)
    invoice = won_deal_is_invoiced(world, systems)
    promise = promise_is_known_in_service(world, systems)
    invoice_closes_what_sales_asked(world, systems, invoice)
    onboarding = paying_customer_is_onboarded(world, systems)
    promise_is_kept(world, systems, promise)
    untold_issue_goes_to_service(world, systems)
    failed_payment_goes_to_a_person(world, systems)
    satisfied_customer_goes_back_to_sales(world, systems)
    assert world.customer(systems.email) and len(world.handoffs(systems.email)) == 7
    # Every change of them is on the timeline, and what people asked.
    world.stack.wait_caught_up()
    assert world.said(systems.email, onboarding) == [("opened", "open"), ("updated", "accepted"), ("closed", "done")]
    told = {row["type"]: row["summary"] for row in world.timeline(systems.email)
            if row["data"].get("handoff") == onboarding and row["department"] == "service"}
    assert told == {"throughline.handoff.accept": "Asked: accept (Rosa)",
                    "throughline.handoff.delivered": "Handoff: delivered"}


def test_a_score_and_a_failed_charge_do_the_same(world):
    """What other systems say of satisfaction and of payments."""
    systems = Systems(world.stack, "score")
    known_for_long(world, systems)
    world.tell("service.complaint.opened", systems.email, issue={"id": "C-1", "summary": "It squeaks"})
    world.tell("billing.payment.failed", systems.email, amount=5, currency="EUR")
    called = world.arrives(systems.email, "call-about-the-payment", "sales")  # the owner's, of Pipedrive
    assert [issue["id"] for issue in called["brief"]["issues"]] == ["C-1"]
    world.tell("billing.payment.failed", systems.email, amount=5, currency="EUR", invoice="in_3")
    world.tell("service.satisfaction.rated", systems.email, score=5)  # in spite of the complaint
    world.tell("service.complaint.closed", systems.email, issue={"id": "C-1", "closed": True})
    world.tell("service.satisfaction.rated", systems.email, score=3)
    world.tell("service.satisfaction.rated", systems.email, score=5)
    grown = world.arrives(systems.email, "grow-the-satisfied", "sales")
    assert grown["brief"]["fields"] == {"/score": 5}
    world.stack.wait_caught_up()
    for rule in ("call-about-the-payment", "grow-the-satisfied"):
        assert len(world.handoffs(systems.email, rule)) == 1


def test_one_invoice_closes_the_older_of_two_deals(world):
    systems = Systems(world.stack, "twodeals")
    known_for_long(world, systems)
    told = []
    for deal in (1, 2):
        systems.pipedrive("change.deal", world.next(), id=deal, value=deal * 1000, currency="EUR", status="won")
        told.append(world.arrives(systems.email, "invoice-the-won-deal", "billing", deal)["handoff"])
    older, newer = told
    systems.billing("invoice.finalized", world.next(), id="in_1", metadata={"deal": "2"})
    first = world.is_closed("billing", older)
    world.stack.wait_caught_up()
    assert world.wait_state(newer, "delivered")["closed_at"] is None
    systems.billing("invoice.finalized", world.next(), id="in_2", metadata={})
    assert world.is_closed("billing", newer)["closing_event_id"] != first["closing_event_id"]


def test_refusals_come_back_to_who_asked(world):
    email = "refused@acme.example"
    world.tell("sales.deal.won", email, amount=100, currency="EUR")
    handoff = world.arrives(email, "invoice-the-won-deal", "billing")["handoff"]
    row = world.answers("billing", handoff, "done", by="Bill", note="sent by post")
    assert (row["closed_by"], row["closing_event_id"]) == ("Bill", None)
    world.ask("billing", handoff, "accept", by="Ben")
    refused = world.refused("billing", handoff, "accept")
    assert (refused["state"], refused["by"]) == ("done", "Ben")
    assert world.wait_state(handoff, "done")["accepted_by"] is None
    world.ask("sales", handoff, "done")  # whose it is not
    assert "billing" in world.refused("sales", handoff, "done")["detail"]


def test_an_unknown_handoff_is_refused(world):
    unknown = str(uuid.uuid4())
    world.ask("service", unknown, "accept")
    refused = world.refused("service", unknown, "accept")
    assert refused["state"] is None
    row = wait_for(lambda: world.stack.query(
        "SELECT topic FROM throughline.quarantine WHERE reason = 'unknown-handoff'"), 30, "it is in quarantine")
    assert [r["topic"] for r in row] == ["events.service"]


def test_declined_goes_back_to_its_sender_who_gives_it_to_another(world):
    email = "declined@acme.example"
    world.tell("sales.deal.won", email, amount=100, currency="EUR")
    handoff = world.arrives(email, "invoice-the-won-deal", "billing")["handoff"]
    row = world.answers("billing", handoff, "decline", note="there is no order form")
    due = row["due_at"]
    back = world.receivers["sales"].wait_for(handoff, "closed")
    assert (back["data"]["state"], back["data"]["note"]) == ("declined", "there is no order form")
    world.ask("sales", handoff, "reassign", to="service")
    again = world.receivers["service"].wait_for(handoff, "opened")
    assert again["data"]["to"] == "service" and again["data"]["brief"]
    assert world.wait_state(handoff, "delivered")["due_at"] > due
    left = wait_for(lambda: [t.event["data"] for t in world.receivers["billing"].of(handoff)
                             if "reassigned_to" in t.event["data"]], 30, "billing is told whose it is now")
    assert left[0]["reassigned_to"] == "service"


def test_the_longest_note_comes_through(world):
    email, note = "longnote@acme.example", "ä" * 2000
    world.tell("sales.deal.won", email, amount=100, currency="EUR")
    handoff = world.arrives(email, "invoice-the-won-deal", "billing")["handoff"]
    world.answers("billing", handoff, "decline", by="B" * 200, note=note)
    back = world.receivers["sales"].wait_for(handoff, "closed")
    assert back["data"]["note"] == note


def test_the_vector_of_standard_webhooks():
    headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
               "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    verify(secret, headers, body, 1614265330)
    with pytest.raises(Forged):
        verify(secret, headers, body + b" ", 1614265330)
