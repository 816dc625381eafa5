"""What can be wrong with Kafka, one after the other: the log line that names cause and remedy, once; metric and
readiness, of an intake and of the aggregator; and that it goes on by itself once it is mended."""
import signal
import subprocess

import pytest
from confluent_kafka.admin import NewTopic

from support.events import event, person
from support.kafka import Kafka
from support.paths import KAFKA_LIBS, RUNS, SERVERS
from support.ports import free_port
from support.stack import DEPARTMENTS, Stack
from support.wait import wait_for

BOTH = ("tl-sales", "tl-aggregator")
TOPICS = tuple(f"{kind}.{d}" for d in DEPARTMENTS for kind in ("events", "handoffs")) + ("events.throughline",)
LINES = 16  # most of a program's log lines over one trouble: the relay is a client of its own


class Broker:
    """A Kafka with a listener that wants a password, makes no topics by itself, and asks who may do what."""

    def __init__(self, kafka):
        self.kafka, self.stack = kafka, None

    def users(self, **passwords):
        """From the next start on these, and no others."""
        users = " ".join(f'user_{name}="{password}"' for name, password in passwords.items())
        path = f"{self.kafka.folder}/server.properties"
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file.read().splitlines() if not line.startswith("listener.name.sasl.")]
        lines.append("listener.name.sasl.plain.sasl.jaas.config="
                     f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def make_topics(self, *names):
        admin = self.kafka.admin()
        for future in admin.create_topics([NewTopic(n, 2, 1) for n in names or TOPICS]).values():
            future.result(20)

    def drop_topic(self, name):
        admin = self.kafka.admin()
        admin.delete_topics([name])[name].result(20)
        wait_for(lambda: name not in self.kafka.topics(), 20, "the topic is gone")

    def acl(self, *arguments):
        done = subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{KAFKA_LIBS}/*", "org.apache.kafka.tools.AclCommand",
                               "--bootstrap-server", self.kafka.brokers, *arguments],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def broker(postgres):
    kafka = Kafka(SERVERS / "trouble-kafka")
    sasl = free_port()
    with open(f"{kafka.folder}/server.properties", "a", encoding="utf-8") as file:
        file.write(f"listeners=PLAINTEXT://127.0.0.1:{kafka.port},SASL://127.0.0.1:{sasl},"
                   f"CONTROLLER://127.0.0.1:{kafka.controller}\n"
                   f"advertised.listeners=PLAINTEXT://127.0.0.1:{kafka.port},SASL://127.0.0.1:{sasl}\n"
                   "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT\n"
                   "sasl.enabled.mechanisms=PLAIN\nauto.create.topics.enable=false\n"
                   "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
                   "super.users=User:ANONYMOUS\nallow.everyone.if.no.acl.found=true\n")
    found = Broker(kafka)
    found.users(tl="right")
    kafka.start()
    stack = found.stack = Stack(RUNS / "broker-trouble", kafka, postgres.new_database())
    stack.write_config("throughline.json", {"kafka": {
        "security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": "tl",
        "sasl.password": "right", "topic.metadata.refresh.interval.ms": "1000"}})
    stack.env["TL_BROKERS"] = f"127.0.0.1:{sasl}"
    found.make_topics()
    stack.run("migrate", "--topics", "skip")
    yield found
    try:
        stack.close()
    finally:
        kafka.remove()


# Each begins with programs that run and are well, or not at all; `mend` is all that is done about it.

def broker_killed(b):
    b.kafka.kill()
    return b.kafka.start


def broker_frozen(b):
    b.kafka.process.signal(signal.SIGSTOP)
    return lambda: b.kafka.process.signal(signal.SIGCONT)


def topic_deleted(b):
    b.drop_topic("events.sales")

    def mend():
        b.make_topics("events.sales")
        # Its offsets begin anew, and nothing of it was read: what was read of the old one is known to the books.
        b.stack.run("replay", "--from", "beginning", "--topic", "events.sales")
    return mend


def password_changed(b):
    b.kafka.stop()
    b.users(tl="changed")
    b.kafka.start()

    def mend():
        b.kafka.stop()
        b.users(tl="right")
        b.kafka.start()
    return mend


def topic_forbidden(b):
    b.acl("--add", "--deny-principal", "User:tl", "--operation", "All", "--topic", "events.sales")
    b.acl("--add", "--allow-principal", "User:other", "--operation", "All", "--topic", "events.sales")
    return lambda: b.acl("--remove", "--force", "--topic", "events.sales")


WHILE_RUNNING = {
    "broker killed": (broker_killed, "away", "Kafka: no broker answers", BOTH),
    "broker frozen": (broker_frozen, "away", "Kafka: no broker answers", BOTH),
    "topic deleted": (topic_deleted, "topic", "Kafka: a topic is missing", BOTH),
    "password changed": (password_changed, "credentials", "Kafka: the brokers refuse the credentials", BOTH),
    "topic forbidden": (topic_forbidden, "permission", "Kafka: the user may not use a topic or the group", BOTH),
}


def log_of(stack, name):
    with open(stack.programs[name].log, encoding="utf-8", errors="replace") as log:
        return log.read().splitlines()


def trouble(stack, name, cause):
    metrics = stack.request(name, "GET", "/metrics").body.decode().splitlines()
    line, = [line for line in metrics if line.startswith(f'throughline_kafka_trouble{{cause="{cause}"}}')]
    return int(line.split()[-1])


def readiness(stack, name):
    answer = stack.request(name, "GET", "/readyz")
    return answer.status, answer.json.get("detail", "") if answer.status != 200 else ""


def expect_trouble(stack, before, name, cause, words):
    # An intake names the topic in its readiness.
    topic_words = ("Kafka: topic events.sales" if cause in ("topic", "permission") and name == "tl-sales" else words)
    wait_for(lambda: readiness(stack, name)[0] == 503 and topic_words in readiness(stack, name)[1], 60,
             lambda: f"{name}: {topic_words}, but it says {readiness(stack, name)}\n{stack.programs[name].tail(8)}", step=0.1)
    wait_for(lambda: trouble(stack, name, cause) > 0, 30, f"the metric of {name} says {cause}", step=0.1)
    told = [line for line in log_of(stack, name)[before[name]:] if words in line]
    assert told and all("remedy=" in line and "error=" in line for line in told), told


def expect_well(stack, before, names, cause):
    for name in names:
        stack.wait_ready(name, 90)
        wait_for(lambda: trouble(stack, name, cause) == 0, 30, f"{name} has no trouble with {cause}")
        lines = log_of(stack, name)[before[name]:]
        assert any("Kafka serves us again" in line for line in lines), lines
        lines = [line for line in lines if "level=info" not in line]
        assert len(lines) <= LINES, "\n".join(lines)
    one = event("sales.deal.won", {"customer": person("well"), "amount": 1, "currency": "EUR"})
    wait_for(lambda: stack.post_event("sales", one).status == 202, 30, "tl-sales accepts", step=0.1)
    wait_for(lambda: len(stack.query("SELECT 1 AS one FROM store.events WHERE event_id = %s", (one["id"],))) == 1, 60,
             lambda: f"the event is on the timeline\n{stack.programs['tl-aggregator'].tail(10)}", step=0.1)


@pytest.mark.parametrize("name", WHILE_RUNNING)
def test_trouble_while_running(broker, name):
    begin, cause, words, programs = WHILE_RUNNING[name]
    stack = broker.stack
    for program in programs:
        if program not in stack.programs or not stack.programs[program].running:
            stack.start(program)
        stack.wait_ready(program)
    before = {program: len(log_of(stack, program)) for program in programs}
    mend = begin(broker)
    try:
        for program in programs:
            expect_trouble(stack, before, program, cause, words)
        answer = stack.post_event("sales", event("sales.deal.won", {"customer": person("x"), "amount": 1,
                                                                    "currency": "EUR"}))
        assert answer.status == 503 and answer.headers["Retry-After"], answer
    finally:
        mend()
    expect_well(stack, before, programs, cause)
    assert stack.query("SELECT * FROM throughline.reconciliation WHERE difference <> 0") == []


AT_START = {
    "unknown host": ({"TL_BROKERS": "no-such-host.invalid:9092"}, "name", "Kafka: a broker's host name is not known"),
    "nobody there": ({"TL_BROKERS": "127.0.0.1:1"}, "away", "Kafka: no broker answers"),
}


@pytest.mark.parametrize("name", AT_START)
def test_trouble_at_start(broker, name):
    """The programs run on and say what is wrong, instead of ending."""
    env, cause, words = AT_START[name]
    stack = broker.stack
    stack.stop(*[p for p in BOTH if p in stack.programs])
    before = {p: len(log_of(stack, p)) if p in stack.programs else 0 for p in BOTH}
    stack.start(*BOTH, ready=False, env=env)
    for program in BOTH:
        stack.programs[program].wait_until(lambda: _listens(stack, program), 30, "listens")
        expect_trouble(stack, before, program, cause, words)
        assert len([line for line in log_of(stack, program)[before[program]:] if "level=info" not in line]) <= LINES
    stack.stop(*BOTH)


def _listens(stack, name):
    try:
        return stack.request(name, "GET", "/healthz").status == 200
    except OSError:
        return False
