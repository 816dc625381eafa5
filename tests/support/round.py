"""One customer's way through all departments, by the front doors alone: what their systems send, what
arrives at the departments' own systems, what people answer. Departments' topics have no order among
each other, so each thing is on the timeline before the next one happens."""
import copy
import itertools
import json
from datetime import datetime, timedelta, timezone

from support.paths import fixtures
from support.receiver import Receiver
from support.stack import DEPARTMENTS
from support.wait import wait_for

SECONDS = 60  # for anything that is waited for
STATE_OF = {"accept": "accepted", "decline": "declined", "done": "done", "reassign": "open"}


def rfc3339(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Systems:
    """The payloads of Pipedrive, Stripe and Zendesk, made of the shared fixtures: one customer of each,
    whose e-mail address is all that they have in common."""

    def __init__(self, stack, name):
        self.stack, self.name, self.email = stack, name, f"{name}@acme.example"
        self.numbers = itertools.count(1)
        number = int.from_bytes(name.encode(), "big") % 10**9
        self.person, self.stripe, self.zendesk = str(number), f"cus_{name}", str(10**12 + number)

    def _fixture(self, path):
        return copy.deepcopy(json.loads((fixtures() / path).read_text(encoding="utf-8")))

    def _post(self, program, source, body):
        answer = self.stack.post_webhook(program, source, body)
        assert (answer.status, answer.json.get("accepted")) == (202, 1), answer
        self.stack.wait_caught_up(SECONDS)

    def pipedrive(self, fixture, moment, **data):
        body = self._fixture(f"pipedrive/SYNTHETIC_v2_{fixture}.json")
        body["meta"].update(id=f"{self.name}-{next(self.numbers)}", timestamp=rfc3339(moment))
        body["data"].update(data)
        if fixture == "create.person":
            body["meta"]["entity_id"] = self.person
            body["data"]["emails"] = [{"label": "work", "value": self.email, "primary": True}]
        else:
            body["meta"]["entity_id"] = str(data["id"])
            body["data"].update(person_id=int(self.person))
        body["data"].pop("org_id", None)
        self._post("tl-sales", "pipedrive", body)

    def billing(self, kind, moment, **members):
        """An event of Stripe: "invoice.paid"."""
        body = self._fixture(f"stripe/{kind}.json")
        body.update(id=f"evt_{self.name}_{next(self.numbers)}", created=int(moment.timestamp()))
        subject = body["data"]["object"]
        if kind.startswith("customer."):
            subject.update(id=self.stripe, email=self.email)
        else:
            subject.update(customer=self.stripe, customer_email=self.email, currency="eur")
        subject.update(members)
        self._post("tl-billing", "stripe", body)

    def helpdesk(self, kind, moment, event=None, **detail):
        """An event of Zendesk: "ticket.created"."""
        ticket = self._fixture("zendesk/SYNTHETIC_ticket.created.json")
        ticket.update(id=f"{self.name}-{next(self.numbers)}", type=f"zen:event-type:{kind}",
                      time=rfc3339(moment), event=event or {})
        if kind.startswith("user."):
            ticket["detail"] = {"id": self.zendesk, "email": self.email, "role": "end-user",
                                "organization_id": "0", "created_at": rfc3339(moment)}
        else:
            ticket["detail"].update(requester_id=self.zendesk, submitter_id=self.zendesk,
                                    organization_id="0", **detail)
        self._post("tl-service", "zendesk", ticket)


class Round:
    """All departments deliver to a Receiver each: start(), then steps, then close()."""

    def __init__(self, stack, **settings):
        self.stack, self.numbers = stack, itertools.count(1)
        self.receivers = {department: Receiver() for department in DEPARTMENTS}
        self.settings = {f"TL_{key.upper()}": value for key, value in settings.items()}
        self.now = datetime.now(timezone.utc) - timedelta(hours=1)

    def start(self):
        for department, receiver in self.receivers.items():
            receiver.start()
            self.stack.deliver_to(department, receiver)
        self.stack.start("tl-aggregator", env=self.settings)
        self.stack.start(*(f"tl-{department}" for department in DEPARTMENTS))
        return self

    def close(self):
        for receiver in self.receivers.values():
            receiver.stop()

    def ago(self, days):
        return datetime.now(timezone.utc) - timedelta(days=days)

    def next(self):
        """When the next thing happens: the story ends before now."""
        self.now += timedelta(seconds=10)
        return self.now

    def tell(self, kind, email, moment=None, **data):
        """A native CloudEvent at the door of its department."""
        event = {"specversion": "1.0", "id": f"{email}-{next(self.numbers)}", "source": "/tests/round", "type": kind,
                 "time": rfc3339(moment or self.next()), "data": {"customer": {"email": email}, **data}}
        answer = self.stack.post_event(kind.split(".")[0], event)
        assert answer.status == 202, answer
        self.stack.wait_caught_up(SECONDS)
        return event["id"]

    # Handoffs, as anybody may see them.

    def customer(self, email):
        rows = self.stack.query("SELECT customer_id FROM throughline.identities WHERE kind = 'email' AND value = %s",
                                (email,))
        return rows[0]["customer_id"] if rows else None

    def handoffs(self, email, rule=None):
        """Rows of the view, oldest first."""
        return self.stack.query(
            "SELECT * FROM throughline.handoffs WHERE customer_id = %s AND rule = coalesce(%s, rule)"
            " ORDER BY opened_at, handoff_id", (self.customer(email), rule))

    def wait_state(self, handoff, state):
        """The row once its state is this."""
        def look():
            row, = self.stack.query("SELECT * FROM throughline.handoffs WHERE handoff_id = %s", (handoff,))
            return row if row["state"] == state else None
        return wait_for(look, SECONDS, lambda: f"{handoff} is {state}; it is " + str(
            self.stack.query("SELECT * FROM throughline.handoffs WHERE handoff_id = %s", (handoff,))))

    def arrives(self, email, rule, department, count=1):
        """Waits for the `count`th handoff of a rule: its row, and what its receiver got, which is the same.
        (The receiver believes nothing whose signature is wrong.)"""
        rows = wait_for(lambda: self.handoffs(email, rule)[count - 1:], SECONDS,
                        lambda: f"handoff {count} of {rule}; there are {[h['rule'] for h in self.handoffs(email)]}")
        handoff = str(rows[0]["handoff_id"])
        event = self.receivers[department].wait_for(handoff, "opened", SECONDS)
        row = self.wait_state(handoff, "delivered")
        data = event["data"]
        assert event["id"] == f"{handoff}/{event['sequence']}" and event["source"] == "/throughline"
        assert self.receivers[department].of(handoff)[0].id == event["id"]
        assert (data["rule"], data["state"], data["to"], data["ask"]) == (rule, "open", department, row["ask"])
        assert data.get("from") == row["from_department"]
        assert (data["brief"], data["brief_version"]) == (row["brief"], row["brief_version"])
        assert row["delivered_at"] and not row["undeliverable"] and not row["overdue"]
        return data

    def ask(self, department, handoff, verb, **body):
        """POST /handoffs/<id>/<verb> at a department's door."""
        answer = self.stack.request(f"tl-{department}", "POST", f"/handoffs/{handoff}/{verb}",
                                    {"by": "ann", **body}, {"Content-Type": "application/json"})
        assert answer.status == 202, answer

    def answers(self, department, handoff, verb, **body):
        """… that is granted: the row then, and its receiver is told."""
        self.ask(department, handoff, verb, **body)
        row = self.wait_state(handoff, STATE_OF[verb])
        told = self.receivers[department].wait_for(
            handoff, {"accept": "updated", "reassign": "closed"}.get(verb, "closed"), SECONDS)
        assert told["data"]["handoff"] == handoff and "brief" not in told["data"]
        return row

    def is_closed(self, department, handoff, state="done", by=None):
        """Waits until the events have closed it; `by`: the id of the event that did."""
        row = self.wait_state(handoff, state)
        told = self.receivers[department].wait_for(handoff, "closed", SECONDS)
        assert told["data"]["state"] == state and told["data"]["closing_event_id"] == row["closing_event_id"]
        assert by is None or row["closing_event_id"] == by
        assert row["closed_at"] and row["closed_by"] is None
        return row

    def refused(self, department, handoff, verb):
        """Waits for the refusal of what this department asked last."""
        event = self.receivers[department].wait_for(handoff, "refused", SECONDS)
        assert event["data"]["action"] == verb and event["data"]["detail"]
        return event["data"]

    def timeline(self, email):
        return self.stack.query("SELECT * FROM throughline.timeline WHERE customer_id = %s"
                                " ORDER BY occurred_at, recorded_at", (self.customer(email),))

    def said(self, email, handoff):
        """What the timeline says of a handoff, in the order of its sequence."""
        rows = [row for row in self.timeline(email)
                if row["department"] == "throughline" and row["data"].get("handoff") == str(handoff)]
        return [(row["type"].removeprefix("throughline.handoff."), row["data"]["state"])
                for row in sorted(rows, key=lambda row: row["data"]["sequence"])]
