"""The command line against a whole stack, whose aggregator has no more rights than throughline_writer."""
import json
import os
import subprocess

import pytest

from support.events import event
from support.paths import BUILD
from support.postgres import execute
from support.wait import wait_for


@pytest.fixture(scope="module")
def full(bare_stack):
    stack = bare_stack
    stack.run("migrate")  # the topics, too
    execute(stack.database, "CREATE ROLE cli_writer LOGIN IN ROLE throughline_writer PASSWORD 'w'")
    writer = "postgresql://cli_writer:w@" + stack.database.split("@", 1)[1]
    stack.start("tl-sales", "tl-billing", "tl-service")
    stack.start("tl-aggregator", env={"TL_DATABASE": writer})
    # The command line finds the services by the configuration, not by their environment.
    path = os.path.join(stack.config, "throughline.json")
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    for name, port in stack.ports.items():
        config[name]["listen"] = f"127.0.0.1:{port}"
    stack.write_config("throughline.json", config)
    yield stack
    stack.stop()
    execute(stack.database, "DROP OWNED BY cli_writer; DROP ROLE cli_writer")


def failing(stack, *arguments, status=1, **env):
    """(standard output, standard error) of a command that ends with this status."""
    done = subprocess.run([BUILD / "throughline", *arguments], check=False, capture_output=True, text=True,
                          timeout=60, env={**stack.env, **env})
    assert done.returncode == status, done
    return done.stdout, done.stderr


def deal(email, time="2026-01-08T10:12:07Z", **data):
    return event("sales.deal.won", {"customer": {"email": email}, "amount": 12.50, "currency": "EUR",
                                    "owner": "Grace", **data}, time=time)


