"""The kinds of faults. Each acts upon a world, for a bounded time, and leaves nothing behind that it
did not find; it tells in a few words what it did. Random choices come from the plan's generator."""
import contextlib
import signal
import threading
import time

import psycopg2

from support.receiver import Receiver
from support.wait import Timeout, wait_for
from world import AGGREGATORS, DEPARTMENTS, ROLE

KINDS = {}  # name -> function(world, random)
# SIGKILL of one program or server each, or PostgreSQL's like of it.
KILLS = ("aggregator_killed", "department_killed", "postgres_crashed", "kafka_killed", "relay_killed",
         "aggregator_killed_in_transaction", "department_killed_while_kafka_is_silent")
# A writer's session in the middle of a transaction.
IN_TRANSACTION = ("SELECT pid, xact_start FROM pg_stat_activity WHERE usename = %s"
                  " AND (state LIKE 'idle in transaction%%' OR"
                  " (state = 'active' AND query LIKE '%%COPY%%FROM STDIN%%'))")


def kind(function):
    KINDS[function.__name__] = function
    return function


def last(seconds):
    """How long a fault lasts, where nothing can be waited for."""
    threading.Event().wait(seconds)


def meanwhile(condition, seconds):
    """Until the condition holds, but no longer; whether it did."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        last(0.02)
    return True


def meanwhile_found(look, seconds):
    """What `look` answers once it is something; None when the time is over."""
    found = []
    meanwhile(lambda: found.append(look()) or found[-1], seconds)
    return found[-1] or None


@contextlib.contextmanager
def stopped(process):
    process.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.signal(signal.SIGCONT)


@contextlib.contextmanager
def harmed(proxy):
    try:
        yield proxy
    finally:
        proxy.normal()


def end(world, name):
    """By SIGTERM, whatever is broken at that moment."""
    world.check_programs()
    try:
        status = world.process(name).stop()
    except Timeout as timeout:
        status = str(timeout)
    if status != 0:
        world.ended.append(f"{name} ended with status {status} at SIGTERM")


def restart(world, name):
    end(world, name)
    world.start(name, ready=False)
    return name


def restart_in_silence(world, random, names, proxy):
    """SIGTERM while Kafka does not answer: to be gone within the time, with status 0."""
    name = random.choice(names)
    with harmed(proxy):
        proxy.freeze()
        last(random.uniform(0.3, 1.5))
        end(world, name)
    world.start(name, ready=False)
    return name


def kill(world, name):
    world.check_programs()
    world.process(name).kill()
    return name


def back(world, name):
    """A department has to be there again before the next fault; a writer may still wait its turn."""
    world.start(name, ready=name in DEPARTMENTS)


# Department services.


@kind
def department_killed(world, random):
    name = kill(world, random.choice(DEPARTMENTS))
    last(random.uniform(0, 0.5))
    back(world, name)
    return name


@kind
def department_frozen(world, random):
    name = random.choice(DEPARTMENTS)
    with stopped(world.process(name)):
        last(random.uniform(0.3, 3))
    return name


@kind
def department_restarted(world, random):
    return restart(world, random.choice(DEPARTMENTS))


@kind
def department_restarted_while_kafka_is_silent(world, random):
    return restart_in_silence(world, random, DEPARTMENTS, world.kafka_of["departments"])


@kind
def department_killed_while_kafka_is_silent(world, random):
    """What it has taken and Kafka has not acknowledged goes with it; nobody may have got a 202."""
    name = random.choice(DEPARTMENTS)
    with harmed(world.kafka_of["departments"]) as proxy:
        proxy.freeze()
        last(random.uniform(0.3, 1))
        kill(world, name)
    back(world, name)
    return name


@kind
def departments_cut_from_kafka(world, random):
    with harmed(world.kafka_of["departments"]) as proxy:
        cuts = 0
        for _ in range(random.randint(1, 4)):
            proxy.cut_after(random.randrange(1, 20000), random.choice(("up", "down")))
            cuts += meanwhile(lambda: proxy.cuts, 0.7)
        return f"{cuts} cuts within, then {proxy.cut()} connections"


@kind
def departments_slow_to_kafka(world, random):
    with harmed(world.kafka_of["departments"]) as proxy:
        if random.random() < 0.5:
            proxy.delay(random.uniform(0.05, 0.4))
        else:
            proxy.throttle(random.randrange(5000, 50000))
        last(random.uniform(1, 2))


@kind
def clients_gone(world, random):
    """Half of the requests are not waited for."""
    before = world.load.ledger.walked_away
    world.load.leave.set()
    meanwhile(lambda: world.load.ledger.walked_away >= before + 20, random.uniform(2, 4))
    world.load.leave.clear()
    return f"{world.load.ledger.walked_away - before} requests"


# The departments' own systems.


@kind
def receiver_gone(world, random):
    """Nobody is at its address; what is under way is cut off."""
    name, desk = random.choice(sorted(world.people.desks.items()))
    desk.stop()
    last(random.uniform(0.5, 3))
    desk.start()
    return name


@kind
def receivers_unwell(world, random):
    """They answer what real ones do now and then, or not at all; some of it they have taken to heart."""
    def answer(_):
        return random.choice((200, 200, 500, 404, (503, {"Retry-After": "1"}), Receiver.CUT,
                              Receiver.HANG))
    try:
        for desk in world.people.desks.values():
            desk.answer = answer
        last(random.uniform(1, 3))
    finally:
        for desk in world.people.desks.values():
            desk.answer = lambda event: 200


# Aggregators.


def other(name):
    return next(n for n in AGGREGATORS if n != name)


def caught_in_transaction(world, name, seconds):
    """Stops an aggregator with SIGSTOP in the middle of a transaction. True if it was possible; then
    it is stopped. Its statements are delayed meanwhile, so that transactions last long enough."""
    process, deadline = world.process(name), time.monotonic() + seconds
    with harmed(world.database_of[name]) as proxy:
        proxy.delay(0.02)
        while time.monotonic() < deadline:
            process.signal(signal.SIGSTOP)
            last(0.06)  # what was on its way has arrived
            found = {(row["pid"], row["xact_start"]) for row in world.query(IN_TRANSACTION, (ROLE,))}
            if found:
                last(0.15)  # the other aggregator's would have moved on
                if found & {(r["pid"], r["xact_start"]) for r in world.query(IN_TRANSACTION, (ROLE,))}:
                    return True
            process.signal(signal.SIGCONT)
            last(0.03)
    return False


def taken_over(world, before):
    """Until somebody has taken partitions over since, and moves them."""
    found = meanwhile(lambda: (world.generations() or 0) > before[0], 15)
    return found and meanwhile(lambda: (world.books() or 0) > before[1], 10)


def state(world):
    return world.generations() or 0, world.books() or 0


@kind
def aggregator_killed(world, random):
    name = kill(world, random.choice(AGGREGATORS))
    if random.random() < 0.5:
        taken_over(world, state(world))
    back(world, name)
    return name


@kind
def aggregator_killed_in_transaction(world, random):
    name = random.choice(AGGREGATORS)
    caught = caught_in_transaction(world, name, 10)
    kill(world, name)
    back(world, name)
    return f"{name}, {'in' if caught else 'not in'} a transaction"


@kind
def relay_killed(world, random):
    """Who publishes the outbox, with records on their way."""
    name = meanwhile_found(lambda: world.holder_of("relay"), 10) or random.choice(AGGREGATORS)
    kill(world, name)
    last(random.uniform(0, 0.5))
    back(world, name)
    return name


@kind
def relay_frozen(world, random):
    """Past its lease: another one publishes, and then the first one goes on."""
    name = meanwhile_found(lambda: world.holder_of("relay"), 10) or random.choice(AGGREGATORS)
    with stopped(world.process(name)):
        moved = meanwhile_found(lambda: world.lease_is_with(other(name), "relay"), 8)
        last(random.uniform(0, 0.5))
    return f"{name}, {'' if moved else 'not '}taken over"


@kind
def aggregator_frozen(world, random):
    """Past its session's timeout, then continued: a zombie, with records in memory."""
    name = random.choice(AGGREGATORS)
    before = state(world)
    with stopped(world.process(name)):
        moved = taken_over(world, before)
        last(random.uniform(0, 0.5))
    return f"{name}, {'' if moved else 'not '}taken over"


