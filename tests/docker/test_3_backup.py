"""A backup taken under load, restored to an empty volume: docs/operations.md, Backup and restore in Docker."""
import time

from composed import run
from load import Load


def test_a_backup_restored_to_an_empty_volume(stack):
    with Load(stack, "backup") as load:
        load.wait_more(1000)
        began = time.monotonic()
        dump = stack.compose("exec", "-T", "postgres", "pg_dump", "-U", "throughline", "-Fc", "throughline", text=False)
        took, there = time.monotonic() - began, len(load.accepted)
        load.wait_more(1000)

        stack.compose("stop", "aggregator")
        stack.compose("rm", "-sf", "postgres")
        _remove_volume(stack, "postgres-data")
        stack.up("--no-deps", "postgres")
        assert stack.value("SELECT to_regnamespace('store') IS NULL") == "t"
        began = time.monotonic()
        stack.compose("exec", "-T", "postgres", "pg_restore", "-U", "throughline", "-d", "throughline", "--exit-on-error",
                      input=dump, text=False)
        restored = time.monotonic() - began
        offsets = int(stack.value("SELECT sum(next_offset) FROM store.consumer_offsets"))
        events = int(stack.value("SELECT count(*) FROM store.events"))
        stack.compose("run", "--rm", "-T", "migrate")
        stack.up("aggregator")
        load.wait_more(500)
        load.stop()
    stack.wait_balanced()
    load.check()
    now = int(stack.value("SELECT sum(next_offset) FROM store.consumer_offsets"))
    assert now > offsets
    print(f"\nbackup under load: {len(dump)} bytes in {took:.1f} s, when {there} events were accepted; restored in "
          f"{restored:.1f} s with {events} events at offsets that sum up to {offsets}; the aggregator went on from there "
          f"to {now}: all {len(load.accepted)} events are on the timeline once, the books balance")


def _remove_volume(stack, name):
    run("docker", "volume", "rm", f"{stack.name}_{name}")


def test_secrets_are_saved_and_restored(stack):
    saved = stack.compose("run", "--rm", "--no-deps", "-T", "secrets", "save", text=False)
    stack.compose("run", "--rm", "--no-deps", "-T", "secrets", "put", "departments", "TL_TOKEN", input="another")
    assert stack.secret("billing", "TL_TOKEN") == stack.secret("people", "TL_TOKEN") == "another"
    stack.compose("run", "--rm", "--no-deps", "-T", "secrets", "restore", input=saved, text=False)
    assert stack.secret("billing", "TL_TOKEN") == stack.secret("people", "TL_TOKEN") == stack.token
