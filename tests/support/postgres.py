"""A private PostgreSQL; the work is done by deploy/demo/private-postgres, which
the demo uses too."""
import itertools
import os
import subprocess
import urllib.parse

import psycopg2
import psycopg2.extras

from support.paths import ROOT
from support.proxy import Proxy

SCRIPT = ROOT / "deploy" / "demo" / "private-postgres"

# Tests end PostgreSQL, never the machine: what it has told the kernel is enough.
SETTINGS = ["-c", "fsync=off", "-c", "full_page_writes=off"]


class Postgres:
    """start, stop (also "immediate", as after a crash), start again on the same
    data and port. `settings` are more -c NAME=VALUE."""

    _names = itertools.count(1)

    def __init__(self, folder, settings=SETTINGS):
        self.folder, self.settings = os.path.abspath(folder), list(settings)
        self.remove()

    def _run(self, action, *arguments):
        # Not captured: the server would hold the pipe open for as long as it lives.
        os.makedirs(self.folder, exist_ok=True)
        log = os.path.join(self.folder, "private-postgres.log")
        with open(log, "w+", encoding="utf-8") as output:
            done = subprocess.run([SCRIPT, action, self.folder, *arguments], check=False,
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  timeout=120, start_new_session=True)
            output.seek(0)
            assert done.returncode == 0, f"{action}: {output.read()}"

    def start(self):
        self._run("start", *self.settings)
        return self

    def stop(self, mode="fast"):
        self._run("stop", mode)

    def restart(self, mode="fast"):
        self.stop(mode)
        return self.start()

    def remove(self):
        if os.path.isdir(self.folder):
            self._run("remove")

    @property
    def uri(self):
        """Of the maintenance database, as superuser."""
        with open(os.path.join(self.folder, "uri"), encoding="utf-8") as file:
            return file.read().strip()

    def new_database(self):
        """An empty database; its URI."""
        name = f"throughline_{next(self._names)}"
        execute(self.uri, f"CREATE DATABASE {name}")
        return self.uri.rsplit("/", 1)[0] + "/" + name

    def proxy(self):
        """A proxy; proxied(uri, proxy) is a database's URI through it. The caller closes it."""
        return Proxy(urllib.parse.urlsplit(self.uri).port)

    def tail(self, lines=30):
        try:
            with open(os.path.join(self.folder, "server"), encoding="utf-8") as file:
                server = file.read().strip()
            with open(os.path.join(server, "log"), encoding="utf-8", errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except FileNotFoundError:
            return ""


def proxied(uri, proxy):
    """The same database by way of the proxy."""
    parts = urllib.parse.urlsplit(uri)
    head, _, _ = parts.netloc.rpartition(":")
    return urllib.parse.urlunsplit(parts._replace(netloc=f"{head}:{proxy.port}"))


def connect(uri):
    """A connection in autocommit mode with UTC times; rows are dicts."""
    connection = psycopg2.connect(uri, connect_timeout=10, application_name="tests",
                                  options="-c TimeZone=UTC",
                                  cursor_factory=psycopg2.extras.RealDictCursor)
    connection.autocommit = True
    return connection


def execute(uri, sql, parameters=None):
    """Runs one statement; its rows as dicts, [] where it has none."""
    connection = connect(uri)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []
    finally:
        connection.close()
