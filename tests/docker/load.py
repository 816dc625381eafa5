"""Senders that go on whatever happens: each sends batches to one department, and repeats a batch until it is
answered 202. `answers` counts every answer by its status, `cut` what got none."""
import collections
import datetime
import http.client
import threading
import time

from composed import DEPARTMENTS
from support.wait import wait_for

BATCH = 20
KINDS = {"sales": "sales.call.made", "billing": "billing.reminder.sent", "service": "service.visit.made"}
HANDOFF = {"type": "sales.deal.won", "amount": 100, "currency": "EUR"}  # opens one for billing
HANDOFF_EVERY = 200


class Load:
    """From __enter__ until stop(). `name` tells its events from those of others."""

    def __init__(self, stack, name, pause=0.05):
        self.stack, self.name, self.pause = stack, name, pause
        self.accepted, self.answers, self.cut, self.wrong = [], collections.Counter(), 0, []
        self.numbers, self.lock, self.over = 0, threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(department,), daemon=True)
                        for department in DEPARTMENTS]

    def __enter__(self):
        self.stack.token  # pylint: disable=pointless-statement  # known before the first request
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()

    def stop(self):
        """Each sender ends when its last batch is answered 202. The events of a second, so far."""
        self.over.set()
        for thread in self.threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in self.threads), "a batch was not answered 202 within 120 s"
        return len(self.accepted) / (time.monotonic() - self.began)

    def wait_more(self, events=500, seconds=90):
        """Until so many more events were accepted: it goes on."""
        wanted = len(self.accepted) + events
        wait_for(lambda: len(self.accepted) >= wanted, seconds,
                 lambda: f"only {len(self.accepted)} of {wanted} events were accepted: {dict(self.answers)}")

    def check(self):
        """Every event answered 202 is on the timeline exactly once, nothing else is, and nobody heard anything
        but 202 and 503."""
        assert not self.wrong, self.wrong[:5]
        there = [row[0] for row in self.stack.rows(
            f"SELECT event_id FROM throughline.timeline WHERE source = '/load/{self.name}'")]
        missing, extra = set(self.accepted) - set(there), set(there) - set(self.accepted)
        assert not missing, f"{len(missing)} events answered 202 are not on the timeline: {sorted(missing)[:5]}"
        assert not extra, f"{len(extra)} events that nobody sent: {sorted(extra)[:5]}"
        assert len(there) == len(set(there)), "events are on the timeline more than once"

    def _batch(self, department):
        with self.lock:
            first, self.numbers = self.numbers, self.numbers + BATCH
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        return [self._event(department, number, now) for number in range(first, first + BATCH)]

    def _event(self, department, number, now):
        data = {"customer": {"email": f"load{number % 997}@acme.example"}}
        kind = KINDS[department]
        if department == "sales" and number % HANDOFF_EVERY == 0:
            kind, data["amount"], data["currency"] = HANDOFF["type"], HANDOFF["amount"], HANDOFF["currency"]
        return {"specversion": "1.0", "id": f"{department}-{number}", "source": f"/load/{self.name}", "type": kind,
                "time": now, "data": data}

    def _send(self, department):
        while not self.over.wait(self.pause):
            batch = self._batch(department)
            while not self._post(department, batch):
                threading.Event().wait(0.2)

    def _post(self, department, batch):
        try:
            answer = self.stack.post(department, batch)
        except (OSError, http.client.HTTPException):
            with self.lock:
                self.cut += 1
            return False
        with self.lock:
            self.answers[answer.status] += 1
            if answer.status == 202:
                self.accepted.extend(event["id"] for event in batch)
            elif answer.status != 503 or not answer.headers.get("Retry-After"):
                self.wrong.append((department, answer))
        return answer.status == 202
