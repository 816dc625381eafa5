"""Kafka records that nobody should write, and what must become of each: a table, without servers.

Each is a `Case`: the record, and exactly one expectation. The good event that follows each of
them on the same partition is the test's own."""
import base64
import json
from dataclasses import dataclass, field
from typing import Optional

SOURCE = "/tests/hostile"
MIB = 1 << 20
STRUCTURED = (b"content-type", b"application/cloudevents+json")


@dataclass
class Case:
    name: str
    expect: object
    value: Optional[bytes] = b"{}"
    headers: list = field(default_factory=list)  # pairs of bytes; a value may be None
    key: Optional[bytes] = b"k"


@dataclass
class Waits:
    """In quarantine, with every byte."""
    reason: str
    detail: str


@dataclass
class Lands:
    """On the timeline, with these values."""
    values: dict


class Repeats:
    """A duplicate: counted, and nowhere else."""


def no_event(detail):
    return Waits("not-a-cloudevent", detail)


def inadmissible(detail):
    return Waits("inadmissible", detail)


def address(name):
    return f"email={name.replace(' ', '-').replace(',', '')}%40hostile.example"


def attributes(name, **changes):
    """Of a good event; None takes one away."""
    found = {"specversion": "1.0", "id": name, "source": SOURCE, "type": "sales.deal.lost",
             "time": "2026-05-01T00:00:00Z", "customer": address(name), **changes}
    return {key: value for key, value in found.items() if value is not None}


def headers_of(name, content_type=b"application/json", more=(), **changes):
    """Binary mode."""
    pairs = [(b"ce_" + key.encode(), value if isinstance(value, bytes) else value.encode())
             for key, value in attributes(name, **changes).items()]
    return pairs + ([(b"content-type", content_type)] if content_type else []) + list(more)


def binary(name, expect, value=b"{}", key=b"k", **changes):
    return Case(name, expect, value, headers_of(name, **changes), key)


def whole(name, **changes):
    """One from an intake: with facts, so that nothing but its headers is read."""
    return {"facts": "", **changes}


def fast(name, expect, value=b"{}", **changes):
    return binary(name, expect, value, **whole(name, **changes))


def structured(name, expect, drop=(), raw=None, **members):
    one = {**attributes(name), "data": {}, **members}
    for key in drop:
        del one[key]
    return Case(name, expect, json.dumps(one).encode() if raw is None else raw, [STRUCTURED])


def lands(**values):
    return Lands({"type": "sales.deal.lost", **values})


REQUIRED = "is required"
RFC_3339 = "/time: must be an RFC 3339 date and time with its offset, as 2026-01-08T10:12:07Z"
TEXT = "must be UTF-8 without control characters and noncharacters"

