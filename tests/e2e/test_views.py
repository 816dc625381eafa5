"""The analysts' views: comments, masking by role, figures of customers, pages of a timeline, books.
Rows are put in by hand: what the aggregator writes is tested elsewhere."""
import json
import re
import uuid
from contextlib import contextmanager

import psycopg2
import pytest

from support.paths import ROOT
from support.postgres import connect, execute

VIEWS = {
    "timeline": "customer_id account_id occurred_at recorded_at department type summary owner amount"
                " currency source event_id event_uid data",
    "customers": "customer_id kind name account_id first_seen last_touch departments events"
                 " lifetime_value",
    "identities": "customer_id kind value first_seen",
    "quarantine": "quarantine_id topic partition kafka_offset reason detail received_at state",
    "owners": "customer_id department role region owner since",
    "handoffs": "handoff_id rule customer_id from_department to_department state overdue ask brief opened_at delivered_at"
                " accepted_at accepted_by due_at closed_at closed_by closing_event_id undeliverable brief_version",
    "issues": "customer_id issue_id department summary opened_at told_at closed_at",
    "stale_customers": "customer_id last_touch silent_for owners",
    "merges": "merge_id survivor absorbed merged_at evidence undone_at",
    "reconciliation": "topic partition records on_timeline duplicates quarantined void difference",
}

TYPES = """INSERT INTO store.event_types (type, department, money, touch) VALUES
    ('sales.deal.won', 'sales', 'promised', true), ('billing.invoice.paid', 'billing', 'received', true),
    ('billing.invoice.refunded', 'billing', 'refunded', false),
    ('service.ticket.opened', 'service', 'none', true), ('billing.invoice.sent', 'billing', 'billed', false)"""


class World:
    """A migrated database, and customers put in by hand."""

    def __init__(self, database):
        self.database = database
        self.connection = connect(database)
        self.query(TYPES)

    def query(self, sql, parameters=None):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []

    def value(self, sql, parameters=None):
        (row,) = self.query(sql, parameters)
        (found,) = row.values()
        return found

    def customer(self, kind="person", identities=(), merged_into=None, account_id=None):
        """Its id, and the ids of its identities ("email=…")."""
        customer = self.value("INSERT INTO store.customers (kind, merged_into, account_id)"
                              " VALUES (%s, %s, %s) RETURNING customer_id",
                              (kind, merged_into, account_id))
        return customer, [self.identity(customer, i) for i in identities]

    def identity(self, customer, text):
        kind, value = text.split("=")
        return self.value("INSERT INTO store.identities (customer_id, kind, value, record)"
                          " VALUES (%s, %s, %s, 't/0/0')"
                          " RETURNING identity_id", (customer, kind, value))

    def event(self, identity, type_, occurred_at, account=None, amount=None, currency=None, uid=None,
              summary="Sum", offset=0):
        self.query("SELECT store.make_month(%s)", (occurred_at,))
        uid = uid or str(uuid.uuid4())
        self.query("""INSERT INTO store.events (occurred_at, event_uid, identity_id, account_identity_id,
            department, type, source, event_id, summary, owner, amount, currency, data, topic, partition,
            kafka_offset) VALUES (%s, %s, %s, %s, split_part(%s, '.', 1), %s, '/tests', %s, %s, 'Grace', %s,
            %s, '{"secret": 1}', 'events.tests', 0, %s)""",
                   (occurred_at, uid, identity, account, type_, type_, uid, summary, amount, currency,
                    offset))
        return uid

    @contextmanager
    def role(self, name):
        self.query(f"SET ROLE {name}")
        try:
            yield
        finally:
            self.query("RESET ROLE")


@pytest.fixture(scope="module")
def world(postgres):
    import test_migrate  # its way to run `throughline migrate` without a whole stack
    database = postgres.new_database()
    test_migrate.migrate(database)
    made = World(database)
    yield made
    made.connection.close()


@pytest.fixture
def unique():
    return uuid.uuid4().hex[:12]


# Shape.

def test_columns_are_the_contract(world):
    found = {}
    for row in world.query("""SELECT table_name, string_agg(column_name, ' ' ORDER BY ordinal_position) AS names
            FROM information_schema.columns WHERE table_schema = 'throughline' GROUP BY 1"""):
        found[row["table_name"]] = row["names"]
    assert found == VIEWS


