"""Rows that PostgreSQL refuses, among many that it takes: what the checks before COPY let
through, quarantine takes, with every byte; nothing else is lost, counted twice or out of order.

PostgreSQL is made to refuse some: no JSON is known that passes the checks and is refused."""
import json

from support.events import event, person

POISON = "no such thing can be stored"
LIMIT = "past a limit of PostgreSQL"  # SQLSTATE class 54: of the data as well

# A domain, so that COPY into the staging table refuses it as well as COPY into the timeline.
# The views are in the way of the change; this database is for this file alone.
REFUSE = f"""
DROP SCHEMA throughline CASCADE;
CREATE FUNCTION store.storable(value text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF value = '{POISON}' THEN
        RAISE EXCEPTION 'not storable' USING ERRCODE = '22P02';
    ELSIF value = '{LIMIT}' THEN
        RAISE EXCEPTION 'not storable' USING ERRCODE = '54000';
    END IF;
    RETURN true;
END $$;
CREATE DOMAIN store.storable_text AS text CHECK (store.storable(value));
ALTER TABLE store.events ALTER COLUMN summary TYPE store.storable_text;
"""


def refused_for(number):
    """The summary of a row that is refused, None for the others."""
    return {500: POISON, 1500: LIMIT, 2500: POISON}.get(number)


def test_refused_rows_wait_in_quarantine_and_spoil_nothing(bare_stack):
    stack = bare_stack
    stack.query(REFUSE)
    sent = []
    for number in range(3000):
        one = event("sales.call.made", {"summary": refused_for(number) or f"call {number}",
                                        "customer": person("caller")})
        sent.append(one)
    stack.start("tl-sales")
    for i in range(0, len(sent), 500):
        answer = stack.post_event("sales", sent[i:i + 500])
        assert answer.status == 202, answer
    stack.start("tl-aggregator")
    stack.wait_caught_up()

    refused = {one["id"] for one in sent if one["data"]["summary"] in (POISON, LIMIT)}
    stored = [row["event_id"] for row in stack.query("SELECT event_id FROM store.events")]
    assert len(stored) == len(set(stored))
    assert set(stored) == {one["id"] for one in sent} - refused

    rows = stack.query("SELECT topic, partition, kafka_offset, reason, detail, value, headers"
                       " FROM store.quarantine ORDER BY quarantine_id")
    assert {row["reason"] for row in rows} == {"unstorable"}
    records = {(message.partition(), message.offset()): message
               for message in stack.kafka.records("events.sales", len(sent))}
    found = set()
    for row in rows:
        record = records[row["partition"], row["kafka_offset"]]
        headers = [bytes(item) for item in row["headers"]]
        assert bytes(row["value"]) == record.value()
        assert list(zip([name.decode() for name in headers[::2]], headers[1::2])) == record.headers()
        assert "not storable" in row["detail"]
        assert json.loads(record.value())["summary"] in (POISON, LIMIT)
        found.add(dict(record.headers())["ce_id"].decode())
    assert found == refused

    books, = stack.query("SELECT sum(next_offset - first_offset) AS records, sum(on_timeline) AS on_timeline,"
                         " sum(duplicates) AS duplicates, sum(quarantined) AS quarantined, sum(void) AS void"
                         " FROM store.consumer_offsets")
    assert books == {"records": 3000, "on_timeline": 2997, "duplicates": 0, "quarantined": 3, "void": 0}

    # One that is alone in its partition's batch, and names a customer together with a known one: it is
    # counted once, and ties nobody.
    lone = event("sales.call.made", {"summary": POISON, "customer": {"email": [
        sent[0]["data"]["customer"]["email"], sent[1]["data"]["customer"]["email"], "lone@refused.example"]}})
    assert stack.post_event("sales", lone).status == 202
    stack.wait_caught_up()
    books, = stack.query("SELECT sum(on_timeline) AS on_timeline, sum(quarantined) AS quarantined, sum(abs(next_offset"
                         " - first_offset - on_timeline - duplicates - quarantined - void)) AS wrong"
                         " FROM store.consumer_offsets")
    assert books == {"on_timeline": 2997, "quarantined": 4, "wrong": 0}
    assert not stack.query("SELECT 1 AS one FROM store.identities WHERE value = 'lone@refused.example'")
    assert not stack.query("SELECT 1 AS one FROM store.merges")
