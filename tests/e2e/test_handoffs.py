"""What events open and close in the database: the fold of handoffs by a real aggregator. Delivery has
tests of its own (test_delivery.py)."""
import contextlib
import json
import time
import uuid
from datetime import datetime, timedelta, timezone

import pytest
from confluent_kafka import Producer

from support.events import event
from support.postgres import connect
from support.wait import wait_for

STRUCTURED = {"content-type": "application/cloudevents+json"}

RULES = [
    {"rule": "plain", "when": "sales.deal.won", "to": "billing", "ask": "Issue the first invoice", "due": "4h",
     "max_age": "7d", "if": {"/amount": {"min": 1}}, "done_when": "billing.invoice.issued",
     "cancel_when": "sales.deal.lost", "brief": ["/amount", "/promises"]},
    {"rule": "matched", "when": "sales.deal.created", "to": "billing", "ask": "Prepare", "due": "1d", "max_age": "7d",
     "done_when": "billing.invoice.issued", "match": [["/deal", "/deal"]]},
    {"rule": "complaint", "when": "service.ticket.opened", "while": {"open_issue": True}, "to": "owner",
     "fallback": "service", "ask": "Call", "due": "1h", "done_when": "service.customer.contacted"},
    {"rule": "first", "when": "billing.invoice.paid", "while": {"first": True}, "to": "service", "ask": "Welcome",
     "due": "2d"},
    {"rule": "chained", "when": "sales.meeting.held", "to": "billing", "ask": "Send the minutes", "due": "2d",
     "done_when": "sales.email.sent"},
    {"rule": "follow-up", "when": "throughline.handoff.closed", "if": {"/rule": "chained", "/state": "done"},
     "to": "service", "ask": "Ask whether the invoice arrived", "due": "2d"},
]


def now(seconds=0):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


class World:
    """Records straight to Kafka, one at a time or in an order that a test wants."""

    def __init__(self, stack):
        self.stack = stack
        self.producer = Producer({"bootstrap.servers": stack.kafka.brokers, "log_level": 0})

    def put(self, *events, partition=0):
        """Kafka has them."""
        for one in events:
            topic = "events." + (one.pop("on", None) or one["type"].split(".")[0])
            self.producer.produce(topic, json.dumps(one), None, partition, headers=STRUCTURED)
        assert self.producer.flush(30) == 0

    def tell(self, *events, partition=0):
        self.put(*events, partition=partition)
        self.settle()
        assert self.stack.query("SELECT * FROM throughline.reconciliation WHERE difference <> 0") == []

    def settle(self):
        """Everything is read, and what was opened is confirmed."""
        self.stack.wait_caught_up(60)
        wait_for(lambda: not self.stack.query("SELECT 1 AS one FROM store.handoffs WHERE confirm_xid IS NOT NULL"), 30,
                 "handoffs are confirmed")

    def handoffs(self, rule=None):
        return self.stack.query(
            "SELECT h.*, i.value AS who FROM store.handoffs h JOIN store.identities i USING (identity_id)"
            " WHERE rule = coalesce(%s, rule) ORDER BY occurred_at, handoff_id", (rule,))

    def of(self, email):
        return [row for row in self.handoffs() if row["who"] == email]


@pytest.fixture(scope="module")
def world(bare_stack):
    stack = bare_stack
    stack.write_config("handoffs.json", RULES)
    for topic in ("events.sales", "events.billing", "events.service"):
        stack.kafka.produce(topic, b"{}", partition=0)
    stack.start("tl-aggregator")
    stack.wait_caught_up(60)
    return World(stack)


def new_email():
    return f"{uuid.uuid4().hex[:10]}@handoffs.example"


def won(email, time=None, **data):
    return event("sales.deal.won", {"customer": {"email": email}, "amount": 90.10, "currency": "EUR", **data},
                 time=time or now())


def invoice(email, time=None, **data):
    return event("billing.invoice.issued", {"customer": {"email": email}, "amount": 90, "currency": "EUR", **data},
                 time=time or now(1))


def ask(handoff, verb, department, **data):
    return event(f"throughline.handoff.{verb}", {"handoff": str(handoff), "by": "ann", **data}, on=department,
                 time=now(2))