def test_every_view_and_column_has_a_comment(world):
    bare = world.query("""
        SELECT c.relname, a.attname FROM pg_class c
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'throughline'::regnamespace
          AND (obj_description(c.oid) IS NULL OR col_description(c.oid, a.attnum) IS NULL)""")
    assert bare == []
    assert world.value("SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'throughline'::regnamespace"
                       " AND relkind <> 'v'") == 0
    assert world.query("SELECT proname FROM pg_proc WHERE pronamespace = 'throughline'::regnamespace"
                       " AND obj_description(oid) IS NULL") == []


# Masking.

@pytest.fixture(scope="module")
def ann(world):
    customer, (email,) = world.customer(identities=["email=ann@mask.example"])
    world.query("INSERT INTO store.attached_identities VALUES (%s, 'name', 'Ann Mask')", (email,))
    world.event(email, "sales.deal.won", "2026-01-05T10:00:00Z", summary="Ann signed")
    world.query("INSERT INTO store.quarantine (topic, partition, kafka_offset, reason, detail)"
                " VALUES ('events.tests', 9, 1, 'invalid', 'Ann Mask is wrong')")
    world.query("INSERT INTO store.merges (survivor, absorbed, evidence, identity_ids) VALUES (%s, %s,"
                " '{\"identities\": [\"email=ann@mask.example\"], \"records\": [\"t/0/1\"]}', '{}')",
                (customer, 10 ** 9))
    world.query("INSERT INTO store.owners VALUES (%s, 'sales', '', '', 'Grace', '2026-01-05Z', '2026-01-05Z',"
                " gen_random_uuid())", (email,))
    world.query("INSERT INTO store.issues (identity_id, issue_id, department, summary, opened_at, reopened_at)"
                " VALUES (%s, 'T-1', 'service', 'Ann is cross', '2026-01-05Z', '2026-01-05Z')", (email,))
    handoff(world, email, accepted_by="Grace", closed_by="Grace", brief='{"identities": {"name": ["Ann Mask"]}}')
    world.query("INSERT INTO store.settings VALUES ('stale_after', '1 day')")
    return customer


def handoff(world, identity, **columns):
    """Its id."""
    id_ = str(uuid.uuid4())
    row = {"handoff_id": id_, "rule": "a-rule", "identity_id": identity, "from_department": "sales",
           "to_department": "billing", "ask": "Do it", "brief": "{}", "brief_version": 1, "occurred_at": "2026-01-05Z",
           "opening_uid": id_, "opened_at": "2026-01-05Z", "due_at": "2026-01-06Z", "due_ms": 1, **columns}
    world.query(f"INSERT INTO store.handoffs ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
                tuple(row.values()))
    return id_


def everything(world):
    """All that the views say, as one text."""
    return "\n".join(json.dumps(row, default=str) for view in VIEWS
                     for row in world.query(f"SELECT * FROM throughline.{view}"))


def test_an_analyst_sees_no_personal_data(world, ann):
    with world.role("throughline_analyst"):
        seen = everything(world)
        for view in ("timeline", "timeline_of(%s)" % ann):
            (row,) = world.query(f"SELECT * FROM throughline.{view} WHERE customer_id = %s", (ann,))
            assert (row["summary"], row["owner"], row["data"]) == ("***", "***", None)
            assert row["type"] == "sales.deal.won" and row["event_uid"]
        assert world.value("SELECT name FROM throughline.customers WHERE customer_id = %s", (ann,)) == "***"
        assert world.query("SELECT kind, value FROM throughline.identities WHERE customer_id = %s ORDER BY 1",
                           (ann,)) == [{"kind": "email", "value": "***"}, {"kind": "name", "value": "***"}]
        assert world.value("SELECT evidence FROM throughline.merges WHERE survivor = %s", (ann,)) == {
            "records": ["t/0/1"]}
        assert world.value("SELECT owner FROM throughline.owners WHERE customer_id = %s", (ann,)) == "***"
        assert world.value("SELECT summary FROM throughline.issues WHERE customer_id = %s", (ann,)) == "***"
        assert world.value("SELECT owners FROM throughline.stale_customers WHERE customer_id = %s", (ann,)) == {
            "sales": "***"}
        (row,) = world.query("SELECT * FROM throughline.handoffs WHERE customer_id = %s", (ann,))
        assert (row["brief"], row["accepted_by"], row["closed_by"]) == (None, "***", "***")
    for secret in ("Ann", "ann@", "Grace", "secret", "signed"):
        assert secret not in seen


