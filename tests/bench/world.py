"""What the benchmarks stand on: a Kafka with a backlog, a PostgreSQL, an aggregator that brings the one
to the other, and what is told of the machine."""
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support.kafka import Kafka  # noqa: E402
from support.paths import BUILD, CONFIG, KAFKA_LIBS  # noqa: E402
from support.ports import free_port  # noqa: E402
from support.postgres import Postgres, connect, execute  # noqa: E402
from support.process import Process  # noqa: E402

FOLDER = BUILD / "bench"
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "8GB"}  # fsync and all else: as PostgreSQL comes
# As Kafka comes; the tests have no time for it. Without, the first writer that joins the group
# reads alone for some seconds, until the next heartbeat tells it of the others.
KAFKA_SETTINGS = "group.initial.rebalance.delay.ms=3000\n"
POLL = 0.02  # seconds between two looks at the books
DRAIN_LIMIT = 900


def say(text):
    print(text, flush=True)


def progress(text):
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)


def end_progress():
    progress("")


class Books:
    """Looks at a database's store.consumer_offsets over one connection."""

    def __init__(self, database):
        self.connection = connect(database)

    def look(self):
        """How many partitions were taken over, how many events are on the timeline."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT count(*) AS partitions, coalesce(sum(on_timeline), 0)::bigint"
                           " AS on_timeline FROM store.consumer_offsets WHERE topic <> 'events.throughline'")
            row = cursor.fetchone()
        return row["partitions"], row["on_timeline"]

    def close(self):
        self.connection.close()


def cpu_seconds(pid):
    """User and system time of a process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_rss_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1)) * 1024


class World:
    """start(), produce(), new_database() and drain() in this order; remove() whatever has begun."""

    def __init__(self, events):
        self.events = events
        # Of the caller's settings none may reach the programs but those named here: what is
        # tried out by hand (TL_WRITERS=3 …) is told with the figures.
        self.env = dict(os.environ, TL_CONFIG=str(CONFIG))
        self.overrides = {k: v for k, v in os.environ.items() if k.startswith("TL_")}
        if not KAFKA_LIBS.is_dir():
            subprocess.run([ROOT / "tests/support/fetch-kafka"], check=True)
        self.kafka = Kafka(FOLDER / "kafka", partitions=4, heap="768m", settings=KAFKA_SETTINGS)
        self.postgres = Postgres(FOLDER / "postgres", [
            argument for name, value in SETTINGS.items() for argument in ("-c", f"{name}={value}")])
        self.database = None
        self.load_before = os.getloadavg()[0]

    def start(self):
        say("starting Kafka and PostgreSQL")
        self.postgres.start()
        self.kafka.start()
        self.env["TL_BROKERS"] = self.kafka.brokers

    def remove(self):
        self.kafka.remove()
        self.postgres.remove()

    def produce(self, *arguments):
        """`arguments` of produce_backlog, after the number of events."""
        say(f"producing {self.events:,} events")
        done = subprocess.run([FOLDER / "produce_backlog", str(self.events), *map(str, arguments)], env=self.env,
                              stdout=subprocess.PIPE, text=True, check=True)
        report = json.loads(done.stdout)
        counts = {topic: self.kafka.count(topic) for topic in self.kafka.topics()}
        assert report["acknowledged"] == sum(counts.values()) == self.events, (report, counts)
        say(f"  {report['bytes_per_event']:.0f} bytes each (key, headers and value) in "
            + ", ".join(f"{topic} {count:,}" for topic, count in counts.items()))
        return report

    def new_database(self):
        """An empty, migrated one in place of the last; everything earlier is on the disk."""
        if self.database:
            name = self.database.rsplit("/", 1)[1]
            execute(self.postgres.uri, f"DROP DATABASE {name} WITH (FORCE)")
        self.database = self.postgres.new_database()
        self.env["TL_DATABASE"] = self.database
        subprocess.run([BUILD / "throughline", "migrate", "--topics", "skip"], env=self.env, check=True,
                       stdout=subprocess.DEVNULL)
        execute(self.postgres.uri, "CHECKPOINT")

    def config_with(self, rules):
        """A copy of the configuration with these rules of handoffs."""
        folder = FOLDER / "config"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(CONFIG, folder)
        (folder / "handoffs.json").write_text(json.dumps(rules), encoding="utf-8")
        return folder

    def drain(self, number, rules=None):
        """With `rules` instead of the handoffs that the configuration comes with."""
        self.kafka.forget_topics("events.throughline", "handoffs.")
        self.new_database()
        env = dict(self.env, TL_GROUP=f"bench-{number}", TL_LISTEN=f"127.0.0.1:{free_port()}")
        if rules is not None:
            env["TL_CONFIG"] = str(self.config_with(rules))
        aggregator = Process("tl-aggregator", [BUILD / "tl-aggregator"],
                             FOLDER / f"aggregator-{number}.log", env)
        books = Books(self.database)
        begun = time.monotonic()
        aggregator.start()
        try:
            assigned, ended = self._watch(aggregator, books, begun)
            cpu, rss = cpu_seconds(aggregator.pid), peak_rss_bytes(aggregator.pid)
            status = aggregator.stop()
            assert status == 0, f"tl-aggregator ended with status {status}\n{aggregator.tail()}"
        finally:
            aggregator.kill()
            books.close()
        self._check()
        return {"seconds": ended - assigned, "seconds_since_start": ended - begun,
                "events_per_second": self.events / (ended - assigned),
                "cpu_seconds": cpu, "peak_rss_bytes": rss}

    def _watch(self, aggregator, books, begun):
        assigned = None
        while True:
            partitions, on_timeline = books.look()
            now = time.monotonic()
            if assigned is None and partitions > 0:
                assigned = now
            if on_timeline >= self.events:
                end_progress()
                return assigned, now
            assert aggregator.running, f"tl-aggregator ended\n{aggregator.tail()}"
            assert now - begun < DRAIN_LIMIT, f"{on_timeline:,} events in {DRAIN_LIMIT} s\n{aggregator.tail()}"
            progress(f"  {on_timeline:,} of {self.events:,} events are on the timeline")
            time.sleep(POLL)

    def _check(self):
        """Counted row by row, not taken from the books."""
        rows = execute(self.database, "SELECT count(*) AS rows FROM store.events"
                       " WHERE topic <> 'events.throughline'")[0]["rows"]
        wrong = execute(self.database, "SELECT topic, partition, difference, duplicates, quarantined"
                        " FROM throughline.reconciliation WHERE difference <> 0 OR duplicates <> 0"
                        " OR quarantined <> 0")
        assert rows == self.events and not wrong, (rows, wrong)


def describe_machine(world):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*:\s*(.*)", file.read())
    librdkafka = subprocess.run(["pkg-config", "--modversion", "rdkafka"], stdout=subprocess.PIPE,
                                text=True, check=True).stdout.strip()
    kafka = [m.group(1) for m in (re.match(r"kafka_[\d.]+-([\d.]+)\.jar", p.name)
                                  for p in KAFKA_LIBS.iterdir()) if m]
    return {
        "cpu": model.group(1) if model else platform.machine(), "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "postgresql": execute(world.postgres.uri, "SHOW server_version")[0]["server_version"].split()[0],
        "librdkafka": librdkafka, "kafka": kafka[0] if kafka else "unknown",
        "load_before": world.load_before,
    }
