"""The watch: what is overdue, stale or untold is raised once and only once, whoever is killed meanwhile, and only as
far as everything that Kafka has is on the timeline."""
import json
import os
import random
import time
import uuid
from datetime import datetime, timedelta, timezone

import psycopg2
import pytest

from support.events import event
from support.wait import wait_for

TRIES = 50  # of killing the one who raises
EACH = 8  # of each kind, in every try
OLD, NEW = "tl-aggregator", "tl-aggregator#2"

def ago(**kwargs):
    return (datetime.now(timezone.utc) - timedelta(**kwargs)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture(scope="module")
def watched(bare_stack):
    stack = bare_stack
    del stack.env["TL_STALE_AFTER"]
    stack.write_config("throughline.json", {
        "tl-aggregator": {"writers": 1, "lease": "2s", "watch_every": "100ms", "stale_after": "30d", "untold_after": "2h",
                          "kafka": {"session.timeout.ms": "1500", "heartbeat.interval.ms": "300"}}})
    with open(f"{stack.config}/departments/service.json", encoding="utf-8") as file:
        service = json.load(file)
    stack.write_config("departments/service.json", {**service, "stale_after": "5d"})
    stack.write_config("handoffs.json", [])
    stack.start("tl-sales", "tl-service", OLD)
    post(stack, "sales.call.made", {"customer": {"email": "first@acme.example"}}, ago(minutes=1))
    wait_customer(stack, "first@acme.example")
    return stack


def post(stack, kind, data, when):
    one = event(kind, data, time=when)
    assert stack.post_event(kind.split(".")[0], one).status == 202
    return one


def said(stack, kind, customer=None):
    """Events of this type on the timeline: whose, when, data."""
    return stack.query("SELECT t.event_id, t.occurred_at, t.data, t.customer_id FROM throughline.timeline t"
                       " WHERE t.type = %s AND (%s::bigint IS NULL OR t.customer_id = %s) ORDER BY t.occurred_at",
                       (f"throughline.{kind}", customer, customer))


def customer_of(stack, email):
    rows = stack.query("SELECT customer_id FROM store.identities WHERE kind = 'email' AND value = %s", (email,))
    return rows[0]["customer_id"] if rows else None


def wait_customer(stack, email):
    return wait_for(lambda: customer_of(stack, email), 30, f"{email} is known")


def wait_said(stack, kind, customer, count=1):
    return wait_for(lambda: len(found := said(stack, kind, customer)) >= count and found, 30,
                    lambda: f"{count} {kind}: {said(stack, kind, customer)}\n{stack.programs[OLD].tail(5)}")


def look_again(stack, *customers):
    """As after the time that passes between two looks at a customer; waits until they were looked at."""
    stack.query("UPDATE store.customers SET stale_check_at = now() - interval '1 hour' WHERE customer_id = ANY(%s)"
                " RETURNING 1 AS one", (list(customers),))
    wait_for(lambda: not stack.query("SELECT 1 AS one FROM store.customers WHERE customer_id = ANY(%s)"
                                     " AND merged_into IS NULL AND stale_check_at < now()", (list(customers),)), 30,
             "they were looked at")
    settle(stack)


def settle(stack):
    """What was raised is on the timeline."""
    wait_for(lambda: not stack.query("SELECT 1 AS one FROM store.outbox LIMIT 1"), 30, "the outbox is empty")
    stack.wait_caught_up()


def test_a_silence_is_raised_once_and_again_after_the_next_touch(watched):
    stack = watched
    post(stack, "sales.call.made", {"customer": {"email": "silent@acme.example"}}, ago(days=40))
    ann = wait_customer(stack, "silent@acme.example")
    first, = wait_said(stack, "customer.stale", ann)
    assert first["data"]["stale_after"] == "30 days"
    last_touch = datetime.fromisoformat(first["data"]["last_touch"].replace("Z", "+00:00"))
    assert first["occurred_at"] == last_touch + timedelta(days=30)
    look_again(stack, ann)
    assert len(said(stack, "customer.stale", ann)) == 1
    stale, = stack.query("SELECT last_touch, silent_for FROM throughline.stale_customers WHERE customer_id = %s", (ann,))
    assert stale["last_touch"] == last_touch and stale["silent_for"] > timedelta(days=39)
    post(stack, "sales.call.made", {"customer": {"email": "silent@acme.example"}}, ago(days=35))
    stack.wait_caught_up()
    look_again(stack, ann)
    assert len(said(stack, "customer.stale", ann)) == 2
    post(stack, "sales.call.made", {"customer": {"email": "silent@acme.example"}}, ago(days=1))
    stack.wait_caught_up()
    look_again(stack, ann)
    assert len(said(stack, "customer.stale", ann)) == 2
    assert not stack.query("SELECT 1 AS one FROM throughline.stale_customers WHERE customer_id = %s", (ann,))


def test_the_shortest_time_of_who_was_in_contact_counts(watched):
    stack = watched
    post(stack, "sales.call.made", {"customer": {"email": "one@acme.example"}}, ago(days=10))
    post(stack, "sales.call.made", {"customer": {"email": "two@acme.example"}}, ago(days=10))
    post(stack, "service.visit.made", {"customer": {"email": "two@acme.example"}}, ago(days=50))
    one, two = (wait_customer(stack, f"{name}@acme.example") for name in ("one", "two"))
    stack.wait_caught_up()
    look_again(stack, one, two)
    assert [r["data"]["stale_after"] for r in said(stack, "customer.stale", two)][-1:] == ["5 days"]
    assert not said(stack, "customer.stale", one)
    listed = stack.query("SELECT customer_id FROM throughline.stale_customers WHERE customer_id = ANY(%s)", ([one, two],))
    assert [r["customer_id"] for r in listed] == [two]


def test_who_was_never_in_contact_and_who_is_silent_for_years_are_not_raised(watched):
    stack = watched
    post(stack, "sales.deal.created", {"customer": {"email": "never@acme.example"}}, ago(days=100))
    post(stack, "sales.call.made", {"customer": {"email": "years@acme.example"}}, ago(days=800))
    never, years = (wait_customer(stack, f"{name}@acme.example") for name in ("never", "years"))
    stack.wait_caught_up()
    look_again(stack, never, years)
    assert not said(stack, "customer.stale", never) and not said(stack, "customer.stale", years)
    assert stack.query("SELECT 1 AS one FROM throughline.stale_customers WHERE customer_id = %s", (years,))


def test_an_account_is_in_contact_where_its_people_are(watched):
    stack = watched
    account = {"account": {"domain": "busy.example"}}
    post(stack, "sales.call.made", {"customer": {"email": "eve@busy.example", **account}}, ago(days=2))
    row, = wait_for(lambda: stack.query("SELECT customer_id FROM store.identities WHERE kind = 'account.domain'"
                                        " AND value = 'busy.example'"), 30, "the account is known")
    post(stack, "sales.call.made", {"customer": account}, ago(days=60))
    stack.wait_caught_up()
    look_again(stack, row["customer_id"])
    assert not said(stack, "customer.stale", row["customer_id"])
    assert not stack.query("SELECT 1 AS one FROM throughline.stale_customers WHERE customer_id = %s",
                           (row["customer_id"],))


def test_a_merged_customer_is_not_raised_again_for_the_same_touch(watched):
    stack = watched
    post(stack, "sales.customer.linked", {"customer": {"email": "keep@acme.example"}}, ago(days=90))
    keep = wait_customer(stack, "keep@acme.example")
    post(stack, "sales.call.made", {"customer": {"stripe": "cus_7001"}}, ago(days=40))
    other, = wait_for(lambda: stack.query("SELECT customer_id FROM store.identities WHERE value = 'cus_7001'"), 30, "known")
    wait_said(stack, "customer.stale", other["customer_id"])
    post(stack, "sales.customer.linked", {"customer": {"email": "keep@acme.example", "stripe": "cus_7001"}},
         ago(days=3))
    wait_for(lambda: stack.query("SELECT 1 AS one FROM store.customers WHERE customer_id = %s AND merged_into = %s",
                                 (other["customer_id"], keep)), 30, "they are one")
    look_again(stack, keep)
    assert len(said(stack, "customer.stale", keep)) == 1


def issue(stack, email, number, when, **more):
    kind = "service.customer.told" if more.get("told") else "service.complaint.closed" if more.get("closed") \
        else "service.complaint.opened"
    return post(stack, kind, {"customer": {"email": email},
                              "issue": {"id": number, "summary": "It leaks", **more}}, when)


def test_an_untold_issue_is_raised_once_for_each_opening(watched):
    stack = watched
    email = "leak@acme.example"
    issue(stack, email, "I-1", ago(hours=3))
    leak = wait_customer(stack, email)
    first, = wait_said(stack, "issue.untold", leak)
    assert first["data"]["issue"] == {"id": "I-1", "summary": "It leaks"} and first["data"]["department"] == "service"
    issue(stack, email, "I-2", ago(hours=3, minutes=5))
    wait_said(stack, "issue.untold", leak, 2)
    issue(stack, email, "I-1", ago(hours=2, minutes=30))
    wait_said(stack, "issue.untold", leak, 3)
    # What it says does not open the issue anew.
    rows = stack.query("SELECT issue_id, reopened_at, untold_raised_for FROM store.issues s"
                       " JOIN store.identities i USING (identity_id) WHERE i.customer_id = %s", (leak,))
    assert all(r["reopened_at"] == r["untold_raised_for"] for r in rows) and len(rows) == 2
    settle(stack)
    assert len(said(stack, "issue.untold", leak)) == 3


def test_who_was_told_or_has_time_is_not_raised(watched):
    stack = watched
    for name, when, told in (("t1", ago(hours=5), ago(hours=4)), ("t2", ago(hours=5), None), ("t3", ago(hours=1), None)):
        both = [{"customer": {"email": f"{name}@acme.example"}, "issue": {"id": name, "summary": "It squeaks"}}]
        events = [event("service.complaint.opened", both[0], time=when)]
        if told:
            events.append(event("service.customer.told", {**both[0], "issue": {"id": name, "told": True}}, time=told))
        if name == "t2":
            events.append(event("service.complaint.closed", {**both[0], "issue": {"id": name, "closed": True}},
                                time=ago(minutes=1)))
        assert stack.post_event("service", events).status == 202
    customers = [wait_customer(stack, f"t{n}@acme.example") for n in (1, 2, 3)]
    stack.wait_caught_up()
    marker = "leak-marker@acme.example"
    issue(stack, marker, "M", ago(hours=3))
    wait_said(stack, "issue.untold", wait_customer(stack, marker))
    assert [len(said(stack, "issue.untold", c)) for c in customers] == [0, 0, 0]


HANDOFF = """
INSERT INTO store.handoffs (handoff_id, rule, identity_id, from_department, to_department, ask, brief, brief_version,
                            occurred_at, opening_uid, opened_at, due_at, due_ms, told, confirm_xid)
SELECT u.id, 'by-hand', (SELECT min(identity_id) FROM store.identities), 'sales', 'service', 'Call', '{}', 1,
       now() - interval '1 day', u.id, now() - interval '1 day', now() + %s * interval '1 second', 1000, true, NULL
FROM unnest(%s::uuid[]) AS u (id) RETURNING handoff_id::text"""


def handoffs(stack, count=1, due=-3600):
    return [r["handoff_id"] for r in stack.query(HANDOFF, (due, [str(uuid.uuid4()) for _ in range(count)]))]


def test_an_overdue_handoff_is_told_its_department_and_the_timeline_once(watched):
    stack = watched
    one, = handoffs(stack)
    row, = wait_for(lambda: stack.query("SELECT state, overdue FROM throughline.handoffs WHERE handoff_id = %s AND overdue",
                                        (one,)), 30, "it is overdue")
    assert row["state"] == "open"
    settle(stack)
    records = [r for r in stack.kafka.records("handoffs.service", stack.kafka.count("handoffs.service"))
               if r.key().decode() == one]
    assert len(records) == 1
    data = json.loads(records[0].value())
    assert data["overdue"] is True and data["sequence"] == 2 and "brief" not in data
    later, = handoffs(stack, due=3600)
    handoffs(stack)
    settle(stack)
    assert stack.query("SELECT overdue FROM store.handoffs WHERE handoff_id = %s", (later,)) == [{"overdue": False}]
    assert len([e for e in said(stack, "handoff.overdue") if e["event_id"].startswith(one)]) == 1


def lag(stack, name=OLD):
    text = stack.request(name, "GET", "/metrics").body.decode()
    return next(int(line.split()[-1]) for line in text.splitlines() if line.startswith("throughline_watch_lag_seconds"))


def test_a_partition_that_is_not_read_to_its_end_holds_judgement_back(watched):
    """As while writers have an outage behind them: the closing event may wait there."""
    stack = watched
    stack.wait_caught_up()
    blocker = psycopg2.connect(stack.database)
    try:
        with blocker.cursor() as cursor:  # the writer cannot commit what comes to any partition of sales
            cursor.execute("SELECT 1 FROM store.consumer_offsets WHERE topic = 'events.sales' FOR UPDATE")
        waiting = [post(stack, "sales.call.made", {"customer": {"email": f"w{n}@acme.example"}}, ago(minutes=1))
                   for n in range(8)]
        late, = handoffs(stack, due=0)
        wait_for(lambda: lag(stack) >= 2, 20, "judgement lags")
        assert stack.query("SELECT overdue FROM store.handoffs WHERE handoff_id = %s", (late,)) == [{"overdue": False}]
    finally:
        blocker.close()
    wait_for(lambda: stack.query("SELECT 1 AS one FROM store.handoffs WHERE handoff_id = %s AND overdue", (late,)), 30,
             "it is overdue now")
    assert len(stack.query("SELECT 1 AS one FROM store.events WHERE event_id = ANY(%s)",
                           ([e["id"] for e in waiting],))) == len(waiting)
    wait_for(lambda: lag(stack) == 0, 20, "judgement is up to date")


def holder(stack):
    """The aggregator that watches: OLD or NEW."""
    for name in (OLD, NEW):
        if name not in stack.programs or not stack.programs[name].running:
            continue
        try:
            text = stack.request(name, "GET", "/metrics", timeout=2).body.decode()
        except OSError:
            continue
        if 'throughline_aggregator_lease_held{lease="watch"} 1' in text:
            return name
    return None


PREPARE = """
WITH person AS (
    INSERT INTO store.customers (kind, stale_check_at) SELECT 'person', 'infinity' FROM generate_series(1, %(count)s)
    RETURNING customer_id
), identity AS (
    INSERT INTO store.identities (customer_id, kind, value, record)
    SELECT customer_id, 'email', 'p' || customer_id || '@kill.example', 'by hand' FROM person
    RETURNING identity_id, customer_id
), touch AS (
    INSERT INTO store.events (occurred_at, event_uid, identity_id, department, type, source, event_id, topic, partition,
                              kafka_offset)
    SELECT now() - interval '40 days', gen_random_uuid(), identity_id, 'sales', 'sales.call.made', 'by hand',
           identity_id::text, 'by hand', 0, identity_id FROM identity
)
SELECT customer_id, identity_id FROM identity ORDER BY 1"""

DUE = """
WITH silent AS (
    UPDATE store.customers SET stale_check_at = now() - interval '1 hour' WHERE customer_id = ANY(%(customers)s)
), untold AS (
    INSERT INTO store.issues (identity_id, issue_id, department, summary, summary_at, opened_at, reopened_at)
    SELECT u.id, 'K', 'service', 'It leaks', now() - interval '3 hours', now() - interval '3 hours', now() - interval '3 hours'
    FROM unnest(%(identities)s::bigint[]) AS u (id)
), late AS (
    INSERT INTO store.handoffs (handoff_id, rule, identity_id, from_department, to_department, ask, brief, brief_version,
                                occurred_at, opening_uid, opened_at, due_at, due_ms, told, confirm_xid)
    SELECT gen_random_uuid(), 'kill', u.id, 'sales', 'service', 'Call', '{}', 1, now() - interval '1 day',
           gen_random_uuid(), now() - interval '1 day', now() - interval '1 hour', 1000, true, NULL
    FROM unnest(%(identities)s::bigint[]) AS u (id)
)
SELECT 1 AS one"""

RAISED = """
SELECT (SELECT count(*) FROM store.customers WHERE customer_id = ANY(%(customers)s) AND stale_raised_for IS NOT NULL)
     + (SELECT count(*) FROM store.issues WHERE identity_id = ANY(%(identities)s) AND untold_raised_for IS NOT NULL)
     + (SELECT count(*) FROM store.handoffs WHERE identity_id = ANY(%(identities)s) AND rule = 'kill' AND overdue) AS n"""


LOOKED = """
SELECT count(*) AS n FROM store.look_for_silence(now(), '365 days', 50, %s * interval '1 millisecond')"""


def test_looking_at_customers_ends_when_its_time_is_over(watched):
    """Else a page that takes longer than the lease would be begun anew for ever."""
    stack = watched
    stack.query("SELECT store.make_month(now() - interval '40 days') AS made")
    ids = [r["customer_id"] for r in stack.query(PREPARE, {"count": 60})]
    connection = psycopg2.connect(stack.database)
    try:
        with connection.cursor() as cursor:  # never committed: for us alone they are to be looked at
            cursor.execute("UPDATE store.customers SET stale_check_at = 'epoch' WHERE customer_id = ANY(%s)", (ids,))
            looked = []
            for time_to_look in (0, 600000):
                cursor.execute(LOOKED, (time_to_look,))
                looked.append(cursor.fetchone()[0])
    finally:
        connection.close()
    assert looked == [1, 50]


def test_each_is_raised_once_though_the_one_who_raises_is_killed(watched):
    stack = watched
    seed = int(os.environ.get("SEED", time.time_ns() % 100000))
    choose = random.Random(seed)
    print(f"\nseed {seed}")
    stack.start(NEW)
    stack.query("SELECT store.make_month(now() - interval '40 days') AS made")
    prepared = stack.query(PREPARE, {"count": TRIES * EACH})
    halfway = 0
    for n in range(TRIES):
        mine = prepared[n * EACH:(n + 1) * EACH]
        of = {"customers": [r["customer_id"] for r in mine], "identities": [r["identity_id"] for r in mine]}
        victim = wait_for(lambda: holder(stack), 30, "somebody watches")
        stack.query(DUE, of)
        time.sleep(choose.uniform(0, 0.2))  # when it is killed is what is tried
        stack.kill(victim)
        halfway += 0 < stack.query(RAISED, of)[0]["n"] < 3 * EACH
        stack.start(victim, ready=False)
        wait_for(lambda: stack.query(RAISED, of)[0]["n"] == 3 * EACH, 60,
                 lambda: f"try {n}: {stack.query(RAISED, of)} of {3 * EACH}\n{stack.programs[victim].tail(5)}")
    settle(stack)
    found = stack.query("SELECT e.type, count(*) AS n, count(DISTINCT (e.identity_id, e.type)) AS once FROM store.events e"
                        " WHERE e.identity_id = ANY(%s) AND e.department = 'throughline' GROUP BY 1 ORDER BY 1",
                        ([r["identity_id"] for r in prepared],))
    print(f"{TRIES} tries, {halfway} killed between two of the {3 * EACH}: {found}")
    assert found == [{"type": f"throughline.{kind}", "n": TRIES * EACH, "once": TRIES * EACH}
                     for kind in ("customer.stale", "handoff.overdue", "issue.untold")]
    ids = {}
    for record in stack.kafka.records("handoffs.service", stack.kafka.count("handoffs.service")):
        ids.setdefault(record.key(), set()).add(dict(record.headers())["ce_id"])
    assert all(len(said_as) == 1 for said_as in ids.values()) and len(ids) >= TRIES * EACH


def test_after_an_outage_nothing_is_overdue_whose_closing_event_waits_in_kafka(watched):
    """The aggregators are away while a handoff is closed and its due time passes."""
    stack = watched
    for name in (OLD, NEW):
        if name in stack.programs and stack.programs[name].running:
            stack.wait_ready(name)
            stack.stop(name)
    stack.write_config("handoffs.json", [{
        "rule": "call-back", "when": "sales.deal.won", "to": "service", "ask": "Call", "due": "1h", "max_age": "1d",
        "done_when": "service.customer.contacted"}])
    stack.start(OLD)
    customers = [{"email": f"outage{n}@acme.example"} for n in range(20)]
    for customer in customers:
        post(stack, "sales.deal.won", {"customer": customer, "amount": 1, "currency": "EUR"}, ago(minutes=1))
    wait_for(lambda: len(stack.query("SELECT 1 AS one FROM store.handoffs WHERE rule = 'call-back'")) == 20, 30,
             "they are opened")
    stack.kill(OLD)
    for customer in customers:
        post(stack, "service.customer.contacted", {"customer": customer}, ago(seconds=0))
    stack.query("UPDATE store.handoffs SET due_at = clock_timestamp() WHERE rule = 'call-back' RETURNING 1 AS one")
    stack.start(OLD)
    wait_for(lambda: len(stack.query("SELECT 1 AS one FROM store.handoffs WHERE rule = 'call-back' AND state = 'done'")) == 20,
             60, "they are done")
    wait_for(lambda: holder(stack) and lag(stack) == 0, 30, "judgement is up to date")
    assert not stack.query("SELECT 1 AS one FROM store.handoffs WHERE rule = 'call-back' AND overdue")
