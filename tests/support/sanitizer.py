"""Programs built under a sanitizer (`make e2e-asan`, `e2e-ubsan`, `e2e-tsan`): what they are told, and
what they found. A finding ends its program and is written to a file of its own at once, so that it
outlasts a program that is killed, or whose exit status nobody looks at."""
import os
import re
import shutil
import time

from support.paths import BUILD, ROOT

# By the flag that the programs were built with: name, environment variable, symbol in every program,
# options of its own, and how many times slower things may go.
_KINDS = {
    "address": ("AddressSanitizer", "ASAN_OPTIONS", b"__asan_init",
                {"detect_leaks": 1, "detect_stack_use_after_return": 1, "strict_string_checks": 1}, 2),
    "undefined": ("UndefinedBehaviorSanitizer", "UBSAN_OPTIONS", b"__ubsan_handle",
                  {"print_stacktrace": 1}, 2),
    # Without print_suppressions=0 every run that met one would look like a finding.
    "thread": ("ThreadSanitizer", "TSAN_OPTIONS", b"__tsan_init",
               {"suppressions": ROOT / "tests" / "support" / "tsan.supp", "print_suppressions": 0,
                "second_deadlock_stack": 1}, 4),
}
EXIT_STATUS = 86  # of a program that found something

_flag = re.search(r"-fsanitize=(\w+)", os.environ.get("SANITIZE", ""))
_kind = _KINDS[_flag[1]] if _flag else None

NAME = _kind[0] if _kind else None
PATIENCE = _kind[4] if _kind else 1
REPORTS = BUILD / "test" / "findings"

_told = set()


def begin():
    """Before the first program runs: an empty folder for reports, options for whatever is started."""
    if not _kind:
        return
    assert _kind[2] in (BUILD / "throughline").read_bytes(), f"{BUILD} is not built under {NAME}"
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    options = {"log_path": REPORTS / "report", "log_exe_name": 1, "halt_on_error": 1,
               "exitcode": EXIT_STATUS, "handle_abort": 1, **_kind[3]}
    os.environ[_kind[1]] = ":".join(f"{name}={value}" for name, value in options.items())


def findings():
    """{program and pid: report} of those that were not told yet."""
    if not _kind:
        return {}
    found = {}
    for path in sorted(REPORTS.iterdir()):
        if path.name not in _told:
            _told.add(path.name)
            _wait_ended(int(path.name.rsplit(".", 1)[1]))
            found[path.name.removeprefix("report.")] = path.read_text(encoding="utf-8", errors="replace")
    return found


def _wait_ended(pid, seconds=20):
    """A report is whole when its program has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                if file.read().rsplit(")", 1)[1].split()[0] in "ZX":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.05)


def skip_memory():
    """Ends a test before it judges how much memory a program takes."""
    if _kind:
        import pytest  # here alone: the demo does without it  pylint: disable=import-outside-toplevel
        pytest.skip(f"memory is not judged under {NAME}: its own is counted with the program's")
