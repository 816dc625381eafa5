"""A real single-node Kafka (KRaft), run from its jars in a private folder."""
import base64
import os
import shutil
import socket
import subprocess
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from support.paths import KAFKA_LIBS
from support.ports import free_port
from support.process import Process
from support.proxy import Proxy
from support.wait import wait_for

SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/data
num.partitions={partitions}
auto.create.topics.enable=true
message.max.bytes=2097152
replica.fetch.max.bytes=2097152
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
log.segment.bytes=1073741824
log.flush.offset.checkpoint.interval.ms=1000
"""

LOG4J = """
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1}: %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
"""


class Kafka:
    """start, stop, kill and start again on the same data and port; `brokers`
    is its address. `settings` are more lines for server.properties.

    Clients that shall reach it through a proxy only are given `kafka.proxy().brokers`."""

    PROXIES = 2

    def __init__(self, folder, partitions=4, heap="512m", settings=""):
        assert KAFKA_LIBS.is_dir(), f"no jars in {KAFKA_LIBS}: run tests/run once"
        self.folder = os.path.abspath(folder)
        self.port, self.controller = free_port(), free_port()
        self.brokers = f"127.0.0.1:{self.port}"
        # A client goes on to the address that the broker gives it, so that each proxy needs a
        # listener of its own, which gives its clients the proxy's address.
        self.proxied = [(free_port(), free_port()) for _ in range(self.PROXIES)]
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self._write("server.properties", SETTINGS.format(
            port=self.port, controller=self.controller, folder=self.folder, partitions=partitions,
            listeners="".join(f",PROXIED{n}://127.0.0.1:{behind}"
                              for n, (_, behind) in enumerate(self.proxied)),
            advertised="".join(f",PROXIED{n}://127.0.0.1:{front}"
                               for n, (front, _) in enumerate(self.proxied)),
            protocols="".join(f",PROXIED{n}:PLAINTEXT" for n in range(self.PROXIES))) + settings)
        self._write("log4j2.properties", LOG4J)
        java = ["java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:-UsePerfData",
                f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties",
                "-cp", f"{KAFKA_LIBS}/*"]
        properties = f"{self.folder}/server.properties"
        formatted = subprocess.run(
            java + ["-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format",
                    "-t", _cluster_id(), "-c", properties],
            capture_output=True, text=True, timeout=60, check=False)
        assert formatted.returncode == 0, formatted.stdout + formatted.stderr
        self.process = Process("kafka", java + ["kafka.Kafka", properties],
                               f"{self.folder}/kafka.log")

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self, seconds=60):
        """Returns when it answers a metadata request."""
        self.process.start()
        self.process.wait_until(self.answers, seconds, "answers")
        return self

    def stop(self):
        """Cleanly; its data stays."""
        self.process.stop(30)

    def kill(self):
        """As kill -9."""
        self.process.kill()

    def restart(self):
        self.stop()
        return self.start()

    def remove(self):
        self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def proxy(self, number=0):
        """A proxy for clients that get its `brokers`; the caller closes it. There can be PROXIES
        of them, for clients that shall be harmed apart from each other."""
        front, behind = self.proxied[number]
        proxy = Proxy(behind, front)
        proxy.brokers = f"127.0.0.1:{front}"
        return proxy

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.5).close()
        except OSError:
            return False
        try:
            return bool(self.admin().list_topics(timeout=2).brokers)
        except Exception:  # pylint: disable=broad-except  (any error of the client: not yet)
            return False

    def admin(self):
        return AdminClient({"bootstrap.servers": self.brokers, "log_level": 0})

    def topics(self):
        """Names, without Kafka's own."""
        return sorted(t for t in self.admin().list_topics(timeout=10).topics
                      if not t.startswith("__"))

    def forget_topics(self, *prefixes):
        """Deletes every topic, or those with these prefixes, so that the next test begins with none."""
        def names():
            return [name for name in self.topics() if not prefixes or name.startswith(prefixes)]
        found = names()
        if found:
            admin = self.admin()  # must outlive its answers
            for future in admin.delete_topics(found, operation_timeout=10).values():
                future.result(20)
            wait_for(lambda: not names(), 20, "topics are deleted")

    def watermarks(self, topic):
        """{partition: (low, high)}; empty where there is no such topic."""
        consumer = self._consumer()
        try:
            metadata = consumer.list_topics(topic, timeout=10).topics[topic]
            if metadata.error is not None:
                return {}
            return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)
                    for p in metadata.partitions}
        finally:
            consumer.close()

    def count(self, topic):
        """Records in a topic, control records among them."""
        return sum(high - low for low, high in self.watermarks(topic).values())

    def noted(self, group, topic):
        """{partition: offset} that a group has committed; without those where it has none."""
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": group,
                             "enable.auto.commit": False, "log_level": 0})
        try:
            asked = [TopicPartition(topic, p) for p in self.watermarks(topic)]
            return {p.partition: p.offset for p in consumer.committed(asked, timeout=10) if p.offset >= 0}
        finally:
            consumer.close()

    def members(self, group):
        """The members that a group has now; none where there is no such group."""
        return [member for found in self.admin().list_groups(group, timeout=20) for member in found.members]

    def records(self, topic, count, seconds=20):
        """The topic's first `count` records, in the order of their arrival here
        (per partition: of their offsets); fails when there are fewer."""
        wait_for(lambda: self.count(topic) >= count, seconds,
                 lambda: f"{count} records in {topic}, there are {self.count(topic)}")
        consumer = self._consumer()
        found = []
        try:
            consumer.assign([TopicPartition(topic, p, 0) for p in self.watermarks(topic)])

            def read():
                for message in consumer.consume(max(1, count - len(found)), 0.1):
                    assert message.error() is None, message.error()
                    found.append(message)
                return len(found) >= count
            wait_for(read, seconds, lambda: f"{count} records of {topic}, read {len(found)}")
        finally:
            consumer.close()
        return found

    def produce(self, topic, value, key=None, headers=None, partition=-1):
        """One record past every intake; returns when the broker has it."""
        failures = []
        producer = Producer({"bootstrap.servers": self.brokers, "log_level": 0})
        producer.produce(topic, value, key, partition, headers=headers,
                         on_delivery=lambda error, _: failures.append(error) if error else None)
        assert producer.flush(20) == 0 and not failures, failures

    def _consumer(self):
        return Consumer({"bootstrap.servers": self.brokers, "group.id": f"test-{uuid.uuid4()}",
                         "enable.auto.commit": False, "allow.auto.create.topics": False,
                         "auto.offset.reset": "earliest", "log_level": 0})


def headers(message):
    """A record's headers as text; a header given twice is a fault of the test's subject."""
    pairs = [(name, value.decode()) for name, value in message.headers() or []]
    assert len(pairs) == len(dict(pairs)), pairs
    return dict(pairs)


def _cluster_id():
    # Kafka refuses one that begins with a dash.
    return "K" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
