"""A PostgreSQL that can be given every kind of trouble, a proxy in front of it, and a stack whose
aggregator logs in through the proxy as a role of its own."""
import json
import os
import re
import subprocess

import psycopg2

from support.events import event, person
from support.paths import RUNS, SERVERS
from support.postgres import SETTINGS, Postgres, connect, execute
from support.proxy import Proxy
from support.stack import Stack
from support.wait import wait_for

TIMEOUT = "4s"  # option database_timeout; half of it for a lock
ROLE, PASSWORD = "troubled", "the right one"
LINE = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')


def fields(line):
    """A log line's fields."""
    return {key: json.loads(value) if value.startswith('"') else value for key, value in LINE.findall(line)}


class Troubled:
    """`stack.query` and the tests' own connections go past the proxy, as superuser; so they work
    whatever ails the aggregator."""

    def __init__(self, name, kafka):
        self.server = Postgres(SERVERS / name, [*SETTINGS, "-c", "deadlock_timeout=1s"])
        self.server.start()
        self.stack = Stack(RUNS / name, kafka, self.server.new_database())
        self.stack.run("migrate", "--topics", "skip")
        self.role(f"LOGIN PASSWORD '{PASSWORD}'", verb="CREATE")
        self.query(f"GRANT throughline_writer TO {ROLE}")
        self.proxy = Proxy(int(self.server.uri.rsplit(":", 1)[1].split("/")[0]))
        self.through = (f"postgresql://{ROLE}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.proxy.port}/"
                        + self.stack.database.rsplit("/", 1)[1])
        with open(f"{self.stack.config}/throughline.json", encoding="utf-8") as file:
            config = json.load(file)
        config.setdefault("tl-aggregator", {})["database_timeout"] = TIMEOUT
        self.stack.write_config("throughline.json", config)
        self.seen = 0  # of the aggregator's log, in bytes

    def close(self):
        try:
            self.stack.close()
        finally:
            self.proxy.close()
            self.server.remove()

    # The database, past the proxy.

    def query(self, sql, parameters=None):
        return execute(self.stack.database, sql, parameters)

    def role(self, what, verb="ALTER"):
        """CREATE or ALTER ROLE of the aggregator."""
        self.query(f"{verb} ROLE {ROLE} {what}")

    def end_sessions(self):
        """So that what was changed for the role counts."""
        self.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'")

    def session(self):
        """A connection of its own, not in autocommit mode."""
        connection = connect(self.stack.database)
        connection.autocommit = False
        return connection

    # The aggregator.

    def start(self):
        self.stack.start("tl-sales", "tl-billing", "tl-service")
        return self.start_aggregator()

    def start_aggregator(self):
        self.stack.start("tl-aggregator", env={"TL_DATABASE": self.through})
        return self

    def mark(self):
        """From here on lines() are read."""
        self.seen = os.path.getsize(self.stack.programs["tl-aggregator"].log)

    def lines(self, message=None, **expected):
        """The aggregator's log lines since mark(): those of this message, with these fields."""
        with open(self.stack.programs["tl-aggregator"].log, encoding="utf-8") as log:
            log.seek(self.seen)
            found = [fields(line) for line in log if line.endswith("\n")]
        return [f for f in found if (message is None or f.get("msg") == message)
                and all(f.get(key) == value for key, value in expected.items())]

    def loud(self):
        """Lines since mark() that are more than news. Without those of who holds a lease: whether it was
        at the database at that moment is chance."""
        return [f for f in self.lines() if f["level"] in ("warn", "error") and "lease" not in f]

    def readiness(self):
        """None where it is ready, else what is missing."""
        answer = self.stack.request("tl-aggregator", "GET", "/readyz")
        return None if answer.status == 200 else answer.json["detail"]

    def metric(self, name):
        text = self.stack.request("tl-aggregator", "GET", "/metrics").body.decode()
        return next(int(line.split()[-1]) for line in text.splitlines() if line.split(" ")[0] == name)

    # Events.

    def send(self, count=6, time="2026-01-08T10:12:07Z", **data):
        """Each must be accepted, whatever ails the database; their ids."""
        sent = []
        for n in range(count):
            department, kind, more = (
                ("sales", "sales.deal.won", {"amount": 1, "currency": "EUR"}),
                ("billing", "billing.invoice.paid", {"amount": 1, "currency": "EUR"}),
                ("service", "service.ticket.opened", {"summary": "It squeaks"}))[n % 3]
            one = event(kind, {"customer": person("troubled"), **more, **data}, time=time)
            answer = self.stack.post_event(department, one)
            assert answer.status == 202, answer
            sent.append(one["id"])
        return sent

    def stored(self, sent):
        return self.query("SELECT count(*) AS n FROM store.events WHERE event_id = ANY(%s)", (sent,))[0]["n"]

    def wait_stored(self, sent, seconds=60):
        """On the timeline, each once, and the books balance."""
        def count():
            try:
                return self.stored(sent)
            except psycopg2.Error:
                return None
        wait_for(lambda: count() == len(sent), seconds,
                 lambda: f"{count()} of {len(sent)} events are on the timeline")
        self.stack.wait_caught_up(seconds)
        assert self.query("SELECT * FROM throughline.reconciliation WHERE difference <> 0") == []
        assert self.stored(sent) == len(sent)

    def wait_well(self, seconds=60):
        wait_for(lambda: self.readiness() is None and
                 self.metric("throughline_aggregator_database_up") == 1, seconds,
                 lambda: f"the aggregator is well: {self.readiness()}")


class SmallDisk:
    """A tablespace on a file system of 2 MiB, where this machine lets us mount one; `real` tells."""

    def __init__(self, troubled):
        self.troubled = troubled
        with open(os.path.join(troubled.server.folder, "server"), encoding="utf-8") as file:
            self.folder = os.path.join(file.read().strip(), "small")
        os.makedirs(self.folder, exist_ok=True)
        self.real = os.geteuid() == 0 and self._mount("size=2m") == 0
        if self.real:
            subprocess.run(["chown", "--reference", os.path.dirname(self.folder), self.folder], check=True)
            troubled.query(f"CREATE TABLESPACE small LOCATION '{self.folder}'")

    def _mount(self, options):
        return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.folder],
                              capture_output=True, check=False).returncode

    def make_room(self):
        assert self._mount("remount,size=64m") == 0

    def remove(self):
        """Only after the server has ended."""
        if self.real:
            subprocess.run(["umount", self.folder], check=True)
