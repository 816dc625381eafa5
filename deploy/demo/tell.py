"""Tells the story to the stack in Docker: its service `demo` (docker-compose.yml). Each step is posted as its
system would, signed with the secrets that the stack has; what is handed over is accepted and finished by the
department's people. What the departments' own systems are told is not looked at: here they have none.

Stays when all is told, as a container that `docker compose up --wait` can call healthy; with --once it ends.
A story that is on the timeline already is not told again."""
import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))  # the tools that the demo shares with the tests

import story  # noqa: E402  pylint: disable=wrong-import-position
from support.sources import Sources  # noqa: E402  pylint: disable=wrong-import-position
from support.wait import wait_for  # noqa: E402  pylint: disable=wrong-import-position

SECRETS = Path("/secrets")  # a folder for each department
TOLD = Path("/tmp/told")  # there when all is told: what the health check looks for
PORTS = {"sales": 8101, "billing": 8102, "service": 8103}
CATCH_UP = 60  # seconds


def say(text):
    print(text, flush=True)


def secret(department, name):
    path = SECRETS / department / name
    return path.read_text(encoding="utf-8").strip() if path.exists() else None


def throughline(*arguments):
    """What the command line tells, read; None where it has no such customer."""
    done = subprocess.run(["throughline", *arguments, "--json"], check=False, capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"throughline {' '.join(arguments)}: {done.stderr}")
    return json.loads(done.stdout) if done.returncode == 0 else None


def post(department, path, body, headers):
    connection = http.client.HTTPConnection(department, PORTS[department], timeout=15)
    try:
        connection.request("POST", path, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 202:
            raise RuntimeError(f"{department} answered {answer.status}: {text}")
        return json.loads(text)
    finally:
        connection.close()


class Teller:
    def __init__(self, folder):
        self.steps, self.expected = story.read(folder)
        self.customer = self.expected["identities"][0]
        config = os.environ["TL_CONFIG"]
        given = {name: value for department in PORTS for name in self._names(department)
                 if (value := secret(department, name))}
        self.sources = Sources(config, lambda source: "", given.get)

    @staticmethod
    def _names(department):
        return os.listdir(SECRETS / department)

    def timeline(self):
        """What the departments said, oldest first."""
        rows = throughline("timeline", self.customer, "--limit", "1000") or []
        return [row for row in reversed(rows) if not row["type"].startswith("throughline.")]

    def tell(self, step):
        department = step.to.removeprefix("tl-")
        if step.source:
            path, kind = f"/webhooks/{step.source}", "application/json"
            headers = self.sources.signed(step.source, step.body)
        else:
            path, kind = "/events", "application/cloudevents+json"
            headers = {"Authorization": f"Bearer {secret(department, 'TL_TOKEN')}"}
        say(f"  day {step.day:2} {step.at}  {department:8}  {step.say}")
        counts = post(department, path, step.body, {"Content-Type": kind, **headers})
        if counts.get("accepted") != 1 or counts.get("quarantined"):
            raise RuntimeError(f"{department} answered {counts}")

    def hand_over(self, step):
        def found():
            handoffs = throughline("handoffs", self.customer, "--all") or []
            return next((one for one in handoffs if one["rule"] == step.handoff), None)
        handoff = wait_for(found, CATCH_UP, f"{step.handoff} is open")
        say(f"  day {step.day:2} {step.at}  {step.receiver:8}  {step.say}")
        if step.answer:
            post(step.receiver, f"/handoffs/{handoff['handoff_id']}/{step.answer}", json.dumps(step.by),
                 {"Content-Type": "application/json",
                  "Authorization": f"Bearer {secret(step.receiver, 'TL_TOKEN')}"})
        if step.told == "closed":
            wait_for(lambda: found()["state"] == "done", CATCH_UP, f"{step.handoff} is done")

    def play(self):
        """Raises where something comes out otherwise than the story has it."""
        if len(self.timeline()) >= len(self.expected["timeline"]):
            say("The story is on the timeline already.")
            return
        say(f"{self.expected['title']}\n")
        number = 0
        for step in self.steps:
            if step.handoff and step.told != "overdue":  # nobody waits for hours
                self.hand_over(step)
            elif not step.handoff:
                number += 1
                self.tell(step)
        wanted = [row["type"] for row in self.expected["timeline"]]
        wait_for(lambda: [row["type"] for row in self.timeline()] == wanted, CATCH_UP,
                 lambda: f"the timeline has {[row['type'] for row in self.timeline()]}, expected {wanted}")
        say(f"\n{number} events told, and on one customer's timeline:"
            f"\n  docker compose run --rm throughline timeline {self.customer.split('=')[1]}"
            f"\n  docker compose run --rm throughline handoffs --all {self.customer.split('=')[1]}")


def main():
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        Teller(HERE / "story").play()
    except (RuntimeError, AssertionError, OSError) as error:
        say(f"WRONG: {error}")
        return 1
    if "--once" not in sys.argv[1:]:
        TOLD.touch()
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
