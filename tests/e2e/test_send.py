"""`throughline send`: from lines to 202s, whatever stands in the file and whatever the intake answers."""
import json
import os
import pty
import select
import signal
import subprocess
import time

import pytest

from support import sanitizer
from support.intake import Intake, accepted, refused, unavailable
from support.paths import BUILD, CONFIG
from support.wait import wait_for


@pytest.fixture
def sender(tmp_path):
    """Runs `throughline send` in an empty folder; the finished process."""
    def run(*arguments, input=None, timeout=60, **env):
        return subprocess.run([BUILD / "throughline", "send", *map(str, arguments)], check=False,
                              input=input, capture_output=True, text=isinstance(input, str) or input is None,
                              timeout=timeout, cwd=tmp_path, env=environment(**env))
    run.folder = tmp_path
    return run


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TL_")}
    return {**env, "TL_CONFIG": str(CONFIG), **more}


def event(number, **more):
    return {"specversion": "1.0", "id": str(number), "source": "/s", "type": "sales.deal.won", **more}


def write(path, lines):
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines),
                    encoding="utf-8")
    return path


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_all_accepted(sender):
    file = write(sender.folder / "e.jsonl", [event(n) for n in range(1203)])
    with Intake(accepted) as intake:
        done = sender(file, "--url", intake.url + "/", TL_TOKEN="t0k")
    assert done.returncode == 0, done.stderr
    assert [len(events) for events, _, _ in intake.requests] == [500, 500, 203]
    assert intake.accepted == [str(n) for n in range(1203)]
    for _, headers, path in intake.requests:
        assert path == "/events"
        assert headers["Content-Type"] == "application/cloudevents-batch+json"
        assert headers["Authorization"] == "Bearer t0k"
    assert done.stdout.startswith("1203 accepted, 0 refused, ")
    assert done.stderr == ""  # no progress bar where there is no terminal
    assert os.listdir(sender.folder) == ["e.jsonl"]


def test_bytes_travel_as_they_are(sender):
    """Numbers that a double cannot hold; white space inside."""
    line = '{"specversion": "1.0",  "id": "1", "data": {"n": 9007199254740993.10, "s": "\\u00fc"}}'
    bodies = []

    def answer(events):
        bodies.append(events)
        return accepted(events)
    with Intake(answer) as intake:
        assert sender("-", "--url", intake.url, input=line).returncode == 0
    assert json.dumps(bodies[0][0]) == json.dumps(json.loads(line))


def test_refused_events_go_to_a_file(sender):
    """Those to blame are taken out, the others are sent; lines that are no JSON likewise."""
    bad = {3: ("/type", "is not of this department"), 7: ("/data/amount", "must be a number")}

    def answer(events):
        errors = [(i, *bad[int(e["id"])]) for i, e in enumerate(events) if int(e["id"]) in bad]
        return refused(*errors) if errors else accepted(events)
    third = '{"id": "3", "data": {"x": 1.50}}'
    file = write(sender.folder / "e.jsonl",
                 [event(0), "", "no json", third, '"text"', event(6), event(7),
                  "\udcff".encode("utf-8", "surrogatepass").decode("latin-1"), event(9)])
    with Intake(answer) as intake:
        done = sender(file, "--url", intake.url)
    assert done.returncode == 3
    assert intake.accepted[-3:] == ["0", "6", "9"]
    assert "3 accepted, 5 refused" in done.stdout and "e.jsonl.refused.jsonl" in done.stdout
    found = sorted(lines_of(sender.folder / "e.jsonl.refused.jsonl"), key=lambda r: r["line"])
    assert [r["line"] for r in found] == [3, 4, 5, 7, 8]
    assert found[1] == {"line": 4, "reason": "is not of this department", "pointer": "/type",
                        "event": json.loads(third)}
    assert found[3]["pointer"] == "/data/amount"
    assert found[0]["event"] == "no json" and found[0]["reason"]
    assert found[2]["event"] == "text" and "object" in found[2]["reason"]
    assert '"x": 1.50' in (sender.folder / "e.jsonl.refused.jsonl").read_text()


def test_refusals_without_a_name_are_found_by_halving(sender):
    def answer(events):
        if any(e["id"] == "333" for e in events):
            return 413, {}, {"title": "Content Too Large", "status": 413, "detail": "over the limit"}
        return accepted(events)
    file = write(sender.folder / "e.jsonl", [event(n) for n in range(500)])
    with Intake(answer) as intake:
        done = sender(file, "--url", intake.url, "--json")
    assert done.returncode == 3
    summary = json.loads(done.stdout)
    assert (summary["accepted"], summary["refused"], summary["go_on_at_line"]) == (499, 1, None)
    (only,) = lines_of(sender.folder / "e.jsonl.refused.jsonl")
    assert (only["line"], only["reason"], only["event"]) == (334, "413: over the limit", event(333))
    assert len(intake.requests) < 25


def test_tries_again_after_503_and_a_cut_connection(sender):
    turns = iter([unavailable(), None, unavailable(1)])

    def answer(events):
        return next(turns, accepted(events))
    began = time.monotonic()
    with Intake(answer) as intake:
        done = sender("-", "--url", intake.url, input="\n".join(json.dumps(event(n)) for n in range(3)))
    assert done.returncode == 0, done.stderr
    assert len(intake.requests) == 4
    assert time.monotonic() - began >= 1  # Retry-After is kept to
    assert done.stderr.count("trying again") == 1  # said once, not once a try


