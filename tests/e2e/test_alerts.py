"""Every alert of deploy/prometheus/alerts.yml fires: a real Prometheus scrapes the real programs while somebody
makes the alert's cause, with `for:` left out and times hastened (support/prometheus.py). What cannot be caused in
a test's time is told to promtool as series. And while all is well none fires.

The tests of this file follow each other: each leaves all well behind."""
import contextlib
import json
import signal
import socket

import pytest
import yaml

from support.events import event, person
from support.grafana import queries
from support.outbox import put as put_into_outbox
from support.paths import RUNS
from support.postgres import connect
from support.prometheus import Prometheus, promtool, rules, DEPLOYED
from support.receiver import Receiver
from support.troubled import Troubled
from support.wait import wait_for
from test_dead_receiver import SCALED
from test_handoffs import now
from test_replay_from import drop_before

TOPIC = "events.sales"
STRUCTURED = {"content-type": "application/cloudevents+json"}
MONEY = {"amount": 10, "currency": "EUR"}
QUARANTINE = 4
CONNECTIONS = 8  # of one client at the service department
RULES = [
    {"rule": "plain", "when": "sales.deal.won", "to": "billing", "ask": "Issue the first invoice", "due": "4h",
     "done_when": "billing.invoice.issued", "match": [["/deal", "/deal"]]},
    {"rule": "late", "when": "sales.deal.created", "to": "billing", "ask": "Prepare", "due": "1s",
     "done_when": "billing.invoice.issued", "match": [["/deal", "/deal"]]},
    {"rule": "chained", "when": "sales.meeting.held", "to": "billing", "ask": "Send the minutes", "due": "2d",
     "done_when": "sales.email.sent"},
    {"rule": "follow-up", "when": "throughline.handoff.closed", "if": {"/rule": "chained", "/state": "done"},
     "to": "service", "ask": "Ask", "due": "2d"},
]
fired = set()  # alerts, in any test of this file


class World:
    """A stack whose PostgreSQL and Kafka are behind proxies, a receiver for billing, and Prometheus."""

    def __init__(self, kafka):
        self.troubled = Troubled("alerts", kafka)
        self.stack, self.receiver, self.kafka = self.troubled.stack, Receiver().start(), kafka.proxy()
        self.stack.env.update(TL_BROKERS=self.kafka.brokers, TL_QUARANTINE_LIMIT=str(QUARANTINE), TL_WRITERS="1")
        self.stack.deliver_to("billing", self.receiver, **SCALED)
        self.stack.own_env["tl-service"] = {"TL_HTTP_CONNECTIONS_PER_CLIENT": str(CONNECTIONS)}
        self.stack.write_config("handoffs.json", RULES)
        self.deals = {}  # and their customers
        self.prometheus = None

    def start(self):
        self.troubled.start()
        self.prometheus = Prometheus(RUNS / "alerts" / "prometheus").start(self.stack)
        return self

    def close(self):
        if self.prometheus:
            self.prometheus.stop()
        try:
            self.kafka.normal()
            self.troubled.proxy.normal()
            self.troubled.close()
        finally:
            self.kafka.close()
            self.receiver.stop()

    def fires(self, *names, seconds=60, **labels):
        self.prometheus.wait_fires(*names, seconds=seconds, **labels)
        fired.update(names)

    def calm(self, *names, seconds=60):
        self.prometheus.wait_calm(*names, seconds=seconds)

    def post(self, one):
        return self.stack.post_event(one["type"].split(".")[0], one).status

    def make(self, kind, deal=None, **data):
        """An event that happens now, of a deal or a new one."""
        deal = deal or f"deal-{len(self.deals) + 1}"
        customer = self.deals.setdefault(deal, person("alert"))
        return event(kind, {"customer": customer, "deal": deal, **MONEY, **data}, time=now())

    def tell(self, kind, deal=None, **data):
        """As a sender does: the same event again after a 503. Returns the deal."""
        one = self.make(kind, deal, **data)
        wait_for(lambda: self.post(one) == 202, 30, f"{kind} is accepted")
        return one["data"]["deal"]

    def finish(self, deal):
        self.tell("billing.invoice.issued", deal)

    def raw(self, topic, value, partition=0, headers=None):
        self.stack.kafka.produce(topic, value, partition=partition, headers=headers)


