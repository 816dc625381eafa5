"""What the programs tell Prometheus: promtool finds nothing to mend, documents, alerts and dashboards speak of
what there is and of nothing else, and what is counted is what happened."""
import json
import re

import pytest
import yaml

from support.events import event, person
from support.grafana import dashboards, provisioned, queries
from support.paths import ROOT
from support.prometheus import DEPLOYED, promtool, rules
from support.receiver import Receiver
from support.wait import wait_for

OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
NAME = re.compile(r"\b(?:throughline|process)_[a-z_]+[a-z]\b")
# Not metrics: roles, headers of records, the dashboards' own.
OTHERS = {"throughline_analyst", "throughline_analyst_pii", "throughline_writer"}
PARTS = ("_bucket", "_sum", "_count")  # of a histogram


@pytest.fixture(scope="module")
def running(bare_stack):
    with Receiver() as receiver:
        bare_stack.deliver_to("billing", receiver)
        yield bare_stack.start("tl-sales", "tl-billing", "tl-service", "tl-aggregator")


def in_source():
    """Metrics that the programs can make; some only where there is a reason: TLS on the listener."""
    made = re.compile(r'"((?:throughline|process)_[a-z_]+)",\s*(?:NULL|label|labels|[a-z_]+\[)')
    return {name for folder in ("common", "services") for path in (ROOT / folder).glob("**/*.c")
            for name in made.findall(path.read_text(encoding="utf-8"))}


def exposition(stack, name):
    answer = stack.request(name, "GET", "/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.body.decode()


def types(stack):
    """{metric: type} of all programs."""
    found = {}
    for name in stack.programs:
        found.update(line.split(" ")[2:4] for line in exposition(stack, name).splitlines()
                     if line.startswith("# TYPE "))
    return found


def is_exposed(name, found):
    return name in found or any(name.endswith(part) and found.get(name.removesuffix(part)) == "histogram"
                                for part in PARTS)


def test_promtool_likes_every_programs_metrics(running):
    for name in running.programs:
        text = exposition(running, name)
        status, said = promtool("check", "metrics", input=text)
        assert status == 0 and not said, f"{name}: {said}"
        series = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
        assert len(series) == len(set(series)), f"{name}: a series comes twice"
        for metric in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE):
            assert re.match("throughline_|process_", metric), metric
            assert f"# HELP {metric} " in text
        assert "@" not in text, f"{name}: an address in a label"


def test_promtool_likes_rules_and_configuration():
    assert promtool("check", "rules", DEPLOYED / "alerts.yml")[0] == 0
    assert promtool("check", "config", DEPLOYED / "prometheus.yml")[0] == 0


def test_documents_have_every_metric_and_no_other(running):
    found = types(running)
    rare = in_source() - set(found)
    assert rare <= {"throughline_http_certificate_expires_timestamp_seconds"}, "in the source, but not exposed"
    found.update(dict.fromkeys(rare, "gauge"))
    told = set(NAME.findall(OPERATIONS.split("\n## Metrics\n")[1].split("\n## Alerts\n")[0]))
    assert not set(found) - told, "exposed, but not in docs/operations.md under Metrics"
    assert not {name for name in told if not is_exposed(name, found)}, "in docs/operations.md, but not exposed"
    for document in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]:
        names = set(NAME.findall(document.read_text(encoding="utf-8"))) - OTHERS
        strange = {name for name in names if name.endswith(("_total", "_seconds", "_records")) and not is_exposed(name, found)}
        assert not strange, document


def test_alerts_speak_of_metrics_that_there_are(running):
    found = dict.fromkeys(in_source(), "gauge") | types(running)
    for name, rule in rules().items():
        names = NAME.findall(rule["expr"])
        strange = [metric for metric in names if not is_exposed(metric, found)]
        assert not strange, f"{name}: {strange}"
        assert names or "up{" in rule["expr"], name