@kind
def aggregator_frozen_in_transaction(world, random):
    name = random.choice(AGGREGATORS)
    caught = caught_in_transaction(world, name, 10)
    before = state(world)
    with stopped(world.process(name)):
        moved = taken_over(world, before)
    return f"{name}, {'in' if caught else 'not in'} a transaction, {'' if moved else 'not '}taken over"


@kind
def aggregator_kept_from_polling(world, random):
    """Its statements go nowhere until it is put out of its group (max.poll.interval.ms); then they
    arrive after all: a zombie that is about to write."""
    name = random.choice(AGGREGATORS)
    before = state(world)
    with harmed(world.database_of[name]) as proxy:
        proxy.freeze()
        moved = taken_over(world, before)
        last(random.uniform(0, 0.5))
    return f"{name}, {'' if moved else 'not '}taken over"


@kind
def aggregator_restarted(world, random):
    return restart(world, random.choice(AGGREGATORS))


@kind
def aggregator_restarted_while_kafka_is_silent(world, random):
    return restart_in_silence(world, random, AGGREGATORS, world.kafka_of["aggregators"])


@kind
def aggregators_cut_from_kafka(world, random):
    with harmed(world.kafka_of["aggregators"]) as proxy:
        for _ in range(random.randint(1, 3)):
            proxy.cut_after(random.randrange(1, 50000), random.choice(("up", "down")))
            meanwhile(lambda: proxy.cuts, 0.7)
        return f"{proxy.cut()} connections at last"


