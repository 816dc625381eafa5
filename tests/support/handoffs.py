"""Changes of handoffs, as the aggregator publishes them, for tests that have none; and what
department services say of handoffs."""
import json
import uuid

from confluent_kafka import Producer

from support.kafka import headers as headers_of
from support.wait import wait_for

PREFIX = "throughline.handoff."


def change(handoff, sequence, kind="opened", **data):
    """(key, headers, value) of a record of handoffs.<department>."""
    event_id = f"{handoff}/{sequence}" if kind != "refused" else f"{uuid.uuid4()}/refused"
    headers = {"ce_specversion": "1.0", "ce_id": event_id, "ce_source": "/throughline",
               "ce_type": PREFIX + kind, "ce_time": "2026-01-08T10:12:07Z",
               "content-type": "application/json", "ce_customer": "email=ann%40acme.example",
               "ce_traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    if kind != "refused":
        headers["ce_sequence"] = str(sequence)
    value = {"handoff": handoff, "rule": "invoice-the-won-deal", "state": "open", "from": "sales",
             "to": "billing", "ask": "Issue the first invoice", "sequence": sequence, **data}
    if kind == "opened":
        value.update(brief_version=1, brief={"amount": 12000})
    return handoff, headers, json.dumps(value).encode()


def publish(kafka, department, *changes):
    """Returns when the broker has them; a handoff's changes keep their order."""
    failures = []
    producer = Producer({"bootstrap.servers": kafka.brokers, "log_level": 0, "linger.ms": 5})
    for key, headers, value in changes:
        producer.produce(f"handoffs.{department}", value, key, headers=headers,
                         on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(20) == 0 and not failures, failures


def new_handoff():
    return str(uuid.uuid4())


def said(kafka, department):
    """What a department's service has said of handoffs so far: {handoff: [(type without its prefix,
    data, headers)]}."""
    topic, found = f"events.{department}", {}
    total = kafka.count(topic)
    for message in kafka.records(topic, total) if total else []:
        headers = headers_of(message)
        if headers.get("ce_type", "").startswith(PREFIX):
            found.setdefault(message.key().decode(), []).append(
                (headers["ce_type"].removeprefix(PREFIX), json.loads(message.value()), headers))
    return found


def reports(kafka, department, *handoffs, seconds=30):
    """The same, once there is something of each of these; of a single one its list."""
    def look():
        found = said(kafka, department)
        return found if all(h in found for h in handoffs) else None
    found = wait_for(look, seconds, f"reports of {len(handoffs)} handoffs", step=0.1)
    return found if len(handoffs) > 1 else found[handoffs[0]]
