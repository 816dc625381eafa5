"""A real Prometheus with the rules of deploy/prometheus, in the time of a test; and promtool."""
import json
import os
import re
import shutil
import subprocess
import urllib.parse

import yaml

from support.http import request
from support.paths import BUILD, ROOT
from support.ports import free_port
from support.process import Process
from support.wait import wait_for

DEPLOYED = ROOT / "deploy" / "prometheus"
SCRAPE = 0.5  # seconds between two scrapes, as between two looks at the rules


def tool(name):
    """"promtool" or "prometheus": fetched for the tests, or installed."""
    own = BUILD / "prometheus" / "usr" / "bin" / name
    return str(own) if own.exists() else shutil.which(name)


def promtool(*arguments, input=None):
    """Its exit status and what it said."""
    done = subprocess.run([tool("promtool"), *map(str, arguments)], input=input, capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def rules():
    """The alerts as deployed, {name: rule}."""
    with open(DEPLOYED / "alerts.yml", encoding="utf-8") as file:
        groups = yaml.safe_load(file)["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
A_DAY = 10  # seconds that stand for one, and for what is longer


def _seconds(seconds, divisor, least):
    return A_DAY if seconds >= UNITS["d"] else max(least, seconds // divisor)


def hastened(expression):
    """The same expression in the time of a test: ranges, at most an hour, in a twentieth of it, limits of what is
    measured in seconds in a hundredth. (A range of days is looking for the last value that there was.)"""
    def shorter(match):
        seconds = int(match[1]) * UNITS[match[2]]
        return f"[{seconds if seconds >= UNITS['d'] else max(3, seconds // 20)}s]"

    def lower(match):
        return match[1] + str(_seconds(int(match[2]), 100, 1))
    expression = re.sub(r"\[(\d+)([smhd])\]", shorter, expression.strip())
    return re.sub(r"(_seconds\b.*?>\s*)(\d{2,})$", lower, expression, flags=re.DOTALL)


class Prometheus:
    """Scrapes the programs of a stack under the jobs and labels of the deployed prometheus.yml, and judges the
    deployed rules with `for:` of none, ranges and limits hastened."""

    def __init__(self, folder):
        self.folder, self.port = str(folder), free_port()
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.targets = {}  # name of a program: job and labels
        self.rules = rules()
        groups = [{"name": "all", "rules": [
            {**{key: value for key, value in rule.items() if key != "for"}, "expr": hastened(rule["expr"])}
            for rule in self.rules.values()]}]
        self._write("alerts.yml", {"groups": groups})
        self.process = Process("prometheus", [
            tool("prometheus"), f"--config.file={self.folder}/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}"], f"{self.folder}/prometheus.log")

    def _write(self, name, content):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            yaml.safe_dump(content, file, sort_keys=False)

    def _write_config(self):
        interval = f"{int(SCRAPE * 1000)}ms"
        jobs = {}
        for job, port, labels in self.targets.values():
            jobs.setdefault(job, []).append({"targets": [f"127.0.0.1:{port}"], "labels": labels})
        self._write("prometheus.yml", {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "rule_files": ["alerts.yml"],
            "scrape_configs": [{"job_name": job, "static_configs": configs} for job, configs in jobs.items()]})

    def start(self, stack):
        for name, port in stack.ports.items():
            department = name.removeprefix("tl-").split("#")[0]
            known = department != "aggregator"
            self.targets[name] = ("tl-department" if known else "tl-aggregator", port,
                                  {"department": department} if known else {})
        self._write_config()
        self.process.start()
        self.process.wait_until(lambda: self._get("/-/ready") is not None, 30, "is ready")
        return self

    def stop(self):
        self.process.kill()

    def _get(self, path):
        try:
            answer = request(self.port, "GET", path, timeout=10)
        except OSError:
            return None
        return answer.body if answer.status == 200 else None

    def ask(self, path):
        return json.loads(self._get(path))["data"]

    def query(self, expression):
        """[(labels, value)]"""
        found = self.ask("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def firing(self):
        """{name of an alert: [its labels and annotations]}"""
        found = {}
        for alert in self.ask("/api/v1/alerts")["alerts"]:
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(alert["labels"] | alert["annotations"])
        return found

    def wait_fires(self, *names, seconds=60, **labels):
        """Until all of these fire, each with these labels at least once."""
        def fire():
            firing = self.firing()
            return all(any(labels.items() <= one.items() for one in firing.get(name, [])) for name in names)
        wait_for(fire, seconds, lambda: f"{names} {labels} fire; firing: {self.firing()}", step=0.1)

    def wait_calm(self, *names, seconds=60):
        """Until none of these fires."""
        wait_for(lambda: not set(names) & set(self.firing()), seconds,
                 lambda: f"{names} do not fire; firing: {self.firing()}", step=0.1)
