"""Every connection secured, with certificates made on the spot: HTTPS in, SASL/SCRAM and TLS to Kafka, TLS to PostgreSQL;
what is wrong with a certificate or a password is said in the log and by /readyz, and is over once it is mended.

TLS_IMAGE=throughline:local runs the programs of that image instead of those that were built here: with other versions of
every library, and SCRAM."""
import glob
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from support.certificates import Authority
from support.events import event, person
from support.kafka import Kafka
from support.paths import BUILD, KAFKA_LIBS, RUNS, SERVERS
from support.ports import free_port
from support.postgres import SETTINGS, Postgres, execute
from support.stack import Stack
from support.troubled import fields
from support.wait import wait_for

TOKEN, KAFKA_PASSWORD, DATABASE_PASSWORD = "the-bearer-0123", "kafka-secret-4567", "db-secret-89ab"
WRONG = "wrong-secret-cdef"
LINES = 16  # most warnings of a program until it has told of one trouble: the relay is a client of its own
SECRETS = (TOKEN, KAFKA_PASSWORD, DATABASE_PASSWORD, WRONG)
BOTH = ("tl-sales", "tl-aggregator")


IMAGE = os.environ.get("TLS_IMAGE")
LABEL = "throughline.tests=tls"
PASSED_ON = ("CONFIG", "BROKERS", "LISTEN", "STALE_AFTER", "DATABASE", "TLS_KEY", "TLS_CERTIFICATE", "TRUSTED_PROXIES", "SEND_CA_FILE")


def in_image(*folders):
    """What a program's path and arguments follow, so that the program of that name in the image runs."""
    mounts = [word for folder in folders for word in ("-v", f"{folder}:{folder}")]
    return ["docker", "run", "--rm", "-i", "--init=false", "--network", "host", "--label", LABEL, "--user", f"{os.getuid()}:{os.getgid()}",
            *mounts, *(word for name in PASSED_ON for word in ("-e", f"TL_{name}")), "--entrypoint", "sh", IMAGE,
            "-c", 'exec "${0##*/}" "$@"']


def rdkafka_version():
    """Of the library that the programs run with."""
    if IMAGE:
        found = subprocess.run(["docker", "run", "--rm", "--entrypoint", "dpkg-query", IMAGE, "-W", "-f", "${Version}", "librdkafka1"],
                               capture_output=True, text=True, check=True).stdout
        return found.split("-")[0]
    return subprocess.run(["pkg-config", "--modversion", "rdkafka"], capture_output=True, text=True, check=True).stdout.strip()


# librdkafka logs in to Kafka 4 by SCRAM from 2.6.1 on (its pull request 4895). Where the programs have an older one
# (Debian 12), all of this goes by PLAIN, and test_scram says that it was not tried.
SCRAM = tuple(int(n) for n in rdkafka_version().split(".")[:3]) >= (2, 6, 1)
MECHANISM = "SCRAM-SHA-512" if SCRAM else "PLAIN"

# What is wrong with a server's certificate: how it is made, and what the programs say of it.
WRONGS = {
    "expired": (("right", "localhost", -1), "certificate has expired", "certificate verify failed"),
    "another host's": (("right", "elsewhere.example", 1), "ostname mismatch", "does not match host name"),
    "an unknown authority's": (("other", "localhost", 1), "certificate", "certificate verify failed"),
}


