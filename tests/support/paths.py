"""Where things are."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
CONFIG = ROOT / "config"
KAFKA_LIBS = BUILD / "kafka" / "libs"
RUNS = BUILD / "e2e"  # a folder for each test: logs, configuration
SERVERS = BUILD / "servers"  # data of Kafka and PostgreSQL while tests run


def fixtures():
    """The folder of shared fixtures, or None where there is none."""
    folder = Path(os.environ.get("FIXTURES") or ROOT.parent / "shared" / "fixtures")
    return folder if folder.is_dir() else None