NOT_EVENTS = [
    Case("no JSON", no_event('/specversion: is required: "1.0"'), b"\xff\xfe\x00 nothing \x80"),
    Case("empty value", no_event('/specversion: is required: "1.0"'), b""),
    Case("tombstone", no_event('/specversion: is required: "1.0"'), None),
    Case("nothing at all", no_event('/specversion: is required: "1.0"'), None, key=None),
    Case("JSON that is no event", no_event('/specversion: is required: "1.0"'), b'{"id": "1"}'),
    Case("foreign headers", no_event('/specversion: is required: "1.0"'), headers=[(b"x", b"y")]),
    Case("structured, empty", no_event("there is no JSON here: the text is empty"), b"", [STRUCTURED]),
    Case("structured, none", no_event("there is no JSON here: the text is empty"), None, [STRUCTURED]),
    Case("structured, truncated",
         no_event("not valid JSON: the text ends where a value is expected, at byte 29"),
         b'{"specversion": "1.0", "id": ', [STRUCTURED]),
    Case("structured, an array", no_event("an event must be a JSON object"), b"[]", [STRUCTURED]),
    Case("structured, a batch",
         no_event("content-type must be application/cloudevents+json or that of the data: Kafka has no batches, and "
                  "other event formats are not read"),
         b"[]", [(b"content-type", b"application/cloudevents-batch+json")]),
    Case("structured, avro",
         no_event("content-type must be application/cloudevents+json or that of the data: Kafka has no batches, and "
                  "other event formats are not read"),
         b"\x00", [(b"content-type", b"application/cloudevents+avro")]),
    Case("structured, content-type twice", no_event("header content-type is given twice"), b"{}",
         [STRUCTURED, STRUCTURED]),
    structured("structured, no id", no_event("/id: is required"), drop=["id"]),
    structured("structured, id is a number", no_event("/id: must be a string"), id=7),
    structured("structured, empty source", no_event("/source: must not be empty"), source=""),
    structured("structured, version 0.3", no_event('/specversion: must be "1.0"'), specversion="0.3"),
    structured("structured, no time", no_event("/time: is required: the timeline is ordered by it"), drop=["time"]),
    structured("structured, data twice over",
               no_event("/data_base64: must not stand beside data"),
               data_base64="e30="),
    structured("structured, no base64", no_event("/data_base64: must be base64 (RFC 4648)"), drop=["data"],
               data_base64="***"),
    structured("structured, upper case",
               no_event('attribute name "Type" must be 1 to 64 of the characters a-z and 0-9'),
               Type="x"),
    structured("structured, a member twice",
               no_event("/id: the same member stands twice in an object"),
               raw=b'{"id": "1", "id": "2"}'),
    structured("structured, a member twice, escaped",
               no_event("/id: the same member stands twice in an object"),
               raw=b'{"id": "1", "\\u0069d": "2"}'),
    structured("structured, 400,000 brackets",
               no_event("JSON past what is taken here: objects and arrays are nested too deeply (more than 128 "
                        "levels), at byte 128"),
               raw=b"[" * 400000),
    binary("no specversion", no_event('/specversion: is required: "1.0"'), specversion=None),
    binary("specversion 2", no_event('/specversion: must be "1.0"'), specversion="2.0"),
    binary("no id", no_event("/id: is required"), id=None),
    binary("empty id", no_event("/id: must not be empty"), id=""),
    binary("id of 513 bytes", no_event("/id: is longer than 512 bytes"), id="i" * 513),
    binary("no source", no_event("/source: is required"), source=None),
    binary("source with a space", no_event("/source: must be a URI-reference (RFC 3986)"), source="/a b"),
    binary("no type", no_event("/type: is required"), type=None),
    binary("no time", no_event("/time: is required: the timeline is ordered by it"), time=None),
    binary("time without zone", no_event(RFC_3339), time="2026-05-01T00:00:00"),
    binary("year 294277", no_event(RFC_3339), time="294277-01-09T04:00:54Z"),
    binary("no such day", no_event(RFC_3339), time="2026-02-30T00:00:00Z"),
    binary("id twice", no_event("/id: is given twice"), more=[(b"ce_id", b"again")]),
    binary("extension twice",
           no_event("/customer: is given twice"),
           more=[(b"ce_customer", b"email=a%40b.example")]),
    binary("content-type twice, binary", no_event("/datacontenttype: is given twice"),
           more=[(b"content-type", b"text/plain")]),
    binary("ce_datacontenttype", no_event("header ce_datacontenttype must not be sent: content-type says it"),
           more=[(b"ce_datacontenttype", b"text/plain")]),
    binary("id without value", no_event("header ce_id has no value"), id=None, more=[(b"ce_id", None)]),
    binary("NUL in the id", no_event("/id: " + TEXT), id=b"a\x00b"),
    binary("id is no UTF-8", no_event("/id: " + TEXT), id=b"\xff\xfe"),
    binary("lone surrogate in the id", no_event("/id: " + TEXT), id=b"\xed\xa0\x80"),
    binary("overlong UTF-8 in the id", no_event("/id: " + TEXT), id=b"\xc0\xaf"),
    binary("attribute name is no UTF-8",
           no_event('attribute name "??" must be 1 to 64 of the characters a-z and 0-9'),
           more=[(b"ce_\xff\xfe", b"x")]),
    binary("attribute of 40,000 bytes",
           no_event("/note: is longer than 16384 bytes"),
           more=[(b"ce_note", b"n" * 40000)]),
    binary("33 extensions", no_event("has more than 32 extension attributes"),
           more=[(b"ce_x%d" % n, b"y") for n in range(32)]),
    binary("1,000 headers",
           no_event("the record has too many headers"),
           more=[(b"x-%d" % n, b"%d" % n) for n in range(1000)]),
]