def test_pii_sees_it_all(world, ann):
    with world.role("throughline_analyst_pii"):
        seen = everything(world)
        (row,) = world.query("SELECT * FROM throughline.timeline_of(%s)", (ann,))
        assert (row["summary"], row["owner"], row["data"]) == ("Ann signed", "Grace", {"secret": 1})
        assert world.query("SELECT throughline.find_customers('ann mas')") == [{"find_customers": ann}]
        assert world.query("SELECT throughline.find_customers('email=ann@mask.example')") == [
            {"find_customers": ann}]
    for text in ("Ann Mask", "ann@mask.example", "Grace", "Ann Mask is wrong", "Ann is cross", '"name": ["Ann Mask"]',
                 '{"sales": "Grace"}'):
        assert text in seen


def test_masked_values_cannot_be_asked_for(world, ann):
    """A condition sees what a row shows; there is no way round by find_customers either."""
    with world.role("throughline_analyst"):
        assert world.query("SELECT 1 FROM throughline.identities WHERE value = 'ann@mask.example'") == []
        assert world.query("SELECT 1 FROM throughline.timeline WHERE summary LIKE 'Ann%%'") == []
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            world.query("SELECT throughline.find_customers('ann')")


@pytest.mark.parametrize("role, statement, allowed", [
    ("throughline_analyst", "SELECT * FROM store.events", False),
    ("throughline_analyst", "SELECT store.make_month(now())", False),
    ("throughline_analyst", "SELECT * FROM throughline.reconciliation", True),
    ("throughline_analyst_pii", "SELECT * FROM store.identities", False),
    ("throughline_analyst_pii", "SELECT * FROM throughline.customers", True),
    ("throughline_writer", "SELECT store.make_month(now())", True),
    ("throughline_writer", "UPDATE store.consumer_offsets SET updated_at = now()", True),
    ("throughline_writer", "SELECT store.end_holder('events.tests', 8)", True),
    ("throughline_writer", "SELECT * FROM store.resolve_identities('{email}', '{w@x.example}', '{1}', '{a}')", True),
    ("throughline_writer", "SELECT max(version) FROM store.migrations", True),
    ("throughline_writer", "DELETE FROM store.events", False),
    ("throughline_writer", "UPDATE store.events SET summary = ''", False),
    ("throughline_writer", "DELETE FROM store.quarantine", False),
    ("throughline_writer", "DELETE FROM store.consumer_offsets", False),
    ("throughline_writer", "INSERT INTO store.migrations VALUES (99, '0099_x')", False),
    ("throughline_writer", "CREATE TABLE store.mine (a int)", False),
    ("throughline_writer", "SELECT * FROM throughline.timeline", False),
])
def test_rights(world, role, statement, allowed):
    with world.role(role):
        if allowed:
            world.query(statement)
        else:
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                world.query(statement)


def test_a_writer_ends_its_own_backends_only(world, postgres):
    execute(world.database, "CREATE ROLE aggregator_login LOGIN IN ROLE throughline_writer PASSWORD 'w'")
    address = world.database.split("@", 1)[1]
    first, second = (connect(f"postgresql://aggregator_login:w@{address}") for _ in range(2))
    other = connect(world.database)
    with first.cursor() as cursor, other.cursor() as others:
        others.execute("SELECT pg_backend_pid() AS pid")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT pg_terminate_backend(%s)", (others.fetchone()["pid"],))
        cursor.execute("SELECT pg_terminate_backend(%s) AS ended", (second.info.backend_pid,))
        assert cursor.fetchone()["ended"]
    with pytest.raises(psycopg2.OperationalError), second.cursor() as cursor:
        cursor.execute("SELECT 1")
    first.close()
    other.close()
    execute(world.database, "DROP ROLE aggregator_login")


# Customers.