@pytest.fixture(scope="module")
def world(kafka):
    one = World(kafka)
    try:
        yield one.start()
    finally:
        one.close()


def test_nothing_fires_while_all_is_well(world):
    wait_for(lambda: len(world.prometheus.query('up{job=~"tl-.*"} == 1')) == 4, 30, "all programs are scraped")
    world.calm(*rules())  # before that it had seen nobody
    looks = 'min(count_over_time(up{job=~"tl-.*"}[1m]))'

    def looked():
        for kind in ("sales.deal.lost", "billing.invoice.paid", "service.ticket.opened"):
            world.tell(kind, summary="It squeaks")
        found = world.prometheus.query(looks)
        assert world.prometheus.firing() == {}
        return found and found[0][1] >= 12
    wait_for(looked, 60, "every program was scraped a dozen times", step=0.1)
    assert len(world.prometheus.query("up == 1")) == 4
    assert world.prometheus.query("sum(throughline_aggregator_records_total) > 0")


def test_the_dashboards_show_something(world):
    """Each query brings a series, but for those that show only what is wrong."""
    def empty():
        return [(name, title, query) for name, title, query in queries()
                if not world.prometheus.query(query) and "> 0" not in query]
    wait_for(lambda: not empty(), 30, lambda: f"every panel shows something: {empty()}", step=0.1)


def test_a_receiver_that_is_down(world):
    world.receiver.stop()
    deal = world.tell("sales.deal.won")
    world.fires("ThroughlineReceiverDown", department="billing")
    world.fires("ThroughlineDeliveryStuck", department="billing")
    world.receiver.start()
    world.calm("ThroughlineReceiverDown", "ThroughlineDeliveryStuck")
    world.finish(deal)


def test_a_receiver_that_refuses_a_handoff(world):
    world.receiver.answer = lambda event: 400
    deal = world.tell("sales.deal.won")
    world.fires("ThroughlineHandoffsUndeliverable", department="billing")
    world.receiver.answer = lambda event: 200
    world.finish(deal)
    world.calm("ThroughlineHandoffsUndeliverable")


def test_a_handoff_that_nobody_looks_after(world):
    deal = world.tell("sales.deal.created")
    world.fires("ThroughlineHandoffsOverdue", department="billing")
    world.finish(deal)
    world.calm("ThroughlineHandoffsOverdue")


def test_rules_that_open_each_other(world):
    closed = event("throughline.handoff.closed", {"customer": person("alert"), "rule": "chained", "state": "done",
                                                  "depth": 8}, time=now())
    world.raw("events.throughline", json.dumps(closed), headers=STRUCTURED)
    world.fires("ThroughlineHandoffsWithoutEnd")


def test_a_stranger_in_the_topic_of_handoffs(world):
    world.raw("handoffs.billing", b"no handoff")
    world.fires("ThroughlineForeignRecords", department="billing")


def test_a_transaction_of_the_writers_that_does_not_end(world):
    with contextlib.closing(connect(world.stack.database)) as long:
        long.cursor().execute("SET application_name = 'throughline'")
        long.cursor().execute("BEGIN; SELECT pg_current_xact_id()")
        deal = world.tell("sales.deal.won")
        world.fires("ThroughlineHandoffsUnconfirmed")
        long.cursor().execute("ROLLBACK")
    world.calm("ThroughlineHandoffsUnconfirmed")
    world.finish(deal)


