"""Plays a story against running services and looks at what came of it."""
import argparse
import json
import signal
import sys
import threading
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import programs
import story
from programs import Programs, say
from support.wait import wait_for

HERE = Path(__file__).resolve().parent
SYSTEMS = {"hubspot": "HubSpot", "stripe": "Stripe", "zendesk": "Zendesk"}
CATCH_UP = 30  # seconds

stop = threading.Event()


def tell(demo, step, number):
    """What happened: posted as its system would, answered 202 with everything accepted, and on the timeline
    before the next thing happens."""
    if step.source:
        path, kind = f"/webhooks/{step.source}", "application/json"
        headers = demo.sources.signed(step.source, step.body)
    else:
        path, kind, headers = "/events", "application/cloudevents+json", {}
    answer = demo.post(step.to, path, step.body, {"Content-Type": kind, **headers})
    teller = SYSTEMS.get(step.source, "CloudEvent")
    say(f"  day {step.day:2} {step.at}  {teller:10}  {step.to:10}  {step.say}")
    counts = answer.json if answer.status == 202 else {}
    if counts.get("accepted") != 1 or counts.get("quarantined"):
        raise RuntimeError(f"{step.to} answered {answer.status}: {answer.body.decode()}")

    def read():
        return int(demo.select("SELECT count(*) FROM throughline.timeline WHERE type NOT LIKE 'throughline.%'"))
    wait_for(lambda: read() >= number, CATCH_UP, lambda: f"{read()} of {number} events are on the timeline")


def hand_over(demo, step):
    """A handoff at its receiver: the department's own system has it, its people answer, and in the end it is
    told what the step says."""
    receiver = demo.receivers[step.receiver]

    def told(kind):
        return next((event for event in receiver.events if event["data"].get("rule") == step.handoff
                     and event["type"] == f"throughline.handoff.{kind}"), None)
    opened = wait_for(lambda: told("opened"), CATCH_UP, f"{step.handoff} is handed to {step.receiver}")["data"]
    say(f"  day {step.day:2} {step.at}  handoff     {step.receiver:10}  {step.say}")
    if step.told == "opened":
        say_brief(opened)
    if step.answer:
        answer = demo.post(f"tl-{step.receiver}", f"/handoffs/{opened['handoff']}/{step.answer}",
                           json.dumps(step.by).encode(), {"Content-Type": "application/json"})
        if answer.status != 202:
            raise RuntimeError(f"tl-{step.receiver} answered {answer.status}: {answer.body.decode()}")
    wait_for(lambda: told(step.told), CATCH_UP, f"{step.receiver} is told that {step.handoff} is {step.told}")


def say_brief(opened):
    """What a department's own system got, in short."""
    brief, indent = opened["brief"], " " * 36
    say(f"{indent}\"{opened['ask']}\", from {opened.get('from', 'throughline')}; signed, with a brief:")
    owners = ", ".join(f"{owner['owner']} ({owner['department']})" for owner in brief["owners"])
    promises = "; ".join(promise["promise"] for promise in brief["promises"])
    issues = "; ".join(issue["summary"] for issue in brief["issues"])
    amount = f"{brief['fields'].get('/amount', '')} {brief['fields'].get('/currency', '')}".strip()
    known = ", ".join(f"{kind} {values[0]}" for kind, values in brief["identities"].items() if "." not in kind)
    for name, text in (("known as", known), ("amount", amount), ("owners", owners), ("promised", promises),
                       ("open issue", issues)):
        if text:
            say(f"{indent}  {name:10}  {text}")


def customer_of(demo, identity):
    """The customer's id, or None. An identity as people write it on the command line."""
    kind, value = identity.split("=", 1)
    found = demo.select("SELECT customer_id FROM throughline.identities "
                        f"WHERE kind = '{kind}' AND value = '{value}'")
    return int(found) if found else None


def what_came_of_it(demo, expected):
    customer = customer_of(demo, expected["identities"][0])
    rows = demo.select(
        "SELECT coalesce(json_agg(row_to_json(t)), '[]') FROM (SELECT department, type, amount, "
        "currency, summary, owner FROM throughline.timeline "
        f"WHERE customer_id = {customer or 0} AND type NOT LIKE 'throughline.%' ORDER BY occurred_at, event_uid) t")
    handoffs = demo.select(
        "SELECT coalesce(json_agg(row_to_json(h)), '[]') FROM (SELECT rule, from_department, to_department, state, "
        "overdue, accepted_by, closed_by, (SELECT json_agg(split_part(t.type, '.', 3) ORDER BY t.data -> 'sequence') "
        "FROM throughline.timeline t WHERE t.department = 'throughline' AND t.customer_id = h.customer_id "
        "AND t.data ->> 'handoff' = h.handoff_id::text) AS told FROM throughline.handoffs h "
        f"WHERE customer_id = {customer or 0} ORDER BY opened_at, rule) h")
    value = demo.select(f"SELECT lifetime_value FROM throughline.customers WHERE customer_id = {customer or 0}")
    return {
        "customer_id": customer,
        "customer_by": {identity: customer_of(demo, identity) for identity in expected["identities"]},
        "timeline": json.loads(rows, parse_float=Decimal),
        "handoffs": json.loads(handoffs),
        "lifetime_value": json.loads(value or "{}", parse_float=Decimal),
        "unbalanced": int(demo.select("SELECT count(*) FROM throughline.reconciliation WHERE difference <> 0")),
        "quarantined": int(demo.select("SELECT count(*) FROM throughline.quarantine")),
    }


