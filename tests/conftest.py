"""Servers for the session, programs for each file of tests, and a report that
shows the ends of the logs where a test failed. A test fails, too, when a program has
crashed by its end or, where it was built under a sanitizer, has reported a finding."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from support import sanitizer  # noqa: E402  pylint: disable=wrong-import-position
from support.kafka import Kafka  # noqa: E402  pylint: disable=wrong-import-position
from support.paths import BUILD, RUNS, SERVERS, fixtures  # noqa: E402  pylint: disable=wrong-import-position
from support.postgres import Postgres  # noqa: E402  pylint: disable=wrong-import-position
from support.process import crashed  # noqa: E402  pylint: disable=wrong-import-position
from support.stack import DEPARTMENTS, Stack  # noqa: E402  pylint: disable=wrong-import-position
from support.troubled import Troubled  # noqa: E402  pylint: disable=wrong-import-position

_servers = {}
_findings = []  # of the sanitizer, in all tests
_told = set()  # stacks whose start has failed: once is enough


def pytest_configure():
    sanitizer.begin()


@pytest.fixture(scope="session")
def kafka():
    server = _servers["kafka"] = Kafka(SERVERS / "kafka")
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres():
    server = _servers["postgres"] = Postgres(SERVERS / "postgres")
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def bare_stack(request, kafka, postgres):
    """Configuration and a migrated database for one file of tests; the broker makes topics as they are asked for. No
    program runs yet."""
    name = re.sub(r"\W+", "-", request.module.__name__.rsplit(".", 1)[-1])
    stack = Stack(RUNS / name, kafka, postgres.new_database())
    stack.run("migrate", "--topics", "skip")
    yield stack
    stack.close()


@pytest.fixture(scope="module")
def stack(bare_stack):
    """All of it: the three departments and an aggregator."""
    return bare_stack.start(*(f"tl-{d}" for d in DEPARTMENTS), "tl-aggregator")


@pytest.fixture(scope="module")
def troubled(request, kafka):
    """All of it, with a PostgreSQL of its own that a test may give any trouble."""
    name = re.sub(r"\W+", "-", request.module.__name__.rsplit(".", 1)[-1])
    one = Troubled(name, kafka)
    try:
        yield one.start()
    finally:
        one.close()


@pytest.fixture(scope="session")
def shared_fixtures():
    folder = fixtures()
    if folder is None:
        pytest.skip("no shared fixtures (set FIXTURES)")
    return folder


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    _fail_for_findings(report)
    stacks = [stack for stack in Stack.live if stack not in _told]
    if report.failed and (report.when == "call" or stacks):
        if report.when == "setup":
            _told.update(stacks)
        for stack in stacks:
            for name, text in stack.logs().items():
                report.sections.append((f"end of the log of {name}", text))
        for name, server in _servers.items():
            text = server.process.tail(10) if name == "kafka" else server.tail(10)
            report.sections.append((f"end of the log of {name}", text))


def _fail_for_findings(report):
    """What ends with the last test of a file (programs that lasted until then) is that test's."""
    found = sanitizer.findings()
    _findings.extend(found)
    sections = [(f"{sanitizer.NAME} in {program}", text) for program, text in found.items()]
    sections += [(f"{p.name} crashed with status {p.popen.returncode}", p.tail()) for p in crashed()]
    if sections and report.outcome != "failed":
        report.outcome, report.longrepr = "failed", sections[0][0]
    report.sections.extend(sections)


def pytest_terminal_summary(terminalreporter):
    """The totals, for the closing line of tests/run."""
    late = sanitizer.findings()  # of programs that no test ended
    _findings.extend(late)
    for program, text in late.items():
        terminalreporter.section(f"{sanitizer.NAME} in {program}")
        terminalreporter.write(text)
    counts = {word: len(terminalreporter.stats.get(word, []))
              for word in ("passed", "failed", "error", "skipped", "xfailed", "xpassed")}
    failed = counts["failed"] + counts["error"] + counts["xpassed"] + len(late)
    title = "e2e"
    if sanitizer.NAME:
        title += f" under {sanitizer.NAME}, {len(_findings)} findings"
    folder = BUILD / "test"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "e2e.totals").write_text(
        f"{title}: {counts['passed']} passed, {failed} failed, "
        f"{counts['skipped'] + counts['xfailed']} skipped\n", encoding="utf-8")
