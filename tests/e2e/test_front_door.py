"""From the front door to the timeline: what is accepted stands there exactly as
sent, and what is refused leaves nothing behind."""
import datetime
import json
from decimal import Decimal

import pytest

from support.events import binary, event, event_uid, person
from support.postgres import connect

WON = {"amount": 12000.50, "currency": "EUR", "owner": "Grace", "summary": "Won at last",
       "promises": ["onboarding within two weeks"]}
EXAMPLES = {
    "sales": ("sales.deal.won", WON),
    "billing": ("billing.invoice.paid", {"amount": 99.95, "currency": "USD", "summary": "Paid"}),
    "service": ("service.ticket.opened", {"summary": "It squeaks", "owner": "Rosa"}),
}


def post(stack, department, mode, one):
    program = f"tl-{department}"
    if mode == "binary":
        return stack.request(program, "POST", "/events", one["data"], binary(one))
    return stack.post_event(department, [one] if mode == "batch" else one)


def row_of(stack, one):
    stack.wait_caught_up()
    rows = stack.query("SELECT * FROM throughline.timeline WHERE event_id = %s", (one["id"],))
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize("mode", ["structured", "batch", "binary"])
@pytest.mark.parametrize("department", EXAMPLES)
def test_a_posted_event_is_a_row_of_the_timeline(stack, department, mode):
    kind, data = EXAMPLES[department]
    one = event(kind, {"customer": person(mode), **data}, time="2026-01-08T11:12:07.672717999+01:00")
    answer = post(stack, department, mode, one)
    assert (answer.status, answer.json) == (202, {"accepted": 1})
    row = row_of(stack, one)
    assert row["occurred_at"] == datetime.datetime(2026, 1, 8, 10, 12, 7, 672717, datetime.timezone.utc)
    assert row["recorded_at"] > row["occurred_at"]
    assert (row["department"], row["type"]) == (department, kind)
    assert (row["summary"], row["owner"]) == (data["summary"], data.get("owner"))
    amount = Decimal(str(data["amount"])) if "amount" in data else None
    assert (row["amount"], row["currency"]) == (amount, data.get("currency"))
    assert (row["source"], row["event_id"]) == ("/tests", one["id"])
    assert row["event_uid"] == event_uid("/tests", one["id"])
    assert row["data"] == one["data"]
    known = stack.query("SELECT kind, value FROM throughline.identities WHERE customer_id = %s",
                        (row["customer_id"],))
    assert known == [{"kind": "email", "value": one["data"]["customer"]["email"]}]


def test_a_batch_of_many_is_accepted_as_a_whole(stack):
    customer = person("batch")
    many = [event("service.ticket.opened", {"customer": customer, "summary": f"no. {n}"},
                  time=f"2026-02-01T00:00:{n:02}Z") for n in range(50)]
    answer = stack.post_event("service", many)
    assert (answer.status, answer.json) == (202, {"accepted": 50})
    stack.wait_caught_up()
    rows = stack.query(
        "SELECT summary FROM throughline.timeline t JOIN throughline.identities i USING (customer_id) "
        "WHERE i.value = %s ORDER BY occurred_at", (customer["email"],))
    assert [row["summary"] for row in rows] == [f"no. {n}" for n in range(50)]


def test_the_summary_is_made_from_the_vocabulary_where_none_is_given(stack):
    one = event("sales.deal.won", {"customer": person("template"), "amount": 7, "currency": "CHF"})
    assert stack.post_event("sales", one).status == 202
    assert "7" in row_of(stack, one)["summary"]


def test_an_event_sent_again_is_there_once_and_counted_as_duplicate(stack):
    def duplicates():
        return stack.query("SELECT coalesce(sum(duplicates), 0) AS n FROM throughline.reconciliation")[0]["n"]
    stack.wait_caught_up()
    before = duplicates()
    one = event("service.ticket.opened", {"customer": person("again"), "summary": "once"})
    for _ in range(3):
        assert stack.post_event("service", one).status == 202
    row_of(stack, one)
    assert duplicates() == before + 2