def play(demo, folder):
    """True when everything came out as expected."""
    steps, expected = story.read(folder)
    say(f"\n{expected['title']}\n")
    number = 0
    for step in steps:
        if step.handoff:
            hand_over(demo, step)
        else:
            number += 1
            tell(demo, step, number)
    wait_for(lambda: demo.select("SELECT count(*) FROM store.outbox") == "0", CATCH_UP, "all is said")
    demo.throughline("reconcile", "--wait", f"{CATCH_UP}s")

    first = expected["identities"][0].split("=", 1)[1]
    say(f"\n$ throughline timeline {first}")
    say(demo.throughline("timeline", first))
    say(f"$ throughline handoffs --all {first}")
    say(demo.throughline("handoffs", "--all", first))
    found = what_came_of_it(demo, expected)
    say("found by each identity:")
    for identity, customer in found["customer_by"].items():
        say(f"  {identity:36} customer {customer}")
    value = ", ".join(f"{amount} {currency}" for currency, amount in found["lifetime_value"].items())
    say(f"  received from this customer so far: {value or 'nothing'}")

    wrong = story.differences(expected, found)
    for line in wrong:
        say(f"WRONG: {line}")
    say("\nThe story came out otherwise than expected." if wrong else
        f"\nEvery step of the story came out right: {number} events told and on the timeline, 1 customer, "
        f"{len(found['handoffs'])} handoffs, {sum(h['state'] == 'done' for h in found['handoffs'])} of them done, "
        f"{sum(h['overdue'] for h in found['handoffs'])} overdue.")
    return not wrong


def what_next(demo):
    event = {"specversion": "1.0", "id": "my-first", "source": "/me", "type": "sales.deal.won",
             "time": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
             "data": {"customer": {"email": "you@example.com"}, "amount": 12000, "currency": "EUR"}}
    say(f"""
All of it is up, until Ctrl-C. Try:

  curl -i http://127.0.0.1:{demo.ports['tl-sales']}/events -H 'content-type: application/cloudevents+json' \\
    -d '{json.dumps(event)}'

  psql '{demo.uri}' -c 'SELECT occurred_at, type, summary, amount FROM throughline.timeline ORDER BY 1'

  export TL_DATABASE='{demo.uri}' TL_BROKERS='{demo.env['TL_BROKERS']}'
  {programs.BUILD.name}/throughline customers nordlicht
  {programs.BUILD.name}/throughline timeline you@example.com
  {programs.BUILD.name}/throughline handoffs you@example.com        # what billing is to do, and the handoff's id
  curl -i http://127.0.0.1:{demo.ports['tl-billing']}/handoffs/ID/accept -H 'content-type: application/json' -d '{{"by": "Bill"}}'
  {programs.BUILD.name}/throughline handoffs --overdue
  {programs.BUILD.name}/throughline reconcile

Logs are in {demo.folder}/*.log""")


def main():
    options = argparse.ArgumentParser(prog="deploy/demo/run", description=__doc__)
    options.add_argument("--once", action="store_true", help="end after the story")
    options.add_argument("--story", type=Path, default=HERE / "story", metavar="DIR",
                         help="another story: story.json, expected.json")
    options.add_argument("--folder", type=Path, default=programs.BUILD / "demo", metavar="DIR",
                         help="where its database and logs are; one demo at a time in each")
    options = options.parse_args()

    def interrupt(_number, _frame):
        if stop.is_set():
            return  # it is ending already
        stop.set()
        raise KeyboardInterrupt
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)

    demo, right = Programs(options.folder.resolve()), False
    other = demo.take_folder()
    if other:
        say(f"A demo is up already in {demo.folder}: process {other}. End it, or give this one a --folder of its own.")
        return 1
    try:
        demo.start(soon_due="call-instead-of-dunning")
        right = play(demo, options.story)
        if not options.once:
            what_next(demo)
            stop.wait()
    except KeyboardInterrupt:
        pass
    except (RuntimeError, AssertionError, OSError) as error:
        say(f"WRONG: {error}")
    finally:
        stop.set()
        say("\nending")
        demo.end()
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
