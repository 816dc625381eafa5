"""The dashboards and the provisioning of deploy/grafana, as files: Grafana itself is not run."""
import json

import yaml

from support.paths import ROOT

FOLDER = ROOT / "deploy" / "grafana"


def provisioned(kind):
    """What stands in provisioning/<kind>/*.yml under that name, "datasources" or "providers"."""
    found = []
    for path in sorted((FOLDER / "provisioning" / ("dashboards" if kind == "providers" else kind)).glob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert content["apiVersion"] == 1, path
        found += content[kind]
    return found


def dashboards():
    """{file: content}"""
    return {path.name: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((FOLDER / "dashboards").glob("*.json"))}


def queries():
    """[(file, title of the panel, query as Prometheus takes it)]"""
    return [(name, panel["title"], target["expr"].replace("$__rate_interval", "1m"))
            for name, board in dashboards().items() for panel in board["panels"] for target in panel.get("targets", [])]