def test_figures_of_a_person(world, unique):
    customer, (email, stripe) = world.customer(
        identities=[f"email={unique}@acme.example", f"stripe=cus_{unique}"])
    world.query("INSERT INTO store.attached_identities (identity_id, kind, value, first_seen) VALUES"
                " (%s, 'name', 'Old Name', '2026-01-01Z'), (%s, 'name', 'New Name', '2026-02-01Z'),"
                " (%s, 'phone', '+49', '2026-03-01Z')", (email, stripe, email))
    for type_, when, amount, currency in [
            ("sales.deal.won", "2026-01-05T10:00:00Z", 999, "EUR"),
            ("billing.invoice.paid", "2026-02-05T10:00:00Z", "100.50", "EUR"),
            ("billing.invoice.paid", "2026-02-06T10:00:00Z", "20", "USD"),
            ("billing.invoice.refunded", "2026-03-07T10:00:00Z", "0.50", "EUR"),
            ("billing.invoice.sent", "2026-03-08T10:00:00Z", "70", "EUR"),
            ("shipping.parcel.lost", "2026-03-09T10:00:00Z", "5", "EUR")]:  # of no vocabulary
        world.event(stripe if amount == "20" else email, type_, when, amount=amount, currency=currency)
    (row,) = world.query("SELECT *, lifetime_value::text AS exact FROM throughline.customers"
                         " WHERE customer_id = %s", (customer,))
    assert row["exact"] == '{"EUR": 100.00, "USD": 20}'
    assert (row["kind"], row["name"], row["events"]) == ("person", "New Name", 6)
    assert row["departments"] == ["billing", "sales", "shipping"]
    assert row["first_seen"].isoformat() == "2026-01-05T10:00:00+00:00"
    assert row["last_touch"].isoformat() == "2026-02-06T10:00:00+00:00"


def test_figures_of_an_account(world, unique):
    """An account's events are those that name it; its people belong to it."""
    account, (domain,) = world.customer("account", [f"account.domain={unique}.example"])
    world.query("INSERT INTO store.attached_identities VALUES (%s, 'account.name', 'Acme')", (domain,))
    person, (email,) = world.customer(identities=[f"email={unique}@b.example"], account_id=account)
    world.event(email, "billing.invoice.paid", "2026-02-05T10:00:00Z", account=domain, amount=7,
                currency="EUR")
    world.event(email, "billing.invoice.paid", "2026-02-06T10:00:00Z", amount=8, currency="EUR")
    world.event(domain, "service.ticket.opened", "2026-02-07T10:00:00Z", account=domain)
    rows = {row["customer_id"]: row for row in world.query(
        "SELECT * FROM throughline.customers WHERE customer_id IN (%s, %s)", (account, person))}
    assert (rows[account]["events"], rows[account]["lifetime_value"], rows[account]["name"]) == (
        2, {"EUR": 7}, "Acme")
    assert (rows[person]["events"], rows[person]["lifetime_value"], rows[person]["account_id"]) == (
        2, {"EUR": 15}, account)
    timeline = world.query("SELECT customer_id, account_id FROM throughline.timeline_of(%s)", (account,))
    assert timeline == [{"customer_id": account, "account_id": account},
                        {"customer_id": person, "account_id": account}]


def test_a_customer_without_events(world, unique):
    customer, _ = world.customer(identities=[f"email={unique}@acme.example"])
    (row,) = world.query("SELECT * FROM throughline.customers WHERE customer_id = %s", (customer,))
    assert (row["events"], row["departments"], row["lifetime_value"], row["last_touch"], row["name"]) == (
        0, [], {}, None, None)
    assert row["first_seen"] is not None


def test_an_absorbed_customer_resolves_to_its_survivor(world, unique):
    first, (email,) = world.customer(identities=[f"email={unique}@acme.example"])
    middle, _ = world.customer(merged_into=first)
    last, _ = world.customer(merged_into=middle)
    member, _ = world.customer(identities=[f"email=member.{unique}@acme.example"], account_id=last)
    world.event(email, "sales.deal.won", "2026-01-05T10:00:00Z")
    assert [len(world.query("SELECT * FROM throughline.timeline_of(%s)", (c,)))
            for c in (first, middle, last)] == [1, 1, 1]
    assert world.query("SELECT 1 FROM throughline.customers WHERE customer_id IN (%s, %s)",
                       (middle, last)) == []
    with world.role("throughline_analyst"):
        assert world.value("SELECT account_id FROM throughline.customers WHERE customer_id = %s",
                           (member,)) == first