def test_opens_with_a_brief_and_closes(world):
    email = new_email()
    world.tell(won(email, promises=["free onboarding"]))
    handoff, = world.of(email)
    assert (handoff["rule"], handoff["state"], handoff["from_department"], handoff["to_department"]) == (
        "plain", "open", "sales", "billing")
    assert handoff["due_at"] - handoff["opened_at"] == timedelta(hours=4)
    assert handoff["brief"]["fields"]["/promises"] == ["free onboarding"]
    assert "90.1" in json.dumps(handoff["brief"])
    world.tell(invoice(email))
    handoff, = world.of(email)
    assert handoff["state"] == "done" and handoff["closing_event_id"] and handoff["sequence"] == 2


def test_what_opens_nothing(world):
    email = new_email()
    world.tell(won(email, amount=0.5), won(email, time=now(-8 * 86400)))
    assert world.of(email) == []


def test_the_same_event_again_opens_nothing(world):
    email = new_email()
    one = won(email)
    world.tell(dict(one))
    world.tell(dict(one), dict(one))
    assert len(world.of(email)) == 1


def test_done_before_open(world):
    email = new_email()
    world.tell(invoice(email, time=now(60)))
    world.tell(won(email))
    handoff, = world.of(email)
    assert handoff["state"] == "done"


def test_a_closing_event_before_the_opening_one_does_not_count(world):
    email = new_email()
    world.tell(invoice(email, time=now(-60)))
    world.tell(won(email))
    assert world.of(email)[0]["state"] == "open"


def test_both_in_one_batch(world):
    email = new_email()
    world.stack.stop("tl-aggregator")
    first, second = won(email), invoice(email)
    for one in (first, second):
        world.producer.produce("events." + one["type"].split(".")[0], json.dumps(one), headers=STRUCTURED)
    world.producer.flush(30)
    world.stack.start("tl-aggregator")
    world.tell(won(new_email()))
    assert [row["state"] for row in world.of(email)] == ["done"]


def test_a_tie_that_arrives_after_both(world):
    one, other = new_email(), new_email()
    world.tell(won(one), invoice(other, time=now(5)))
    assert world.of(one)[0]["state"] == "open"
    world.tell(event("sales.customer.linked", {"customer": {"email": [one, other]}}, time=now()))
    assert world.of(one)[0]["state"] == "done"


def test_one_event_closes_one_and_stays_with_it(world):
    email = new_email()
    world.tell(won(email, time=now(-20)), won(email, time=now(-10)))
    world.tell(invoice(email))
    assert [row["state"] for row in world.of(email)] == ["done", "open"]
    world.tell(won(email, time=now(-5)))  # the invoice is taken
    assert [row["state"] for row in world.of(email)] == ["done", "open", "open"]


def test_match_closes_the_right_one(world):
    email = new_email()
    for deal in ("D1", "D2"):
        world.tell(event("sales.deal.created", {"customer": {"email": email}, "deal": deal}, time=now(-10)))
    world.tell(invoice(email, deal="D2"))
    states = {row["match"][0]: row["state"] for row in world.of(email) if row["rule"] == "matched"}
    assert states == {"D1": "open", "D2": "done"}


def test_cancelled(world):
    email = new_email()
    world.tell(won(email), event("sales.deal.lost", {"customer": {"email": email}}, time=now(3)))
    assert world.of(email)[0]["state"] == "cancelled"


def test_requests_and_reports(world):
    email = new_email()
    world.tell(won(email))
    handoff = world.of(email)[0]["handoff_id"]
    world.tell(event("throughline.handoff.delivered", {"handoff": str(handoff), "sequence": 1}, on="billing", time=now()))
    assert world.of(email)[0]["state"] == "delivered"
    world.tell(ask(handoff, "accept", "billing"))
    row = world.of(email)[0]
    assert (row["state"], row["accepted_by"]) == ("accepted", "ann")
    world.tell(ask(handoff, "done", "billing", note="sent"))
    row = world.of(email)[0]
    assert (row["state"], row["closed_by"], row["note"]) == ("done", "ann", "sent")
    world.tell(ask(handoff, "decline", "billing", note="no"))
    row = world.of(email)[0]
    assert row["state"] == "done"
    types = [r["type"] for r in world.stack.query(
        "SELECT type FROM throughline.timeline t JOIN store.identities i USING (customer_id)"
        " WHERE i.value = %s AND source = '/tests' ORDER BY recorded_at", (email,))]
    assert sorted(types) == sorted(["sales.deal.won"] + ["throughline.handoff." + verb for verb in (
        "delivered", "accept", "done", "decline")])


