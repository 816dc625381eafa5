"""A shop tells of one purchase under many topics: what the customer is worth in
the end is what was paid minus what was paid back, each counted once."""
import json
from decimal import Decimal

import pytest

from support.paths import ROOT

PAYLOADS = ROOT / "tests/unit/payloads/shopify"
PURCHASE = ("orders.create", "order_transactions.create.sale", "order_transactions.create.gift_card",
            "orders.paid", "orders.updated", "order_transactions.create.refund", "refunds.create",
            "order_transactions.create.refund.failure", "customers.update")


def post(stack, name, event_id=None):
    file = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    body = json.dumps(file["payload"]).encode()
    headers = {**stack.sources.signed("shopify", body), **file["headers"]}
    if event_id:
        headers["X-Shopify-Event-Id"] = event_id
    answer = stack.post_webhook("tl-billing", "shopify", body, headers)
    assert (answer.status, answer.json["accepted"]) == (202, 1)


@pytest.fixture(scope="module")
def shop(stack):
    """All of a purchase, under one event id as one action has it; each transaction told twice."""
    for name in PURCHASE:
        post(stack, name)
        if name.startswith("order_transactions"):
            post(stack, name, event_id="told-again")
    stack.wait_caught_up()
    return stack


def test_the_customer_is_worth_what_was_paid_minus_what_was_paid_back(shop):
    rows = shop.query("SELECT c.* FROM throughline.customers c JOIN throughline.identities i USING (customer_id) "
                      "WHERE i.kind = 'email' AND i.value = 'ann@acme.example'")
    assert len(rows) == 1
    worth = {currency: Decimal(str(value)) for currency, value in rows[0]["lifetime_value"].items()}
    assert worth == {"EUR": Decimal("298.00") - Decimal("49.90")}


def test_payments_that_name_the_order_alone_are_on_its_buyers_timeline(shop):
    rows = shop.query("SELECT t.type FROM throughline.timeline t JOIN throughline.identities i USING (customer_id) "
                      "WHERE i.kind = 'email' AND i.value = 'ann@acme.example'")
    assert len(rows) == len(PURCHASE)


def test_topics_of_one_action_are_several_events(shop):
    rows = shop.query("SELECT source, count(*) AS events FROM throughline.timeline WHERE event_id = %s GROUP BY source",
                      ("b1946ac9-0f1e-4d27-9c2b-7a3c5e8d0011",))
    assert {row["source"]: row["events"] for row in rows} == {
        f"/webhooks/shopify/{topic}": 1
        for topic in ("orders/create", "orders/paid", "orders/updated", "refunds/create", "customers/update")}