def test_identities_once_each(world, unique):
    """The same name may have come with several identities of a customer."""
    customer, anchors = world.customer(identities=[f"email={unique}@acme.example", f"stripe={unique}"])
    for anchor, seen in zip(anchors, ("2026-02-01Z", "2026-01-01Z")):
        world.query("INSERT INTO store.attached_identities VALUES (%s, 'name', 'Ann', %s)", (anchor, seen))
    rows = world.query("SELECT kind, first_seen FROM throughline.identities WHERE customer_id = %s"
                       " ORDER BY kind", (customer,))
    assert [r["kind"] for r in rows] == ["email", "name", "stripe"]
    assert rows[1]["first_seen"].isoformat() == "2026-01-01T00:00:00+00:00"


def test_an_event_is_not_hidden_by_what_it_points_to(world, unique):
    world.event(10 ** 12, "sales.deal.won", "2026-01-05T10:00:00Z", summary=unique)
    assert world.query("SELECT customer_id FROM throughline.timeline WHERE summary = %s", (unique,)) == [
        {"customer_id": None}]


# Owners, issues, handoffs, silence.

def test_owners_are_the_customers(world, unique):
    """Of several identities the one that the latest event named; an absorbed customer has none."""
    customer, (email, stripe) = world.customer(identities=[f"email={unique}@a.example", f"stripe={unique}"])
    for identity, role, owner, named_at in ((email, "", "Ann", "2026-01-02Z"), (stripe, "", "Bob", "2026-01-01Z"),
                                            (stripe, "CS", "Cid", "2026-01-01Z")):
        world.query("INSERT INTO store.owners VALUES (%s, 'sales', %s, '', %s, '2025-12-01Z', %s, gen_random_uuid())",
                    (identity, role, owner, named_at))
    rows = world.query("SELECT department, role, region, owner FROM throughline.owners WHERE customer_id = %s"
                       " ORDER BY role NULLS FIRST", (customer,))
    assert [tuple(row.values()) for row in rows] == [("sales", None, None, "Ann"), ("sales", "CS", None, "Cid")]


def test_an_issue_of_two_identities_is_one(world, unique):
    customer, (email, stripe) = world.customer(identities=[f"email={unique}@a.example", f"stripe={unique}"])
    world.query("INSERT INTO store.issues (identity_id, issue_id, department, summary, summary_at, opened_at, reopened_at,"
                " told_at) VALUES (%s, 'T', 'service', 'first', '2026-01-01Z', '2026-01-01Z', '2026-01-03Z', '2026-01-02Z'),"
                " (%s, 'T', 'sales', 'last', '2026-01-02Z', '2026-01-02Z', '2026-01-02Z', NULL)", (email, stripe))
    issue = "SELECT department, summary, opened_at::date::text, told_at, closed_at FROM throughline.issues WHERE customer_id = %s"
    (row,) = world.query(issue, (customer,))
    assert tuple(row.values()) == ("service", "last", "2026-01-01", None, None)  # told before it was opened again
    world.query("UPDATE store.issues SET closed_at = '2026-01-03Z', told_at = '2026-01-04Z' WHERE identity_id = %s", (stripe,))
    (row,) = world.query(issue, (customer,))
    assert (row["closed_at"].day, row["told_at"].day) == (3, 4)


def test_handoffs_follow_their_identity(world, unique):
    first, (email,) = world.customer(identities=[f"email={unique}@a.example"])
    open_one = handoff(world, email)
    lost = handoff(world, 10 ** 12)  # of an identity that is gone: not hidden
    survivor, _ = world.customer()
    world.query("UPDATE store.identities SET customer_id = %s WHERE identity_id = %s", (survivor, email))
    found = {str(row["handoff_id"]): row["customer_id"] for row in world.query("SELECT * FROM throughline.handoffs")}
    assert (found[open_one], found[lost]) == (survivor, None)