def test_decline_goes_back_and_reassign_starts_anew(world):
    email = new_email()
    world.tell(won(email))
    handoff = world.of(email)[0]["handoff_id"]
    world.tell(ask(handoff, "decline", "billing", note="not ours"))
    assert world.of(email)[0]["state"] == "declined"
    world.tell(ask(handoff, "reassign", "sales", to="service"))
    row = world.of(email)[0]
    assert (row["state"], row["to_department"], row["closed_at"]) == ("open", "service", None)
    assert row["opened_sequence"] == row["sequence"] == 3
    world.tell(ask(handoff, "accept", "billing"))  # no longer theirs
    assert world.of(email)[0]["state"] == "open"
    world.tell(event("throughline.handoff.delivered", {"handoff": str(handoff), "sequence": 1}, on="service", time=now()))
    assert world.of(email)[0]["state"] == "open"  # a report of the first opening


def test_unknown_handoff_is_quarantined(world):
    handoff = uuid.uuid4()
    world.tell(ask(handoff, "accept", "billing"))
    row, = world.stack.query("SELECT * FROM throughline.quarantine WHERE reason = 'unknown-handoff'")
    assert row["topic"] == "events.billing"
    world.tell(event("throughline.handoff.accept", {"handoff": "x", "by": "a"}, on="billing"))
    assert world.stack.query("SELECT detail FROM throughline.quarantine ORDER BY quarantine_id DESC LIMIT 1")[0][
        "detail"].startswith("/data/handoff: ")


def test_circumstances_and_owner(world):
    email, other = new_email(), new_email()
    ticket = {"summary": "Broken"}
    world.tell(event("service.ticket.opened", {"customer": {"email": email}, **ticket}, time=now(-9)))
    assert world.of(email) == []
    world.tell(event("service.ticket.opened", {"customer": {"email": email}, **ticket,
                                               "issue": {"id": "I1", "summary": "Broken"}}, time=now(-8)))
    assert [row["to_department"] for row in world.of(email)] == ["service"]
    world.tell(event("sales.customer.linked", {"customer": {"email": other}, "owner": "ann"}, time=now(-9)))
    world.tell(event("service.ticket.opened", {"customer": {"email": other}, **ticket,
                                               "issue": {"id": "I1", "summary": "Broken"}}, time=now(-8)))
    wait_for(lambda: world.of(other), 10, "it is opened")
    assert [row["to_department"] for row in world.of(other)] == ["sales"]


def test_first_only_once(world):
    email = new_email()
    paid = {"customer": {"email": email}, "amount": 5, "currency": "EUR"}
    world.tell(event("billing.invoice.paid", paid, time=now(-9)), event("billing.invoice.paid", paid, time=now(-8)))
    world.tell(event("billing.invoice.paid", paid, time=now(-7)))
    assert [row["rule"] for row in world.of(email)] == ["first"]