class SecureKafka(Kafka):
    """With a listener that wants TLS and SCRAM, at `secure`; its certificate is kafka.pem in its folder."""

    def __init__(self, folder):
        super().__init__(folder)
        port = free_port()
        self.secure = f"localhost:{port}"
        with open(f"{self.folder}/server.properties", "a", encoding="utf-8") as file:
            file.write(f"listeners=PLAINTEXT://127.0.0.1:{self.port},SECURE://127.0.0.1:{port},CONTROLLER://127.0.0.1:{self.controller}\n"
                       f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port},SECURE://{self.secure}\n"
                       "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT\n"
                       f"sasl.enabled.mechanisms={MECHANISM}\n"
                       "listener.name.secure.scram-sha-512.sasl.jaas.config="
                       "org.apache.kafka.common.security.scram.ScramLoginModule required;\n"
                       f"listener.name.secure.ssl.keystore.type=PEM\nlistener.name.secure.ssl.keystore.location={self.folder}/kafka.pem\n")

    def show(self, certificate, key):
        """Of this server's certificate; from the next start on."""
        with open(f"{self.folder}/kafka.pem", "wb") as out:
            for part in (key, certificate):
                with open(part, "rb") as file:
                    out.write(file.read())

    def password(self, password):
        """Of the user "tl"; returns when the brokers know it. Who is logged in stays so."""
        if not SCRAM:
            return self._plain_password(password)
        return self.configure("--alter", "--entity-type", "users", "--entity-name", "tl", "--add-config",
                              f"SCRAM-SHA-512=[password={password}]")

    def configure(self, *arguments):
        done = subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{KAFKA_LIBS}/*", "kafka.admin.ConfigCommand",
                               "--bootstrap-server", self.brokers, *arguments],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _plain_password(self, password):
        path = f"{self.folder}/server.properties"
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file.read().splitlines() if ".plain.sasl.jaas.config" not in line]
        lines.append("listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule "
                     f'required user_tl="{password}";')
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        if hasattr(self, "process") and self.process.running:
            self.restart()


class SecurePostgres(Postgres):
    """Its certificate and key are beside its data, whose user owns them."""

    def show(self, certificate, key):
        """For connections from now on."""
        for name, source in (("server.pem", certificate), ("server-key.pem", key)):
            path = os.path.join(self.beside, name)
            shutil.copy(source, path)
            os.chmod(path, 0o600)
            owner = os.stat(self.beside)
            os.chown(path, owner.st_uid, owner.st_gid)

    @property
    def beside(self):
        with open(os.path.join(self.folder, "server"), encoding="utf-8") as file:
            return file.read().strip()

    def secure(self, certificate, key):
        self.show(certificate, key)
        for name, value in (("ssl_cert_file", f"{self.beside}/server.pem"), ("ssl_key_file", f"{self.beside}/server-key.pem"),
                            ("ssl", "on")):
            execute(self.uri, f"ALTER SYSTEM SET {name} = '{value}'")
        execute(self.uri, "SELECT pg_reload_conf()")


class World:
    def __init__(self, folder):
        self.folder = str(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.authorities = {name: Authority(self.folder, name) for name in ("right", "other")}
        self.good = self.authorities["right"].issue("good")
        self.kafka = SecureKafka(SERVERS / "tls-kafka")
        self.kafka.show(*self.good)
        if not SCRAM:
            self.kafka.password(KAFKA_PASSWORD)
        self.kafka.start()
        if SCRAM:
            self.kafka.password(KAFKA_PASSWORD)
        self.postgres = SecurePostgres(SERVERS / "tls-postgres", SETTINGS).start()
        self.postgres.secure(*self.good)
        self.stack = Stack(RUNS / "tls", self.kafka, self.postgres.new_database())
        if IMAGE:
            self.stack.wrapper = in_image(self.folder, self.stack.folder)
        self.stack.run("migrate")
        self.query = self.stack.query
        self.query(f"CREATE ROLE tl LOGIN PASSWORD '{DATABASE_PASSWORD}' IN ROLE throughline_writer, throughline_analyst_pii")
        self.stack.tls = ssl.create_default_context(cafile=self.authorities["right"].ca)
        self.configure()

    def show(self, certificate, key):
        """What the listeners show, from their start or SIGHUP on."""
        for path, source in zip(self.shown, (certificate, key)):
            shutil.copy(source, path)

    def secret(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        return path

    def configure(self):
        """As docs/operations.md shows it."""
        self.shown = tuple(os.path.join(self.folder, name) for name in ("listener.pem", "listener-key.pem"))
        self.show(*self.good)
        ca = self.authorities["right"].ca
        port, name = self.stack.database.rsplit(":", 1)[1].split("/")
        self.stack.write_config("throughline.json", {
            "kafka": {"security.protocol": "sasl_ssl", "sasl.mechanisms": MECHANISM, "sasl.username": "tl",
                      "sasl.password": "${file:" + self.secret("kafka-password", KAFKA_PASSWORD) + "}",
                      "ssl.ca.location": ca, "broker.address.family": "v4", "reconnect.backoff.max.ms": "1000"},
            "database": f"host=localhost port={port} dbname={name} user=tl sslmode=verify-full sslrootcert={ca} "
                        "password='${file:" + self.secret("database-password", DATABASE_PASSWORD) + "}'",
            "token": "${file:" + self.secret("token", TOKEN) + "}",
            "tls_certificate": self.shown[0], "tls_key": self.shown[1], "send_ca_file": ca,
            "log_level": "debug"})
        self.stack.env["TL_BROKERS"] = self.kafka.secure
        del self.stack.env["TL_DATABASE"]

    def lines(self, name, since=0):
        with open(self.stack.programs[name].log, encoding="utf-8", errors="replace") as log:
            return [fields(line) for line in log.read().splitlines()[since:] if "level=debug" not in line]

    def mark(self):
        return {name: sum("level=debug" not in line for line in open(self.stack.programs[name].log, encoding="utf-8", errors="replace"))
                for name in BOTH}

    def told(self, name, mark):
        """Warnings and errors since then."""
        return [line for line in self.lines(name)[mark[name]:] if line.get("level") in ("warn", "error")]

    def readiness(self, name):
        try:
            answer = self.stack.request(name, "GET", "/readyz")
        except OSError as error:
            return 0, str(error)
        return answer.status, answer.json.get("detail", "") if answer.status != 200 else ""

    def wait_unready(self, name, words):
        wait_for(lambda: self.readiness(name)[0] == 503 and words in self.readiness(name)[1], 60,
                 lambda: f"{name} says {words}, but: {self.readiness(name)}\n{self.stack.programs[name].tail(8)}", step=0.1)

    def post(self, one):
        return self.stack.post_event("sales", one, Authorization=f"Bearer {TOKEN}")

    def goes_on(self):
        """Both are ready, and an event goes the whole way."""
        for name in BOTH:
            self.stack.wait_ready(name, 90)
        one = event("sales.deal.won", {"customer": person("well"), "amount": 1, "currency": "EUR"})
        wait_for(lambda: self.post(one).status == 202, 60, "tl-sales accepts", step=0.1)
        wait_for(lambda: self.query("SELECT 1 AS one FROM store.events WHERE event_id = %s", (one["id"],)), 60,
                 lambda: f"the event is on the timeline\n{self.stack.programs['tl-aggregator'].tail(10)}", step=0.1)

    def end_sessions(self):
        self.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tl'")

    def close(self):
        try:
            self.stack.close()
        finally:
            if IMAGE:
                left = subprocess.run(["docker", "ps", "-q", "--filter", f"label={LABEL}"], capture_output=True, text=True, check=True)
                subprocess.run(["docker", "kill", *left.stdout.split()], check=False) if left.stdout else None
            self.kafka.remove()
            self.postgres.remove()

    def ask(self, name, *arguments, **env):
        """Another process of a program's configuration, to its end."""
        return subprocess.run([*self.stack.wrapper, BUILD / name, *arguments], env={**self.stack.programs[name].env, **env},
                              capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def world():
    made = World(BUILD / "test" / "tls")
    try:
        made.stack.start(*BOTH)
        yield made
    finally:
        made.close()


def test_the_whole_way(world):
    world.goes_on()
    rows = world.query("SELECT ssl, version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'tl'")
    assert rows and all(row["ssl"] for row in rows), rows
    assert world.stack.request("tl-sales", "POST", "/events", {}).status == 401
    for name in BOTH:
        assert world.stack.metric(name, "throughline_http_certificate_expires_timestamp_seconds") > 0
        done = world.ask(name, "--healthy")
        assert (done.returncode, done.stdout) == (0, "ready\n"), done.stderr


@pytest.mark.skipif(not SCRAM, reason=f"librdkafka {rdkafka_version()} cannot log in to Kafka 4 by SCRAM (it can from 2.6.1 on)")
def test_scram(world):
    done = world.kafka.configure("--describe", "--entity-type", "users", "--entity-name", "tl")
    assert "SCRAM-SHA-512" in done
    world.goes_on()


def test_people_at_the_command_line(world):
    url = f"https://localhost:{world.stack.ports['tl-sales']}"
    one = '{"specversion": "1.0", "id": "by-send", "source": "/tests", "type": "sales.deal.won", "time": "2026-01-08T10:12:07Z", ' \
          '"data": {"customer": {"email": "ann@acme.example"}, "amount": 1, "currency": "EUR"}}\n'
    world.stack.run("send", "-", "--department", "sales", "--url", url, input=one)
    other = world.authorities["other"].ca
    world.stack.run("send", "-", "--department", "sales", "--url", url, "--give-up", "1s", input=one, status=1,
                    env={"TL_SEND_CA_FILE": world.authorities["other"].ca})


def test_a_new_certificate_at_sighup(world):
    """Who connects from then on is shown it, others go on; one that is no good is refused, and the old one goes on."""
    other = world.authorities["other"]
    new = ssl.create_default_context(cafile=other.ca)

    def served(name, context):
        try:
            return world.stack.request(name, "GET", "/healthz", tls=context).status == 200
        except ssl.SSLError:
            return False
    kept = http.client.HTTPSConnection("localhost", world.stack.ports["tl-sales"], timeout=20, context=world.stack.tls)
    kept.request("GET", "/healthz")
    assert kept.getresponse().read()
    mark = world.mark()
    world.show(*other.issue("listener"))
    for name in BOTH:
        world.stack.programs[name].signal(signal.SIGHUP)
        wait_for(lambda: served(name, new), 30, f"{name} shows the new one")
        assert not served(name, world.stack.tls)
    kept.request("GET", "/healthz")
    assert kept.getresponse().status == 200
    kept.close()
    world.show(world.good[0], other.issue("another")[1])
    for name in BOTH:
        world.stack.programs[name].signal(signal.SIGHUP)
        wait_for(lambda: [line for line in world.told(name, mark) if line.get("pointer") == "/tls_key"], 30, f"{name} refuses it")
        assert served(name, new)
    world.show(*world.good)
    for name in BOTH:
        world.stack.programs[name].signal(signal.SIGHUP)
        wait_for(lambda: served(name, world.stack.tls), 30, f"{name} shows the first one again")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_plain_http_and_old_tls_are_refused(world):
    port = world.stack.ports["tl-sales"]
    with pytest.raises(OSError):
        world.stack.request("tl-sales", "GET", "/healthz", tls=None)
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    for version, works in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = version
        with socket.create_connection(("127.0.0.1", port), 10) as plain:
            try:
                with old.wrap_socket(plain) as secure:
                    told = secure.version()
            except (ssl.SSLError, ConnectionResetError):
                told = None
        assert bool(told) == works, (version, told)


def test_a_body_of_many_records_and_one_that_is_too_large(world):
    big = event("sales.deal.won", {"customer": person("big"), "amount": 1, "currency": "EUR", "note": "x" * 200_000})
    assert world.post(big).status == 202
    with socket.create_connection(("127.0.0.1", world.stack.ports["tl-sales"]), 20) as plain:
        with world.stack.tls.wrap_socket(plain, server_hostname="localhost") as secure:
            secure.sendall(b"POST /events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            received = b""
            try:
                for _ in range(40):
                    secure.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            except OSError:
                pass
            while True:
                try:
                    piece = secure.recv(65536)
                except OSError:
                    break
                if not piece:
                    break
                received += piece
    assert received.startswith(b"HTTP/1.1 413 "), received[:200]


def test_many_at_a_time(world):
    """Answers come late, from Kafka's thread, over connections that wait meanwhile."""
    failures = []

    def send():
        for _ in range(10):
            answer = world.post(event("sales.deal.won", {"customer": person("many"), "amount": 1, "currency": "EUR"}))
            if answer.status != 202:
                failures.append(answer)
    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
    world.stack.wait_caught_up(60)


@pytest.mark.parametrize("what", WRONGS)
def test_a_broker_with_a_wrong_certificate(world, what):
    (authority, host, days), words, _ = WRONGS[what]
    mark = world.mark()
    world.kafka.stop()
    world.kafka.show(*world.authorities[authority].issue("wrong-kafka", host, days))
    world.kafka.start()
    try:
        for name in BOTH:
            world.wait_unready(name, "Kafka: no TLS connection with the brokers")
            wait_for(lambda: [line for line in world.told(name, mark) if "no TLS connection" in line["msg"] and words in line["error"]
                              and line["remedy"]], 30, lambda: f"{name} says {words}: {world.told(name, mark)}")
            assert len(world.told(name, mark)) <= LINES, world.told(name, mark)
    finally:
        world.kafka.stop()
        world.kafka.show(*world.good)
        world.kafka.start()
    world.goes_on()


@pytest.mark.parametrize("what", WRONGS)
def test_a_database_with_a_wrong_certificate(world, what):
    (authority, host, days), _, words = WRONGS[what]
    mark = world.mark()
    world.postgres.show(*world.authorities[authority].issue("wrong-postgres", host, days))
    world.query("SELECT pg_reload_conf()")
    world.end_sessions()
    try:
        world.wait_unready("tl-aggregator", "the database (no TLS connection with it)")
        wait_for(lambda: [line for line in world.told("tl-aggregator", mark) if line.get("sqlstate") == "TL002"
                          and words in line["error"] and "sslrootcert" in line["advice"]], 30,
                 lambda: f"the log says {words}: {world.told('tl-aggregator', mark)}")
        assert world.stack.metric("tl-aggregator", 'throughline_aggregator_database_errors_total{kind="tls"}') > 0
    finally:
        world.postgres.show(*world.good)
        world.query("SELECT pg_reload_conf()")
    world.goes_on()


def test_a_wrong_password_for_kafka(world):
    """One that the brokers do not know (any more), until they do."""
    mark = world.mark()
    world.kafka.password(WRONG)
    if SCRAM:
        world.kafka.restart()  # who is logged in stays so
    try:
        for name in BOTH:
            world.wait_unready(name, "Kafka: the brokers refuse the credentials")
            wait_for(lambda: [line for line in world.told(name, mark) if "refuse the credentials" in line["msg"]
                              and "uthentication" in line["error"]], 30, lambda: f"{name}: {world.told(name, mark)}")
    finally:
        world.kafka.password(KAFKA_PASSWORD)
    world.goes_on()


def test_a_wrong_password_for_the_database(world):
    mark = world.mark()
    world.query(f"ALTER ROLE tl PASSWORD '{WRONG}'")
    world.end_sessions()
    try:
        world.wait_unready("tl-aggregator", "the database (it refuses the user)")
        assert [line for line in world.told("tl-aggregator", mark) if line.get("sqlstate") == "28P01"
                and "password authentication failed" in line["error"]]
    finally:
        world.query(f"ALTER ROLE tl PASSWORD '{DATABASE_PASSWORD}'")
    world.goes_on()


def test_what_is_wrong_before_the_start(world):
    """--check names the setting and the reason, and no secret."""
    def check(name, **env):
        done = world.ask(name, "--check", **env)
        assert done.returncode == 2 and not any(secret in done.stderr for secret in SECRETS), done
        return done.stderr
    key = world.authorities["other"].issue("another")[1]
    for name in BOTH:
        assert "/tls_key: " in check(name, TL_TLS_KEY=key) and "is not the key of the certificate" in check(name, TL_TLS_KEY=key)
        assert "/tls_certificate: " in check(name, TL_TLS_CERTIFICATE="/no/such.pem")
        assert "/trusted_proxies: " in check(name, TL_TRUSTED_PROXIES="proxy.example")
    assert "/database: " in check("tl-aggregator", TL_DATABASE=f"postgresql://tl:{WRONG}/x@localhost/name")
    assert "sslrootcert" in check("tl-aggregator", TL_DATABASE="host=localhost sslrootcert=/no/such.pem")


def test_no_secret_is_in_a_log(world):
    """After all of the above, at level debug."""
    world.stack.stop()
    logs = glob.glob(f"{world.stack.folder}/*.log")
    assert len(logs) >= 3, logs
    for log in logs:
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        assert "level=debug" in text or "throughline.log" in log
        for secret in SECRETS:
            assert secret not in text, f"{log} has {secret}"
