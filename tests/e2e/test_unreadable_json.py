"""Authentic JSON that nobody can hold: answered 202, in quarantine byte for byte with its reason,
shown by the command line, and still there after a replay."""
import json

import pytest

BODIES = {
    "an integer past 64 bits": ('{"id": "evt_1", "amount": 9223372036854775808}', "too large"),
    "a huge number": ('{"id": "evt_2", "amount": 1e400}', "400 digits"),
    "a member given twice": ('{"id": "evt_3", "id": "evt_4"}', "twice"),
    "a NUL": ('{"id": "evt\\u0000"}', "\\u0000"),
    "half a surrogate pair": ('{"id": "\\ud800"}', "surrogate"),
    "too deep": ("[" * 400_000 + "]" * 400_000, "more than 50000 values"),
    "deep": ("[" * 200 + "]" * 200, "nested too deeply"),
}


@pytest.fixture(scope="module")
def intake(bare_stack):
    return bare_stack.start("tl-billing", "tl-aggregator")


def waiting(stack):
    return stack.query("SELECT q.quarantine_id, q.reason, q.detail, q.state, s.value FROM throughline.quarantine q"
                       " JOIN store.quarantine s USING (quarantine_id)")


@pytest.mark.parametrize("name", BODIES)
def test_it_is_quarantined_as_it_came(intake, name):
    body, told = BODIES[name]
    answer = intake.post_webhook("tl-billing", "stripe", body)
    assert (answer.status, answer.json) == (202, {"accepted": 0, "ignored": 0, "quarantined": 1})
    intake.wait_caught_up()
    row, = [r for r in waiting(intake) if bytes(r["value"]) == body.encode()]
    assert (row["reason"], row["state"]) == ("unmapped", "waiting")
    assert told in row["detail"]
    shown = json.loads(intake.run("quarantine", "show", str(row["quarantine_id"]), "--json"))
    assert shown
    intake.run("quarantine", "replay", str(row["quarantine_id"]), status=1)
    assert [r["state"] for r in waiting(intake) if r["quarantine_id"] == row["quarantine_id"]] == ["waiting"]


def test_a_body_quarantined_whole_is_not_taken_for_one_ignored_element(intake):
    """What no rule matches is ignored there; a replay must not discard a thousand elements so."""
    with open(f"{intake.config}/sources/stripe.json", encoding="utf-8") as file:
        intake.write_config("sources/stripe.json", {**json.load(file), "otherwise": "ignore"})
    body = json.dumps([{"id": n} for n in range(1001)])
    answer = intake.post_webhook("tl-billing", "stripe", body)
    assert answer.json == {"accepted": 0, "ignored": 0, "quarantined": 1}
    intake.wait_caught_up()
    row, = [r for r in waiting(intake) if bytes(r["value"]) == body.encode()]
    told = intake.run("quarantine", "replay", str(row["quarantine_id"]), status=1)
    assert "as a whole" in told
    assert [r["state"] for r in waiting(intake) if r["quarantine_id"] == row["quarantine_id"]] == ["waiting"]


def test_what_is_no_json_leaves_nothing(intake, kafka):
    before = kafka.count("events.billing")
    for body in (b"", b"id=1", b'{"id": ', b'"\xc0\xa0"', b'["\\u0000", 1e400'):
        assert intake.post_webhook("tl-billing", "stripe", body).status == 400
    assert kafka.count("events.billing") == before


def test_the_books_balance(intake):
    intake.run("reconcile", "--wait", "30s")
