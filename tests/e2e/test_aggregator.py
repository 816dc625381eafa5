"""From Kafka to the timeline: customers and their identities, repeats, records that are no
events, late ones, and writers that are taken over from."""
import json
import signal

import pytest

from support.events import event, person
from support.wait import wait_for


def headers_of(one, **changes):
    """Headers of a record as a foreign producer writes them: binary mode, no extensions of ours."""
    found = {f"ce_{name}": value for name, value in one.items() if name != "data"}
    found["content-type"] = "application/json"
    found.update(changes)
    return {name: value for name, value in found.items() if value is not None}


def produce(stack, one, topic="events.sales", **changes):
    stack.kafka.produce(topic, json.dumps(one["data"]), headers=headers_of(one, **changes))


def customers_of(stack, **identities):
    """The customer ids that these identities belong to, as a set."""
    return {row["customer_id"] for kind, value in identities.items() for row in stack.query(
        "SELECT customer_id FROM throughline.identities WHERE kind = %s AND value = %s",
        (kind.replace("__", "."), value))}


def post(stack, department, kind, data, time="2026-03-01T00:00:00Z"):
    one = event(kind, data, time=time)
    answer = stack.post_event(department, one)
    assert answer.status == 202, answer
    return one


def deal(stack, customer, **data):
    return post(stack, "sales", "sales.deal.won",
                {"customer": customer, "amount": 10, "currency": "EUR", **data})


def quarantined(stack, reason):
    return stack.query("SELECT * FROM throughline.quarantine WHERE reason = %s"
                       " ORDER BY quarantine_id DESC", (reason,))


def test_identities_attach_and_tie(stack):
    """New, attached, and two customers tied by an event that names both."""
    deal(stack, {"email": "tie@acme.example"})
    deal(stack, {"email": "tie@acme.example", "customer": "T-1"})
    deal(stack, {"customer": "T-2", "phone": "+49 30 1234"})
    stack.wait_caught_up()
    assert len(customers_of(stack, email="tie@acme.example", customer="T-1")) == 1
    apart = customers_of(stack, customer="T-1") | customers_of(stack, customer="T-2")
    assert len(apart) == 2
    deal(stack, {"email": "tie@acme.example", "customer": ["T-1", "T-2"]})
    stack.wait_caught_up()
    together = customers_of(stack, email="tie@acme.example", customer="T-2", phone="+49301234")
    assert together == {min(apart)}  # the lower id survives
    merged = stack.query("SELECT survivor, absorbed, undone_at FROM throughline.merges"
                         " WHERE survivor = %s", (min(apart),))
    assert merged == [{"survivor": min(apart), "absorbed": max(apart), "undone_at": None}]
    assert len(stack.query("SELECT 1 AS one FROM throughline.timeline WHERE customer_id = %s",
                           (min(apart),))) == 4


def test_chains_of_ties_in_one_batch_end_at_one_customer(stack):
    """Pairs that overlap, posted as one batch after each identity has a customer of its own."""
    names = [f"chain-{n}" for n in range(12)]
    for name in names:
        deal(stack, {"customer": name})
    stack.wait_caught_up()
    pairs = [event("sales.deal.won", {"customer": {"customer": [a, b]}, "amount": 1, "currency": "EUR"})
             for a, b in zip(names, names[1:])]
    assert stack.post_event("sales", pairs[::2] + pairs[1::2]).status == 202
    stack.wait_caught_up()
    found = {name: customers_of(stack, customer=name) for name in names}
    assert len(set.union(*found.values())) == 1, found


def test_weak_and_denied_identities_tie_nothing(stack):
    deal(stack, {"email": "one@weak.example", "phone": "+4930777"})
    deal(stack, {"email": "two@weak.example", "phone": "+4930777"})
    deal(stack, {"customer": "W-1", "email": "info@weak.example"})
    deal(stack, {"customer": "W-2", "email": "info@weak.example"})
    deal(stack, {"phone": "+4930777"})
    stack.wait_caught_up()
    assert customers_of(stack, email="one@weak.example") != customers_of(stack, email="two@weak.example")
    assert customers_of(stack, customer="W-1") != customers_of(stack, customer="W-2")
    assert len(customers_of(stack, phone="+4930777")) == 3  # both, and the one known by it alone


def test_persons_and_accounts_stay_apart(stack):
    one = deal(stack, {"email": "ann@corp.example", "account": {"domain": "corp.example"}})
    only = deal(stack, {"account": {"domain": "corp.example", "vat": "DE1"}})
    stack.wait_caught_up()
    person_id, = customers_of(stack, email="ann@corp.example")
    account_id, = customers_of(stack, account__domain="corp.example", account__vat="DE1")
    rows = {row["event_id"]: row for row in stack.query(
        "SELECT event_id, customer_id, account_id FROM throughline.timeline WHERE account_id = %s",
        (account_id,))}
    assert rows[one["id"]]["customer_id"] == person_id != account_id
    assert rows[only["id"]]["customer_id"] == account_id
    assert stack.query("SELECT kind FROM throughline.customers WHERE customer_id IN (%s, %s)"
                       " ORDER BY 1", (person_id, account_id)) == [{"kind": "account"},
                                                                   {"kind": "person"}]


