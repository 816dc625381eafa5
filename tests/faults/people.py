"""The departments' own systems, outside the system under test: what each was told of handoffs, try by
try, and the people there, who accept, finish, decline and pass on, by POST until it is answered 202."""
import collections
import hashlib
import http.client
import json
import queue
import random
import threading

from orders import INVOICE
from support.receiver import Receiver

WORKERS = 2  # of each department
PAUSE = 0.05  # seconds before a request is repeated
TRIES = 1200
AGAIN = 0.05  # share of requests that are sent again although they were answered 202
BY = "ann"

# A try, as far as it is kept: thousands of briefs would fill the memory.
Arrival = collections.namedtuple(
    "Arrival", "department id handoff kind sequence digest state brief_version taken")
# What must have become of a handoff after what people were answered 202 for.
Outcome = collections.namedtuple("Outcome", "state department")


class Desk(Receiver):
    """A department's receiver, which keeps all tries in one ledger."""

    def __init__(self, department, people):
        super().__init__()
        self.department, self.people = department, people

    def note(self, one):
        data = one.event["data"]
        self.people.arrived(Arrival(
            self.department, one.id, data["handoff"],
            one.event["type"].removeprefix("throughline.handoff."), int(one.event.get("sequence", 0)),
            hashlib.sha256(one.body).digest(), data.get("state"), data.get("brief_version"),
            one.taken), one.event)


class People:
    """start(), close() whatever happened. `ports`: of the departments' services, once they run. `arrivals` are all tries in order; `outcomes` by handoff;
    `asked`: (handoff, verb) of all requests. Nobody passes a handoff to a department that had it: a
    request of its first time there, repeated because its answer was lost, would count once more."""

    def __init__(self, departments, ports, ledger, seed):
        self.ports, self.ledger, self.seed = ports, ledger, seed
        self.desks = {name: Desk(name, self) for name in departments}
        self.arrivals, self.taken = [], set()
        self.asked, self.error = set(), None
        self._outcomes = {}  # handoff -> (sequence of what people answered, outcome)
        self._had = {}  # handoff -> departments
        self._lock = threading.Lock()
        self._queues = {name: queue.Queue() for name in departments}
        self._busy = 0
        self._over = threading.Event()

    def start(self):
        for name, desk in self.desks.items():
            desk.start()
            for number in range(WORKERS):
                threading.Thread(target=self._work, args=(name,), daemon=True,
                                 name=f"people-{name}-{number}").start()
        return self

    def close(self):
        self._over.set()
        for desk in self.desks.values():
            desk.stop()

    @property
    def forged(self):
        return [why for desk in self.desks.values() for *_, why in desk.forged]

    @property
    def outcomes(self):
        return {handoff: outcome for handoff, (_, outcome) in self._outcomes.items()}

    @property
    def idle(self):
        """Whatever was told them has been answered."""
        return self._busy == 0

    def arrived(self, arrival, event):
        with self._lock:
            self.arrivals.append(arrival)
            place = (arrival.department, arrival.id)
            if not arrival.taken or place in self.taken:
                return
            self.taken.add(place)
            if arrival.kind == "refused":
                return
            self._busy += 1
        self._queues[arrival.department].put((arrival, event["data"].get("rule"), event["data"].get("from")))

    # What people do.

    def _work(self, department):
        connection = None
        while not self._over.is_set():
            try:
                told = self._queues[department].get(timeout=0.2)
            except queue.Empty:
                continue
            connection = connection or http.client.HTTPConnection(
                "127.0.0.1", self.ports[f"tl-{department}"], timeout=20)
            try:
                for verb, more, outcome in self._plan(*told):
                    self._ask(connection, told[0], verb, more)
                    self._note_outcome(told[0], outcome)
            except Exception as error:  # pylint: disable=broad-except  (told by the test)
                self.error = error
            finally:
                with self._lock:
                    self._busy -= 1
        if connection:
            connection.close()

    def _note_outcome(self, arrival, outcome):
        """The answer to a later change may be there before the answer to an earlier one that had to be
        repeated."""
        with self._lock:
            if arrival.sequence >= self._outcomes.get(arrival.handoff, (0,))[0]:
                self._outcomes[arrival.handoff] = (arrival.sequence, outcome)

    def _next_desk(self, handoff, here, rng):
        """A department that has not had it; None: there is none."""
        with self._lock:
            had = self._had.setdefault(handoff, set())
            had.add(here)
            left = [name for name in self.desks if name not in had]
        return rng.choice(left) if left else None

    def _plan(self, arrival, rule, sender):
        """[(verb, more members, what the handoff then is)]: what this change makes people do."""
        rng = random.Random(f"{self.seed}/{arrival.id}")
        here, chance = arrival.department, rng.random()
        other = self._next_desk(arrival.handoff, here, rng)
        finished, accepted = Outcome("done", here), Outcome("accepted", here)
        away = ("reassign", {"to": other}, Outcome("delivered", other))
        if arrival.kind == "closed":  # declined: back with who sent it
            again = arrival.state == "declined" and here == sender and chance < 0.5
            return [away] if again and other else []
        if arrival.kind != "opened":
            return []
        if rule == INVOICE:  # an event may close it at any moment
            return [("accept", {}, accepted)] if chance < 0.2 else []
        if chance < 0.3:
            return [("done", {}, finished)]
        if chance < 0.55:
            return [("accept", {}, accepted), ("done", {"note": "as asked"}, finished)]
        if chance < 0.68:
            return [away] if other else []
        return [("decline", {"note": "not ours"}, Outcome("declined", here))] if chance < 0.8 else []

    def _ask(self, connection, arrival, verb, more):
        self.asked.add((arrival.handoff, verb))
        path = f"/handoffs/{arrival.handoff}/{verb}"
        body = json.dumps({"by": BY, **more})
        key = hashlib.sha256(f"{arrival.id}/{verb}".encode()).hexdigest()[:32]
        again = random.Random(f"{self.seed}/{key}").random() < AGAIN
        for _ in range(TRIES):
            if self._over.is_set():
                return
            if self._post(connection, arrival.department, path, body, key):
                if not again:
                    return
                again = False
            else:
                threading.Event().wait(PAUSE)
        raise AssertionError(f"tl-{arrival.department} did not accept {path} in {TRIES} tries")

    def _post(self, connection, department, path, body, key):
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json",
                                                    "Idempotency-Key": key})
            response = connection.getresponse()
            text = response.read()
            return self.ledger.answered(department, response.status, response.getheader("Retry-After"), text)
        except (OSError, http.client.HTTPException):
            connection.close()
            return self.ledger.answered(department, None, None, b"")

    def summary(self):
        delivered = {a.handoff for a in self.arrivals}
        return (f"{len(delivered)} handoffs delivered in {len(self.arrivals)} tries, {len(self.taken)} changes;"
                f" {len(self.asked)} requests of people")