INADMISSIBLE = [
    binary("no customer",
           inadmissible('/data/customer: is required: at least one identity, as {"email": "ann@acme.example"}'),
           customer=None),
    binary("no data, no customer",
           inadmissible('/data/customer: is required: at least one identity, as {"email": "ann@acme.example"}'),
           b"", customer=None),
    fast("customer, bad percent", inadmissible("/customer: a '%' must be followed by two hex digits"),
         customer="email=a%4"),
    fast("customer, empty", inadmissible("/customer: email: the value is empty"), customer="email="),
    fast("customer, unknown kind",
         inadmissible('/customer: identity kind "shoesize" is not known; kinds stand in identities.json and under '
                      '"identity_kinds" in department and source files'),
         customer="shoesize=44"),
    fast("customer, no pair",
         inadmissible("/customer: must be kind=value pairs joined by '&', as email=ann%40acme.example"),
         customer="nobody"),
    fast("customer, 33 identities", inadmissible("/customer: names more than 32 identities"),
         customer="&".join(f"email=a{n}%40b.example" for n in range(33))),
    fast("customer, 10,000 identities", no_event("/customer: is longer than 16384 bytes"),
         customer="&".join(f"email=a{n}%40b.example" for n in range(10000))),
    fast("customer, NUL",
         inadmissible("/customer: email: must be UTF-8 without control characters"),
         customer="email=a%00b"),
    fast("customer, no UTF-8",
         inadmissible("/customer: email: must be UTF-8 without control characters"),
         customer="email=%FF%FE"),
    binary("customers differ",
           inadmissible("/customer: says something else than data.customer: leave the attribute out, it is "
                        "derived"),
           b'{"customer": {"email": "other@hostile.example"}}'),
    binary("data: 10,000 identities",
           inadmissible("/data/customer/email/32: names more than 32 identities"),
           json.dumps(
        {"customer": {"email": [f"a{n}@b.example" for n in range(10000)]}}).encode(), customer=None),
    fast("before 1970", inadmissible("/time: lies before 1970"), time="1969-12-31T23:59:59.999999Z"),
    fast("year 9999", inadmissible("/time: lies more than 24 h in the future: time is when it happened"),
         time="9999-12-31T23:59:59Z"),
    fast("another department's",
         inadmissible('/type: "billing.invoice.paid" is not a type of the department sales: its types begin with '
                      '"sales."'),
         type="billing.invoice.paid"),
    fast("unknown type",
         inadmissible('/type: "sales.nothing.known" is not in the vocabulary of sales (departments/sales.json, '
                      '"events")'),
         type="sales.nothing.known"),
    fast("the system's own",
         inadmissible("/type: types throughline.… are the system's own"),
         type="throughline.customer.stale"),
    fast("amount 1e400",
         inadmissible("/amount: must not have more than 60 digits before or after the decimal point"),
         amount="1e400", currency="EUR"),
    fast("amount of 61 digits",
         inadmissible("/amount: must not have more than 60 digits before or after the decimal point"),
         amount="9" * 61, currency="EUR"),
    fast("amount with text",
         inadmissible("/amount: must be a decimal number like 20.00"),
         amount="ten", currency="EUR"),
    fast("amount without currency",
         inadmissible("/currency: is required beside amount: sales.deal.won counts as money (promised)"),
         type="sales.deal.won", amount="1"),
    fast("currency in small letters", inadmissible(
        "/currency: must be three capital letters (ISO 4217): USD, not usd or $"), amount="1", currency="eur"),
    binary("amount 1e400 in data",
           inadmissible("/data: JSON past what is taken here: a number must not have more than 400 digits, at byte "
                        "11"),
           b'{"amount": 1e400, "currency": "EUR"}', type="sales.deal.won"),
    binary("amounts differ",
           inadmissible("/amount: says something else than data.amount: leave the attribute out, it is derived"),
           b'{"amount": 2, "currency": "EUR"}', type="sales.deal.won",
           amount="3", currency="EUR"),
    fast("facts out of order",
         inadmissible("/facts: must list issue, kept, owner and promises, in this order, with commas"),
         facts="promises,issue"),
    fast("facts of what is no JSON", inadmissible("/facts: lists members of data, which is no JSON"), b"text",
         facts="issue", content_type=b"text/plain"),
    fast("data truncated",
         inadmissible("/data: not valid JSON: the text ends where a value is expected, at byte 6"),
         b'{"a": '),
    fast("data, a NUL byte",
         inadmissible("/data: not valid JSON: a control character in a string must be escaped, at byte 7"),
         b'{"a": "\x00"}'),
    fast("data, an escaped NUL",
         inadmissible("/data: JSON past what is taken here: \\u0000 cannot be stored, at byte 7"),
         b'{"a": "\\u0000"}'),
    fast("data, bad UTF-8",
         inadmissible("/data: not valid JSON: the text is not well-formed UTF-8, at byte 7"),
         b'{"a": "\xff"}'),
    fast("data, lone surrogate",
         inadmissible("/data: JSON past what is taken here: a high surrogate needs a low one after it, at byte 7"),
         b'{"a": "\\ud800"}'),
    fast("data, surrogate as bytes",
         inadmissible("/data: not valid JSON: the text is not well-formed UTF-8, at byte 7"),
         b'{"a": "\xed\xa0\x80"}'),
    fast("data, 200,000 levels",
         inadmissible("/data: JSON past what is taken here: objects and arrays are nested too deeply (more than 128 "
                      "levels), at byte 128"),
         b"[" * 200000 + b"]" * 200000),
    fast("data, 1e131071",
         inadmissible("/data: JSON past what is taken here: a number must not have more than 400 digits, at byte "
                      "6"),
         b'{"a": 1e131071}'),
    structured("structured, a million brackets",
               inadmissible("has more than 524288 values: no intake writes such a record"),
               raw=b"[" * 1000000),
    binary("data, a million arrays", inadmissible("has more than 524288 values: no intake writes such a record"),
           b"[" + b"[]," * 999999 + b"[]]"),
    binary("data, the same member twice",
           inadmissible("/data/a: the same member stands twice in an object"),
           b'{"a": 1, "a": 2}'),
    fast("a summary of 10 MB as header", no_event("/summary: is longer than 16384 bytes"), summary="s" * 10 * MIB),
    fast("17 MB",
         inadmissible("is larger than 16 MiB: no intake writes such a record"),
         b'"%s"' % (b"x" * 17 * MIB)),
    Case("structured, 17 MB", inadmissible("is larger than 16 MiB: no intake writes such a record"),
         b"[" * 17 * MIB, [STRUCTURED]),
]

