"""Every trouble that PostgreSQL can be in, under a running aggregator: what it logs (the cause once,
not by each writer and each try), what its metrics and /readyz say, and that it goes on without a hand:
what was accepted meanwhile is on the timeline exactly once, and the books balance."""
import os
import random
import time

import pytest
from confluent_kafka import Consumer

from support.troubled import PASSWORD, ROLE, SmallDisk
from support.wait import wait_for

BUSY, REFUSES, AGAIN = ("PostgreSQL cannot do this now", "PostgreSQL refuses what the aggregator needs",
                        "PostgreSQL works again")
LOUD = 4  # lines of a short trouble at most: its cause, and what it may look like at its beginning


@pytest.fixture(scope="module")
def small_disk(troubled):
    disk = SmallDisk(troubled)
    yield disk
    troubled.stack.stop("tl-aggregator")
    troubled.server.stop()
    disk.remove()


class Trouble:
    """How it begins and ends, and what is then to be seen."""
    kind = "connection"
    level, message = "warn", BUSY
    begins_with = ()  # SQLSTATEs that may be told before: how the trouble looks at first
    event = {}  # for Troubled.send

    def begin(self, t):
        raise NotImplementedError

    def end(self, t):
        raise NotImplementedError


class Cut(Trouble):
    sqlstate, error, missing = "08001", "Connection refused", "cannot be reached"
    begins_with = ("08006",)

    def begin(self, t):
        t.proxy.refuse()
        t.proxy.cut()

    def end(self, t):
        t.proxy.normal()


class BlackHole(Trouble):
    sqlstate, error, missing = "08006", "no answer in time", "the connection was lost"

    def begin(self, t):
        t.proxy.freeze()

    def end(self, t):
        t.proxy.normal()


class Shutdown(Trouble):
    sqlstate, error, missing = "08006", "server closed the connection", "cannot be reached"
    begins_with = ("57P01", "57P02", "57P03", "08001")
    mode = "immediate"

    def begin(self, t):
        t.server.stop(self.mode)

    def end(self, t):
        t.server.start()


class CleanShutdown(Shutdown):
    sqlstate, error = "57P01", "terminating connection due to administrator command"
    begins_with = ("08006", "57P03", "08001")
    mode = "fast"


class StartingUp(Trouble):
    """A standby that answers nobody yet: so does a server that recovers."""
    sqlstate, error, missing = "57P03", "the database system is", "starts up"
    begins_with = ("57P01", "57P02", "08006", "08001")

    def begin(self, t):
        t.server.stop()
        with open(os.path.join(t.server.folder, "server"), encoding="utf-8") as file:
            self.signal = os.path.join(file.read().strip(), "data", "standby.signal")
        with open(self.signal, "w", encoding="utf-8"):
            pass
        t.server.settings += ["-c", "hot_standby=off"]
        t.server.start()

    def end(self, t):
        t.server.stop()
        os.remove(self.signal)
        del t.server.settings[-2:]
        t.server.start()


class OfRole(Trouble):
    """A change of the aggregator's role, from its next session on."""
    change = back = ""
    begins_with = ("57P01",)

    def begin(self, t):
        t.role(self.change)
        t.end_sessions()

    def end(self, t):
        t.role(self.back)
        t.end_sessions()


class TooManyConnections(OfRole):
    sqlstate, error, kind = "53300", f'too many connections for role "{ROLE}"', "resources"
    missing = "too many connections"
    change, back = "CONNECTION LIMIT 0", "CONNECTION LIMIT -1"


class ReadOnly(OfRole):
    sqlstate, error, kind = "25006", "in a read-only transaction", "read_only"
    missing = "it is read-only"
    change, back = "SET default_transaction_read_only = on", "RESET default_transaction_read_only"


class WrongPassword(OfRole):
    sqlstate, error, kind = "28P01", f'password authentication failed for user "{ROLE}"', "rights"
    missing, level, message = "it refuses the user", "error", REFUSES
    change, back = "PASSWORD 'another one'", f"PASSWORD '{PASSWORD}'"


class OfSchema(Trouble):
    """What the migrations made is changed under the aggregator's hands."""
    level, message, kind = "error", REFUSES, "schema"
    change = back = ""

    def begin(self, t):
        t.query(self.change)

    def end(self, t):
        t.query(self.back)


class TableGone(OfSchema):
    sqlstate, error, missing = "42P01", 'relation "store.events" does not exist', "a table is missing"
    change = "ALTER TABLE store.events RENAME TO events_elsewhere"
    back = "ALTER TABLE store.events_elsewhere RENAME TO events"


