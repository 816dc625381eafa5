"""One stack for all tests of this folder, built once, removed at the end."""
import os
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from composed import Composed, copy_tree  # noqa: E402  pylint: disable=wrong-import-position
from support.paths import BUILD  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(scope="session")
def built():
    """From a copy of the tree; nothing runs yet."""
    tree = BUILD / "docker" / "tree"
    copy_tree(tree)
    stack = Composed("test", tree)
    began = time.monotonic()
    stack.compose("--profile", "demo", "build", timeout=1200)
    print(f"\nbuilt in {time.monotonic() - began:.0f} s")
    yield stack
    stack.remove()


@pytest.fixture(scope="session")
def stack(built):
    """Up, and healthy; `seconds` is how long that took."""
    built.seconds = built.up()
    return built


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for one in Composed.live:
            report.sections += [(f"end of the log of {name}", text) for name, text in one.logs().items()]
