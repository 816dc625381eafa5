"""The release before this one, running under load, is replaced service by service: docs/operations.md, Upgrade in
Docker. As long as there is no release (a tag v…), an older commit stands for it: the first that had a Compose file."""
import subprocess

import pytest

from composed import PROGRAMS, Composed, run
from load import Load
from support.paths import BUILD, ROOT

FIRST = "e8388d7"


def _release_before():
    """The newest tag that is not this commit's, or FIRST; None in a clone without history."""
    def known(revision):
        return run("git", "-C", ROOT, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", status=None).strip()
    tags = run("git", "-C", ROOT, "tag", "--list", "v*", "--sort=-v:refname", "--merged", "HEAD").split()
    older = [tag for tag in tags if known(tag) != known("HEAD")]
    return older[0] if older else FIRST if known(FIRST) else None


@pytest.fixture
def old(built):
    """The stack of the release before, up."""
    revision = _release_before()
    if revision is None:
        pytest.skip(f"this clone has neither an older release's tag nor commit {FIRST}: fetch its history")
    built.compose("--profile", "*", "down", "--volumes")  # the last file of tests: room for another
    tree = BUILD / "docker" / "old"
    run("rm", "-rf", tree)
    tree.mkdir(parents=True)
    archive = subprocess.run(["git", "-C", ROOT, "archive", revision], check=True, capture_output=True)
    run("tar", "-x", "-C", tree, input=archive.stdout, text=False)
    stack = Composed("upgrade", tree)
    stack.use_image("old")
    stack.revision = revision
    stack.compose("build", timeout=1200)
    stack.up()
    yield stack
    stack.remove()


def _programs(stack):
    """{service: the id of the image that it runs}"""
    return {service: stack.inspect(*stack.containers(service))[0]["Image"] for service in PROGRAMS}


def test_service_by_service_under_load(built, old):
    before = _programs(old)
    with Load(old, "upgrade") as load:
        load.wait_more(2000)
        old.tree, old.env["THROUGHLINE_IMAGE"] = built.tree, built.env["THROUGHLINE_IMAGE"]
        print()
        for job in ("secrets", "migrate"):
            old.compose("run", "--rm", "--no-deps", "-T", job)
        for service in reversed(PROGRAMS):  # aggregators first
            seconds = old.up("--no-deps", service)
            print(f"{service} upgraded in {seconds:.1f} s")
            load.wait_more()
        old.up()  # what else has changed: Kafka, PostgreSQL
        load.wait_more()
        load.stop()
    after = _programs(old)
    assert all(before[service] != after[service] for service in PROGRAMS)
    assert len(set(after.values())) == 1
    old.wait_balanced()
    load.check()
    print(f"from {old.revision} on: {len(load.accepted)} events, answers {dict(load.answers)}, {load.cut} requests without an "
          "answer; each event is on the timeline exactly once, the books balance")