class RightGone(OfSchema):
    sqlstate, error, missing = "42501", "permission denied for table events", "a right is missing"
    kind = "rights"
    change = "REVOKE INSERT ON store.events FROM throughline_writer"
    back = "GRANT INSERT ON store.events TO throughline_writer"


class MigrationMissing(OfSchema):
    sqlstate, error, missing = "3F000", "the schema is at version", "a migration is missing"
    begins_with = ("57P01",)
    change = ("CREATE TABLE public.kept AS SELECT * FROM store.migrations ORDER BY version DESC LIMIT 1;"
              " DELETE FROM store.migrations WHERE version = (SELECT version FROM public.kept)")
    back = "INSERT INTO store.migrations SELECT * FROM public.kept; DROP TABLE public.kept"

    def begin(self, t):
        super().begin(t)
        t.end_sessions()


class TableLocked(Trouble):
    """Somebody else's lock that does not go away."""
    sqlstate, error, missing = "55P03", "lock timeout", "a lock"
    kind = "timeout"

    def begin(self, t):
        self.holder = t.session()
        self.holder.cursor().execute("LOCK TABLE store.customers IN ACCESS EXCLUSIVE MODE")

    def end(self, t):
        self.holder.rollback()
        self.holder.close()


class DataRefused(OfSchema):
    """A constraint that all rows break; not those of the events themselves, which go to quarantine."""
    sqlstate, error, missing = "23514", "violates check constraint", "it refuses a batch"
    kind, event = "data", {}
    change = "ALTER TABLE store.customers ADD CONSTRAINT none CHECK (false) NOT VALID"
    back = "ALTER TABLE store.customers DROP CONSTRAINT none"


TROUBLES = [Cut, BlackHole, Shutdown, CleanShutdown, StartingUp, TooManyConnections, ReadOnly, WrongPassword,
            TableGone, RightGone, MigrationMissing, TableLocked, DataRefused]


def go_through(t, trouble):
    """One trouble from its beginning to its end."""
    t.wait_well()
    t.mark()
    errors = f'throughline_aggregator_database_errors_total{{kind="{trouble.kind}"}}'
    before = t.metric(errors)
    sent = t.send()
    trouble.begin(t)
    try:
        sent += t.send(**trouble.event)
        told = wait_for(lambda: t.lines(sqlstate=trouble.sqlstate), 60,
                        lambda: f"{trouble.sqlstate} is told: {t.loud()}")[0]
        assert told["msg"] == trouble.message and told["level"] == trouble.level, told
        assert trouble.error in told["error"] and told["asked"] and told["advice"], told
        wait_for(lambda: trouble.missing in (t.readiness() or ""), 30,
                 lambda: f"/readyz says \"{trouble.missing}\": {t.readiness()}")
        assert t.metric("throughline_aggregator_database_up") == 0
        assert t.metric(errors) > before
        time.sleep(1.5)  # tried again meanwhile, and not told again
        assert t.readiness() is not None
    finally:
        trouble.end(t)
    t.wait_stored(sent)
    t.wait_well()
    sent = t.send()
    t.wait_stored(sent)
    assert len(t.lines(sqlstate=trouble.sqlstate)) == 1, t.loud()
    assert {f.get("sqlstate") for f in t.loud()} <= {trouble.sqlstate, *trouble.begins_with}, t.loud()
    assert len(t.loud()) <= LOUD, t.loud()
    again = wait_for(lambda: t.lines(AGAIN), 20, "the end of it is told")
    assert len(again) == 1 and again[0]["level"] == "info", again
    print(f"{type(trouble).__name__}: {len(t.loud())} lines, over after {again[0]['after_ms']} ms and"
          f" {again[0]['failures']} failures")


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: one.__name__)
def test_trouble_passes_without_a_hand(troubled, trouble):
    go_through(troubled, trouble())


def test_waiting_for_partitions_does_not_end_a_trouble(troubled):
    """A batch is refused, and then the group makes the writer wait: another member does not answer."""
    t, trouble = troubled, DataRefused()
    member = Consumer({"bootstrap.servers": t.stack.kafka.brokers, "group.id": "throughline", "log_level": 0,
                       "partition.assignment.strategy": "range,roundrobin"})
    member.subscribe(["events.sales"])
    wait_for(lambda: member.poll(0.2) is None and member.assignment(), 30, "the group has another member")
    t.wait_well()
    t.mark()
    trouble.begin(t)
    try:
        sent = t.send(12)
        wait_for(lambda: t.lines(sqlstate=trouble.sqlstate), 30, "it is told")
        time.sleep(6)  # twice as long as a calm that ends a trouble
        assert trouble.missing in (t.readiness() or "") and not t.lines(AGAIN), t.lines()
    finally:
        trouble.end(t)
        member.close()
    t.wait_stored(sent)
    t.wait_well()