def test_first_only_once_by_two_writers_at_the_same_moment(world):
    email, stack = new_email(), world.stack
    world.tell(invoice(email))  # the customer is known: nobody waits for another who makes them
    with connect(stack.database) as held:
        held.cursor().execute("LOCK TABLE store.handoffs IN SHARE MODE")  # nobody can put one in
        for partition in range(4):
            paid = event("billing.invoice.paid", {"customer": {"email": email}, "amount": 5, "currency": "EUR"}, time=now())
            world.producer.produce("events.billing", json.dumps(paid), None, partition, headers=STRUCTURED)
        waiting = ("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                   " AND application_name LIKE '%writer%'")
        wait_for(lambda: len(stack.query(waiting)) >= 2, 30,
                 "two writers wait, one of them behind the other or both for the table")
    world.tell()
    assert [row["rule"] for row in world.of(email)] == ["first"]


def test_a_handoff_opens_the_next_but_not_without_end(world):
    email = new_email()
    who = {"customer": {"email": email}}
    world.tell(event("sales.meeting.held", who, time=now()), event("sales.email.sent", who, time=now(1)))
    wait_for(lambda: len(world.of(email)) == 2, 30, "what was told of the first has opened the second")
    first, second = sorted(world.of(email), key=lambda row: row["depth"])
    assert (first["rule"], first["depth"], second["rule"], second["depth"]) == ("chained", 0, "follow-up", 1)
    assert second["from_department"] is None
    closed = event("throughline.handoff.closed", {"customer": {"email": email}, "rule": "chained", "state": "done",
                                                  "depth": 7}, time=now(), on="throughline")
    world.tell(dict(closed), dict(closed, id="too deep", data={**closed["data"], "depth": 8}))
    assert sorted(row["depth"] for row in world.of(email)) == [0, 1, 8]
    log = world.stack.programs["tl-aggregator"].tail(1000)
    assert log.count("Handoffs open each other without end") == 1 and "rule=follow-up depth=9" in log
    assert world.stack.metric("tl-aggregator", "throughline_aggregator_handoffs_cut_total") == 1


@contextlib.contextmanager
def at_work(stack):
    """A transaction of somebody, which has written something."""
    with contextlib.closing(connect(stack.database)) as session, session.cursor() as cursor:
        cursor.execute("BEGIN; SELECT pg_current_xact_id()")
        yield cursor
        cursor.execute("COMMIT")


def stays_untold(world, email, why):
    for _ in range(20):
        assert not world.of(email)[0]["told"], why
        time.sleep(0.05)


def test_what_is_called_in_doubt_while_it_is_confirmed_waits_anew(world):
    """Another writer's merge comes between the look at the timeline and the lock on the handoff."""
    email, stack = new_email(), world.stack
    with at_work(stack) as doubting:
        with at_work(stack):
            world.put(won(email))
            row, = wait_for(lambda: world.of(email), 30, "it is opened")
            assert not row["told"]
            doubting.execute("COMMIT; BEGIN; SELECT FROM store.handoffs WHERE handoff_id = %s FOR UPDATE",
                             (row["handoff_id"],))
        wait_for(lambda: stack.query("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                     " AND application_name LIKE '%relay'"), 30, "the relay waits for the handoff")
        doubting.execute("UPDATE store.handoffs SET confirm_xid = pg_current_xact_id() WHERE handoff_id = %s",
                         (row["handoff_id"],))
        with at_work(stack):
            doubting.execute("COMMIT; BEGIN")
            stays_untold(world, email, "it waits for who is at work")
    wait_for(lambda: world.of(email)[0]["told"], 30, "it is told")
    world.settle()


def test_what_a_merge_could_not_see_waits_for_who_looked_before_the_merge(world):
    """A merge misses a handoff that is being opened; a writer who closes it has looked for handoffs of the
    customer as it was before, and is not among those who were at work when the handoff could first be seen."""
    one, other, stack = new_email(), new_email(), world.stack
    world.tell(invoice(one, time=now(-60)), invoice(other, time=now(-60)))
    found = {row["value"]: row for row in stack.query(
        "SELECT value, identity_id, customer_id FROM store.identities WHERE value IN (%s, %s)", (one, other))}
    survivor, absorbed = found[one]["customer_id"], found[other]["customer_id"]
    with at_work(stack) as merge:
        merge.execute("INSERT INTO store.merges (survivor, absorbed, evidence, identity_ids) VALUES (%s, %s, '{}', %s)",
                      (survivor, absorbed, [found[other]["identity_id"]]))
        merge.execute("UPDATE store.customers SET merged_into = %s WHERE customer_id = %s", (survivor, absorbed))
        merge.execute("UPDATE store.identities SET customer_id = %s WHERE customer_id = %s", (survivor, absorbed))
        world.put(won(other))
        wait_for(lambda: world.of(other), 30, "it is opened")
        relay = ("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%relay'"
                 " AND query LIKE '%l.transactionid%'")
        wait_for(lambda: stack.query(relay), 30, "it is being confirmed")
        with at_work(stack):
            merge.execute("COMMIT; BEGIN")
            stays_untold(world, other, "it waits for who may have looked before")
    wait_for(lambda: world.of(other)[0]["told"], 30, "it is told")
    world.settle()


@contextlib.contextmanager
def plans_of_large_tables(stack):
    """Sessions of the aggregator that begin within join by loops over indexes, as where there is much."""
    name = stack.database.rsplit("/", 1)[1]
    for way in ("hashjoin", "mergejoin", "seqscan"):
        stack.query(f"ALTER DATABASE {name} SET enable_{way} = off")
    stack.stop("tl-aggregator")
    stack.start("tl-aggregator")
    yield
    stack.query(f"ALTER DATABASE {name} RESET ALL")


def test_handoffs_that_somebody_changes_at_that_moment_are_closed_all_the_same(world):
    """The writer waits for the rows, and then has to see each as it has become."""
    email, stack, deals = new_email(), world.stack, [f"D{n}" for n in range(5)]
    world.tell(*(event("sales.deal.created", {"customer": {"email": email}, "deal": deal}, time=now(-10))
                 for deal in deals))
    with plans_of_large_tables(stack), at_work(stack) as changing:
        changing.execute("UPDATE store.handoffs SET state = 'delivered' WHERE handoff_id = ANY (%s::uuid[])",
                         ([str(row["handoff_id"]) for row in world.of(email)],))
        world.put(*(invoice(email, deal=deal) for deal in deals))
        wait_for(lambda: stack.query("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                     " AND application_name LIKE '%writer%'"), 30, "a writer waits for a handoff")
    world.settle()
    assert [(row["state"], row["sequence"]) for row in world.of(email)] == [("done", 2)] * len(deals)


OPENED = """INSERT INTO store.handoffs (handoff_id, rule, identity_id, to_department, ask, brief, brief_version, occurred_at,
                                       opening_uid, opened_at, due_at, due_ms)
    SELECT gen_random_uuid(), %s, identity_id, 'billing', 'x', '{}', 1, now(), gen_random_uuid(), now(),
           now() + interval '1 day', 86400000
    FROM store.identities, generate_series(1, %s) WHERE value = %s"""


def test_a_writer_that_came_later_than_the_opener_is_waited_for(world):
    """It could not see the handoff before the opener's commit, though its transaction is the later one."""
    email, stack = new_email(), world.stack
    world.tell(event("sales.call.made", {"customer": {"email": email}}, time=now()))
    with contextlib.closing(connect(stack.database)) as opener, opener.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(OPENED, ("plain", 1, email))
        with at_work(stack):
            cursor.execute("COMMIT")
            stays_untold(world, email, "it waits for who is at work")
    wait_for(lambda: world.of(email)[0]["told"], 30, "it is told")


def test_an_event_of_a_person_closes_the_handoff_of_the_account_it_names(world):
    email, domain = new_email(), f"{uuid.uuid4().hex[:10]}.example"
    world.tell(event("sales.deal.won", {"customer": {"account": {"domain": domain}}, "amount": 9, "currency": "EUR"},
                     time=now()))
    assert [row["state"] for row in world.of(domain)] == ["open"]
    world.tell(event("billing.invoice.issued", {"customer": {"email": email, "account": {"domain": domain}},
                                                "amount": 9, "currency": "EUR"}, time=now(1)))
    assert [row["state"] for row in world.of(domain)] == ["done"]


def test_done_before_the_account_s_handoff_is_opened(world):
    email, domain = new_email(), f"{uuid.uuid4().hex[:10]}.example"
    world.tell(event("billing.invoice.issued", {"customer": {"email": email, "account": {"domain": domain}},
                                                "amount": 9, "currency": "EUR"}, time=now(60)))
    world.tell(event("sales.deal.won", {"customer": {"account": {"domain": domain}}, "amount": 9, "currency": "EUR"},
                     time=now()))
    assert [row["state"] for row in world.of(domain)] == ["done"]


def test_accepted_and_then_done_in_one_batch(world):
    """What came first counts first, also where both were read together."""
    email = new_email()
    world.tell(won(email))
    handoff = world.of(email)[0]["handoff_id"]
    world.stack.stop("tl-aggregator")
    for one in (invoice(email, time=now(3)), ask(handoff, "accept", "billing")):
        one.pop("on", None)
        world.producer.produce("events.billing", json.dumps(one), None, 0, headers=STRUCTURED)
    assert world.producer.flush(30) == 0
    world.stack.start("tl-aggregator")
    world.settle()
    row = world.of(email)[0]
    assert (row["state"], row["accepted_by"]) == ("done", "ann")


def test_a_rule_that_opens_without_end_for_one_customer_is_cut(world):
    """As where two departments' systems answer each other's handoffs by events."""
    email, stack = new_email(), world.stack
    world.tell(event("sales.call.made", {"customer": {"email": email}}, time=now()))
    stack.query(OPENED, ("plain", 1000, email))
    world.settle()
    world.tell(won(email))
    assert len(world.of(email)) == 1000
    assert "opens handoffs for one customer without end" in stack.programs["tl-aggregator"].tail(200)
