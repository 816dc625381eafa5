"""Two won deals and an invoice that says for which of them it is: with `match`, that one's handoff closes and
no other. (test_round.py has the shipped rule, which has no `match`.)"""
import json

import pytest

from support.paths import fixtures
from support.round import Round, Systems

pytestmark = pytest.mark.skipif(fixtures() is None, reason="no shared fixtures (set FIXTURES)")


@pytest.fixture(scope="module")
def world(bare_stack):
    with open(f"{bare_stack.config}/handoffs.json", encoding="utf-8") as file:
        rules = json.load(file)
    rule, = (rule for rule in rules if rule["rule"] == "invoice-the-won-deal")
    rule["match"] = [["/deal", "/deal"]]
    bare_stack.write_config("handoffs.json", rules)
    one = Round(bare_stack).start()
    yield one
    one.close()


def test_one_invoice_closes_the_right_one_of_two_deals(world):
    systems = Systems(world.stack, "match")
    systems.pipedrive("create.person", world.next())
    systems.billing("customer.created", world.next())
    for deal in (1, 2):
        systems.pipedrive("change.deal", world.next(), id=deal, value=1000, currency="EUR", status="won")
    told = [world.arrives(systems.email, "invoice-the-won-deal", "billing", count) for count in (1, 2)]
    handoffs = {one["brief"]["fields"]["/deal"]: one["handoff"] for one in told}
    systems.billing("invoice.finalized", world.next(), id="in_0", metadata={})  # for neither
    systems.billing("invoice.finalized", world.next(), id="in_2", metadata={"deal": "2"})
    world.is_closed("billing", handoffs["2"])
    world.stack.wait_caught_up()
    assert world.wait_state(handoffs["1"], "delivered")["closed_at"] is None
    systems.billing("invoice.finalized", world.next(), id="in_1", metadata={"deal": "1"})
    world.is_closed("billing", handoffs["1"])
