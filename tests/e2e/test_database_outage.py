"""PostgreSQL's connection cut at any byte, silent, over TLS, away under load, and as the command line
meets it."""
import os
import random
import signal
import statistics
import subprocess
import threading
import time

import pytest

from support.paths import BUILD
from support.troubled import ROLE
from support.wait import wait_for

AGAIN = "PostgreSQL works again"
WRITERS = b"tl-aggregator writer "  # how their connections' names begin
OUTAGE = float(os.environ.get("OUTAGE", "10"))  # seconds that PostgreSQL is down under load
CUTS = int(os.environ.get("CUTS", "10"))  # positions at which a connection is cut, in each direction


@pytest.fixture
def one_writer(troubled):
    """One writer, and of its connection alone bytes are counted: not of the relay's and the watch's."""
    t = troubled
    t.stack.stop("tl-aggregator")
    t.stack.start("tl-aggregator", env={"TL_DATABASE": t.through, "TL_WRITERS": "1"})
    t.proxy.only(WRITERS)
    yield t
    t.proxy.normal()
    t.proxy.only()
    t.stack.stop("tl-aggregator")
    t.start_aggregator()


def warm_up(t):
    """Every statement of a batch is prepared; how many bytes (up, down) the next batch takes."""
    t.wait_well()
    sent = t.send(1)
    t.wait_stored(sent)
    state = t.proxy.state
    sent += t.send(1)
    t.wait_stored(sent)
    after = t.proxy.state
    return sent, {way: after[way] - state[way] for way in ("up", "down")}


READY = 6  # bytes of ReadyForQuery, the last message of an answer
COMMITTED = READY + 12  # and of the one before it, "CommandComplete: COMMIT"
COMMIT = 12  # bytes of the request


def test_a_connection_cut_at_any_byte(one_writer):
    """At bytes all over a batch's transaction, each way, among them those around COMMIT and its answer.
    After each cut the next session takes over, and the books balance."""
    t = one_writer
    seed = os.environ.get("SEED") or str(random.SystemRandom().randrange(10**6))
    plan, sent, cut_in_commit = random.Random(seed), [], 0
    ends = {"down": (0, 1, READY, READY + 1, COMMITTED, COMMITTED + 1), "up": (0, 1, COMMIT - 1, COMMIT, COMMIT + 1)}
    for direction, last in ends.items():
        places = [("start", plan.random()) for _ in range(max(0, CUTS - len(last)))] + [("end", n) for n in last]
        for where, n in places:
            warm, size = warm_up(t)
            sent += warm
            at = int(n * size[direction]) + 1 if where == "start" else size[direction] - n
            cuts = t.proxy.cuts
            t.proxy.cut_after(at, direction)
            wait_for(lambda: sent.extend(t.send(1)) or t.proxy.cuts > cuts, 30, f"cut {direction} at {at}", step=0.1)
            t.wait_stored(sent)
            cut_in_commit += t.proxy.state["asked"].endswith("COMMIT\0")
    t.wait_well()
    rows = t.query("SELECT event_id, count(*) AS n FROM store.events WHERE event_id = ANY(%s) GROUP BY 1", (sent,))
    assert {row["event_id"] for row in rows} == set(sent) and {row["n"] for row in rows} == {1}
    print(f"seed {seed}; the last batch took {size}; {sum(max(CUTS, len(e)) for e in ends.values())} cuts,"
          f" {cut_in_commit} of them in COMMIT or its answer, {len(sent)} events")
    assert cut_in_commit > 0


def test_a_silent_database_is_noticed_while_nothing_is_asked(troubled):
    """By the writers, without the relay and the watch, which always ask something."""
    t = troubled
    t.wait_stored(t.send())
    t.wait_well()
    t.mark()
    t.proxy.only(WRITERS)
    t.proxy.freeze()
    try:
        told = wait_for(lambda: t.lines(sqlstate="08006"), 60, "the silence is noticed")
        readiness = t.readiness()
    finally:
        t.proxy.normal()
        t.proxy.only()
    t.wait_well()
    # SELECT 1 as a rule; where the writer was just looking at its partitions' offsets, that.
    assert told[0]["asked"].startswith("SELECT") and told[0]["error"] == "no answer in time", told
    assert "the database (" in readiness


# Over TLS, where bytes may wait in the library unseen by poll().

@pytest.fixture
def over_tls(troubled):
    t = troubled
    with open(os.path.join(t.server.folder, "server"), encoding="utf-8") as file:
        data = os.path.join(file.read().strip(), "data")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", f"{data}/server.key", "-out", f"{data}/server.crt"], check=True, capture_output=True)
    subprocess.run(["chown", "--reference", data, f"{data}/server.key", f"{data}/server.crt"], check=True)
    t.server.settings += ["-c", "ssl=on"]
    t.server.restart()
    t.stack.stop("tl-aggregator")
    t.stack.start("tl-aggregator", env={"TL_DATABASE": t.through + "?sslmode=require"})
    yield t
    del t.server.settings[-2:]
    t.server.restart()
    t.stack.stop("tl-aggregator")
    t.start_aggregator()