class DiskFull(Trouble):
    """A real one where a small file system can be mounted, else its SQLSTATE from a trigger."""
    sqlstate, error, missing, kind = "53100", "No space left on device", "its disk is full", "resources"
    begins_with = ("57P01",)

    def __init__(self, disk):
        self.disk = disk
        self.event = {"count": 60, "time": "2025-03-03T00:00:00Z", "filler": random.randbytes(40000).hex()}

    def begin(self, t):
        if self.disk.real:
            t.role("SET default_tablespace = small")  # of the month that these events make
            t.end_sessions()
            return
        print("no small file system can be mounted here: the SQLSTATE comes from a trigger")
        t.query("CREATE FUNCTION store.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
                " 'No space left on device' USING ERRCODE = '53100'; END $$;"
                " CREATE TRIGGER full_disk BEFORE INSERT ON store.events FOR EACH ROW EXECUTE FUNCTION"
                " store.full()")

    def end(self, t):
        if self.disk.real:
            self.disk.make_room()
            t.role("RESET default_tablespace")
        else:
            t.query("DROP TRIGGER full_disk ON store.events; DROP FUNCTION store.full()")


def test_a_full_disk(troubled, small_disk):
    go_through(troubled, DiskFull(small_disk))


def raise_times(t, sqlstate, times):
    """The next rows of store.identities meet this error, so many times."""
    t.query("CREATE SEQUENCE store.raised; GRANT USAGE ON SEQUENCE store.raised TO throughline_writer;"
            " CREATE FUNCTION store.raise_some() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF nextval('store.raised') <= {times} THEN RAISE EXCEPTION 'raised by a test'"
            f" USING ERRCODE = '{sqlstate}'; END IF; RETURN NEW; END $$;"
            " CREATE TRIGGER raise_some BEFORE INSERT ON store.identities FOR EACH ROW EXECUTE FUNCTION"
            " store.raise_some()")


def test_serialization_failures_are_tried_again(troubled):
    """By a trigger: the aggregator's isolation level knows none."""
    t = troubled
    t.wait_well()
    t.mark()
    raise_times(t, "40001", 5)
    try:
        sent = t.send()
        t.wait_stored(sent)
    finally:
        t.query("DROP TRIGGER raise_some ON store.identities; DROP FUNCTION store.raise_some();"
                " DROP SEQUENCE store.raised")
    t.wait_well()
    assert [f["sqlstate"] for f in t.loud()] == ["40001"], t.loud()
    assert not t.lines("Partitions were revoked"), "the session goes on"


def deadlock(t):
    """A real one: a session that holds the customers the aggregator wants, and then wants its offsets.
    What the aggregator logged of it."""
    t.wait_well()
    t.mark()
    other = t.session()
    cursor = other.cursor()
    cursor.execute("SET LOCAL deadlock_timeout = '10min'")  # it is the aggregator that finds it
    cursor.execute("LOCK TABLE store.customers IN ACCESS EXCLUSIVE MODE")
    sent = t.send(1)
    with t.session() as looking, looking.cursor() as look:
        def waits():
            look.execute("SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                         " WHERE a.usename = %s AND a.application_name LIKE 'tl-aggregator writer %%'"
                         " AND NOT l.granted", (ROLE,))
            return look.fetchone()
        wait_for(waits, 20, "a writer, not the watch, waits for the customers", step=0.005)
    cursor.execute("UPDATE store.consumer_offsets SET next_offset = next_offset")
    other.rollback()
    other.close()
    t.wait_stored(sent)
    t.wait_well()
    return [f["sqlstate"] for f in t.loud()]


def test_a_deadlock_is_tried_again(troubled):
    """The aggregator looks for it after a second of waiting and gives up after two: should this machine
    be too slow to close the circle within the first one, that is told as 55P03, and is no deadlock. The
    watch wants the customers, too, and gives up the same way."""
    t = troubled
    errors = 'throughline_aggregator_database_errors_total{kind="retry"}'
    before = t.metric(errors)
    for _ in range(5):
        told = deadlock(t)
        if "55P03" not in told:
            break
    assert told == ["40P01"] and t.metric(errors) > before
    assert not t.lines("Partitions were revoked"), "the session goes on"
