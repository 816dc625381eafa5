"""What the faults act upon: three department services and two aggregators, which reach Kafka and
PostgreSQL through proxies only, and what can be seen of their progress."""
import json
import time
import urllib.parse

import psycopg2

from orders import RULES
from support.http import request
from support.postgres import connect, execute, proxied
from support.process import Process
from support.wait import Timeout, wait_for

DEPARTMENTS = ("tl-sales", "tl-billing", "tl-service")
AGGREGATORS = ("tl-aggregator", "tl-aggregator#2")
WRITERS = 2  # of an aggregator: each has its own connection,
DUTIES = 2  # as has what one aggregator does at a time, or waits to do: the relay, the watch
ROLE = "faults_writer"  # what the aggregators log in as
# So short that a fault need not last long: a frozen aggregator's partitions move on after 1.5 s,
# one that does not read for 6 s is put out of its group.
AGGREGATOR_KAFKA = {"session.timeout.ms": 1500, "heartbeat.interval.ms": 400,
                    "max.poll.interval.ms": 6000}
DEPARTMENT_KAFKA = {"session.timeout.ms": 1500, "heartbeat.interval.ms": 400}  # of its inbox
# And so that who waits for a row that a frozen aggregator has locked lets go before it is put out itself.
DATABASE_TIMEOUT = "8s"
LEASE = "2s"
# A handoff is never given up here, and soon tried again.
DELIVERY = {"deliver_tries": "1000", "deliver_timeout": "1s"}
MOST_ENDED = 20
PATIENCE = 90  # seconds within which everything goes on by itself after any fault


class World:
    """Start with start(); close() whatever happened."""

    def __init__(self, stack, kafka, postgres):
        self.stack, self.kafka, self.postgres = stack, kafka, postgres
        self.database = stack.database  # as superuser, past every proxy: for looking
        self.load = self.people = None
        self.ended = []  # programs that ended and were not told to
        self.environment = {}
        self._configure()
        self.kafka_of = {"departments": kafka.proxy(0), "aggregators": kafka.proxy(1)}
        self.database_of = {name: postgres.proxy() for name in AGGREGATORS}
        writer = self._make_role()
        for name in DEPARTMENTS:
            self.environment[name] = {"TL_BROKERS": self.kafka_of["departments"].brokers}
        for name in AGGREGATORS:
            self.environment[name] = {"TL_BROKERS": self.kafka_of["aggregators"].brokers,
                                      "TL_DATABASE": proxied(writer, self.database_of[name])}

    def _configure(self):
        with open(f"{self.stack.config}/throughline.json", encoding="utf-8") as file:
            settings = json.load(file)
        settings["tl-aggregator"].update(kafka=AGGREGATOR_KAFKA, lease=LEASE,
                                         database_timeout=DATABASE_TIMEOUT)
        for name in DEPARTMENTS:
            settings[name]["kafka"] = DEPARTMENT_KAFKA
        self.stack.write_config("throughline.json", settings)
        self.stack.write_config("handoffs.json", RULES)

    def _make_role(self):
        """The aggregators' role, which no superuser's privileges spare a limit; its URI."""
        if not self.query("SELECT FROM pg_roles WHERE rolname = %s", (ROLE,)):
            self.query(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}' IN ROLE throughline_writer")
        parts = urllib.parse.urlsplit(self.database)
        return urllib.parse.urlunsplit(
            parts._replace(netloc=f"{ROLE}:{ROLE}@{parts.hostname}:{parts.port}"))

    def query(self, sql, parameters=None):
        return execute(self.database, sql, parameters)

    def connect(self):
        """A foreign session: of a superuser, past the proxies."""
        return connect(self.database)

    @property
    def proxies(self):
        return [*self.kafka_of.values(), *self.database_of.values()]

    def take_handoffs(self, people):
        """Before the departments start; people are let go with the rest."""
        self.people = people.start()
        for name, desk in people.desks.items():
            self.stack.deliver_to(name, desk, **DELIVERY)
        return people

    def start(self, *names, ready=True):
        for name in names or (*DEPARTMENTS, *AGGREGATORS):
            self.stack.start(name, ready=False, env=self.environment[name])
        if ready:
            for name in names or (*DEPARTMENTS, *AGGREGATORS):
                self.stack.wait_ready(name)
        return self

    def close(self):
        """Ends the programs, which may have to take leave of Kafka, and only then the proxies."""
        try:
            self.stack.stop()
        finally:
            if self.people:
                self.people.close()
        for proxy in self.proxies:
            proxy.close()

    def process(self, name) -> Process:
        return self.stack.programs[name]

    # What can be seen.

    def books(self):
        """How many records the books have; None while PostgreSQL does not say."""
        try:
            return int(self.query("SELECT coalesce(sum(next_offset - first_offset), 0) AS n"
                                  " FROM store.consumer_offsets")[0]["n"])
        except psycopg2.Error:
            return None

    def lease_is_with(self, name, lease):
        """An aggregator's own word; False where it says none."""
        try:
            text = request(self.stack.ports[name], "GET", "/metrics", timeout=2).body.decode()
        except OSError:
            return False
        return f'throughline_aggregator_lease_held{{lease="{lease}"}} 1' in text

    def holder_of(self, lease):
        return next((name for name in AGGREGATORS if self.lease_is_with(name, lease)), None)

    def generations(self):
        """How often partitions were taken over; None while PostgreSQL does not say."""
        try:
            return int(self.query("SELECT coalesce(sum(generation), 0) AS n"
                                  " FROM store.consumer_offsets")[0]["n"])
        except psycopg2.Error:
            return None

    def check_programs(self):
        """Whatever ended by itself is a breach, and is started again, so that others are found; but
        not for ever."""
        for name, process in self.stack.programs.items():
            if process.popen is not None and process.popen.poll() is not None:
                self.ended.append(f"{name} ended by itself with status {process.popen.returncode}")
                if len(self.ended) > MOST_ENDED:
                    raise Timeout("programs end by themselves again and again")
                self.start(name, ready=False)

    def wait_progress(self, what):
        """Until events are answered 202, the books move and handoffs are taken by a receiver: whatever
        happened is over, and needed nobody's hand. What it took in seconds."""
        begin = time.monotonic()
        accepted, books = self.load.ledger.accepted_events, self.books()
        taken = len(self.people.taken)

        def moves():
            self.check_programs()
            self.load.check()
            now = self.books()
            return (self.load.ledger.accepted_events > accepted and now is not None
                    and (books is None or now > books) and len(self.people.taken) > taken)
        try:
            wait_for(moves, PATIENCE, what, step=0.05)
        except Timeout:
            raise Timeout(f"nothing goes on {PATIENCE} s after {what}: "
                          f"{self.load.ledger.accepted_events - accepted} events answered 202 since,"
                          f" books at {self.books()}, before {books},"
                          f" {len(self.people.taken) - taken} changes of handoffs taken since") from None
        return time.monotonic() - begin
