"""Senders that behave as good senders do (repeat what was not answered 202), and some that do what
real ones do, too: repeat what was answered, go away before the answer comes."""
import datetime
import decimal
import http.client
import json
import random
import threading
import time

from ledger import Content
from orders import OPENING, WELCOME_WEBHOOK, hand_over
from support.wait import Timeout, wait_for

EXAMPLES = {
    "sales": ("sales.deal.won", {"currency": "EUR"}),
    "billing": ("billing.invoice.paid", {"currency": "EUR"}),
    "service": ("service.ticket.opened", {"summary": "It squeaks"}),
}
DEPARTMENTS = tuple(EXAMPLES)
SOURCE, STRIPE = "/faults", "/webhooks/stripe"
TRIES = 1200  # of one request; a sender that needs more has found a service that does not come back
PAUSE = 0.05  # seconds before a request is repeated
BURST = 1.0  # seconds that a sender saves up, then sends at once
REPEATED, LEFT = 0.03, 0.01  # shares of requests: repeated although answered 202; not waited for
LARGEST = 20  # events in a request


class Load:
    """What the senders share. `rate` in events a second, for all of them together, holds until
    hurry(); they go on until hurry() has been called and `count` events were accepted, `handoffs` of
    which open a handoff."""

    def __init__(self, count, handoffs, rate, customers, seed, ports, sources, ledger):
        self.count, self.handoffs = count, handoffs
        self.rate, self.customers, self.seed = rate, customers, seed
        self.ports, self.sources, self.ledger = ports, sources, ledger
        self.hurried = threading.Event()
        self.given_up = threading.Event()
        self.leave = threading.Event()  # while set, half of the requests are not waited for
        self.threads = []

    def start(self, senders):
        """The last one sends webhooks, the others native events."""
        kinds = [Sender] * (senders - 1) + [WebhookSender]
        self.threads = [kind(self, n, self.rate / senders) for n, kind in enumerate(kinds)]
        for thread in self.threads:
            thread.start()

    def hurry(self):
        self.hurried.set()

    @property
    def enough(self):
        return self.hurried.is_set() and (
            self.given_up.is_set() or (self.ledger.accepted_events >= self.count and
                                       self.ledger.accepted_openings >= self.handoffs))

    @property
    def sending(self):
        return any(thread.is_alive() for thread in self.threads)

    def check(self):
        """Timeout where a sender has given up, or another error that it met."""
        for thread in self.threads:
            if thread.error:
                raise thread.error

    def wait(self, seconds):
        """Until enough was accepted. Nobody sends any more when it returns, or fails."""
        try:
            wait_for(lambda: not self.sending, seconds,
                     lambda: f"{self.ledger.accepted_events} of {self.count} events accepted,"
                             f" {self.ledger.accepted_openings} of {self.handoffs} open handoffs")
        finally:
            self.given_up.set()
            wait_for(lambda: not self.sending, 60, "the senders end")
        self.check()