def test_identities_named_together_are_one_customer(stack):
    ann, other = person("ann"), person("other")
    first = event("sales.deal.won", {"customer": ann, "amount": 10, "currency": "EUR"})
    second = event("billing.invoice.paid", {"customer": other, "amount": 3, "currency": "EUR"})
    assert stack.post_event("sales", first).status == 202
    assert stack.post_event("billing", second).status == 202
    assert row_of(stack, first)["customer_id"] != row_of(stack, second)["customer_id"]
    both = event("sales.customer.linked", {"customer": {"email": [ann["email"], other["email"]]}})
    assert stack.post_event("sales", both).status == 202
    customer = row_of(stack, both)["customer_id"]
    assert row_of(stack, first)["customer_id"] == row_of(stack, second)["customer_id"] == customer
    seen = stack.query("SELECT * FROM throughline.customers WHERE customer_id = %s", (customer,))[0]
    assert (seen["kind"], seen["events"], seen["departments"]) == ("person", 3, ["billing", "sales"])
    assert seen["lifetime_value"] == {"EUR": 3}  # received; what was promised does not count
    merge = stack.query("SELECT survivor, absorbed FROM throughline.merges WHERE survivor = %s", (customer,))
    assert len(merge) == 1 and merge[0]["absorbed"] > customer


def test_an_account_is_a_customer_of_its_own_with_the_events_that_name_it(stack):
    domain = person("account")["email"].replace("@", "-")
    one = event("sales.deal.won", {"customer": {**person("buyer"), "account": {"domain": domain}},
                                   "amount": 1, "currency": "EUR"})
    assert stack.post_event("sales", one).status == 202
    row = row_of(stack, one)
    assert row["account_id"] not in (None, row["customer_id"])
    account = stack.query("SELECT kind, events FROM throughline.customers WHERE customer_id = %s",
                          (row["account_id"],))
    assert account == [{"kind": "account", "events": 1}]
    page = stack.query("SELECT event_id FROM throughline.timeline_of(%s)", (row["account_id"],))
    assert page == [{"event_id": one["id"]}]


def test_timeline_of_pages_newest_first(stack):
    customer = person("pages")
    for n in range(7):
        one = event("service.ticket.opened", {"customer": customer, "summary": str(n)},
                    time=f"2026-03-0{n + 1}T00:00:00Z")
        assert stack.post_event("service", one).status == 202
    who = row_of(stack, one)["customer_id"]
    seen, last = [], (None, None)
    while True:
        page = stack.query("SELECT * FROM throughline.timeline_of(%s, %s, %s, 3)", (who, *last))
        if not page:
            break
        seen += [row["summary"] for row in page]
        last = page[-1]["occurred_at"], page[-1]["event_uid"]
    assert seen == list("6543210")


def test_an_analyst_sees_masked_text_and_nothing_of_the_store(stack):
    one = event("service.ticket.opened", {"customer": person("masked"), "summary": "private"})
    assert stack.post_event("service", one).status == 202
    row_of(stack, one)
    connection = connect(stack.database)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE throughline_analyst")
            cursor.execute("SELECT summary, data FROM throughline.timeline WHERE event_id = %s", (one["id"],))
            assert dict(cursor.fetchone()) == {"summary": "***", "data": None}
            with pytest.raises(Exception, match="permission denied"):
                cursor.execute("SELECT * FROM store.events")
            cursor.execute("SET ROLE throughline_analyst_pii")
            cursor.execute("SELECT summary FROM throughline.timeline WHERE event_id = %s", (one["id"],))
            assert cursor.fetchone()["summary"] == "private"
    finally:
        connection.close()


# What is refused.

def good(**changes):
    return {**event("service.ticket.opened", {"customer": person("good"), "summary": "fine"}), **changes}


def without(name):
    return {key: value for key, value in good().items() if key != name}


