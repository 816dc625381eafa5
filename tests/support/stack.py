"""The programs of one test: a copied configuration folder, a database, ports,
logs in a folder of their own."""
import json
import os
import re
import shutil
import subprocess

from support.http import request
from support.paths import BUILD, CONFIG
from support.ports import free_port
from support.postgres import execute
from support.process import Process
from support.sanitizer import PATIENCE
from support.sources import Sources
from support.wait import wait_for

DEPARTMENTS = ("sales", "billing", "service")


class Stack:
    """Nothing runs until start(). Topics of earlier tests are forgotten."""

    live = []  # for the report of a failed test

    def __init__(self, folder, kafka, database):
        self.folder, self.kafka, self.database = str(folder), kafka, database
        shutil.rmtree(self.folder, ignore_errors=True)
        self.config = os.path.join(self.folder, "config")
        shutil.copytree(CONFIG, self.config)
        self.programs, self.ports = {}, {}
        self.own_env = {}  # of one program, at each of its starts
        self.tls = None  # an ssl.SSLContext, where the listeners speak HTTPS
        self.wrapper = []  # what programs run under: valgrind and its options
        # Of the caller's settings none may reach the programs.
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("TL_")}
        # Tests' events are of fixed days, long ago by now: silence is for tests that are about it.
        self.env.update(TL_CONFIG=self.config, TL_BROKERS=kafka.brokers, TL_DATABASE=database,
                        TL_STALE_AFTER="36500d")
        self.learn_sources()
        kafka.forget_topics()
        Stack.live.append(self)

    def learn_sources(self):
        """Gives each source of the configuration a secret. Again after a test has written
        another source."""
        self.sources = Sources(self.config, lambda source: f"a secret of the tests, for {source}")
        self.env.update(self.sources.environment)

    def write_config(self, name, content):
        path = os.path.join(self.config, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)

    # Programs.

    def start(self, *names, ready=True, env=None):
        """Starts "tl-sales", "tl-aggregator", "tl-aggregator#2" (a second one),
        "tl-department:shipping"; returns when each is ready."""
        for name in names:
            program = self.programs.get(name) or self._new(name)
            program.env = {**self.env, "TL_LISTEN": f"127.0.0.1:{self.ports[name]}", **self.own_env.get(name, {}), **(env or {})}
            program.start()
        if ready:
            for name in names:
                self.wait_ready(name)
        return self

    def deliver_to(self, department, receiver, name=None, **settings):
        """From its next start on the department's service delivers handoffs to this Receiver, and
        tries again soon. `settings`: more options, deliver_tries="3"."""
        soon = {"deliver_retry_floor": "50ms", "deliver_retry_ceiling": "500ms",
                "deliver_breaker_floor": "100ms", "deliver_breaker_ceiling": "500ms", **settings}
        self.own_env[name or f"tl-{department}"] = {
            **receiver.environment, **{f"TL_{key.upper()}": value for key, value in soon.items()}}

    def _new(self, name):
        program, _, department = name.split("#")[0].partition(":")
        argv = self.wrapper + [BUILD / program] + (["--department", department] if department else [])
        self.ports[name] = free_port()
        log = os.path.join(self.folder, re.sub(r"\W+", "-", name) + ".log")
        self.programs[name] = Process(name, argv, log)
        return self.programs[name]

    def wait_ready(self, name, seconds=30):
        def ready():
            try:
                return request(self.ports[name], "GET", "/readyz", timeout=2, tls=self.tls).status == 200
            except OSError:
                return False
        self.programs[name].wait_until(ready, seconds, "is ready")

    def stop(self, *names):
        """Stops these, or all; each must end by itself with status 0."""
        statuses = {n: self.programs[n].stop() for n in names or self.programs
                    if self.programs[n].running}
        assert not any(statuses.values()), f"exit statuses: {statuses}"

    def kill(self, *names):
        for name in names or self.programs:
            self.programs[name].kill()

    def close(self):
        """At the end of a test: all stop; what does not is killed and told."""
        Stack.live.remove(self)
        try:
            self.stop()
        finally:
            self.kill()

    def run(self, *arguments, status=0, input=None, timeout=120, env=None):
        """The command line: `throughline …`; its standard output."""
        done = subprocess.run([*self.wrapper, BUILD / "throughline", *arguments], check=False, input=input,
                              capture_output=True, text=True, timeout=timeout * PATIENCE,
                              cwd=self.folder, env={**self.env, **(env or {})})
        with open(os.path.join(self.folder, "throughline.log"), "a", encoding="utf-8") as log:
            log.write(f"$ throughline {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        assert status is None or done.returncode == status, (
            f"throughline {' '.join(arguments)}: status {done.returncode}\n"
            f"{done.stdout}{done.stderr}")
        return done.stdout

    # Requests.

    def request(self, name, method, path, body=None, headers=None, **more):
        return request(self.ports[name], method, path, body, headers, **{"tls": self.tls, **more})

    def post_event(self, department, event, **headers):
        """An event in structured mode; several as a list in batch mode."""
        kind = "cloudevents-batch" if isinstance(event, list) else "cloudevents"
        return self.request(f"tl-{department}", "POST", "/events", event,
                            {"Content-Type": f"application/{kind}+json", **headers})

    def post_webhook(self, name, source, body, headers=None):
        """A webhook to program `name`, signed as its sender signs it."""
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        body = body.encode() if isinstance(body, str) else body
        headers = self.sources.signed(source, body) if headers is None else headers
        return self.request(name, "POST", f"/webhooks/{source}", body,
                            {"Content-Type": "application/json", **headers})

    # What became of it.

    def query(self, sql, parameters=None):
        return execute(self.database, sql, parameters)

    def metric(self, name, metric):
        """The value of a program's metric, by its name with its labels, as it is now."""
        text = self.request(name, "GET", "/metrics").body.decode()
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return float(lines[metric])

    def wait_caught_up(self, seconds=30):
        """Until every record in Kafka is in the books."""
        def behind():
            offsets = {(row["topic"], row["partition"]): row["next_offset"] for row in
                       self.query("SELECT topic, partition, next_offset FROM store.consumer_offsets")}
            return {(topic, partition): (offsets.get((topic, partition)), high)
                    for topic in self.kafka.topics() if topic.startswith("events.")
                    for partition, (_, high) in self.kafka.watermarks(topic).items()
                    if high > (offsets.get((topic, partition)) or 0)}
        wait_for(lambda: not behind(), seconds, lambda: f"the aggregator is behind: {behind()}",
                 step=0.1)

    def logs(self, lines=30):
        """{program: the end of its log}"""
        return {name: program.tail(lines) for name, program in self.programs.items()}