class Sender(threading.Thread):
    """Native events in requests of 1 to 20."""

    def __init__(self, load, number, rate):
        super().__init__(name=f"sender-{number}", daemon=True)
        self.load, self.number, self.rate = load, number, rate
        self.random = random.Random(f"{load.seed}/{number}")
        self.connections = {}
        self.sent = 0  # events
        self.turn = 0  # requests
        self.waiting = []  # what goes with a later request
        self.error = None

    def run(self):
        try:
            begin = time.monotonic()
            while not self.load.enough:
                due = begin + self.sent / self.rate
                if due > time.monotonic():
                    self.load.hurried.wait(due - time.monotonic() + BURST)
                self.send_some()
        except Exception as error:  # pylint: disable=broad-except  (told by the test)
            self.error = error
        for connection in self.connections.values():
            connection.close()

    def customer(self, number):
        """(identities as data.customer has them, identities as the timeline has them)"""
        given = {"email": f"c{number}@acme.example"}
        known = [("email", given["email"])]
        if self.random.random() < 0.3:  # ties two identities of one customer together
            given["customer"] = f"C{number}"
            known.append(("customer", given["customer"]))
        if self.random.random() < 0.1:
            given["account"] = {"domain": f"a{number % 20}.example"}
            known.append(("account.domain", given["account"]["domain"]))
        return given, tuple(known)

    def event(self, department, number, customer):
        """(the event, its key, its content)"""
        kind, data = EXAMPLES[department]
        identities, known = self.customer(customer)
        amount = None if "currency" not in data else f"{1 + number % 9000}.{number % 100:02}"
        moment = datetime.datetime(2026, 1 + number % 3, 15, number % 24, number % 60,
                                   number % 59, tzinfo=datetime.timezone.utc)
        data = {"customer": identities, **data}
        if amount:
            data["amount"] = float(amount)
        event = {"specversion": "1.0", "id": f"{self.number}-{number}", "source": SOURCE,
                 "type": kind, "time": moment.isoformat().replace("+00:00", "Z"), "data": data}
        content = Content(department, kind, moment, amount and decimal.Decimal(amount),
                          data.get("currency"), known)
        return event, (SOURCE, event["id"]), content

    def due(self, department):
        """What has waited for this request."""
        due, left = [], []
        for one in self.waiting:
            now = one.department == department and one.turn <= self.turn and len(due) < LARGEST
            (due if now else left).append(one)
        self.waiting = left
        return [one.made for one in due]

    def make_some(self, department):
        for _ in range(self.random.choice((1, 1, 5, LARGEST))):
            customer = self.random.randrange(self.load.customers)
            made = self.event(department, self.sent, customer)
            self.sent += 1
            if self.random.random() < OPENING:
                self.waiting += hand_over(made, department, self.random, customer, self.turn)
            else:
                yield made

    def send_some(self):
        """One request."""
        department = self.random.choice(DEPARTMENTS)
        self.turn += 1
        made = list(self.make_some(department))
        made += self.due(department)
        if not made:
            return  # the only one waits for another request
        contents = {key: content for _, key, content in made}
        body = json.dumps([event for event, _, _ in made])
        self.load.ledger.sending(contents)
        kind = {"Content-Type": "application/cloudevents-batch+json"}
        if self.deliver(department, "/events", body, lambda: kind):
            self.load.ledger.accept(contents)

    def deliver(self, department, path, body, headers):
        """Sends until it is answered 202. False where the sender has lost interest."""
        ledger = self.load.ledger
        for _ in range(TRIES):
            if self.random.random() < (0.5 if self.load.leave.is_set() else LEFT):
                self.walk_away(department, path, body, headers())
                ledger.note("walked_away")
                if self.random.random() < 0.3:
                    return False
                continue
            if self.post(department, path, body, headers()):
                if self.random.random() < REPEATED:
                    self.post(department, path, body, headers())
                    ledger.note("repeated_anyway")
                return True
            if self.load.given_up.is_set():
                return False
            threading.Event().wait(PAUSE)
        raise Timeout(f"tl-{department} did not accept a request in {TRIES} tries")

    def post(self, department, path, body, headers):
        """True for a 202."""
        connection = self.connections.get(department)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.load.ports[department],
                                                    timeout=20)
            self.connections[department] = connection
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            text = response.read()
            return self.load.ledger.answered(department, response.status,
                                             response.getheader("Retry-After"), text)
        except (OSError, http.client.HTTPException):
            connection.close()
            del self.connections[department]
            return self.load.ledger.answered(department, None, None, b"")

    def walk_away(self, department, path, body, headers):
        """Sends all of it, or a part, and is gone before the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.load.ports[department], timeout=5)
        try:
            connection.putrequest("POST", path)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value)
            part = len(body) if self.random.random() < 0.7 else self.random.randrange(len(body))
            connection.endheaders(body.encode()[:part])
            threading.Event().wait(self.random.choice((0, 0.002, 0.01)))
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()


class WebhookSender(Sender):
    """Stripe's paid invoices, signed; of some nobody has told the system what they mean."""

    def send_some(self):
        first, number = self.sent, self.random.randrange(self.load.customers)
        self.sent += 1
        event_id = f"evt_{first}"
        mappable = self.random.random() < 0.9
        created = 1767225600 + first  # in January 2026
        cents = 100 + first % 900000
        opens = WELCOME_WEBHOOK if mappable and self.random.random() < OPENING else None
        invoice = {"id": f"in_{first}", "customer": f"cus_{number}",
                   "customer_email": f"c{number}@acme.example", "amount_paid": cents,
                   "currency": "eur", "welcome": bool(opens)}
        body = json.dumps({"id": event_id, "type": "invoice.paid" if mappable else "moon.risen",
                           "created": created, "data": {"object": invoice}})
        key = (STRIPE, event_id)
        ledger = self.load.ledger
        if mappable:
            ledger.sending({key: Content(
                "billing", "billing.invoice.paid",
                datetime.datetime.fromtimestamp(created, datetime.timezone.utc),
                decimal.Decimal(cents) / 100, "EUR",
                (("stripe", invoice["customer"]), ("email", invoice["customer_email"])), opens)})
        else:
            ledger.sending_unmappable(event_id)
        if self.deliver("billing", STRIPE, body, lambda: {
                "Content-Type": "application/json",
                **self.load.sources.signed("stripe", body.encode())}):
            if mappable:
                ledger.accept([key])
            else:
                ledger.accept_unmappable(event_id)
