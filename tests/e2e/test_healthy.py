"""--healthy: each service is asked whether it is ready by a program of its own kind, as a container does."""
import subprocess

import pytest

from support.paths import BUILD
from support.wait import wait_for

SERVICES = ("tl-sales", "tl-billing", "tl-service", "tl-aggregator", "tl-department:shipping")


@pytest.fixture(scope="module")
def well(bare_stack):
    bare_stack.write_config("departments/shipping.json", {"events": {"shipping.parcel.sent": {}}})
    return bare_stack.start(*SERVICES)


def healthy(stack, name, **env):
    """(exit status, standard output, standard error), asked as the service itself was started."""
    program, _, department = name.partition(":")
    own = {**stack.programs[name].env, **env}
    done = subprocess.run([BUILD / program, "--healthy"] + (["--department", department] if department else []),
                          env=own, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_ready(well, name):
    assert healthy(well, name) == (0, "ready\n", "")


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "[::]", ""])
def test_a_wildcard_address_is_asked_by_loopback(well, wildcard):
    listen = f"{wildcard}:{well.ports['tl-sales']}"
    assert healthy(well, "tl-sales", TL_LISTEN=listen, TL_TOKEN="t") == (0, "ready\n", "")


def test_what_is_missing_is_told(well):
    well.kill("tl-aggregator")
    status, out, err = healthy(well, "tl-aggregator")
    assert (status, out) == (1, "") and len(err.splitlines()) == 1 and "does not answer" in err, err
    well.start("tl-aggregator", env={"TL_DATABASE": "postgresql://127.0.0.1:1/none"}, ready=False)
    wait_for(lambda: "is not ready (503)" in healthy(well, "tl-aggregator")[2], 30, "the aggregator is up")
    status, out, err = healthy(well, "tl-aggregator")
    assert (status, out) == (1, "") and len(err.splitlines()) == 1 and "database" in err, err


def test_a_wrong_configuration_is_told(well):
    status, out, err = healthy(well, "tl-sales", TL_LOG_LEVEL="loud")
    assert (status, out) == (1, "") and "TL_LOG_LEVEL" in err
    status, out, err = healthy(well, "tl-sales", TL_LISTEN="127.0.0.1:0")
    assert (status, out) == (1, "") and "/listen" in err