UNMAPPED = [
    Case("a webhook", Waits("unmapped", "no rule"), b'{"id": 7}',
         [(b"throughline_source", b"nobody"), (b"throughline_reason", b"no rule")]),
    fast("a forged reason", Waits("unmapped", "no ? text"), more=[(b"throughline_reason", b"no \xff text")]),
    fast("an empty reason", Waits("unmapped", ""), more=[(b"throughline_reason", b"")]),
    fast("a reason of 1 MB", Waits("unmapped", "r" * 511), more=[(b"throughline_reason", b"r" * MIB)]),
]

LAND = [
    fast("tombstone of an event", lands(data=None), None),
    fast("empty value of an event", lands(data=None), b""),
    fast("a forged source alone", lands(data={}), more=[(b"throughline_source", b"stripe")]),
    fast("a reason without value", lands(data={}), more=[(b"throughline_reason", None)]),
    fast("facts that are not there", lands(data={}), facts="issue,owner,promises"),
    fast("key missing", lands()),
    fast("key of another customer", lands()),
    fast("key of 1 MB", lands()),
    fast("a foreign header of 1 MB", lands(), more=[(b"x", b"y" * MIB)]),
    fast("a foreign header twice", lands(), more=[(b"x", b"1"), (b"x", b"2")]),
    fast("a foreign header, no UTF-8", lands(), more=[(b"\xff\xfe", b"\xff\x00\xfe"), (b"none", None), (b"", b"")]),
    fast("no JSON in data", lands(data={"datacontenttype": "application/octet-stream",
                                       "data_base64": base64.b64encode(b"\x00\xff").decode()}),
         b"\x00\xff", content_type=b"application/octet-stream"),
    fast("no content-type", lands(data={"a": 1}), b'{"a": 1}', content_type=None),
    fast("10 MB", lands(data={"a": "x" * 10 * MIB}), b'{"a": "%s"}' % (b"x" * 10 * MIB)),
    fast("1970", lands(), time="1970-01-01T00:00:00Z"),
    fast("a leap second", lands(), time="2016-12-31T23:59:60Z"),
    fast("40 digits", lands(amount="1234567890123456789012345678.123456789012"),
         amount="1234567890123456789012345678.123456789012", currency="EUR"),
    fast("400 digits in data", lands(), b'{"a": 1e399}'),
    binary("money of a deal", lands(type="sales.deal.won", amount="12.50", currency="EUR"),
           b'{"amount": 12.50, "currency": "EUR"}', type="sales.deal.won"),
    fast("a summary of 16 kB", lands(summary="s" * 1021 + "…"), summary="s" * 16384),
    structured("structured, extensions", lands(data={"a": 1}), data={"a": 1}, region="north"),
    structured("structured, base64", lands(data={"a": 1}), drop=["data"], data_base64="eyJhIjogMX0="),
    Case("structured, a byte order mark", lands(),
         b"\xef\xbb\xbf" + json.dumps(attributes("structured, a byte order mark")).encode(), [STRUCTURED]),
    fast("said twice", lands(data={"n": 1}), b'{"n": 1}'),
    Case("said twice, again", Repeats(), b'{"n": 1}', headers_of("said twice", facts="")),
    Case("said twice, another body", Repeats(), b'{"n": 2}', headers_of("said twice", facts="")),
    Case("said twice, by nanoseconds", Repeats(), b"{}",
         headers_of("said twice", facts="", time="2026-05-01T02:00:00.0000009+02:00")),
    Case("said twice, another time", lands(data={"n": 3}), b'{"n": 3}',
         headers_of("said twice", facts="", time="2026-05-01T00:00:01Z")),
]

for case in LAND:
    if case.name.startswith("key "):
        case.key = {"key missing": None, "key of another customer": b"email=other%40hostile.example",
                    "key of 1 MB": b"k" * MIB}[case.name]

CASES = NOT_EVENTS + INADMISSIBLE + UNMAPPED + LAND
