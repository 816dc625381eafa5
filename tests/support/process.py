"""A program under test: started in a process group of its own, its output in a
file, ended for certain."""
import atexit
import os
import signal
import subprocess

from support.sanitizer import PATIENCE
from support.wait import Timeout, wait_for

# Of these nobody but a program itself is the cause: no test sends them.
CRASHES = {-signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL, -signal.SIGSEGV}

_alive = set()
_crashed = []


def crashed():
    """The programs that have crashed since the last call, whoever asked for their exit status."""
    for process in list(_alive):
        process.note_end()
    found = list(_crashed)
    _crashed.clear()
    return found


def _end_all():
    for process in list(_alive):
        process.kill()


atexit.register(_end_all)


class Process:
    """`argv` runs at start(); several starts append to the same log."""

    def __init__(self, name, argv, log, env=None, preexec=None):
        self.name, self.argv, self.log = name, [str(a) for a in argv], str(log)
        self.env, self.preexec = env, preexec
        self.popen = None

    def start(self):
        assert not self.running, f"{self.name} runs already"
        self.note_end()
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.env, preexec_fn=self.preexec, start_new_session=True)
        _alive.add(self)
        return self

    @property
    def pid(self):
        return self.popen.pid

    @property
    def running(self):
        return self.popen is not None and self.popen.poll() is None

    def signal(self, number):
        if self.running:
            os.killpg(self.popen.pid, number)

    def wait(self, seconds):
        """The exit status; Timeout when it goes on."""
        seconds *= PATIENCE
        try:
            status = self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Timeout(f"{self.name} goes on after {seconds} s") from None
        self.note_end()
        return status

    def note_end(self):
        """Once for each start, when it has ended."""
        if self in _alive and not self.running:
            _alive.discard(self)
            if self.popen.returncode in CRASHES:
                _crashed.append(self)

    def stop(self, seconds=12):
        """SIGTERM, and the exit status. One that does not end is killed, and that is a failure."""
        if self.popen is None:
            return None
        self.signal(signal.SIGTERM)
        try:
            return self.wait(seconds)
        except Timeout:
            self.kill()
            raise

    def kill(self):
        """SIGKILL for the whole group; fine when it has ended."""
        if self.popen is None:
            return
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()
        self.note_end()

    def tail(self, lines=30):
        try:
            with open(self.log, "rb") as log:
                log.seek(max(0, os.path.getsize(self.log) - 20000))
                text = log.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def wait_until(self, condition, seconds, what):
        """wait_for, which also fails at once when the program ends meanwhile."""
        def look():
            if not self.running:
                raise AssertionError(
                    f"{self.name} ended with status {self.popen.returncode} before: {what}\n{self.tail()}")
            return condition()
        try:
            return wait_for(look, seconds, f"{self.name}: {what}")
        except Timeout as timeout:
            raise Timeout(f"{timeout}\n{self.tail()}") from None
