"""What a program has in hand, and whether it has grown: compared with what the same program has after
a fresh start."""
import os

from support import sanitizer
from world import AGGREGATORS, DEPARTMENTS, DUTIES, ROLE, WRITERS

MIB = 1024 * 1024
# Never above, whatever happens.
MOST_MEMORY = {**dict.fromkeys(DEPARTMENTS, 64 * MIB), **dict.fromkeys(AGGREGATORS, 128 * MIB)}
# A sanitizer keeps shadows and what was freed: under one memory is not judged.
JUDGES_MEMORY = sanitizer.NAME is None
# At rest, above a fresh start's: memory that the C library keeps for the next burst, a connection
# that Kafka's client keeps.
MORE_MEMORY, MORE_FILES, MORE_THREADS = 40 * MIB, 4, 2
OF_A_LEASE = 8  # files, or threads, that go to another aggregator with a lease
OF_DELIVERIES = 24  # files of a department: 8 threads, each with its connection and what wakes it
SESSIONS = len(AGGREGATORS) * (WRITERS + DUTIES)
TEMPORARY_TABLES = 2 * len(AGGREGATORS) * WRITERS  # a session's goes with it, or is taken over


def measure(process):
    """{"memory", "files", "threads"} of a running program; None when it is gone meanwhile."""
    folder = f"/proc/{process.pid}"
    try:
        with open(f"{folder}/status", encoding="utf-8") as file:
            status = dict(line.split(":", 1) for line in file if ":" in line)
        return {"memory": int(status["VmRSS"].split()[0]) * 1024, "threads": int(status["Threads"]),
                "files": len(os.listdir(f"{folder}/fd"))}
    except (OSError, KeyError):
        return None


class Growth:
    """sample() now and then, then check() at rest; `breaches` are sentences."""

    def __init__(self, world):
        self.world, self.breaches, self.most = world, [], {}

    def sample(self):
        for name, process in list(self.world.stack.programs.items()):
            found = process.running and measure(process)
            if found:
                self.most[name] = max(self.most.get(name, 0), found["memory"])

    def check(self):
        """Stops every program, which must end with status 0, and starts it anew."""
        self.sample()
        for name, memory in self.most.items():
            if JUDGES_MEMORY and memory > MOST_MEMORY[name]:
                self.breaches.append(f"{name} took {memory // MIB} MiB, more than"
                                     f" {MOST_MEMORY[name] // MIB}")
        self.check_database()
        for name in (*DEPARTMENTS, *AGGREGATORS):
            process = self.world.process(name)
            old = measure(process) if process.running else None
            held = {self.world.holder_of(lease) for lease in ("relay", "watch")}
            status = process.stop()
            if status != 0:
                self.breaches.append(f"{name} ended with status {status} at SIGTERM")
            self.world.start(name)
            fresh = measure(process)
            if old is None or fresh is None:
                self.breaches.append(f"{name} was not running at the end")
                continue
            for what, more in (("memory", MORE_MEMORY), ("files", MORE_FILES),
                               ("threads", MORE_THREADS)):
                if what == "memory" and not JUDGES_MEMORY:
                    continue
                if name in held and what != "memory":
                    more += OF_A_LEASE
                if name in DEPARTMENTS and what == "files":
                    more += OF_DELIVERIES
                if old[what] > fresh[what] + more:
                    self.breaches.append(f"{name} has grown: {what} {old[what]}, after a fresh start"
                                         f" {fresh[what]}")
        return self.breaches

    def check_database(self):
        """Nothing is left in PostgreSQL but the aggregators' idle sessions."""
        sessions = self.world.query("SELECT pid, state, xact_start FROM pg_stat_activity"
                                    " WHERE usename = %s", (ROLE,))
        if len(sessions) > SESSIONS:
            self.breaches.append(f"{len(sessions)} sessions in PostgreSQL, more than aggregators have")
        tables = self.world.query("SELECT count(*) AS n FROM pg_class WHERE relpersistence = 't'"
                                  " AND relkind = 'r'")[0]["n"]
        if tables > TEMPORARY_TABLES:
            self.breaches.append(f"{tables} temporary tables in PostgreSQL")
        prepared = self.world.query("SELECT count(*) AS n FROM pg_prepared_xacts")[0]["n"]
        held = self.world.query(
            "SELECT count(*) AS n FROM pg_stat_activity WHERE usename = %s AND"
            " xact_start < now() - interval '10s'", (ROLE,))[0]["n"]
        if prepared or held:
            self.breaches.append(f"{prepared + held} transactions are left open in PostgreSQL")

    def summary(self):
        return "most memory: " + ", ".join(f"{name} {memory // MIB} MiB"
                                           for name, memory in sorted(self.most.items()))