def test_alerts_and_runbook_belong_together():
    entries = set(re.findall(r"^### (Throughline\w+)$", OPERATIONS.split("\n## Alerts\n")[1], re.MULTILINE))
    assert entries == set(rules())
    for name, rule in rules().items():
        assert rule["labels"]["severity"] in ("critical", "warning", "info"), name
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}, name
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{name.lower()}", name


def anchors(text):
    """As GitHub makes them of headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def test_the_runbooks_links_lead_somewhere():
    for anchor in re.findall(r"\]\(#([^)]*)\)", OPERATIONS):
        assert anchor in anchors(OPERATIONS), anchor


def test_prometheus_knows_every_service_by_its_name():
    config = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text(encoding="utf-8"))
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    targets = {t: c["labels"]["department"] for c in jobs["tl-department"]["static_configs"] for t in c["targets"]}
    for path in (ROOT / "config" / "departments").glob("*.json"):
        listen = json.loads(path.read_text(encoding="utf-8")).get("listen", "")
        assert targets.pop(f"{path.stem}:{listen.rsplit(':', 1)[-1]}") == path.stem
    assert targets == {}
    assert jobs["tl-aggregator"]["dns_sd_configs"][0]["port"] == 8110


def test_dashboards_show_what_there_is(running):
    """Whether Grafana likes them is not seen here; their form, and every query, are."""
    found = types(running)
    source, = provisioned("datasources")
    provider, = provisioned("providers")
    assert (source["uid"], source["type"], source["url"]) == ("throughline-prometheus", "prometheus", "http://prometheus:9090")
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    mounts = [volume.split(":")[:2] for volume in compose["services"]["grafana"]["volumes"]]
    assert ["./deploy/grafana/dashboards", provider["options"]["path"]] in mounts
    assert ["./deploy/grafana/provisioning", "/etc/grafana/provisioning"] in mounts
    boards = dashboards()
    assert len({board["uid"] for board in boards.values()}) == len(boards) == 2
    for name, board in boards.items():
        assert board["title"] in OPERATIONS, name
        panels = board["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels), name
        for panel in panels:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24, (name, panel["title"])
            for one in [panel, *panel.get("targets", [])] if panel["type"] != "row" else []:
                assert one["datasource"] == {"type": "prometheus", "uid": source["uid"]}, (name, panel["title"])
    for name, title, query in queries():
        assert all(is_exposed(metric, found) for metric in NAME.findall(query)), (name, title, query)


def test_promtool_understands_every_query_of_the_dashboards(tmp_path):
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": [
        {"record": f"query:{n}", "expr": query} for n, (_, _, query) in enumerate(queries())]}]}), encoding="utf-8")
    status, said = promtool("check", "rules", path)
    assert status == 0, said


def metric(stack, name, series):
    return stack.metric(name, series)


def test_what_is_counted_is_what_happened(running):
    """Each way through the intake and the aggregator, one event after the other."""
    def refusals(reason):
        return metric(running, "tl-sales", f'throughline_intake_refusals_total{{reason="{reason}"}}')

    def records(result):
        return metric(running, "tl-aggregator", f'throughline_aggregator_records_total{{result="{result}"}}')
    running.wait_caught_up()
    before = {result: records(result) for result in ("timeline", "duplicate", "quarantined")}
    good = event("sales.deal.lost", {"customer": person("counted")})
    assert running.post_event("sales", good).status == 202
    assert running.post_event("sales", good).status == 202
    wrong = {"type": {**good, "type": "sales.no.such"}, "time": {**good, "time": "yesterday"},
             "customer": {**good, "data": {}}, "attribute": {**good, "specversion": "0.3"}, "form": [1],
             "data": event("sales.deal.won", {"customer": person("counted")})}
    for reason, one in wrong.items():
        seen = refusals(reason)
        assert running.post_event("sales", one).status == 400
        assert refusals(reason) == seen + 1, reason
    assert running.request("tl-sales", "POST", "/webhooks/hubspot", "{}").status == 401
    assert running.request("tl-sales", "POST", "/webhooks/none", "{}").status == 404
    assert running.request("tl-sales", "POST", "/events", "{}", {"Content-Type": "text/css"}).status == 415
    assert [refusals(reason) for reason in ("credentials", "path", "media_type")] == [1, 1, 1]
    assert running.request("tl-sales", "DELETE", "/events").status == 405
    assert metric(running, "tl-sales", 'throughline_http_refused_total{code="405"}') == 1
    assert metric(running, "tl-sales", "throughline_intake_answer_seconds_count") == 2
    running.kafka.produce("events.sales", b"no event", partition=0)
    wait_for(lambda: records("quarantined") == before["quarantined"] + 1, 30, "the record is in quarantine")
    wait_for(lambda: records("timeline") == before["timeline"] + 1 and
             records("duplicate") == before["duplicate"] + 1, 30, "the event is on the timeline, once")
    assert metric(running, "tl-aggregator", "throughline_aggregator_consumed_total") == sum(
        records(result) for result in ("timeline", "duplicate", "quarantined"))
    batches = metric(running, "tl-aggregator", "throughline_aggregator_batch_records_count")
    assert 0 < batches == metric(running, "tl-aggregator", "throughline_aggregator_batch_seconds_count")
    assert metric(running, "tl-aggregator", "throughline_aggregator_batch_records_sum") == sum(
        records(result) for result in ("timeline", "duplicate", "quarantined"))
    wait_for(lambda: metric(running, "tl-aggregator", 'throughline_quarantine_waiting{reason="not-a-cloudevent"}') == 1,
             30, "what waits in quarantine is counted")


def test_handoffs_are_counted_by_state(running):
    def live(state):
        return metric(running, "tl-aggregator", f'throughline_handoffs{{department="billing",state="{state}"}}')
    who = person("handed")
    won = event("sales.deal.won", {"customer": who, "amount": 5, "currency": "EUR", "deal": "d-1"},
                time=running.query("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SSZ') AS now")[0]["now"])
    assert running.post_event("sales", won).status == 202
    wait_for(lambda: live("delivered") == 1, 40, lambda: f"it is delivered: {exposition(running, 'tl-aggregator')}")
    handoff = running.query("SELECT handoff_id FROM store.handoffs")[0]["handoff_id"]
    assert running.request("tl-billing", "POST", f"/handoffs/{handoff}/done", {"by": "ann"},
                           {"Content-Type": "application/json"}).status == 202
    done = 'throughline_aggregator_handoffs_closed_total{state="done"}'
    wait_for(lambda: metric(running, "tl-aggregator", done) == 1, 30, "it is done")
    wait_for(lambda: live("delivered") == 0, 40, "none is open")


def test_many_handoffs_of_one_department_hide_none_of_another(running):
    """More than are counted, all of billing and due first; one of service is late, the last of sales got lost."""
    like = ("INSERT INTO store.handoffs SELECT copy.* FROM (SELECT h FROM store.handoffs h LIMIT 1) one, "
            "generate_series(1, %s) n, jsonb_populate_record(one.h, jsonb_build_object('handoff_id', gen_random_uuid(), "
            "'to_department', %s, 'state', 'open', 'due_at', now() + %s::interval, 'confirm_xid', NULL, 'told', true, "
            "'closing_uid', NULL, 'overdue', %s, 'undeliverable', n > %s)) copy")
    running.query(like, (20500, "billing", "1 hour", False, 20500))
    running.query(like, (7000, "sales", "2 hours", False, 6999))
    running.query(like, (5, "service", "-1 hour", True, 5))

    def counted():
        return [metric(running, "tl-aggregator", f'throughline_handoffs_{what}{{department="{department}"}}')
                for what in ("overdue", "undeliverable") for department in ("billing", "sales", "service")]
    wait_for(lambda: counted() == [0, 0, 5, 0, 1, 0], 60, lambda: f"all are counted: {counted()}")

    def live(department):
        return metric(running, "tl-aggregator", f'throughline_handoffs{{department="{department}",state="open"}}')
    assert [live(department) for department in ("billing", "sales", "service")] == [6666, 6666, 5]
