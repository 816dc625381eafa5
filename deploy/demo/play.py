"""Plays a story against running services and looks at what came of it."""
import argparse
import json
import signal
import sys
import threading
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


def tell(demo, step):
    """One step: posted as its system would, and answered 202 with everything accepted."""
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


def customer_of(demo, identity):
    """The customer's id, or None. An identity as people write it on the command line."""
    kind, value = identity.split("=", 1)
    found = demo.select("SELECT customer_id FROM throughline.identities "
                        f"WHERE kind = '{kind}' AND value = '{value}'")
    return int(found) if found else None


def what_came_of_it(demo, expected):
    customer = customer_of(demo, expected["identities"][0])
    # What the departments said; what the system says of it comes when it comes.
    rows = demo.select(
        "SELECT coalesce(json_agg(row_to_json(t)), '[]') FROM (SELECT department, type, amount, "
        "currency, summary, owner FROM throughline.timeline "
        f"WHERE customer_id = {customer or 0} AND department <> 'throughline' ORDER BY occurred_at, event_uid) t")
    value = demo.select(f"SELECT lifetime_value FROM throughline.customers WHERE customer_id = {customer or 0}")
    return {
        "customer_id": customer,
        "customer_by": {identity: customer_of(demo, identity) for identity in expected["identities"]},
        "timeline": json.loads(rows, parse_float=Decimal),
        "lifetime_value": json.loads(value or "{}", parse_float=Decimal),
        "unbalanced": int(demo.select("SELECT count(*) FROM throughline.reconciliation WHERE difference <> 0")),
        "quarantined": int(demo.select("SELECT count(*) FROM throughline.quarantine")),
    }


def play(demo, folder):
    """True when everything came out as expected."""
    steps, expected = story.read(folder)
    say(f"\n{expected['title']}\n")
    for step in steps:
        tell(demo, step)

    def read():
        return int(demo.select("SELECT coalesce(sum(records), 0) FROM throughline.reconciliation"))
    wait_for(lambda: read() >= len(steps), CATCH_UP,
             lambda: f"the aggregator has read {read()} of {len(steps)} records")

    first = expected["identities"][0].split("=", 1)[1]
    say(f"\n$ throughline timeline {first}")
    say(demo.throughline("timeline", first))
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
        f"\nEvery step of the story came out right: {len(steps)} told, "
        f"{len(found['timeline'])} on the timeline, 1 customer.")
    return not wrong


def what_next(demo):
    event = {"specversion": "1.0", "id": "my-first", "source": "/me", "type": "service.ticket.opened",
             "time": "2026-01-08T10:12:07Z",
             "data": {"customer": {"email": "you@example.com"}, "summary": "It squeaks"}}
    say(f"""
All of it is up, until Ctrl-C. Try:

  curl -i http://127.0.0.1:{demo.ports['tl-service']}/events -H 'content-type: application/cloudevents+json' \\
    -d '{json.dumps(event)}'

  psql '{demo.uri}' -c 'SELECT occurred_at, type, summary, amount FROM throughline.timeline ORDER BY 1'

  export TL_DATABASE='{demo.uri}' TL_BROKERS='{demo.env['TL_BROKERS']}'
  {programs.BUILD.name}/throughline customers nordlicht
  {programs.BUILD.name}/throughline timeline you@example.com
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
        demo.start()
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