def test_all_goes_over_tls(over_tls):
    t = over_tls
    sent = t.send(200, filler=random.randbytes(30000).hex())
    t.wait_stored(sent)
    assert {row["ssl"] for row in t.query("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                                          " WHERE usename = %s", (ROLE,))} == {True}
    customer = t.query("SELECT customer_id FROM throughline.timeline WHERE event_id = %s", (sent[0],))[0]["customer_id"]
    t.query("GRANT throughline_analyst_pii TO " + ROLE)
    for _ in range(20):
        done = throughline(t, "timeline", str(customer), "--json", database=t.through + "?sslmode=require")
        assert done.returncode == 0 and sent[0] in done.stdout, done


# PostgreSQL away under load.

class Load(threading.Thread):
    """Sends events one at a time, and keeps each answer's time."""

    def __init__(self, t, stop):
        super().__init__(daemon=True)
        self.troubled, self.ended, self.sent, self.seconds, self.error = t, stop, [], [], None

    def run(self):
        try:
            while not self.ended.is_set():
                began = time.monotonic()
                self.sent += self.troubled.send(1)
                self.seconds.append(time.monotonic() - began)
                self.ended.wait(0.02)
        except BaseException as error:  # pylint: disable=broad-except  (told by the test)
            self.error = error


def told_of(seconds):
    seconds = sorted(seconds)
    return (f"{len(seconds)} answers, p50 {statistics.median(seconds) * 1000:.0f} ms, "
            f"p99 {seconds[int(len(seconds) * 0.99)] * 1000:.0f} ms, max {seconds[-1] * 1000:.0f} ms")


def test_intake_does_not_notice_that_postgresql_is_down(troubled):
    """OUTAGE=60 for the long form."""
    t = troubled
    t.wait_well()
    t.mark()
    stop = threading.Event()
    threads = [Load(t, stop) for _ in range(4)]
    for thread in threads:
        thread.start()
    stop.wait(5)
    before = [s for thread in threads for s in thread.seconds]
    t.server.stop("immediate")
    down = time.monotonic()
    counts = [len(thread.seconds) for thread in threads]
    stop.wait(OUTAGE)
    during = [s for thread, n in zip(threads, counts) for s in thread.seconds[n:]]
    t.server.start()
    up = time.monotonic()
    t.wait_well()
    well = time.monotonic()
    stop.set()
    for thread in threads:
        thread.join(30)
        assert thread.error is None, thread.error  # send() wants 202 of each
    sent = [one for thread in threads for one in thread.sent]
    t.wait_stored(sent, 120)
    print(f"PostgreSQL down for {up - down:.1f} s\n  before: {told_of(before)}\n  during: {told_of(during)}\n"
          f"  ready {well - up:.1f} s after its start, caught up {time.monotonic() - up:.1f} s after it;"
          f" {len(sent)} events, {len(t.loud())} lines of trouble")
    assert len(during) > OUTAGE
    assert sorted(during)[int(len(during) * 0.99)] < 2
    assert len(t.loud()) <= 4 + 2 * (OUTAGE // 60), t.loud()
    assert len(t.lines(AGAIN)) == 1


# The command line.

def throughline(t, *arguments, database=None, env=None):
    return subprocess.run([BUILD / "throughline", *arguments], capture_output=True, text=True, timeout=60, check=False,
                          env={**t.stack.env, "TL_DATABASE": database or t.through, **(env or {})})


def test_the_command_line_says_what_is_wrong_with_the_database(troubled):
    t = troubled
    t.wait_well()
    t.query("GRANT throughline_analyst_pii TO " + ROLE)
    assert throughline(t, "customers", "nobody").returncode == 1
    for database, word in ((t.through.replace("right", "wrong"), "28P01"),
                           (t.through + "_gone", "3D000"),
                           ("postgresql://127.0.0.1:1/x", "cannot be reached")):
        done = throughline(t, "timeline", "a@b.example", database=database)
        assert done.returncode == 1 and word in done.stderr and "TL_DATABASE" in done.stderr, done
        assert len(done.stderr.splitlines()) == 2, done.stderr
    holder = t.session()
    holder.cursor().execute("LOCK TABLE store.identities IN ACCESS EXCLUSIVE MODE")
    began = time.monotonic()
    done = throughline(t, "timeline", "a@b.example", env={"TL_DATABASE_TIMEOUT": "1s"})
    assert done.returncode == 1 and "no answer in time" in done.stderr, done
    assert time.monotonic() - began < 20
    # The first one's backend may not have noticed yet that its client has gone.
    earlier = [row["pid"] for row in t.query("SELECT pid FROM pg_stat_activity"
                                             " WHERE application_name = 'throughline'")]
    with subprocess.Popen([BUILD / "throughline", "timeline", "a@b.example"], stderr=subprocess.PIPE,
                          env={**t.stack.env, "TL_DATABASE": t.through}) as waiting:
        wait_for(lambda: t.query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'throughline'"
                                 " AND wait_event_type = 'Lock' AND pid <> ALL(%s)", (earlier,)), 20,
                 "it waits for the lock")
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(20) == 1
    holder.rollback()
    holder.close()
    # What the client gave up, the server does not go on with.
    wait_for(lambda: not t.query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'throughline'"), 20,
             "its backends have ended")


def test_the_aggregator_ends_in_time_when_the_database_hangs(troubled):
    t = troubled
    t.wait_well()
    t.mark()
    t.proxy.freeze()
    sent = t.send()
    time.sleep(1)  # a batch is under way
    t.stack.stop("tl-aggregator")
    t.proxy.normal()
    t.stack.start("tl-aggregator", env={"TL_DATABASE": t.through})
    t.wait_stored(sent)


