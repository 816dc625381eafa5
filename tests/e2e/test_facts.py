"""Owners, issues and promises, from the front door to the views: what occurred last counts, in
whatever order events arrive, alone or in one batch, once or again."""
import itertools

import pytest

from support.events import event, person

DAY = "2026-01-{:02}T10:00:00Z"


def linked(customer, day, department="sales", **data):
    return event(f"{department}.customer.linked", {"customer": customer, **data}, time=DAY.format(day))


def post(stack, *events, status=202):
    """In batches that begin anew where the department changes, in the order given."""
    for department, some in itertools.groupby(events, key=lambda e: e["type"].split(".")[0]):
        answer = stack.post_event(department, list(some))
        assert answer.status == status, answer.body
    return answer


def rows(stack, view, columns, customer):
    return [tuple(row.values()) for row in stack.query(
        f"SELECT {columns} FROM throughline.{view} v JOIN throughline.identities i USING (customer_id)"
        " WHERE i.kind = 'email' AND i.value = %s ORDER BY 1, 2, 3", (customer["email"],))]


def arrivals(stack, make):
    """Tells three events in each order, in one batch and each by itself, each order to a customer of
    its own, and the first one twice. Yields customer by customer."""
    customers = []
    for order in itertools.permutations(range(3)):
        for apart in (False, True):
            customer = person("facts")
            events = make(customer)
            told = [events[n] for n in order]
            for group in ([e] for e in told) if apart else [told]:
                post(stack, *group)
                if apart:
                    stack.wait_caught_up()
            post(stack, told[0])
            customers.append(customer)
    stack.wait_caught_up()
    return customers


def test_the_latest_owner_by_time_of_occurrence(stack):
    for customer in arrivals(stack, lambda c: [linked(c, 1, owner="Ann"), linked(c, 3, owner="Bob"),
                                               linked(c, 2, owner="Eve")]):
        assert rows(stack, "owners", "department, role, region, owner", customer) == [("sales", None, None, "Bob")]


def test_owners_of_departments_roles_and_regions_stand_side_by_side(stack):
    customer = person("owners")
    post(stack, linked(customer, 1, owner={"name": "Ann", "role": "AE", "region": "EMEA"}),
         linked(customer, 2, owner={"name": "Bob", "role": "AE", "region": "APAC"}),
         linked(customer, 3, owner={"name": "Cid", "role": "AE", "region": "EMEA"}),
         linked(customer, 1, owner="Dan"), linked(customer, 1, "service", owner="Eve"))
    stack.wait_caught_up()
    assert rows(stack, "owners", "department, role, region, owner", customer) == [
        ("sales", "AE", "APAC", "Bob"), ("sales", "AE", "EMEA", "Cid"), ("sales", None, None, "Dan"),
        ("service", None, None, "Eve")]


@pytest.mark.parametrize("apart", [False, True], ids=["one batch", "one by one"])
def test_since_when_an_owner_is_one(stack, apart):
    customer = person("since")
    named = [linked(customer, day, owner=owner) for day, owner in ((1, "Ann"), (2, "Bob"), (3, "Bob"))]
    for group in ([e] for e in named) if apart else [named]:
        post(stack, *group)
        stack.wait_caught_up()
    assert rows(stack, "owners", "owner, since::date::text, 0", customer) == [("Bob", "2026-01-02", 0)]


def test_an_owner_is_the_customers_however_he_was_named(stack):
    """Two identities, tied only later: the owner who was named last is the owner."""
    email = person("tied")
    stripe = {"stripe": "cus_" + email["email"].split("@")[0]}
    post(stack, linked(email, 1, owner="Ann"), linked(stripe, 2, owner="Bob"), linked({**email, **stripe}, 1))
    stack.wait_caught_up()
    assert rows(stack, "owners", "department, owner, 0", email) == [("sales", "Bob", 0)]


def issue(customer, day, department="service", **data):
    return linked(customer, day, department, issue={"id": "T-7", **data})


