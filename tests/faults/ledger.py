"""What was sent and what was answered, kept outside the system under test."""
import collections
import threading

# What is known of an event without asking the system: its row is compared with this. `identities`
# are (kind, value); `amount` is a Decimal. `opens` is the rule by which it opens a handoff, `deal` what
# the handoff, or the end of one, is about.
Content = collections.namedtuple(
    "Content", "department type occurred_at amount currency identities opens deal", defaults=(None, None))


class Ledger:
    """Keys are (source, id) of an event. Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self.sent = {}  # key -> Content: whatever may be on the timeline
        self.accepted = set()  # keys answered 202: what must be on the timeline
        self.accepted_openings = 0  # of these: what must open a handoff
        self.unmappable_sent = set()  # ids of webhooks that must go to quarantine, if anywhere
        self.unmappable_accepted = set()
        self.produced = []  # (topic, partition, offset, value) of records put past the intakes
        self.wrong_answers = []  # neither 202 nor 503, or a 503 without Retry-After
        self.answers = collections.Counter()  # by status; "cut" without one
        self.repeated_anyway = 0  # requests sent again although they were answered 202
        self.walked_away = 0  # requests whose sender did not wait for the answer

    def sending(self, contents):
        """Before the first try."""
        with self._lock:
            self.sent.update(contents)

    def answered(self, department, status, retry_after, body):
        """Every answer; None for a connection that was cut or refused. True for a 202."""
        with self._lock:
            self.answers["cut" if status is None else status] += 1
            if status not in (202, 503, None):
                self.wrong_answers.append(f"tl-{department} answered {status}: {body[:200]!r}")
            elif status == 503 and not retry_after:
                self.wrong_answers.append(f"tl-{department} answered 503 without Retry-After")
        return status == 202

    def accept(self, keys):
        with self._lock:
            self.accepted.update(keys)
            self.accepted_openings += sum(bool(self.sent[key].opens) for key in keys)

    def sending_unmappable(self, event_id):
        with self._lock:
            self.unmappable_sent.add(event_id)

    def accept_unmappable(self, event_id):
        with self._lock:
            self.unmappable_accepted.add(event_id)

    def note(self, counter):
        with self._lock:
            setattr(self, counter, getattr(self, counter) + 1)

    @property
    def accepted_events(self):
        return len(self.accepted) + len(self.unmappable_accepted)

    def summary(self):
        return (f"{self.accepted_events} events answered 202 ({self.answers[202]} answers; "
                f"{self.accepted_openings} of them open a handoff), "
                f"{self.answers[503]} answers 503, {self.answers['cut']} connections cut, "
                f"{self.repeated_anyway} requests repeated although answered 202, "
                f"{self.walked_away} not waited for")
