"""The stack in Docker, from a copy of a tree, apart from whatever else runs here: a project, images and ports
of its own. Nothing of it is left by remove()."""
import contextlib
import json
import os
import shutil
import subprocess
import time

from support.http import request
from support.paths import ROOT
from support.ports import free_port
from support.wait import wait_for

DEPARTMENTS = ("sales", "billing", "service")
PROGRAMS = (*DEPARTMENTS, "aggregator")


class Failed(AssertionError):
    """A command ended with another status than expected."""


def run(*argv, status=0, input=None, timeout=300, text=True, **more):
    done = subprocess.run([str(word) for word in argv], check=False, input=input, capture_output=True, text=text,
                          timeout=timeout, **more)
    if status is not None and done.returncode != status:
        raise Failed(f"{' '.join(map(str, argv))}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def copy_tree(folder):
    """What a clone would have, and what is not yet committed."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in run("git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


class Composed:
    live = []  # for the report of a failed test

    def __init__(self, name, tree):
        self.name, self.tree = f"throughline-{name}-{os.getpid()}", tree
        self.ports = {department: free_port() for department in DEPARTMENTS}
        self.ports["prometheus"] = free_port()
        self.env = {key: value for key, value in os.environ.items()
                    if not key.startswith(("TL_", "THROUGHLINE_", "COMPOSE_"))}
        self.env.update({f"THROUGHLINE_{name.upper()}_PORT": str(port) for name, port in self.ports.items()},
                        COMPOSE_PROJECT_NAME=self.name, COMPOSE_PROGRESS="plain")
        self.images = set()
        self.use_image("new")
        self._token = None
        Composed.live.append(self)

    def use_image(self, tag):
        """What is built, and started, from now on."""
        self.env.update(THROUGHLINE_IMAGE=f"{self.name}:{tag}", THROUGHLINE_DEMO_IMAGE=f"{self.name}-demo:{tag}")
        self.images |= {self.env["THROUGHLINE_IMAGE"], self.env["THROUGHLINE_DEMO_IMAGE"]}

    def compose(self, *arguments, **more):
        return run("docker", "compose", *arguments, cwd=self.tree, env=self.env, **more)

    def up(self, *arguments, profile=None):
        """Returns when all that was asked for is healthy; the seconds that it took."""
        began = time.monotonic()
        self.compose(*(["--profile", profile] if profile else []), "up", "--wait", *arguments)
        return time.monotonic() - began

    def kill(self, *containers):
        """As a crash does: no word to the program. Who is killed so is not started again by Docker."""
        run("docker", "kill", *containers)

    def remove(self):
        Composed.live.remove(self)
        with contextlib.suppress(Failed):
            self.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5")
        run("docker", "image", "rm", "--force", *(image for image in self.images if image.startswith(self.name)), status=None)

    # What there is.

    def containers(self, *services, everything=False):
        """Ids, of these services or all."""
        return self.compose("--profile", "*", "ps", "-q", *(["--all"] if everything else []), *services).split()

    def inspect(self, *containers):
        return json.loads(run("docker", "inspect", *containers))

    def logs(self):
        """{container: the end of its log}"""
        names = run("docker", "ps", "--all", "--format", "{{.Names}}", "--filter",
                    f"label=com.docker.compose.project={self.name}").split()
        return {name: subprocess.run(["docker", "logs", "--tail", "15", name], check=False, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout for name in names}

    def secret(self, audience, name):
        return self.compose("run", "--rm", "--no-deps", "-T", "secrets", "show", audience, name).strip()

    # What it does.

    @property
    def token(self):
        self._token = self._token or self.secret("sales", "TL_TOKEN")
        return self._token

    def post(self, department, events, timeout=15):
        return request(self.ports[department], "POST", "/events", events,
                       {"Content-Type": "application/cloudevents-batch+json",
                        "Authorization": f"Bearer {self.token}"}, timeout=timeout)

    def throughline(self, *arguments, **more):
        """The command line; what it printed."""
        return self.compose("run", "--rm", "--no-deps", "-T", "throughline", *arguments, **more)

    def rows(self, query):
        """What PostgreSQL answers: a list of lines' fields, as text."""
        out = self.compose("exec", "-T", "postgres", "psql", "-XAtqF", "\t", "-v", "ON_ERROR_STOP=1", "-U", "throughline",
                           "-d", "throughline", "-c", query)
        return [line.split("\t") for line in out.splitlines()]

    def value(self, query):
        return self.rows(query)[0][0]

    def wait_balanced(self, seconds=120):
        """Until all that Kafka has is on the timeline; the books, recounted, must balance then."""
        self.throughline("reconcile", "--wait", f"{seconds}s", timeout=seconds + 60)

    def shares(self):
        """{an aggregator's address: how many partitions it writes}"""
        return {address: int(count) for address, count in self.rows(
            "SELECT host(a.client_addr), count(*) FROM store.consumer_offsets o JOIN pg_stat_activity a "
            "ON a.pid = o.backend_pid GROUP BY 1")}

    def wait_healthy(self, service, seconds=90):
        def healthy():
            containers = self.containers(service)
            return containers and all(one["State"].get("Health", {}).get("Status") == "healthy"
                                      for one in self.inspect(*containers))
        wait_for(healthy, seconds, f"{service} is healthy")