def test_an_issue_opened_told_and_closed(stack):
    customer = person("issue")
    columns = "issue_id, department, summary, opened_at::date::text, told_at::date::text, closed_at::date::text"
    post(stack, issue(customer, 1, summary="It squeaks"))
    stack.wait_caught_up()
    assert rows(stack, "issues", columns, customer) == [("T-7", "service", "It squeaks", "2026-01-01", None, None)]
    post(stack, issue(customer, 2, "sales", told=True))
    stack.wait_caught_up()
    assert rows(stack, "issues", columns, customer) == [
        ("T-7", "service", "It squeaks", "2026-01-01", "2026-01-02", None)]
    post(stack, issue(customer, 3, closed=True, summary="Oiled"))
    stack.wait_caught_up()
    assert rows(stack, "issues", columns, customer) == [
        ("T-7", "service", "Oiled", "2026-01-01", "2026-01-02", "2026-01-03")]
    post(stack, issue(customer, 4, summary="It squeaks again"))
    stack.wait_caught_up()
    assert rows(stack, "issues", columns, customer) == [
        ("T-7", "service", "It squeaks again", "2026-01-01", None, None)]


@pytest.mark.parametrize("last, closed", [({"closed": True}, "2026-01-03"), ({"summary": "Again"}, None)],
                         ids=["closed last", "opened again last"])
def test_issues_in_any_order(stack, last, closed):
    first = {"summary": "Again"} if closed else {"closed": True}
    for customer in arrivals(stack, lambda c: [issue(c, 1, summary="It squeaks"), issue(c, 2, **first),
                                               issue(c, 3, **last)]):
        assert rows(stack, "issues", "issue_id, opened_at::date::text, closed_at::date::text", customer) == [
            ("T-7", "2026-01-01", closed)]


def test_promises_made_and_kept(stack):
    def unkept(customer):
        return stack.query(
            "SELECT array_agg(p.promise ORDER BY p.promise) AS list FROM store.promises p JOIN store.identities i"
            " USING (identity_id) WHERE i.value = %s AND p.made_at > coalesce(p.kept_at, '-infinity')",
            (customer["email"],))[0]["list"]

    for customer in arrivals(stack, lambda c: [linked(c, 1, promises=["free delivery", "a call"]),
                                               linked(c, 2, "service", kept=["free delivery", "never made"]),
                                               linked(c, 3, promises=["a call", "a discount"])]):
        assert unkept(customer) == ["a call", "a discount"]
        post(stack, linked(customer, 4, kept=["a call"], promises=["free delivery"]))
    stack.wait_caught_up()
    assert unkept(customer) == ["a discount", "free delivery"]


@pytest.mark.parametrize("data, pointer, detail", [
    ({"issue": {"id": "x" * 201, "closed": True}}, "/data/issue/id", "is longer than 200 bytes"),
    ({"promises": ["x" * 1001]}, "/data/promises/0", "is longer than 1000 bytes"),
    ({"kept": ["a"] * 101}, "/data/kept", "has more than 100 elements"),
    ({"kept": "all"}, "/data/kept", "must be a list of strings"),
    ({"owner": {"name": "Ann", "role": "x" * 101}}, "/data/owner/role", "is longer than 100 bytes"),
])
def test_what_is_too_much_is_refused(stack, data, pointer, detail):
    answer = post(stack, linked(person("much"), 1, **data), status=400)
    error, = answer.json["errors"]
    assert (error["pointer"], error["detail"]) == (pointer, detail)


def test_whoever_writes_the_extensions_cannot_stop_a_partition(stack):
    """A record that says its data was looked at, when nobody did: on the timeline, its facts passed over."""
    headers = {"content-type": "application/json", "ce_specversion": "1.0", "ce_source": "/tests", "ce_id": "unseen",
               "ce_type": "sales.customer.linked", "ce_time": DAY.format(1), "ce_facts": "issue,kept,owner,promises",
               "ce_customer": "email=unseen%40acme.example", "ce_owner": "Ann"}
    data = ('{"issue": {"id": "%s", "summary": "s"}, "promises": ["%s", 7], "kept": {}, "owner": {"role": "%s"}}'
            % ("ä" * 3000, "ä" * 3000, "ä" * 3000))
    stack.kafka.produce("events.sales", data.encode(), headers=list(headers.items()))
    stack.wait_caught_up()
    assert len(stack.query("SELECT 1 FROM throughline.timeline WHERE event_id = 'unseen'")) == 1
    assert rows(stack, "owners", "department, role, owner", {"email": "unseen@acme.example"}) == [("sales", None, "Ann")]
    assert rows(stack, "issues", "issue_id, 0, 0", {"email": "unseen@acme.example"}) == []
