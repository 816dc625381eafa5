"""The brief of a handoff (store.briefs): what stands in it, for persons and accounts, and its bounds.
Rows are put in by hand: what the aggregator writes is tested elsewhere."""
import json
import re
import uuid

import pytest

import test_views
from support.paths import ROOT

MEMBERS = {"customer", "event", "fields", "identities", "owners", "promises", "issues", "handoffs", "money",
           "events", "event_ids", "since", "cut"}
EXAMPLE = json.loads(re.search(r"### The brief\n.*?```json\n(.*?)```",
                               (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8"), re.DOTALL)[1])
LIMIT = 64 * 1024


class World(test_views.World):

    def brief(self, customer, fields=None, event=None, handoff=None):
        (found,) = self.briefs([(customer, fields, event, handoff)])
        return found

    def briefs(self, asked):
        openings = [json.dumps({"handoff": handoff or str(uuid.uuid4()), "event": event or {"id": "opening"},
                                "fields": fields or {}}) for _, fields, event, handoff in asked]
        rows = self.query("SELECT ordinal, brief, octet_length(brief::text) AS octets"
                          " FROM store.briefs(%s::bigint[], %s::jsonb[]) ORDER BY ordinal",
                          ([customer for customer, *_ in asked], openings))
        assert [row["ordinal"] for row in rows] == list(range(1, len(asked) + 1))
        for row in rows:
            assert set(row["brief"]) == MEMBERS
            assert row["octets"] <= LIMIT
        return [row["brief"] for row in rows]

    def owner(self, identity, department, owner, named_at, role=""):
        self.query("INSERT INTO store.owners VALUES (%s, %s, %s, '', %s, %s, %s, gen_random_uuid())",
                   (identity, department, role, owner, named_at, named_at))

    def promise(self, identity, promise, made_at, kept_at=None):
        self.query("INSERT INTO store.promises VALUES (%s, %s, 'sales', %s, %s)",
                   (identity, promise, made_at, kept_at))

    def issue(self, identity, issue, opened_at, told_at=None, closed_at=None, summary="Broken"):
        self.query("INSERT INTO store.issues (identity_id, issue_id, department, summary, summary_at, opened_at,"
                   " reopened_at, told_at, closed_at) VALUES (%s, %s, 'service', %s, %s, %s, %s, %s, %s)",
                   (identity, issue, summary, opened_at, opened_at, opened_at, told_at, closed_at))

    def handoff(self, identity, state="open", account=None, due_at="2026-03-01Z", handoff=None):
        handoff = handoff or str(uuid.uuid4())
        self.query("""INSERT INTO store.handoffs (handoff_id, rule, identity_id, account_identity_id, from_department,
            to_department, state, ask, brief, brief_version, occurred_at, opening_uid, opened_at, due_at, due_ms)
            VALUES (%s, 'a-rule', %s, %s, 'sales', 'billing', %s, 'Do it', '{}', 1, now(), %s, now(), %s, 1)""",
                   (handoff, identity, account, state, handoff, due_at))
        return handoff


@pytest.fixture(scope="module")
def world(postgres):
    import test_migrate
    database = postgres.new_database()
    test_migrate.migrate(database)
    made = World(database)
    yield made
    made.connection.close()


@pytest.fixture
def unique():
    return uuid.uuid4().hex[:12]


def test_all_that_is_known(world, unique):
    customer, (email, stripe) = world.customer(
        identities=[f"email={unique}@acme.example", f"stripe=cus_{unique}"])
    world.query("INSERT INTO store.attached_identities VALUES (%s, 'name', 'Ann'), (%s, 'name', 'Ann')", (email, stripe))
    account, (domain,) = world.customer("account", [f"account.domain={unique}.example"])
    won = world.event(email, "sales.deal.won", "2026-01-05T10:00:00Z", account=domain, amount="100.10", currency="EUR")
    paid = world.event(stripe, "billing.invoice.paid", "2026-02-05T10:00:00.5Z", amount="60", currency="EUR")
    more = world.event(stripe, "billing.invoice.paid", "2026-02-06T10:00:00Z", amount="7", currency="USD")
    world.event(email, "billing.invoice.refunded", "2026-02-07T10:00:00Z", amount="10", currency="EUR")
    world.event(email, "shipping.parcel.lost", "2026-02-08T10:00:00Z", amount="5", currency="EUR")  # of no vocabulary
    world.owner(email, "sales", "Grace", "2026-01-01Z")
    world.owner(stripe, "sales", "Linus", "2026-02-01Z")
    world.owner(stripe, "sales", "Ada", "2026-01-01Z", role="support")
    world.promise(email, "free delivery", "2026-01-05T10:00:00Z")
    world.promise(email, "a call", "2026-01-05Z", kept_at="2026-01-06Z")
    world.promise(email, "a discount", "2026-01-07Z", kept_at="2026-01-06Z")  # made again
    world.promise(stripe, "free delivery", None, kept_at="2026-01-04Z")
    world.issue(email, "T-1", "2026-02-01Z")
    world.issue(email, "T-2", "2026-02-02Z", closed_at="2026-02-03Z")
    world.issue(stripe, "T-3", "2026-02-03Z", told_at="2026-02-04Z", closed_at="2026-02-02Z")  # opened again
    open_one, own = world.handoff(email), str(uuid.uuid4())
    world.handoff(stripe, "done")
    world.handoff(email, "delivered", handoff=own)
    brief = world.brief(customer, {"/amount": 100.10, "/promises": ["free delivery"]},
                        {"id": won, "source": "/tests", "type": "sales.deal.won"}, own)
    assert brief["customer"] == {"customer_id": customer, "kind": "person"}
    assert brief["event"] == {"id": won, "source": "/tests", "type": "sales.deal.won"}
    assert brief["fields"] == {"/amount": 100.1, "/promises": ["free delivery"]}
    assert brief["identities"] == {"email": [f"{unique}@acme.example"], "stripe": [f"cus_{unique}"], "name": ["Ann"],
                                   "account.domain": [f"{unique}.example"]}
    assert [(o["department"], o["role"], o["owner"], o["since"]) for o in brief["owners"]] == [
        ("sales", None, "Linus", "2026-02-01T00:00:00+00:00"), ("sales", "support", "Ada", "2026-01-01T00:00:00+00:00")]
    assert [(p["promise"], p["made_at"]) for p in brief["promises"]] == [
        ("a discount", "2026-01-07T00:00:00+00:00"), ("free delivery", "2026-01-05T10:00:00+00:00")]
    assert [(i["id"], i["told_at"], i["summary"]) for i in brief["issues"]] == [
        ("T-3", "2026-02-04T00:00:00+00:00", "Broken"), ("T-1", None, "Broken")]
    assert [(h["handoff"], h["to"], h["state"], h["overdue"]) for h in brief["handoffs"]] == [
        (open_one, "billing", "open", False)]
    assert brief["money"] == {
        "EUR": {"promised": 100.10, "billed": 0, "received": 60, "refunded": 10},
        "USD": {"promised": 0, "billed": 0, "received": 7, "refunded": 0}}
    assert [e["type"] for e in brief["events"]] == [
        "billing.invoice.refunded", "billing.invoice.paid", "billing.invoice.paid", "sales.deal.won", "shipping.parcel.lost"]
    assert brief["events"][2] == {"id": paid, "time": "2026-02-05T10:00:00.5+00:00", "type": "billing.invoice.paid",
                                  "department": "billing", "summary": "Sum"}
    assert brief["event_ids"] == [e["id"] for e in brief["events"]] and {won, paid, more} <= set(brief["event_ids"])
    assert (brief["since"], brief["cut"]) == (None, {})
    # The members of what is listed are those that docs/protocol.md shows.
    assert set(EXAMPLE) == MEMBERS and EXAMPLE["customer"].keys() == brief["customer"].keys()
    for list_ in ("owners", "promises", "issues", "handoffs", "events"):
        assert all(element.keys() == EXAMPLE[list_][0].keys() for element in brief[list_]), list_
    assert brief["money"]["EUR"].keys() == EXAMPLE["money"]["EUR"].keys()


def test_an_account_is_told_of_by_the_events_that_name_it(world, unique):
    account, (domain,) = world.customer("account", [f"account.domain={unique}.example"])
    _, (email,) = world.customer(identities=[f"email={unique}@acme.example"])
    named = world.event(email, "billing.invoice.paid", "2026-02-05T10:00:00Z", account=domain, amount=7, currency="EUR")
    alone = world.event(domain, "service.ticket.opened", "2026-02-06T10:00:00Z", account=domain)
    world.event(email, "billing.invoice.paid", "2026-02-07T10:00:00Z", amount=8, currency="EUR")
    of_person = world.handoff(email, account=domain, due_at="2026-03-02Z")
    of_account = world.handoff(domain, account=domain)
    world.owner(domain, "service", "Sue", "2026-01-01Z")
    brief = world.brief(account)
    assert brief["customer"]["kind"] == "account"
    assert brief["identities"] == {"account.domain": [f"{unique}.example"]}
    assert brief["event_ids"] == [named, alone]
    assert brief["money"]["EUR"]["received"] == 7
    assert [h["handoff"] for h in brief["handoffs"]] == [of_account, of_person]
    assert [o["owner"] for o in brief["owners"]] == ["Sue"]


def test_many_at_once_and_one_twice(world, unique):
    customers = [world.customer(identities=[f"email={unique}{n}@acme.example"])[0] for n in range(3)]
    found = world.briefs([(c, {"/n": n}, None, None) for n, c in enumerate([*customers, customers[0], 10 ** 12])])
    assert [b["fields"]["/n"] for b in found] == [0, 1, 2, 3, 4]
    assert [b["identities"].get("email") for b in found] == [
        [f"{unique}{n}@acme.example"] for n in (0, 1, 2, 0)] + [None]  # the last is not known
    assert world.briefs([]) == []


def test_the_last_five_of_each_department(world, unique):
    customer, (email,) = world.customer(identities=[f"email={unique}@acme.example"])
    for n in range(9):
        world.event(email, "sales.deal.won", f"2026-01-0{n + 1}T00:00:00Z", summary=f"won {n}")
        world.event(email, "service.ticket.opened", f"2025-11-0{n + 1}T00:00:00Z", summary=f"opened {n}")
    assert [e["summary"] for e in world.brief(customer)["events"]] == [
        f"{word} {n}" for word in ("won", "opened") for n in (8, 7, 6, 5, 4)]


def test_a_long_timeline_is_told_from_where_it_was_read(world, unique):
    customer, (email, stripe) = world.customer(identities=[f"email={unique}@acme.example", f"stripe={unique}"])
    world.query("SELECT store.make_month('2026-01-01Z')")
    world.query("""INSERT INTO store.events (occurred_at, event_uid, identity_id, department, type, source, event_id,
        amount, currency, topic, partition, kafka_offset)
        SELECT timestamptz '2026-01-01Z' + n * interval '1 minute', gen_random_uuid(), CASE n %% 2 WHEN 0 THEN %s ELSE %s END,
               'billing', 'billing.invoice.paid', '/s', n, 1, 'EUR', 't', 0, 0 FROM generate_series(0, 299) n""",
                (email, stripe))
    brief = world.brief(customer)
    assert brief["money"]["EUR"]["received"] == 200
    assert brief["since"] == "2026-01-01T01:40:00+00:00"
    assert [e["id"] for e in brief["events"]] == ["299", "298", "297", "296", "295"]


def test_more_than_a_hundred_are_cut(world, unique):
    customer, (email,) = world.customer(identities=[f"email={unique}@acme.example"])
    world.query("INSERT INTO store.promises (identity_id, promise, made_at) SELECT %s, n, '2026-01-01Z' FROM"
                " generate_series(1, 250) n", (email,))
    world.query("INSERT INTO store.attached_identities (identity_id, kind, value) SELECT %s, 'phone', n FROM"
                " generate_series(1, 250) n", (email,))
    brief = world.brief(customer)
    assert len(brief["promises"]) == 100
    assert brief["identities"]["email"] == [f"{unique}@acme.example"] and len(brief["identities"]["phone"]) == 99
    assert brief["cut"] == {"promises": 1, "identities": 2}  # at least: no more are looked at


@pytest.mark.parametrize("field, kept", [
    ("x" * 100_000, lambda f: f.endswith("x…") and 10_000 < len(f) < 14_000),
    ("\x01" * 100_000, lambda f: f.endswith("\x01…") and 1_000 < len(f) < 3_000),
    ([n for n in range(50_000)], lambda f: f == list(range(len(f))) and 1_000 < len(f) < 4_000),
    ({"a": "x" * 100_000}, lambda f: f is None),
], ids=["text", "escaped", "list", "object"])
def test_a_huge_field_is_cut(world, unique, field, kept):
    customer, _ = world.customer(identities=[f"email={unique}@acme.example"])
    brief = world.brief(customer, {"/huge": field})
    assert kept(brief["fields"]["/huge"])
    assert brief["cut"] == {"fields": ["/huge"]}


def test_the_least_important_goes_first(world, unique):
    """Each list alone would fit; owners and issues stay whole, promises lose their end, the rest goes."""
    customer, (email,) = world.customer(identities=[f"email={unique}@acme.example"])
    world.event(email, "sales.deal.won", "2026-01-01T00:00:00Z")
    world.handoff(email)
    world.owner(email, "sales", "Grace", "2026-01-01Z")
    world.query("INSERT INTO store.issues (identity_id, issue_id, department, summary, summary_at, opened_at, reopened_at)"
                " SELECT %s, n, 'service', repeat('s', 400), now(), now(), now() FROM generate_series(1, 60) n", (email,))
    world.query("INSERT INTO store.promises (identity_id, promise, made_at) SELECT %s, repeat('p', 600) || n,"
                " timestamptz '2026-01-01Z' + n * interval '1 day' FROM generate_series(1, 90) n", (email,))
    brief = world.brief(customer, {"/amount": 5})
    assert (len(brief["owners"]), len(brief["issues"]), brief["events"], brief["handoffs"]) == (1, 60, [], [])
    assert brief["event_ids"] == []
    kept = len(brief["promises"])
    assert brief["cut"] == {"events": 1, "handoffs": 1, "promises": 90 - kept} and 30 < kept < 60
    assert brief["promises"][0]["promise"].endswith("p90")  # the latest
    assert brief["fields"] == {"/amount": 5} and len(json.dumps(brief)) > LIMIT * 0.97


def test_all_of_it_as_large_as_can_be(world, unique):
    """Everything at the limits of what is admitted, in characters that JSON escapes where they are let in."""
    customer, anchors = world.customer(identities=[f"k{n:02}{'k' * 60}={'v' * 250}{unique}{n}" for n in range(120)])
    email = anchors[0]
    world.query("""INSERT INTO store.events (occurred_at, event_uid, identity_id, department, type, source, event_id,
        summary, amount, currency, topic, partition, kafka_offset)
        SELECT timestamptz '2026-01-01Z' + n * interval '1 minute', gen_random_uuid(), %s, repeat('d', 31) || n %% 10,
               'billing.invoice.paid', '/s', n || repeat('"', 500), repeat('ä', 512), repeat('9', 60)::numeric
               + ('0.' || repeat('9', 60))::numeric, chr(65 + n %% 26) || 'XX', 't', 0, 0
        FROM generate_series(0, 299) n""", (email,))
    world.query("INSERT INTO store.owners SELECT %s, 'd' || n, repeat('r', 100), repeat('r', 100), repeat('o', 256), now(),"
                " now(), gen_random_uuid() FROM generate_series(1, 150) n", (email,))
    world.query("INSERT INTO store.promises (identity_id, promise, made_at) SELECT %s, repeat('ä', 900) || n, now()"
                " FROM generate_series(1, 150) n", (email,))
    world.query("INSERT INTO store.issues (identity_id, issue_id, summary, opened_at, reopened_at) SELECT %s,"
                " repeat('i', 190) || n, repeat('ä', 512), now(), now() FROM generate_series(1, 150) n", (email,))
    fields = {f"/{n:02}{'f' * 250}": "\x01" * 5000 for n in range(32)}
    event = {"id": '"' * 512, "source": "s" * 1024, "type": "t" * 255, "time": "2026-01-01T00:00:00Z",
             "department": "d" * 32, "summary": "ä" * 512}
    brief = world.brief(customer, fields, event)
    assert brief["event"] == event and set(brief["fields"]) == set(fields)
    assert len(brief["money"]) == 20 and len(brief["identities"]) > 20
    assert set(brief["cut"]) == {"identities", "fields", "events", "promises", "issues", "owners"}


def test_who_may_ask(world):
    call = "SELECT * FROM store.briefs('{1}', '{\"{}\"}')"
    with world.role("throughline_writer"):
        world.query(call)
    with world.role("throughline_analyst_pii"), pytest.raises(Exception, match="permission denied"):
        world.query(call)


def test_fifty_at_once_touch_few_blocks(postgres):
    """100,000 events in 12 months: each customer's are found by index, and the plan is made once, on empty tables."""
    import test_migrate
    database = postgres.new_database()
    test_migrate.migrate(database)
    big = World(database)
    big.query("SELECT count(store.make_month(timestamptz '2025-01-15Z' + n * interval '1 month')) FROM generate_series(0, 11) n")
    big.briefs([(1, None, None, None)] * 2)
    big.query("INSERT INTO store.customers (customer_id, kind) SELECT n, 'person' FROM generate_series(1, 10000) n", ())
    big.query("INSERT INTO store.identities (identity_id, customer_id, kind, value, record) SELECT n, n, 'email', n, 't'"
              " FROM generate_series(1, 10000) n", ())
    for table, columns in (("owners", "'sales', '', '', 'Grace', now(), now(), gen_random_uuid()"),
                           ("promises", "'free delivery', 'sales', now()"), ("issues", "'T-1', 'service', 'x'")):
        big.query(f"INSERT INTO store.{table} SELECT n, {columns} FROM generate_series(1, 10000) n", ())
    big.query("""INSERT INTO store.events (occurred_at, event_uid, identity_id, department, type, source, event_id, topic,
        partition, kafka_offset) SELECT timestamptz '2025-01-01Z' + n * interval '315 seconds', gen_random_uuid(),
        1 + n %% 10000, 'sales', 'sales.deal.won', '/s', n, 't', 0, n FROM generate_series(1, 100000) n""", ())
    (row,) = big.query("EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT * FROM store.briefs((SELECT array_agg(n * 7::bigint)"
                       " FROM generate_series(1, 50) n), (SELECT array_agg('{}'::jsonb) FROM generate_series(1, 50)))", ())
    (plan,) = row["QUERY PLAN"]
    touched = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    assert touched < 50 * 120, touched
    big.connection.close()