def test_books_that_do_not_balance(world):
    change = "UPDATE store.consumer_offsets SET duplicates = duplicates {} 3 WHERE topic = %s AND partition = 0"
    world.stack.query(change.format("+"), (TOPIC,))
    world.fires("ThroughlineBooksDifference", topic=TOPIC)
    world.stack.query(change.format("-"), (TOPIC,))
    world.calm("ThroughlineBooksDifference")


def test_quarantine_that_fills(world):
    for _ in range(3):
        world.raw(TOPIC, b"no event")
    world.fires("ThroughlineQuarantineFilling")
    for _ in range(2):
        world.raw(TOPIC, b"no event")
    world.fires("ThroughlineQuarantineFull", "ThroughlineNotReady")
    world.fires("ThroughlineBehind", topic=TOPIC)
    world.fires("ThroughlineWatchLagging", "ThroughlineQuarantineUndecided")

    def discard():
        for row in world.stack.query("SELECT quarantine_id FROM store.quarantine WHERE state = 'waiting'"):
            world.stack.run("quarantine", "discard", str(row["quarantine_id"]), "--note", "a test")
        return not set(world.prometheus.firing()) & {"ThroughlineQuarantineFull", "ThroughlineQuarantineFilling"}
    wait_for(discard, 60, "there is room in quarantine", step=0.1)
    world.calm("ThroughlineNotReady", "ThroughlineBehind", "ThroughlineWatchLagging", "ThroughlineQuarantineUndecided")


def test_topics_in_which_nothing_happens(world):
    world.fires("ThroughlineTopicSilent", topic="events.service")


def test_senders_with_wrong_credentials_and_wrong_events(world):
    for _ in range(20):
        assert world.stack.request("tl-billing", "POST", "/webhooks/stripe", "{}").status == 401
    for _ in range(10):
        assert world.post(world.make("billing.no.such")) == 400
    world.fires("ThroughlineCredentialsRefused", "ThroughlineEventsRefused", department="billing")


