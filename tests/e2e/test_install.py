"""`make install` for those without Docker: what is installed works where it is, and `make uninstall` leaves nothing."""
import os
import re
import shutil
import subprocess

import pytest

from support.paths import BUILD, ROOT

PROGRAMS = ["throughline", "tl-aggregator", "tl-billing", "tl-department", "tl-sales", "tl-service"]
UNITS = ["tl-aggregator.service", "tl-department@.service"]


def make(*words):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "DESTDIR", "PREFIX")}
    done = subprocess.run(["make", "-s", f"BUILD={os.path.relpath(BUILD, ROOT)}", *words], cwd=ROOT, env=env,
                          capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def run(*words, **env):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TL_")}
    return subprocess.run(words, env={**clean, **env}, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """An installation under DESTDIR."""
    folder = tmp_path_factory.mktemp("installed")
    make("install", f"DESTDIR={folder}", "PREFIX=/opt/throughline")
    return folder


def test_what_is_installed(root):
    found = files(root)
    assert [f for f in found if "/bin/" in f] == [f"opt/throughline/bin/{p}" for p in PROGRAMS]
    assert [f for f in found if "/systemd/" in f] == [f"opt/throughline/lib/systemd/system/{u}" for u in UNITS]
    share = root / "opt/throughline/share/throughline"
    for part in ("config/throughline.json", "config/departments/sales.json", "docs/operations.md",
                 "throughline.env.example"):
        assert (share / part).is_file(), part
    assert not any("embedded-broker" in f for f in found)
    for unit in UNITS:  # where they run, not where they were put
        text = (root / "opt/throughline/lib/systemd/system" / unit).read_text(encoding="utf-8")
        assert "ExecStart=/opt/throughline/bin/tl-" in text and "@" not in re.sub(r"@(system-service|privileged|"
                                                                                  r"resources|sales)", "", text)
        assert str(root) not in text


def test_every_program_checks_its_configuration(root, tmp_path):
    """With a copy of the example, which is what an operator begins with."""
    config = tmp_path / "throughline"
    shutil.copytree(root / "opt/throughline/share/throughline/config", config)
    programs = root / "opt/throughline/bin"
    for name in PROGRAMS[1:]:
        words = ["--department", "sales"] if name == "tl-department" else []
        done = run(programs / name, *words, "--check", TL_CONFIG=str(config))
        assert (done.returncode, done.stdout) == (0, "configuration is valid\n"), done
        assert run(programs / name, "--version").returncode == 0
    assert run(programs / "throughline", "check", "--config", str(config)).returncode == 0
    (config / "handoffs.json").write_text('{"rules": 1}', encoding="utf-8")
    assert run(programs / "tl-aggregator", "--check", TL_CONFIG=str(config)).returncode == 2


def test_uninstall_leaves_nothing(tmp_path):
    other = tmp_path / "usr/bin/somebody-elses"
    other.parent.mkdir(parents=True)
    other.write_text("", encoding="utf-8")
    for _ in range(2):  # again over what is there
        make("install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    make("uninstall", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    assert files(tmp_path) == ["usr/bin/somebody-elses"]


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """Units whose programs are there."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("NOT RUN: systemd-analyze is not installed")
    folder = tmp_path_factory.mktemp("units")
    make("install", f"PREFIX={folder}")
    for unit in UNITS:
        at = folder / "lib/systemd/system" / unit
        at.rename(at.with_name(unit.replace("@.", "@sales.")))
    return sorted((folder / "lib/systemd/system").iterdir())


def test_systemd_takes_the_units(units):
    done = run("systemd-analyze", "verify", "--man=no", *map(str, units))
    mine = [line for line in done.stderr.splitlines() if "tl-" in line]
    assert done.returncode == 0 and not mine, done.stderr


def test_the_units_have_few_rights(units):
    """As systemd itself counts: 0 is none, 10 all."""
    for unit in units:
        done = run("systemd-analyze", "security", "--offline=true", "--no-pager", str(unit))
        exposure = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
        if not exposure:
            pytest.skip(f"NOT RUN: this systemd does not judge a file: {done.stderr}")
        assert float(exposure[1]) < 2, done.stdout
