"""Starting and ending what the demo runs."""
import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # the tools that the demo shares with the tests

from support.http import request  # noqa: E402  pylint: disable=wrong-import-position
from support.ports import free_port  # noqa: E402  pylint: disable=wrong-import-position
from support.process import Process  # noqa: E402  pylint: disable=wrong-import-position
from support.receiver import Receiver  # noqa: E402  pylint: disable=wrong-import-position
from support.sources import Sources  # noqa: E402  pylint: disable=wrong-import-position
from support.wait import wait_for  # noqa: E402  pylint: disable=wrong-import-position

BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
PORTS = {"tl-sales": 8101, "tl-billing": 8102, "tl-service": 8103, "tl-aggregator": 8110}
DEPARTMENTS = ("sales", "billing", "service")
SOON = "2s"  # what the demo takes for the due time of a rule that nobody attends to


def say(text):
    print(text, flush=True)


class Programs:
    """take_folder(), start() all, then `uri`, `ports`, `env`, `sources`, and the departments' own
    systems, which take their handoffs: `receivers`; end() whatever has begun."""

    def __init__(self, folder):
        self.folder, self.postgres, self.lock = folder, folder / "postgres", None
        self.running, self.ports = [], {}
        self.receivers = {name: Receiver() for name in DEPARTMENTS}
        # Nothing of the caller's own settings may lead out of the demo.
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("TL_")}
        self.env["THROUGHLINE_DEMO"] = str(folder)  # by which its processes can be told
        self.uri = None

    def take_folder(self):
        """None; or who has the folder, whose database and logs start() would take away."""
        path = self.folder.with_name(self.folder.name + ".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lock = open(path, "a+", encoding="utf-8")  # pylint: disable=consider-using-with
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return path.read_text(encoding="utf-8").strip() or "?"
        self.lock.truncate(0)
        self.lock.write(f"{os.getpid()}\n")
        self.lock.flush()
        return None

    def start(self, soon_due):
        """`soon_due`: the rule whose handoffs are due at once."""
        self._private_postgres("remove")  # of a demo that was killed
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        say("starting PostgreSQL, a throwaway broker, and the services")
        self._private_postgres("start")
        self.uri = (self.postgres / "uri").read_text(encoding="utf-8").strip()
        self.env.update(TL_CONFIG=self._config(soon_due), TL_DATABASE=self.uri,
                        TL_BROKERS=self._broker(),
                        TL_WRITERS="1")  # the throwaway broker takes its time to share partitions out
        self.sources = Sources(ROOT / "config", lambda source: os.urandom(16).hex())
        self.env.update(self.sources.environment)
        self.throughline("migrate", "--topics", "skip")  # the throwaway broker makes them by itself
        for receiver in self.receivers.values():
            receiver.start()
        for name in PORTS:
            self._service(name)
        for process, name in zip(self.running[1:], PORTS):
            process.wait_until(lambda name=name: self._ready(name), 30, "is ready")

    def end(self):
        """Services first, then what they need. Nothing is left running."""
        broker, services = self.running[:1], self.running[1:]
        for processes in (services, broker):
            for process in processes:
                process.signal(signal.SIGTERM)
            for process in processes:
                try:
                    process.wait(12)
                except AssertionError:
                    process.kill()
        self.running.clear()
        for receiver in self.receivers.values():
            receiver.stop()
        self._private_postgres("remove")

    def throughline(self, *arguments):
        """The command line; what it printed."""
        done = subprocess.run([BUILD / "throughline", *arguments], env=self.env, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"throughline {' '.join(arguments)}: status {done.returncode}\n"
                               f"{done.stdout}{done.stderr}")
        return done.stdout

    def select(self, query):
        """One value from PostgreSQL, as text."""
        done = subprocess.run(["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", query, self.uri],
                              check=False, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr}")
        return done.stdout.strip()

    def post(self, program, path, body, headers):
        return request(self.ports[program], "POST", path, body, headers)

    def _private_postgres(self, action):
        if action == "remove" and not self.postgres.exists():
            return
        log = self.folder.with_name(self.folder.name + "-postgres.log")
        with open(log, "w+", encoding="utf-8") as output:  # a pipe would be held by the server
            done = subprocess.run([ROOT / "deploy/demo/private-postgres", action, self.postgres],
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self.env,
                                  start_new_session=True, check=False, timeout=120)
            output.seek(0)
            text = output.read()
        log.unlink()
        if done.returncode:
            raise RuntimeError(text)

    def _config(self, soon_due):
        """The shipped configuration, but for one due time: nobody waits for hours."""
        shutil.copytree(ROOT / "config", self.folder / "config")
        file = self.folder / "config" / "handoffs.json"
        rules = json.loads(file.read_text(encoding="utf-8"))
        for rule in rules:
            if rule["rule"] == soon_due:
                rule["due"] = SOON
        file.write_text(json.dumps(rules, indent=4), encoding="utf-8")
        return str(self.folder / "config")

    def _broker(self):
        address = self.folder / "broker"
        broker = self._run("tl-embedded-broker", [BUILD / "tl-embedded-broker", "--file", address],
                           self.folder / "tl-embedded-broker.log")
        broker.wait_until(address.exists, 10, "tells its address")
        return address.read_text(encoding="utf-8").strip()

    def _service(self, name):
        self.ports[name] = PORTS[name] if _is_free(PORTS[name]) else free_port()
        if self.ports[name] != PORTS[name]:
            say(f"port {PORTS[name]} is taken: {name} listens on {self.ports[name]}")
        receiver = self.receivers.get(name.removeprefix("tl-"))
        self._run(name, [BUILD / name], self.folder / f"{name}.log",
                  {"TL_LISTEN": f"127.0.0.1:{self.ports[name]}", **(receiver.environment if receiver else {})})

    def _run(self, name, argv, log, env=()):
        process = Process(name, argv, log, {**self.env, **dict(env)}, preexec=_end_with_parent)
        self.running.append(process)
        return process.start()

    def _ready(self, name):
        try:
            return request(self.ports[name], "GET", "/readyz", timeout=2).status == 200
        except OSError:
            return False


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _end_with_parent():
    """In the child: SIGTERM when the demo itself is killed (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