def test_a_configuration_that_is_refused(world):
    path = f"{world.stack.config}/identities.json"
    with open(path, encoding="utf-8") as file:
        good = file.read()
    for content, said in (("{ no JSON", world.fires), (good, world.calm)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        world.stack.programs["tl-sales"].signal(signal.SIGHUP)
        said("ThroughlineConfigRefused")


def test_one_client_with_too_many_connections(world):
    port = world.stack.ports["tl-service"]
    with contextlib.ExitStack() as open_ones:
        def refused():
            """One more; those past the bound are answered 503 and closed."""
            one = open_ones.enter_context(contextlib.closing(socket.create_connection(("127.0.0.1", port), 5)))
            one.settimeout(0.2)
            try:
                return b"503" in one.recv(100)
            except TimeoutError:
                return False
        wait_for(refused, 30, "a connection is refused", step=0.01)
        wait_for(refused, 30, "another one is refused", step=0.01)
        world.fires("ThroughlineIntakeOverloaded", department="service")


def test_kafka_that_is_slow(world):
    world.kafka.delay(1.3)
    for _ in range(2):
        world.tell("sales.deal.lost")
    world.fires("ThroughlineAnswersSlow", department="sales")
    world.kafka.normal()


def test_kafka_that_is_away(world):
    world.kafka.refuse()
    world.kafka.cut()
    put_into_outbox(world.stack, [("handoffs.service", "00000000-0000-4000-8000-000000000001", 1)])
    world.fires("ThroughlineKafkaTrouble", cause="away", department="billing")
    world.fires("ThroughlineNotReady", department="sales")
    assert world.post(world.make("sales.deal.lost")) == 503
    world.fires("ThroughlineIntakeUnavailable", department="sales")
    world.fires("ThroughlineOutboxStuck")
    world.kafka.normal()
    world.calm("ThroughlineKafkaTrouble", "ThroughlineNotReady", "ThroughlineIntakeUnavailable", "ThroughlineOutboxStuck")


def test_postgresql_that_is_away(world):
    world.troubled.proxy.refuse()
    world.troubled.proxy.cut()
    world.fires("ThroughlineDatabaseDown", "ThroughlineNotReady")
    world.fires("ThroughlineLeaseNotHeld", lease="relay")
    world.troubled.proxy.normal()
    world.calm("ThroughlineDatabaseDown", "ThroughlineNotReady", "ThroughlineLeaseNotHeld")


def test_no_aggregator_and_then_a_partition_that_is_stopped(world):
    stack = world.stack
    stack.wait_caught_up()
    stack.kill("tl-aggregator")
    world.fires("ThroughlineServiceDown", job="tl-aggregator")
    world.fires("ThroughlineNoAggregator")
    low, = stack.query("SELECT next_offset FROM store.consumer_offsets WHERE topic = %s AND partition = 0", (TOPIC,))
    for _ in range(2):
        world.raw(TOPIC, json.dumps(event("sales.deal.lost", {"customer": person("alert")})), headers=STRUCTURED)
    drop_before(stack, 0, low["next_offset"] + 1)
    world.troubled.start_aggregator()
    world.fires("ThroughlinePartitionStopped")
    stack.run("replay", "--from", "beginning", "--stopped", "--note", "a test")
    world.calm("ThroughlinePartitionStopped", "ThroughlineServiceDown", "ThroughlineNoAggregator", "ThroughlineLeaseNotHeld")


def test_a_service_that_starts_again_and_again(world):
    started = 'process_start_time_seconds{department="service"}'
    for _ in range(4):
        before = world.prometheus.query(started)
        world.stack.stop("tl-service")
        world.stack.start("tl-service")
        wait_for(lambda: world.prometheus.query(started) != before, 20, "the new one is scraped")
    world.fires("ThroughlineRestarting", department="service")


def series(name, values, **labels):
    text = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return {"series": f"{name}{{{text}}}", "values": values}


# What cannot be caused here: two releases side by side, faults of librdkafka that come by chance, and days.
TOLD = {
    "ThroughlineMixedVersions": [
        series("throughline_build_info", "1x90", version="0.1.0", job="tl-department", instance="sales:8101"),
        series("throughline_build_info", "1x90", version="0.2.0", job="tl-aggregator", instance="aggregator:8110")],
    "ThroughlineCertificateExpires": [
        series("throughline_http_certificate_expires_timestamp_seconds", "1210000x90", job="tl-department", instance="sales:8101")],
    "ThroughlineClientFault": [
        series("throughline_aggregator_found_again_total", "0x60 1x30", job="tl-aggregator", instance="aggregator:8110")],
}


@pytest.mark.parametrize("name", TOLD)
def test_promtool_sees_what_cannot_be_caused(tmp_path, name):
    """By the rules as deployed: it fires with its cause, and not without."""
    wanted = {"eval_time": "70m", "alertname": name}
    well = [{**one, "values": one["values"].replace("0x60 1x30", "0x90").replace("1210000x", "1214000x"),
             "series": one["series"].replace("0.2.0", "0.1.0")} for one in TOLD[name]]
    for input_series, fires in ((TOLD[name], True), (well, False)):
        path = tmp_path / f"{fires}.yml"
        path.write_text(yaml.safe_dump({"rule_files": [str(DEPLOYED / "alerts.yml")], "evaluation_interval": "1m", "tests": [
            {"interval": "1m", "input_series": input_series, "alert_rule_test": [{**wanted, "exp_alerts": []}]}]}),
            encoding="utf-8")
        status, said = promtool("test", "rules", path)
        assert (status != 0) == fires, said
        assert not fires or f'alertname="{name}"' in said, said
    fired.add(name)


def test_every_alert_has_fired(request):
    if request.config.option.keyword:
        pytest.skip("only some of the tests are run")
    assert fired == set(rules())