def test_repeats_are_counted_and_stored_once(stack):
    before = stack.query("SELECT sum(duplicates) AS n FROM throughline.reconciliation")[0]["n"]
    one = event("sales.deal.won", {"customer": person("again"), "amount": 1, "currency": "EUR"})
    assert stack.post_event("sales", [one, one]).status == 202
    assert stack.post_event("sales", one).status == 202
    stack.wait_caught_up()
    other = dict(one, data=dict(one["data"], amount=2))
    assert stack.post_event("sales", other).status == 202  # the same event with another body
    stack.wait_caught_up()
    rows = stack.query("SELECT amount FROM throughline.timeline WHERE event_id = %s", (one["id"],))
    assert [float(row["amount"]) for row in rows] == [1.0]  # who came first stays
    after = stack.query("SELECT sum(duplicates) AS n, sum(abs(difference)) AS wrong"
                        " FROM throughline.reconciliation")[0]
    assert (after["n"] - before, after["wrong"]) == (3, 0)


def test_foreign_producers_events_are_admitted_in_both_modes(stack):
    one = event("sales.deal.won", {"customer": person("foreign"), "amount": 3.25, "currency": "EUR",
                                   "promises": ["a cake"]}, time="2026-04-01T00:00:00Z")
    two = event("sales.deal.won", {"customer": person("foreign"), "amount": 4, "currency": "EUR"})
    produce(stack, one)
    stack.kafka.produce("events.sales", json.dumps(two),
                        headers={"content-type": "application/cloudevents+json; charset=utf-8"})
    stack.wait_caught_up()
    for sent in (one, two):
        row, = stack.query("SELECT * FROM throughline.timeline WHERE event_id = %s", (sent["id"],))
        assert float(row["amount"]) == sent["data"]["amount"] and row["data"] == sent["data"]


NO_EVENTS = {
    "no JSON": (b"\xff\xfe", {}, "not-a-cloudevent", "specversion"),
    "tombstone": (None, {}, "not-a-cloudevent", "specversion"),
    "half an event": (b"{}", {"ce_specversion": "1.0", "ce_id": "x"}, "not-a-cloudevent", "source"),
    "truncated structured": (b'{"specversion":', {"content-type": "application/cloudevents+json"},
                             "not-a-cloudevent", ""),
    "a batch": (b"[]", {"content-type": "application/cloudevents-batch+json"}, "not-a-cloudevent", ""),
}


@pytest.mark.parametrize("name", NO_EVENTS)
def test_what_is_no_event_waits_in_quarantine_with_its_bytes(stack, name):
    value, headers, reason, word = NO_EVENTS[name]
    before = len(quarantined(stack, reason))
    stack.kafka.produce("events.service", value, key=b"k", headers=headers)
    stack.wait_caught_up()
    waiting = quarantined(stack, reason)
    assert len(waiting) == before + 1
    assert word in waiting[0]["detail"] and waiting[0]["state"] == "waiting"
    kept, = stack.query("SELECT key, value, headers FROM store.quarantine WHERE quarantine_id = %s",
                        (waiting[0]["quarantine_id"],))
    assert (kept["value"] and bytes(kept["value"])) == value and bytes(kept["key"]) == b"k"
    assert [bytes(h).decode() for h in kept["headers"]] == [x for pair in headers.items() for x in pair]


def test_a_record_with_very_many_headers_keeps_them_all(stack):
    one = event("sales.deal.won", {"customer": person("headers"), "amount": 1, "currency": "EUR"})
    sent = [("content-type", b"application/cloudevents+json")] + [(f"x-{n}", b"%d" % n) for n in range(99)]
    stack.kafka.produce("events.sales", json.dumps(one), headers=sent)
    stack.wait_caught_up()
    row, = stack.query("SELECT quarantine_id, headers FROM store.quarantine WHERE detail LIKE '%%many headers'")
    assert [bytes(h) for h in row["headers"]] == [x for name, value in sent for x in (name.encode(), value)]
    told = stack.run("quarantine", "replay", str(row["quarantine_id"]), status=1)
    assert "too many headers" in told


def test_a_reason_that_is_no_text_stops_nothing(stack):
    stack.kafka.produce("events.service", b"{}", headers={"throughline_reason": b"no \xff text"})
    stack.wait_caught_up()
    assert quarantined(stack, "unmapped")[0]["detail"] == "no ? text"


INADMISSIBLE = {
    "another department's type": ({"ce_type": "billing.invoice.paid"}, "/type"),
    "unknown type": ({"ce_type": "sales.nothing.known"}, "/type"),
    "reserved": ({"ce_type": "throughline.customer.stale"}, "/type"),
    "in the future": ({"ce_time": "2999-01-01T00:00:00Z"}, "/time"),
    "before 1970": ({"ce_time": "1969-12-31T23:59:59Z"}, "/time"),
    "unknown identity": ({"ce_customer": "shoesize=44", "ce_facts": ""}, "/customer"),
    "bad amount": ({"ce_customer": "email=a%40b.example", "ce_facts": "", "ce_amount": "ten",
                    "ce_currency": "EUR"}, "/amount"),
}