def test_silence(world, ann, unique):
    """Counted from the last touch, not from the last event; an account's are the events that name it."""
    person, (email, stripe) = world.customer(identities=[f"email={unique}@a.example", f"stripe={unique}"])
    account, (domain,) = world.customer("account", [f"account.domain={unique}.example"])
    untouched, (other,) = world.customer(identities=[f"email=other.{unique}@a.example"])
    world.event(other, "billing.invoice.sent", "2026-01-01T00:00:00Z")
    world.event(email, "sales.deal.won", "2026-01-01T00:00:00Z", account=domain)
    world.event(stripe, "sales.deal.won", "2026-01-02T00:00:00Z")
    world.event(email, "billing.invoice.sent", "2026-01-03T00:00:00Z")  # no touch

    def stale():
        return {row["customer_id"]: row["last_touch"].day for row in world.query(
            "SELECT * FROM throughline.stale_customers WHERE customer_id = ANY (%s)", ([person, account, untouched],))}

    assert stale() == {person: 2, account: 1}
    today = world.value("SELECT now() - interval '1 minute' AS moment")
    world.event(email, "sales.deal.won", today, account=domain)
    assert stale() == {}
    world.query("UPDATE store.settings SET value = '1 second' WHERE name = 'stale_after'")
    assert set(stale()) == {person, account}
    world.query("UPDATE store.customers SET merged_into = %s WHERE customer_id = %s", (account, person))
    assert set(stale()) == {account}
    world.query("UPDATE store.settings SET value = '1 day' WHERE name = 'stale_after'")


# What docs/analysts.md shows.

@pytest.mark.parametrize("query", [q.strip() for q in re.search(
    r"```sql\n(.*?)```", (ROOT / "docs" / "analysts.md").read_text(encoding="utf-8"), re.DOTALL)[1].split("\n\n")],
    ids=lambda q: q.split("\n", maxsplit=1)[0].strip("- ?"))
def test_the_documents_queries_run(world, ann, query):
    with world.role("throughline_analyst"):
        world.query(query)


# Pages.

def pages(world, customer, size):
    """All pages as lists of (occurred_at, event_uid)."""
    before, uid, found = None, None, []
    while True:
        rows = world.query("SELECT occurred_at, event_uid::text FROM throughline.timeline_of(%s, %s, %s, %s)",
                           (customer, before, uid, size))
        if not rows:
            return found
        found.append([(r["occurred_at"], r["event_uid"]) for r in rows])
        before, uid = found[-1][-1]
        assert len(found) <= 200, "the pages do not end"


@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_pages_lose_and_double_nothing(world, unique, size):
    """Many events at one moment, over several identities and months."""
    customer, anchors = world.customer(identities=[f"email={unique}{n}@acme.example" for n in range(3)])
    _, (stranger,) = world.customer(identities=[f"email=stranger.{unique}@acme.example"])
    expected = []
    for n in range(40):
        moment = ["2026-01-31T23:59:59.999999Z", "2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z",
                  "2026-05-01T12:00:00Z"][n % 4]
        expected.append((moment, world.event(anchors[n % 3], "sales.deal.won", moment)))
        world.event(stranger, "sales.deal.won", moment)
    found = pages(world, customer, size)
    assert all(len(page) == size for page in found[:-1])
    flat = [key for page in found for key in page]
    assert flat == sorted(flat, key=lambda key: (key[0], uuid.UUID(key[1])), reverse=True)
    assert sorted(uid for _, uid in flat) == sorted(uid for _, uid in expected)


def test_before_without_uid_leaves_the_moment_out(world, unique):
    customer, (email,) = world.customer(identities=[f"email={unique}@acme.example"])
    for moment in ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"):
        world.event(email, "sales.deal.won", moment)
    rows = world.query("SELECT occurred_at FROM throughline.timeline_of(%s, '2026-01-02Z')", (customer,))
    assert [r["occurred_at"].day for r in rows] == [1]
    assert world.query('SELECT 1 FROM throughline.timeline_of(%s, "limit" => 0)', (customer,)) == []
    assert len(world.query('SELECT 1 FROM throughline.timeline_of(%s, "limit" => NULL)', (customer,))) == 3


