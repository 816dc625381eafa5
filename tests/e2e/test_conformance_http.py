"""The requests of the official CloudEvents conformance feature for HTTP, through
the front door. As they are, their type is in nobody's vocabulary; with a type,
a customer and a moment of ours they are accepted, and stand in Kafka as the
Kafka binding has it. (tests/unit runs the feature against the codecs.)"""
import itertools
import json
import re

import pytest

from support.kafka import headers as headers_of
from support.paths import fixtures

FEATURE = "cloudevents/conformance_features_http-protocol-binding.feature"
OURS = {"type": "service.ticket.opened", "time": "2026-01-08T10:12:07Z"}
CUSTOMER = "email=ann%40acme.example"

_ids = itertools.count(1)


def scenarios():
    """(name, headers, body) for each row of Examples of each scenario."""
    folder = fixtures()
    if folder is None:
        return []
    text = (folder / FEATURE).read_text(encoding="utf-8")
    found = []
    for scenario in re.split(r"^\s*Scenario(?: Outline)?: ", text, flags=re.M)[1:]:
        name = scenario.splitlines()[0]
        request = re.search(r'an HTTP request\s*\n\s*"""\n(.*?)\n\s*"""', scenario, re.S).group(1)
        indent = re.match(r" *", request).group()
        request = "\n".join(line.removeprefix(indent) for line in request.splitlines())
        head, body = request.split("\n\n", 1)
        headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
        for row in scenario.split("Examples:")[1].splitlines()[2:]:
            value = row.strip(" |")
            if value:
                filled = {k: v.replace("<contentType>", value) for k, v in headers.items()
                          if k not in ("Host", "Content-Length")}
                found.append(pytest.param(filled, body, id=name.replace("<contentType>", value)))
    assert len(found) == 4, "the feature has four examples"
    return found


pytestmark = pytest.mark.skipif(fixtures() is None, reason="no shared fixtures (set FIXTURES)")


@pytest.fixture(scope="module")
def service(bare_stack):
    return bare_stack.start("tl-service")


@pytest.mark.parametrize("headers, body", scenarios())
def test_as_it_is_the_type_is_unknown(service, headers, body):
    answer = service.request("tl-service", "POST", "/events", body, headers)
    assert answer.status == 400
    assert [error["pointer"] for error in answer.json["errors"]] == ["/type"]


@pytest.mark.parametrize("headers, body", scenarios())
def test_with_what_the_contract_wants_it_is_accepted(service, kafka, headers, body):
    event_id = f"conformance-{next(_ids)}"
    data = {"message": "Hello World!", "summary": "Hello"}
    if "ce-id" in headers:
        headers = {**headers, **{f"ce-{name}": value for name, value in OURS.items()},
                   "ce-id": event_id, "ce-customer": CUSTOMER.replace("%", "%25")}
        body = json.dumps(data, indent=4)
        value, content_type = body, headers["Content-Type"]
    else:
        event = {**json.loads(body), **OURS, "id": event_id, "customer": CUSTOMER, "data": data}
        body = json.dumps(event, indent=2)
        value = body[body.index('{', body.index('"data": ')):body.rindex("}")].strip().rstrip(",")
        value = value[:value.index("}") + 1]
        content_type = event["datacontenttype"]
    answer = service.request("tl-service", "POST", "/events", body, headers)
    assert (answer.status, answer.json) == (202, {"accepted": 1})

    records = kafka.records("events.service", kafka.count("events.service"))
    record, = [r for r in records if headers_of(r)["ce_id"] == event_id]
    assert record.key() == CUSTOMER.encode()
    assert record.value().decode() == value  # byte for byte
    assert headers_of(record) == {
        "ce_specversion": "1.0", "ce_id": event_id, "ce_source": "/mycontext/subcontext",
        "ce_type": OURS["type"], "ce_time": OURS["time"], "content-type": content_type,
        "ce_customer": CUSTOMER, "ce_summary": "Hello", "ce_facts": ""}