@kind
def aggregators_slow_to_kafka(world, random):
    with harmed(world.kafka_of["aggregators"]) as proxy:
        if random.random() < 0.5:
            proxy.delay(random.uniform(0.05, 0.4))
        else:
            proxy.throttle(random.randrange(20000, 100000))
        last(random.uniform(1, 2))


@kind
def aggregators_without_kafka(world, random):
    with harmed(world.kafka_of["aggregators"]) as proxy:
        proxy.freeze()
        last(random.uniform(1, 3))


# PostgreSQL.


@kind
def postgres_crashed(world, random):
    world.postgres.stop("immediate")
    last(random.uniform(0, 1))
    world.postgres.start()


@kind
def sessions_terminated(world, random):
    ended = 0
    for _ in range(random.randint(1, 3)):
        ended += len(world.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                 " WHERE usename = %s", (ROLE,)))
        last(random.uniform(0, 0.3))
    return f"{ended} sessions"


@kind
def session_cut_within(world, random):
    """After any byte, of what goes to the server or comes from it."""
    name = random.choice(AGGREGATORS)
    with harmed(world.database_of[name]) as proxy:
        before = proxy.cuts
        for _ in range(random.randint(2, 5)):
            proxy.cut_after(random.randrange(1, 8000), random.choice(("up", "down")))
            seen = proxy.cuts
            meanwhile(lambda: proxy.cuts > seen, 1.5)
        return f"{name}, {proxy.cuts - before} cuts"


def cut_at_commit(world, random, direction):
    name = random.choice(AGGREGATORS)
    with harmed(world.database_of[name]) as proxy:
        before = proxy.cuts
        proxy.cut_before(b"COMMIT", direction)
        meanwhile(lambda: proxy.cuts > before, 5)
        return f"{name}, {proxy.cuts - before} cuts"


@kind
def session_cut_before_commit(world, random):
    return cut_at_commit(world, random, "up")


@kind
def session_cut_before_commits_answer(world, random):
    return cut_at_commit(world, random, "down")