def test_a_page_touches_few_rows(postgres):
    """200,000 events over 24 months, 40,000 of them of one customer: a page reads a page."""
    import test_migrate
    database = postgres.new_database()
    test_migrate.migrate(database)
    big = World(database)
    big.query("SELECT count(store.make_month(timestamptz '2024-01-15Z' + n * interval '1 month'))"
              " FROM generate_series(0, 23) n")
    big.query("INSERT INTO store.customers (customer_id, kind) SELECT n, CASE n %% 10 WHEN 0 THEN 'account'"
              " ELSE 'person' END FROM generate_series(1, 1000) n", ())
    big.query("INSERT INTO store.identities (identity_id, customer_id, kind, value, record) SELECT n, 1 + (n - 1) %% 1000,"
              " CASE n %% 10 WHEN 0 THEN 'account.domain' ELSE 'email' END, 'v' || n, 't/0/0'"
              " FROM generate_series(1, 3000) n", ())
    big.query("""INSERT INTO store.events (occurred_at, event_uid, identity_id, account_identity_id, department,
        type, source, event_id, topic, partition, kafka_offset)
        SELECT timestamptz '2024-01-01Z' + n * interval '315 seconds', md5(n::text)::uuid,
               CASE n %% 5 WHEN 0 THEN 7 ELSE 1 + n %% 3000 END, CASE n %% 10 WHEN 0 THEN 10 * (1 + n %% 30) END,
               'sales', 'sales.deal.won', '/s', n, 'events.sales', 0, n FROM generate_series(1, 200000) n""", ())
    big.query("ANALYZE store.events, store.identities, store.customers")
    for customer, before in ((7, None), (7, "2024-03-01Z"), (10, None), (8, None)):
        sql = "SELECT * FROM throughline.timeline_of(%s, %s)"
        rows = big.query(sql, (customer, before))  # plans, and what plans read, are there afterwards
        assert len(rows) == 50
        (row,) = big.query("EXPLAIN (ANALYZE, BUFFERS, FORMAT json) " + sql, (customer, before))
        (plan,) = row["QUERY PLAN"]
        touched = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
        assert touched < 1500, f"customer {customer} before {before}: {touched} blocks"
        assert plan["Execution Time"] < 250, plan["Execution Time"]
    big.connection.close()


# The books.

def test_the_books_recount(world):
    """Rows are counted, not believed; every kind of loss shows."""
    topic = "events.books"
    books = "SELECT * FROM throughline.reconciliation WHERE topic = %s ORDER BY partition"

    def row(partition=0):
        return next(r for r in world.query(books, (topic,)) if r["partition"] == partition)

    world.query("INSERT INTO store.consumer_offsets (topic, partition, first_offset, next_offset, on_timeline,"
                " duplicates, quarantined, void) VALUES (%s, 0, 100, 110, 5, 2, 2, 1), (%s, 1, 0, 0, 0, 0, 0, 0)",
                (topic, topic))
    _, (email,) = world.customer(identities=["email=books@acme.example"])
    uids = [world.event(email, "sales.deal.won", "2026-01-05T10:00:00Z") for _ in range(5)]
    world.query("UPDATE store.events SET topic = %s WHERE event_uid = ANY(%s::uuid[])", (topic, uids))
    for offset in (1, 2):
        world.query("INSERT INTO store.quarantine (topic, partition, kafka_offset, reason) VALUES (%s, 0, %s, 'x')",
                    (topic, offset))
    assert row() == {"topic": topic, "partition": 0, "records": 10, "on_timeline": 5, "duplicates": 2,
                     "quarantined": 2, "void": 1, "difference": 0}
    assert row(1)["difference"] == 0
    # A decision moves no count; a replay moves it to where the event went.
    world.query("UPDATE store.quarantine SET state = 'discarded' WHERE topic = %s AND kafka_offset = 1", (topic,))
    assert row()["difference"] == 0
    world.query("UPDATE store.quarantine SET state = 'replayed' WHERE topic = %s AND kafka_offset = 2", (topic,))
    assert (row()["quarantined"], row()["difference"]) == (1, 1)
    replayed = world.event(email, "sales.deal.won", "2026-01-06T10:00:00Z")
    world.query("UPDATE store.events SET topic = %s WHERE event_uid = %s", (topic, replayed))
    assert row()["difference"] == 0
    # Taken away by hand.
    world.query("DELETE FROM store.events WHERE event_uid = %s", (uids[0],))
    assert row()["difference"] == 1
    world.query("DELETE FROM store.quarantine WHERE topic = %s AND kafka_offset = 1", (topic,))
    assert row()["difference"] == 2
    world.query("DELETE FROM store.consumer_offsets WHERE topic = %s", (topic,))
    assert row()["difference"] == -5  # rows of a partition that the books do not know