def test_gives_up_and_goes_on(sender):
    """The line it names is where the next run begins; nothing is lost between them."""
    stored = []

    def answer(events):
        if stored:
            return unavailable()
        stored.extend(e["id"] for e in events)
        return accepted(events)
    file = write(sender.folder / "e.jsonl", [event(n) for n in range(400)] + ["bad"] + [event(n) for n in range(400, 900)])
    with Intake(answer) as intake:
        done = sender(file, "--url", intake.url, "--give-up", "500ms")
    assert done.returncode == 1
    assert f"throughline send {file} --from-line 502" in done.stderr and "503" in done.stderr
    with Intake(accepted) as intake:
        again = sender(file, "--url", intake.url, "--from-line", "502")
    assert again.returncode == 0
    assert stored + intake.accepted == [str(n) for n in range(900)]
    assert [r["line"] for r in lines_of(sender.folder / "e.jsonl.refused.jsonl")] == [401]


@pytest.mark.parametrize("status", [401, 404, 405, 301, 200])
def test_does_not_insist_where_it_is_hopeless(sender, status):
    with Intake(lambda events: (status, {}, {"title": "No", "detail": "not here"})) as intake:
        done = sender("-", "--url", intake.url, input=json.dumps(event(1)))
    assert done.returncode == 1 and len(intake.requests) == 1
    assert f"{status}: not here" in done.stderr and "--from-line 1" in done.stderr


def test_nobody_listens(sender):
    done = sender("-", "--url", "http://127.0.0.1:1", "--give-up", "400ms", "--json", input=json.dumps(event(1)))
    assert done.returncode == 1
    assert json.loads(done.stdout)["go_on_at_line"] == 1


def test_ends_when_asked_to(sender):
    with Intake(lambda events: unavailable(30)) as intake:
        process = subprocess.Popen([BUILD / "throughline", "send", "-", "--url", intake.url],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, cwd=sender.folder, env=environment())
        process.stdin.write(json.dumps(event(1)))
        process.stdin.close()
        wait_for(lambda: intake.requests, 10, "a request")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 1
        assert "stopped; go on with: throughline send - --from-line 1" in process.stderr.read()
        process.stdout.close()
        process.stderr.close()


def test_standard_input_and_its_refusals(sender):
    with Intake(accepted) as intake:
        done = sender("-", "--url", intake.url, input="nonsense\n")
    assert done.returncode == 3 and not intake.requests
    assert [r["line"] for r in lines_of(sender.folder / "refused.jsonl")] == [1]


def test_an_empty_file(sender):
    with Intake(accepted) as intake:
        done = sender(write(sender.folder / "empty", []), "--url", intake.url)
    assert done.returncode == 0 and not intake.requests
    assert done.stdout.startswith("0 accepted, 0 refused")


def test_a_large_file_in_little_memory(sender):
    """60 MB through 512 KiB batches; the process stays small."""
    file = sender.folder / "large.jsonl"
    filler = "x" * 1000
    with open(file, "w", encoding="utf-8") as out:
        for n in range(55000):
            out.write(json.dumps(event(n, data={"filler": filler})) + "\n")
    assert file.stat().st_size > 60 * 1000 * 1000
    counts, peaks = [], []

    def answer(events):
        counts.append(len(events))
        with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
            peaks.extend(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        return accepted(events)
    with Intake(answer) as intake:
        intake.requests = _Nothing()
        process = subprocess.Popen([BUILD / "throughline", "send", file, "--url", intake.url, "--json"],
                                   stdout=subprocess.PIPE, text=True, cwd=sender.folder, env=environment())
        output = process.stdout.read()
        process.stdout.close()
    assert process.wait(10) == 0
    assert json.loads(output)["accepted"] == 55000 == sum(counts)
    sanitizer.skip_memory()
    assert max(peaks) < 24 * 1024, f"{max(peaks)} KiB"


class _Nothing:
    """Keeps no requests."""

    def append(self, _):
        pass


def test_a_terminal_gets_a_progress_bar(sender):
    file = write(sender.folder / "e.jsonl", [event(n) for n in range(2000)])

    def answer(events):
        time.sleep(0.15)
        return accepted(events)
    leader, follower = pty.openpty()
    with Intake(answer) as intake:
        process = subprocess.Popen([BUILD / "throughline", "send", file, "--url", intake.url], stderr=follower,
                                   stdout=subprocess.PIPE, text=True, cwd=sender.folder, env=environment())
        os.close(follower)
        seen = b""
        while select.select([leader], [], [], 20)[0]:
            try:
                seen += os.read(leader, 4096)
            except OSError:
                break
        assert process.wait(10) == 0
        summary = process.stdout.read()
        process.stdout.close()
    os.close(leader)
    shown = seen.decode()
    assert "[######" in shown and "events" in shown and "to go" in shown and "/s" in shown
    assert shown.rstrip().endswith("\x1b[K")  # and it is gone at the end
    assert summary.startswith("2000 accepted, 0 refused")


@pytest.mark.parametrize("arguments, words", [
    (["-"], "--department"),
    (["-", "--department", "nobody"], 'no department "nobody"'),
    (["-", "--url", "127.0.0.1:8101"], "http://"),
    ([], "argument is missing"),
    (["-", "--url", "http://x", "--from-line", "x"], "whole number"),
])
def test_wrong_usage(sender, arguments, words):
    done = sender(*arguments, input="")
    assert done.returncode == 2 and words in done.stderr


def test_a_file_that_is_not_there(sender):
    done = sender("missing.jsonl", "--url", "http://127.0.0.1:1")
    assert done.returncode == 1 and "missing.jsonl: No such file" in done.stderr
