"""The profile `observability`: Prometheus finds every program, also those that are scaled, and knows the alert
rules. (Grafana starts the same way; its provisioning is held against the metrics by another test.)"""
import json

from composed import PROGRAMS
from support.http import request
from support.wait import wait_for


def _ask(stack, path):
    return json.loads(request(stack.ports["prometheus"], "GET", f"/api/v1/{path}").body)["data"]


def test_prometheus_scrapes_every_program(stack):
    stack.compose("--profile", "observability", "up", "--wait", "prometheus")

    def targets():
        return {target["scrapeUrl"]: (target["health"], target["lastError"]) for target in _ask(stack, "targets")["activeTargets"]}
    wait_for(lambda: len(targets()) == len(PROGRAMS) + 1 and all(health == "up" for health, _ in targets().values()), 60,
             lambda: f"targets are {targets()}")
    groups = _ask(stack, "rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rules and all(rule["health"] != "err" for rule in rules)
    print(f"\nPrometheus scrapes {len(targets())} targets, all of them up, and judges {len(rules)} rules")