@kind
def postgres_slow(world, random):
    with harmed(world.database_of[random.choice(AGGREGATORS)]) as proxy:
        if random.random() < 0.5:
            proxy.delay(random.uniform(0.02, 0.2))
        else:
            proxy.throttle(random.randrange(10000, 50000))
        last(random.uniform(1, 2))


@kind
def postgres_silent(world, random):
    with contextlib.ExitStack() as stack:
        for proxy in world.database_of.values():
            stack.enter_context(harmed(proxy)).freeze()
        last(random.uniform(0.5, 3))


@kind
def postgres_refuses_connections(world, random):
    with contextlib.ExitStack() as stack:
        for proxy in world.database_of.values():
            stack.enter_context(harmed(proxy)).refuse()
            proxy.cut()
        last(random.uniform(0.5, 2))


def alter_system(world, action):
    """Not of a session that the setting itself keeps from writing."""
    with contextlib.closing(world.connect()) as session, session.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
        cursor.execute(f"ALTER SYSTEM {action}")
        cursor.execute("SELECT pg_reload_conf()")


@kind
def postgres_read_only(world, random):
    alter_system(world, "SET default_transaction_read_only = on")
    try:
        last(random.uniform(1, 2))
    finally:
        alter_system(world, "RESET default_transaction_read_only")


@kind
def too_many_connections(world, random):
    world.query(f"ALTER ROLE {ROLE} CONNECTION LIMIT 1")
    try:
        world.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (ROLE,))
        last(random.uniform(1, 2))
    finally:
        world.query(f"ALTER ROLE {ROLE} CONNECTION LIMIT -1")


OFFSET_ROWS = "SELECT topic, partition FROM store.consumer_offsets ORDER BY topic DESC, partition DESC"
LOCK_ROW = "SELECT FROM store.consumer_offsets WHERE topic = %s AND partition = %s FOR UPDATE"


@kind
def offset_rows_locked(world, random):
    with contextlib.closing(world.connect()) as session, session.cursor() as cursor:
        cursor.execute("BEGIN")
        rows = world.query(OFFSET_ROWS)[::-1]  # in the writers' order: this one provokes no deadlock
        for n in sorted(random.sample(range(len(rows)), random.randint(1, len(rows)))):
            cursor.execute(LOCK_ROW, (rows[n]["topic"], rows[n]["partition"]))
        last(random.uniform(0.5, 3))
        cursor.execute("ROLLBACK")


def deadlocks(world):
    return world.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[
        0]["deadlocks"]


@kind
def deadlocks_provoked(world, random):
    """A foreign session locks offset rows from the last to the first, writers from the first to the
    last. The foreign one has the longer patience, so that it is the writer's batch that fails."""
    before, deadline = deadlocks(world), time.monotonic() + 15
    while deadlocks(world) == before and time.monotonic() < deadline:
        with contextlib.closing(world.connect()) as session, session.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '5s'; SET lock_timeout = '3s'")
            cursor.execute("BEGIN")
            try:
                for row in world.query(OFFSET_ROWS):
                    cursor.execute(LOCK_ROW, (row["topic"], row["partition"]))
                    last(random.uniform(0, 0.06))
                cursor.execute("ROLLBACK")
            except psycopg2.Error:
                session.rollback()
        last(0.1)
    return f"{deadlocks(world) - before} deadlocks"


# Kafka.


@kind
def kafka_killed(world, random):
    world.kafka.kill()
    last(random.uniform(0, 2))
    world.kafka.start()


@kind
def kafka_frozen(world, random):
    with stopped(world.kafka.process):
        last(random.uniform(0.5, 2.5))


@kind
def kafka_frozen_past_answers(world, random):
    """Longer than an answer may take: what is not acknowledged by then has to be a 503."""
    with stopped(world.kafka.process):
        last(random.uniform(5.5, 7))


@kind
def kafka_refuses_connections(world, random):
    with contextlib.ExitStack() as stack:
        for proxy in world.kafka_of.values():
            stack.enter_context(harmed(proxy)).refuse()
            proxy.cut()
        last(random.uniform(0.5, 2))
    wait_for(world.kafka.answers, 30, "Kafka answers")