def send(stack, events, status=0):
    path = os.path.join(stack.folder, "events.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(e) + "\n" for e in events)
    output = stack.run("send", path, "--department", "sales", "--json", status=status)
    return json.loads(output)


def books(stack, *arguments, status=0):
    return json.loads(stack.run("reconcile", "--json", *arguments, status=status))


@pytest.fixture(scope="module")
def sent(full):
    """1,200 events; 60 of them one customer's, every ten at the same moment, and one twice."""
    ann = [deal("ann@cli.example", f"2026-0{1 + n // 10}-08T10:12:07Z", summary=f"Deal {n} \x1b[31m日本")
           for n in range(60)]
    ann[0]["data"]["customer"].update(name="Ann Example", stripe="cus_cli", account={"domain": "cli.example"})
    others = [deal(f"p{n}@cli.example") for n in range(1140)]
    assert send(full, ann + others)["accepted"] == 1200
    assert send(full, ann[:1])["accepted"] == 1
    assert books(full, "--wait", "60s")["balanced"]
    return ann


# The books and the whole.

def test_reconcile(full, sent):
    found = books(full, "--wait", "30s")
    assert found["balanced"] and found["caught_up"] and found["brokers"]
    sales = [p for p in found["partitions"] if p["topic"] == "events.sales"]
    assert sum(p["on_timeline"] for p in sales) == 1200 and sum(p["duplicates"] for p in sales) == 1
    assert all(p["lag"] == 0 and p["records"] == p["high"] - p["low"] and p["wrong"] is None for p in sales)
    table = full.run("reconcile")
    assert "events.sales" in table and "the books balance" in table


def test_reconcile_finds_rows_taken_away(full, sent):
    (row,) = full.query("DELETE FROM store.events WHERE (occurred_at, event_uid) = (SELECT occurred_at, event_uid"
                        " FROM store.events WHERE event_id = %s) RETURNING *", (sent[30]["id"],))
    found = books(full, status=1)
    assert not found["balanced"]
    (wrong,) = [p for p in found["partitions"] if p["wrong"]]
    assert (wrong["topic"], wrong["partition"], wrong["difference"], wrong["wrong"]) == (
        row["topic"], row["partition"], 1, "1 rows are missing")
    out, _ = failing(full, "reconcile")
    assert "1 rows are missing" in out and "the books do not balance" in out
    full.wait_ready("tl-aggregator")  # its topics may just have been made
    assert "WRONG" not in full.run("status")  # as the books are kept, nothing is wrong
    out, _ = failing(full, "status", "--recount")
    assert out.startswith("WRONG books")
    row["data"] = json.dumps(row["data"])
    full.query(f"INSERT INTO store.events ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
               tuple(row.values()))
    assert books(full)["balanced"]


def test_reconcile_waits_for_what_is_behind(full, sent):
    full.stop("tl-aggregator")
    send(full, [deal("late@cli.example")])
    found = books(full)
    assert found["balanced"] and sum(p.get("lag", 0) for p in found["partitions"]) == 1
    assert not books(full, "--wait", "300ms", status=1)["caught_up"]
    full.start("tl-aggregator")
    assert books(full, "--wait", "60s")["caught_up"]


def test_missing_rights_and_a_missing_database_are_told(full, sent):
    at = full.database.split("@", 1)[1]
    out, err = failing(full, "quarantine", "list", TL_DATABASE=f"postgresql://cli_writer:w@{at}")
    assert out == "" and "needs the roles throughline_writer and throughline_analyst_pii" in err
    out, err = failing(full, "customers", "ann", TL_DATABASE="postgresql://127.0.0.1:1/x")
    assert out == "" and "TL_DATABASE" in err and "Connection refused" in err


def test_reconcile_without_brokers(full, sent):
    out, err = failing(full, "reconcile", TL_BROKERS="127.0.0.1:1")
    assert "the brokers do not answer" in err and "Connection refused" in err
    assert "events.sales" in out  # what the database knows is shown all the same


def test_status(full, sent):
    books(full, "--wait", "30s")
    good = full.run("status")
    assert "WRONG" not in good
    for part in ("brokers", "database", "topics", "tl-sales", "tl-billing", "tl-service", "tl-aggregator", "partitions",
                 "books", "lag", "quarantine", "handoffs", "leases"):
        assert part in good
    found = json.loads(full.run("status", "--json"))
    assert found["ok"] and all(part["ok"] for part in found["parts"])
    full.stop("tl-service")
    out, _ = failing(full, "status")
    assert out.splitlines()[0].startswith("WRONG tl-service") and "does not answer" in out
    found = json.loads(failing(full, "status", "--json")[0])
    assert not found["ok"] and [p["name"] for p in found["parts"] if not p["ok"]] == ["tl-service"]
    full.start("tl-service")


def test_status_of_what_nobody_is_told(full, sent):
    full.stop("tl-aggregator")
    full.query("INSERT INTO store.outbox (topic, key, type, event_id, occurred_at, data, created_at)"
               " VALUES ('handoffs.sales', 'k', 't', 'e', now(), '{}', now() - interval '2 minutes')")
    out, _ = failing(full, "status")
    (line,) = [line for line in out.splitlines() if line.startswith("WRONG handoffs")]
    assert "1 changes wait to be told, the first for 12" in line and "no aggregator publishes them" in line
    full.query("DELETE FROM store.outbox")
    full.start("tl-aggregator")
    assert "0 open, of them 0 overdue, 0 undeliverable" in full.run("status")


def test_status_of_nothing(full):
    out, _ = failing(full, "status", TL_BROKERS="127.0.0.1:1", TL_DATABASE="postgresql://127.0.0.1:1/x")
    first, second, *_ = out.splitlines()
    assert first.startswith("WRONG database") and second.startswith("WRONG brokers")
    out, _ = failing(full, "status", TL_DATABASE="postgresql://127.0.0.1:1/x")
    assert "WRONG database" in out and "WRONG brokers" not in out
    assert "lag" not in out  # of what nobody knows nothing is said


def test_an_idle_aggregator_notices_that_its_database_is_away(full, sent):
    full.stop("tl-aggregator")
    full.start("tl-aggregator", env={"TL_DATABASE": "postgresql://cli_writer:w@" + full.database.split("@", 1)[1]})
    execute(full.database, "ALTER ROLE cli_writer NOLOGIN")
    try:
        execute(full.database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'cli_writer'")
        wait_for(lambda: full.request("tl-aggregator", "GET", "/readyz").status == 503, 10, "the aggregator is not ready")
    finally:
        execute(full.database, "ALTER ROLE cli_writer LOGIN")
    full.wait_ready("tl-aggregator")


# Customers.

def ids(stack, *search, status=0):
    return [c["customer_id"] for c in json.loads(stack.run("customers", "--json", *search, status=status))]


def test_customers(full, sent):
    (ann,) = ids(full, "email=ann@cli.example")
    assert ids(full, "Ann@CLI.example") == [ann]  # normalised as the configuration says
    assert ids(full, "stripe=cus_cli") == [ann]
    assert ids(full, str(ann)) == [ann]
    assert ids(full, "ann exam") == [ann]
    assert ids(full, "name=Ann Example") == [ann]
    assert len(ids(full, "@cli.example", "--limit", "7")) == 7
    assert ids(full, "email=nobody@cli.example", status=1) == []
    assert ids(full, "a_n@cli", status=1) == []  # no pattern of LIKE
    (found,) = json.loads(full.run("customers", "ann@cli.example", "--json"))
    assert (found["kind"], found["name"], found["events"], found["departments"]) == (
        "person", "Ann Example", 60, ["sales"])
    assert {"kind": "stripe", "value": "cus_cli"} in found["identities"]
    table = full.run("customers", "ann@cli.example")
    assert "Ann Example" in table and "stripe=cus_cli" in table
    out, err = failing(full, "customers", "nobody at all")
    assert (out, err) == ("", "throughline: no customer is known by nobody at all\n")


def test_an_account(full, sent):
    (account,) = ids(full, "account.domain=cli.example")
    timeline = json.loads(full.run("timeline", str(account), "--json"))
    assert [row["event_id"] for row in timeline] == [sent[0]["id"]]


def test_an_absorbed_id_stands_for_its_survivor(full, sent):
    send(full, [deal("one@tie.example"), event("sales.deal.won", {"customer": {"customer": "tie-2"}, "amount": 1,
                                                                 "currency": "EUR"})])
    books(full, "--wait", "30s")
    both = ids(full, "one@tie.example") + ids(full, "customer=tie-2")
    assert len(set(both)) == 2
    send(full, [event("sales.customer.linked", {"customer": {"email": "one@tie.example", "customer": "tie-2"}})])
    books(full, "--wait", "30s")
    assert ids(full, str(max(both))) == [min(both)]
    assert len(json.loads(full.run("timeline", str(max(both)), "--json"))) == 3


# Timelines.

def test_timeline(full, sent):
    rows = json.loads(full.run("timeline", "ann@cli.example", "--json", "--limit", "1000"))
    assert len(rows) == 60 and {row["event_id"] for row in rows} == {e["id"] for e in sent}
    assert rows == sorted(rows, key=lambda r: (r["occurred_at"], r["event_uid"]), reverse=True)
    assert rows[0]["data"]["owner"] == "Grace" and rows[0]["amount"] == 12.5
    table = full.run("timeline", "stripe=cus_cli", "--limit", "1")
    assert "2026-06-08 10:12:07" in table and "12.5 EUR" in table and "日本" in table
    assert "\x1b" not in table  # what comes from outside does not speak to the terminal


def test_timeline_pages(full, sent):
    whole = [r["event_uid"] for r in json.loads(full.run("timeline", "ann@cli.example", "--json", "--limit", "99"))]
    found, before = [], []
    while True:
        rows = json.loads(full.run("timeline", "ann@cli.example", "--json", "--limit", "7", *before))
        if not rows:
            break
        found += [r["event_uid"] for r in rows]
        before = ["--before", f"{rows[-1]['occurred_at']},{rows[-1]['event_uid']}"]
    assert found == whole
    early = json.loads(full.run("timeline", "ann@cli.example", "--json", "--before", "2026-02-08T10:12:07Z"))
    assert len(early) == 10


@pytest.mark.parametrize("arguments, status, words", [
    (["timeline", "nobody@cli.example"], 1, "there is no customer nobody@cli.example"),
    (["timeline", "99999999"], 1, "there is no customer 99999999"),
    (["timeline"], 2, "an argument is missing"),
    (["timeline", "1", "--before", "yesterday"], 2, "--before wants a time"),
    (["timeline", "1", "--limit", "0"], 2, "--limit wants"),
    (["quarantine", "release", "1"], 2, "quarantine can list"),
    (["quarantine", "show", "x"], 2, "wants the record's id"),
    (["quarantine", "show", "99999999"], 1, "there is no record 99999999"),
    (["quarantine", "discard", "1"], 2, "say why"),
    (["reconcile", "--wait", "5"], 2, "a time like"),
    (["stauts"], 2, 'did you mean "status"?'),
    (["export", "1"], 2, 'there is no command "export"'),
    ([], 2, "usage: throughline COMMAND"),
])
def test_mistakes(full, arguments, status, words):
    out, err = failing(full, *arguments, status=status)
    assert out == "" and words in err


def test_help(full):
    commands = full.run("--help")
    for name in ("migrate", "check", "status", "send", "customers", "timeline", "handoffs", "quarantine",
                 "reconcile"):
        assert f"  {name} " in commands
        words = full.run(name, "--help")
        assert words.startswith(f"throughline {name}: ") and "exit status:" in words
        assert all(len(line) <= 110 for line in words.splitlines())
    for later in ("merge", "unmerge", "export", "erase", "tail"):
        assert f"  {later} " not in commands
    assert full.run("--version").startswith("throughline 0.")


# Quarantine.

def test_quarantine(full, sent):
    before = json.loads(full.run("quarantine", "list", "--json", "--state", "all"))
    full.kafka.produce("events.sales", b"\xff no event \x00", headers={"ce_type": "nonsense", "raw": b"\xfe"})
    full.kafka.produce("events.sales", "{", headers={"content-type": "application/cloudevents+json"})
    assert books(full, "--wait", "30s")["balanced"]
    found = json.loads(full.run("quarantine", "list", "--json"))
    new = [row for row in found if row["quarantine_id"] not in {r["quarantine_id"] for r in before}]
    assert len(new) == 2 and all(row["state"] == "waiting" and row["reason"] for row in new)
    assert json.loads(full.run("quarantine", "list", "--json", "--reason", "no such reason")) == []
    assert len(json.loads(full.run("quarantine", "list", "--json", "--limit", "1"))) == 1
    assert new[0]["reason"] in full.run("quarantine", "list")
    shown = [json.loads(full.run("quarantine", "show", str(row["quarantine_id"]), "--json")) for row in new]
    binary = next(s for s in shown if "base64" in s["value"])
    assert {"name": {"text": "ce_type"}, "value": {"text": "nonsense"}} in binary["headers"]
    assert {"name": {"text": "raw"}, "value": {"base64": "/g=="}} in binary["headers"]
    assert "value (12 bytes)\nff206e6f206576656e742000" in full.run("quarantine", "show", str(binary["quarantine_id"]))

    number = str(new[0]["quarantine_id"])
    full.run("quarantine", "discard", number, "--note", "a test's")
    _, err = failing(full, "quarantine", "discard", number, "--note", "again")
    assert "does not wait any more: it is discarded" in err
    assert "a test's" in full.run("quarantine", "show", number)
    states = {str(r["quarantine_id"]): r["state"] for r in
              json.loads(full.run("quarantine", "list", "--json", "--state", "all"))}
    assert states[number] == "discarded"
    assert books(full)["balanced"]


def shipment(number, **data):
    return event("sales.sample.shipped", {"customer": {"email": f"sample{number}@cli.example"}, **data})


def test_quarantine_replay(full, sent):
    """A type that nobody knew: refused, quarantined, and on the timeline once the configuration has it."""
    def waiting():
        return {r["quarantine_id"]: r for r in json.loads(full.run("quarantine", "list", "--json"))}
    old = waiting()
    for number in range(5):
        one = shipment(number) if number < 4 else shipment(number, weight="heavy")
        full.kafka.produce("events.sales", json.dumps(one), headers={"content-type": "application/cloudevents+json"})
    full.kafka.produce("events.sales", json.dumps(shipment(9) | {"id": "same", "source": "/same"}),
                       headers={"content-type": "application/cloudevents+json"})
    full.kafka.produce("events.sales", json.dumps(shipment(9) | {"id": "same", "source": "/same"}),
                       headers={"content-type": "application/cloudevents+json"})
    assert books(full, "--wait", "30s")["balanced"]
    new = {i: r for i, r in waiting().items() if i not in old}
    (reason,) = {r["reason"] for r in new.values()}
    assert len(new) == 7
    first, *_ = sorted(new)

    out, _ = failing(full, "quarantine", "replay", str(first))
    assert f"{first} still cannot go on the timeline: /type: " in out
    found = json.loads(failing(full, "quarantine", "replay", "--reason", reason, "--json")[0])
    assert found["on_timeline"] == 0 and len(found["refused"]) == found["still_refused"] >= 7
    assert set(new) <= set(waiting())

    path = os.path.join(full.config, "departments", "sales.json")
    with open(path, encoding="utf-8") as file:
        vocabulary = json.load(file)
    vocabulary["events"]["sales.sample.shipped"] = {"required": {}, "summary": "Sample shipped"}
    full.write_config("departments/sales.json", vocabulary)

    assert full.run("quarantine", "replay", str(first)).startswith("1 on the timeline, 0 duplicates")
    _, err = failing(full, "quarantine", "replay", str(first))
    assert f"no record {first} waits" in err
    found = json.loads(full.run("quarantine", "replay", "--reason", reason, "--json", status=None))
    assert (found["on_timeline"], found["duplicates"]) == (5, 1)
    assert not set(new) & set(waiting())
    rows = json.loads(full.run("timeline", "sample4@cli.example", "--json"))
    assert [(r["type"], r["summary"], r["data"]["weight"]) for r in rows] == [
        ("sales.sample.shipped", "Sample shipped", "heavy")]
    ((place,),) = [full.query("SELECT topic, partition, kafka_offset FROM store.events WHERE event_id = %s",
                              (rows[0]["event_id"],))]
    assert any(all(r[k] == place[k] for k in place) for r in new.values())  # it keeps its offset
    assert books(full)["balanced"]


@pytest.mark.parametrize("arguments", [[], ["1", "--all"], ["--all", "--reason", "x"], ["x"]])
def test_quarantine_replay_wants_to_know_what(full, arguments):
    failing(full, "quarantine", "replay", *arguments, status=2)


# Configuration.

def test_check(full, tmp_path):
    assert "is valid" in full.run("check")
    assert json.loads(full.run("check", "--json")) == {"ok": True, "faults": []}
    off = full.run("check", env={"ZENDESK_WEBHOOK_SECRET": ""})
    assert "\n  source zendesk is off: the environment variable ZENDESK_WEBHOOK_SECRET is not set\n" in off
    path = os.path.join(full.config, "departments", "sales.json")
    with open(path, encoding="utf-8") as file:
        good = file.read()
    settings = os.path.join(full.config, "throughline.json")
    with open(settings, encoding="utf-8") as file:
        good_settings = file.read()
    try:
        broken = json.loads(good)
        broken["events"]["sales.deal.won"]["money"] = "lots"
        full.write_config("departments/sales.json", broken)
        full.write_config("throughline.json", {**json.loads(good_settings), "brokerz": "x"})
        found = json.loads(failing(full, "check", "--json", status=2)[0])["faults"]
        places = {(os.path.basename(f["file"]), f["pointer"]) for f in found}
        assert places == {("sales.json", "/events/sales.deal.won/money"), ("throughline.json", "/brokerz")}
        out, err = failing(full, "check", status=2)
        assert out == "" and "sales.json: /events/sales.deal.won/money: " in err
        with open(path, "w", encoding="utf-8") as file:
            file.write(good)
        full.write_config("throughline.json", {**json.loads(good_settings), "tl-salez": {}})
        out, err = failing(full, "check", status=2)
        assert "throughline.json: /tl-salez: is no program: there is no departments/salez.json" in err
    finally:
        for name, text in ((path, good), (settings, good_settings)):
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)
    assert failing(full, "check", "--config", str(tmp_path), status=2)[1]


RULE = {"rule": "a", "when": "sales.deal.won", "to": "billing", "ask": "Do it", "due": "4h"}


@pytest.mark.parametrize("rules, pointer, told", [
    ([{**RULE, "to": "shiping"}], "/0/to", "there is no departments/shiping.json"),
    ([RULE, {**RULE, "rule": "b", "due": "soon"}], "/1/due", 'must be a duration: "30m", "4h", "7d"'),
    ([{**RULE, "brief": ["/amount", "currency"]}], "/0/brief/1",
     'must be a JSON Pointer into data: it begins with "/" and has at most 255 bytes'),
    ([{**RULE, "when": "sales.deal.wun"}], "/0/when",
     'no department has the event type "sales.deal.wun", did you mean "sales.deal.won"?'),
    ([{**RULE, "when": "throughline.handoff.closed", "if": {"/rule": "b"}},
      {**RULE, "rule": "b", "when": "throughline.handoff.opened", "if": {"/rule": "a"}}], "/0",
     'opens itself for ever: a, b, a: name in "if" (or "unless") by "/rule" whose handoffs are meant'),
    ([{**RULE, "dew": "4h"}], "/0/dew", "is unknown"),
], ids=["department", "duration", "pointer", "type", "loop", "key"])
def test_check_of_handoff_rules(full, rules, pointer, told):
    """The command line and the aggregator name file and place in the same words."""
    path = os.path.join(full.config, "handoffs.json")
    with open(path, encoding="utf-8") as file:
        good = file.read()
    try:
        full.write_config("handoffs.json", rules)
        line = f"{path}: {pointer}: {told}"
        out, err = failing(full, "check", status=2)
        assert out == "" and line in err.splitlines()[0]
        done = subprocess.run([BUILD / "tl-aggregator", "--check", "--config", full.config], check=False,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and line in done.stdout + done.stderr
        (fault,) = json.loads(failing(full, "check", "--json", status=2)[0])["faults"]
        assert (fault["file"], fault["pointer"]) == (path, pointer)
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(good)
    assert "is valid" in full.run("check")


def test_a_full_disk_is_told(full, sent):
    with open("/dev/full", "w", encoding="utf-8") as sink:
        done = subprocess.run([BUILD / "throughline", "timeline", "ann@cli.example"], check=False, stdout=sink,
                              stderr=subprocess.PIPE, text=True, timeout=30, env=full.env)
    assert done.returncode == 1 and "standard output cannot be written" in done.stderr