@pytest.mark.parametrize("name", INADMISSIBLE)
def test_inadmissible_events_wait_in_quarantine(stack, name):
    changes, pointer = INADMISSIBLE[name]
    before = len(quarantined(stack, "inadmissible"))
    one = event("sales.deal.won", {"amount": 1, "currency": "EUR"},
                **({} if "ce_customer" in changes else {"customer": "email=a%40b.example"}))
    produce(stack, one, **changes)
    good = deal(stack, person("beside"))  # a bad record spoils nothing beside it
    stack.wait_caught_up()
    waiting = quarantined(stack, "inadmissible")
    assert len(waiting) == before + 1 and waiting[0]["detail"].startswith(pointer)
    assert len(stack.query("SELECT 1 AS one FROM throughline.timeline WHERE event_id = %s", (good["id"],))) == 1


def test_events_of_any_month_find_their_place(stack):
    customer = person("months")
    times = [f"{year}-{month:02}-28T23:59:59.999999Z" for year in (1970, 1999, 2024) for month in (1, 2, 12)]
    for time in times:
        post(stack, "service", "service.ticket.opened", {"customer": customer, "summary": time}, time)
    stack.wait_caught_up()
    rows = stack.query("SELECT t.summary FROM throughline.identities i, LATERAL"
                       " throughline.timeline_of(i.customer_id) t WHERE i.value = %s", (customer["email"],))
    assert [row["summary"] for row in rows] == sorted(times, reverse=True)


def test_one_bad_value_among_many_good_ones(stack):
    """Data that is no JSON is kept as it came; JSON that PostgreSQL could not hold waits in quarantine."""
    text = event("sales.deal.lost", "", customer="email=text%40acme.example")
    stack.kafka.produce("events.sales", b"plain words", headers=headers_of(text, **{"content-type": "text/plain"}))
    bad = event("sales.deal.lost", "", customer="email=bad%40acme.example")
    stack.kafka.produce("events.sales", b'{"a": "\\u0000"}', headers=headers_of(bad, ce_facts=""))
    stack.wait_caught_up()
    row, = stack.query("SELECT data FROM throughline.timeline WHERE event_id = %s", (text["id"],))
    assert row["data"] == {"datacontenttype": "text/plain", "data_base64": "cGxhaW4gd29yZHM="}
    assert not stack.query("SELECT 1 AS one FROM throughline.timeline WHERE event_id = %s", (bad["id"],))
    assert "\\u0000" in quarantined(stack, "inadmissible")[0]["detail"]


def test_a_frozen_aggregator_loses_its_partitions_and_spoils_nothing(stack):
    """Frozen past its session, it is taken over from; thawed, its fence holds, and it goes on."""
    stack.start("tl-aggregator#2", env={"TL_LISTEN": f"127.0.0.1:{stack.ports.get('x', 0)}"}, ready=False)
    frozen = stack.programs["tl-aggregator"]
    frozen.signal(signal.SIGSTOP)
    try:
        customer = person("frozen")
        sent = [deal(stack, customer)["id"] for _ in range(30)]
        wait_for(lambda: len(stack.query(
            "SELECT 1 AS one FROM throughline.timeline WHERE event_id = ANY(%s)", (sent,))) == 30, 60,
            "the second aggregator has taken over")
    finally:
        frozen.signal(signal.SIGCONT)
    more = [deal(stack, customer)["id"] for _ in range(30)]
    stack.wait_caught_up(60)
    rows = stack.query("SELECT event_id FROM throughline.timeline WHERE event_id = ANY(%s)", (sent + more,))
    assert sorted(row["event_id"] for row in rows) == sorted(sent + more)
    stack.stop("tl-aggregator#2")
    wrong = stack.query("SELECT * FROM throughline.reconciliation WHERE difference <> 0")
    assert wrong == []


def test_readiness_says_when_kafka_is_away(stack):
    """Its broker frozen or gone, the aggregator is not ready; back, it is, and goes on by itself."""
    def ready():
        return stack.request("tl-aggregator", "GET", "/readyz").status == 200
    wait_for(ready, 30, "ready at first")
    stack.kafka.stop()
    try:
        wait_for(lambda: not ready(), 30, "readiness notices that Kafka is away")
        assert "Kafka" in stack.request("tl-aggregator", "GET", "/readyz").json["detail"]
    finally:
        stack.kafka.start()
    wait_for(ready, 60, "ready again")
    one = event("sales.deal.won", {"customer": person("back"), "amount": 1, "currency": "EUR"})
    wait_for(lambda: stack.post_event("sales", one).status == 202, 30, "tl-sales accepts again", step=0.1)
    stack.wait_caught_up(60)
    assert len(stack.query("SELECT 1 AS one FROM throughline.timeline WHERE event_id = %s", (one["id"],))) == 1
