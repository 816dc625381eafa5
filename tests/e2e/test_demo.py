"""`make demo ONCE=1`: the story comes out right, a planted mistake is told, and
nothing is left running."""
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from support.paths import BUILD, ROOT
from support.wait import wait_for

STORY = ROOT / "deploy" / "demo" / "story"
FOLDER = BUILD / "test" / "demo"  # a demo may be up in build/demo

DEMO = [ROOT / "deploy/demo/run", "--folder", FOLDER]


def play(*arguments, seconds=120):
    return subprocess.run([*DEMO, *arguments], check=False, capture_output=True,
                          text=True, timeout=seconds, stdin=subprocess.DEVNULL)


def postgres_pid():
    """The demo's PostgreSQL, while it runs. Its environment cannot be read everywhere: it runs as
    another user."""
    try:
        data = (FOLDER / "postgres" / "server").read_text(encoding="utf-8").strip() + "/data"
        pid = int((Path(data) / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    except OSError:
        return None
    return pid if os.path.exists(f"/proc/{pid}") else None


def left_running():
    """Processes that the demo has started and that still run, by what stands in their environment."""
    found = ["postgres"] if postgres_pid() else []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if f"THROUGHLINE_DEMO={FOLDER}".encode() not in file.read().split(b"\0"):
                    continue
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found.append(file.read().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue  # it has ended meanwhile
    return found


def test_the_story_comes_out_right_and_leaves_nothing_running():
    done = play("--once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WRONG" not in done.stdout
    for identity in ("email=", "stripe=", "hubspot=", "zendesk="):
        assert identity in done.stdout
    for rule in ("Issue the first invoice", "Welcome the customer", "delivered, overdue"):
        assert rule in done.stdout
    assert left_running() == []
    assert sorted(p.name for p in FOLDER.iterdir() if p.is_dir()) == ["config"]


def wrong_values(expected):
    expected["timeline"][-1].update(type="service.ticket.opened")
    next(event for event in expected["timeline"] if event.get("amount")).update(amount=1)
    expected["lifetime_value"].update(EUR=1)
    expected["handoffs"][0]["told"].pop()
    expected["handoffs"][-1].update(overdue=False)
    return ["type is", "amount is", "lifetime value is", "told is", "overdue is True"]


def wrong_counts(expected):
    expected["timeline"].pop()
    expected["handoffs"].pop()
    return ["events expected", "handoffs expected"]


@pytest.mark.parametrize("plant", [wrong_values, wrong_counts])
def test_planted_mistakes_are_told(tmp_path, plant):
    shutil.copytree(STORY, tmp_path / "story")
    file = tmp_path / "story" / "expected.json"
    expected = json.loads(file.read_text(encoding="utf-8"))
    mistakes = plant(expected)
    file.write_text(json.dumps(expected), encoding="utf-8")
    done = play("--once", "--story", str(tmp_path / "story"))
    assert done.returncode == 1, done.stdout + done.stderr
    wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG: ")]
    assert len(wrong) == len(mistakes), wrong
    for mistake in mistakes:
        assert any(mistake in line for line in wrong), (mistake, wrong)
    assert left_running() == []


def test_it_stays_up_until_interrupted(tmp_path):
    log = tmp_path / "demo.log"
    with open(log, "w", encoding="utf-8") as output:
        demo = subprocess.Popen(DEMO, stdin=subprocess.DEVNULL,
                                stdout=output, stderr=output, start_new_session=True)
    try:
        wait_for(lambda: "until Ctrl-C" in log.read_text(encoding="utf-8") or demo.poll() is not None,
                 90, "the demo is up")
        assert demo.poll() is None, log.read_text(encoding="utf-8")
        running = " ".join(left_running())
        for name in ("postgres", "tl-embedded-broker", "tl-sales", "tl-billing", "tl-service",
                     "tl-aggregator"):
            assert name in running, running
        second = play("--once")
        assert second.returncode == 1 and "is up already" in second.stdout, second
        assert " ".join(left_running()) == running
        os.killpg(demo.pid, signal.SIGINT)
        assert demo.wait(30) == 0
    finally:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGTERM)
            demo.wait(30)
    assert left_running() == []