REFUSED = {
    "no id": (without("id"), "/id"),
    "no source": (without("source"), "/source"),
    "no type": (without("type"), "/type"),
    "no time": (without("time"), "/time"),
    "no specversion": (without("specversion"), "/specversion"),
    "an old specversion": (good(specversion="0.3"), "/specversion"),
    "time is no time": (good(time="yesterday"), "/time"),
    "time is too far ahead": (good(time="2999-01-01T00:00:00Z"), "/time"),
    "time before 1970": (good(time="1969-12-31T23:59:59Z"), "/time"),
    "a type nobody knows": (good(type="service.ticket.teleported"), "/type"),
    "another department's type": (good(type="sales.deal.won"), "/type"),
    "a type of the system's own": (good(type="throughline.customer.stale"), "/type"),
    "a required member is missing": (good(data={"customer": {"email": "a@acme.example"}}), "/data/summary"),
    "a member of the wrong type": (good(data={"customer": {"email": "a@acme.example"}, "summary": 7}),
                                   "/data/summary"),
    "about nobody": (good(data={"summary": "fine"}), None),
    "an unknown kind of identity": (good(data={"customer": {"shoe_size": "43"}, "summary": "x"}),
                                    "/data/customer/shoe_size"),
    "attribute and data disagree": (good(customer="email=other%40acme.example"), None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_event_is_refused_with_the_field_to_blame(stack, name):
    bad, pointer = REFUSED[name]
    answer = stack.post_event("service", bad)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem = answer.json
    assert problem["status"] == 400 and problem["title"] and problem["detail"]
    assert problem["errors"] and problem["errors"][0]["detail"]
    if pointer:
        assert problem["errors"][0]["pointer"] == pointer


def test_a_batch_with_one_bad_event_publishes_nothing(stack, kafka):
    before = kafka.count("events.service")
    answer = stack.post_event("service", [good(), good(time="never"), good()])
    assert answer.status == 400
    assert [(e["index"], e["pointer"]) for e in answer.json["errors"]] == [(1, "/time")]
    assert kafka.count("events.service") == before


@pytest.mark.parametrize("body", ["", "{", "[1, 2", "nonsense", '{"a": 1, "a": 2}', "[" * 100_000, '"\\ud800"'],
                         ids=["empty", "open", "open list", "word", "twice", "deep", "surrogate"])
def test_what_is_no_json_is_refused(stack, body):
    answer = stack.request("tl-service", "POST", "/events", body,
                           {"Content-Type": "application/cloudevents+json"})
    assert answer.status == 400 and answer.json["detail"]


def test_paths_methods_formats_and_sizes(stack):
    def status(method, path, body=None, kind="application/cloudevents+json"):
        return stack.request("tl-service", method, path, body, {"Content-Type": kind})
    assert status("POST", "/nothing", "{}").status == 404
    assert status("POST", "/webhooks/nobody", "{}").status == 404
    wrong = status("GET", "/events")
    assert wrong.status == 405 and set(wrong.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert status("POST", "/events", "<x/>", "application/cloudevents+xml").status == 415
    huge = good(data={"customer": {"email": "a@acme.example"}, "summary": "s", "x": "x" * (257 << 10)})
    assert stack.post_event("service", huge).status == 413
    assert status("POST", "/events", " " * ((1 << 20) + 1)).status == 413


def test_a_service_says_how_it_is(stack):
    for program in ("tl-sales", "tl-billing", "tl-service", "tl-aggregator"):
        for path in ("/healthz", "/readyz", "/metrics"):
            assert stack.request(program, "GET", path).status == 200
    assert b"# TYPE throughline_" in stack.request("tl-sales", "GET", "/metrics").body
    assert b"# TYPE throughline_" in stack.request("tl-aggregator", "GET", "/metrics").body


def test_a_token_guards_events(stack):
    stack.start("tl-department:service", env={"TL_TOKEN": "let me in"})
    try:
        def status(**headers):
            return stack.request("tl-department:service", "POST", "/events", json.dumps(good()),
                                 {"Content-Type": "application/cloudevents+json", **headers}).status
        assert status() == 401
        assert status(Authorization="Bearer let me out") == 401
        assert status(Authorization="Bearer let me in") == 202
    finally:
        stack.stop("tl-department:service")


def test_beyond_loopback_without_a_token_it_refuses_to_start(stack):
    stack.start("tl-department:sales", ready=False, env={"TL_LISTEN": "0.0.0.0:0"})
    assert stack.programs["tl-department:sales"].wait(10) == 2


def test_the_books_balance(stack):
    """Last in this file: after all of the above."""
    stack.wait_caught_up()
    books = stack.query("SELECT * FROM throughline.reconciliation")
    assert books and all(row["difference"] == 0 for row in books)
    assert stack.query("SELECT * FROM throughline.quarantine") == []
