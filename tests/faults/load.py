"""Senders that behave as a good sender does (repeat what was not answered 202), and the outside
ledger of what was answered."""
import http.client
import json
import random
import threading

from support.wait import wait_for

EXAMPLES = {
    "sales": ("sales.deal.won", {"amount": 100.25, "currency": "EUR"}),
    "billing": ("billing.invoice.paid", {"amount": 99.75, "currency": "EUR"}),
    "service": ("service.ticket.opened", {"summary": "It squeaks"}),
}
DEPARTMENTS = tuple(EXAMPLES)
TRIES = 600  # of one request; a sender that needs more has found a service that does not come back
PAUSE = 0.05  # seconds before a request is repeated


class Ledger:
    """What was answered, kept outside the system under test. Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self.accepted = set()  # ids of events answered 202
        self.other = []  # answers that are neither 202 nor 503
        self.repeated = 0  # requests sent again: after a 503 or a cut connection

    def take(self, ids, status):
        with self._lock:
            if status == 202:
                self.accepted.update(ids)
            elif status == 503 or status is None:
                self.repeated += 1
            else:
                self.other.append((status, ids[0]))


class Sender(threading.Thread):
    """Sends `count` events for `customers` customers, in requests of 1 to 20 events."""

    def __init__(self, number, count, customers, seed, ports, ledger):
        super().__init__(name=f"sender-{number}", daemon=True)
        self.number, self.count, self.customers = number, count, customers
        self.random = random.Random(f"{seed}/{number}")
        self.ports, self.ledger = ports, ledger
        self.connections = {}
        self.error = None

    def run(self):
        try:
            sent = 0
            while sent < self.count:
                size = min(self.random.choice((1, 1, 5, 20)), self.count - sent)
                self.send(self.random.choice(DEPARTMENTS), range(sent, sent + size))
                sent += size
        except Exception as error:  # pylint: disable=broad-except  (told by the test)
            self.error = error

    def event(self, department, n):
        kind, data = EXAMPLES[department]
        customer = self.random.randrange(self.customers)
        identities = {"email": f"c{customer}@acme.example"}
        if self.random.random() < 0.3:  # ties two identities of one customer together
            identities["customer"] = f"C{customer}"
        if self.random.random() < 0.1:
            identities["account"] = {"domain": f"a{customer % 20}.example"}
        return {"specversion": "1.0", "id": f"{self.number}-{n}", "source": "/faults", "type": kind,
                "time": f"2026-0{1 + n % 3}-15T{n % 24:02}:{n % 60:02}:00Z",
                "data": {"customer": identities, **data}}

    def send(self, department, numbers):
        events = [self.event(department, n) for n in numbers]
        ids = [e["id"] for e in events]
        body = json.dumps(events)
        for _ in range(TRIES):
            status = self.post(department, body)
            self.ledger.take(ids, status)
            if status == 202:
                return
            if status not in (503, None):
                return
            threading.Event().wait(PAUSE)
        raise AssertionError(f"tl-{department} did not accept a request in {TRIES} tries")

    def post(self, department, body):
        """The answer's status; None when the connection was cut or refused."""
        connection = self.connections.get(department)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.ports[department], timeout=20)
            self.connections[department] = connection
        try:
            connection.request("POST", "/events", body,
                               {"Content-Type": "application/cloudevents-batch+json"})
            response = connection.getresponse()
            response.read()
            return response.status
        except (OSError, http.client.HTTPException):
            connection.close()
            del self.connections[department]
            return None


def run_senders(count, senders, customers, seed, ports, ledger):
    """Starts the senders; they share `count` events."""
    threads = [Sender(n, count // senders, customers, seed, ports, ledger) for n in range(senders)]
    for thread in threads:
        thread.start()
    return threads


def wait_senders(threads, seconds):
    wait_for(lambda: not any(t.is_alive() for t in threads), seconds,
             lambda: f"still sending: {[t.name for t in threads if t.is_alive()]}")
    errors = [t.error for t in threads if t.error]
    assert not errors, errors
