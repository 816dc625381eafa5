"""What fuzzing starts from: real messages of the tree and of $FIXTURES, in the form that each target
reads, and by hand what none of them has."""
import hashlib
import json

from support import paths
from support.paths import CONFIG

PAYLOADS = paths.ROOT / "tests/unit/payloads"
LARGEST = 32768

EVENT = {"specversion": "1.0", "id": "e-1", "source": "/crm", "type": "sales.deal.won",
         "time": "2026-01-08T10:12:07.672717Z", "customer": "email=ann%40acme.example",
         "data": {"customer": {"email": "ann@acme.example"}, "amount": 1200.50, "currency": "EUR",
                  "owner": {"name": "Bo", "role": "seller"}, "promises": ["free training"],
                  "issue": {"id": "7", "summary": "late", "told": True}, "summary": "Won: \u00fc"}}
LINKED = {"specversion": "1.0", "id": "e-2", "source": "urn:crm:1-555", "type": "service.customer.linked",
          "time": "2026-01-08T10:12:07+05:30", "subject": "s", "dataschema": "https://schema.example/1",
          "datacontenttype": "application/json; charset=utf-8", "num": 42, "yes": True, "none": None,
          "data": {"customer": {"email": ["Ann@ACME.example.", "b@acme.example"], "phone": "+49 (0)30 123456",
                                "account": {"domain": "ACME.example", "vat": "de 123.456.789"}}}}
BASE64 = {"specversion": "1.0", "id": "e-3", "source": "/x", "type": "billing.customer.linked",
          "time": "2026-01-08T10:12:07Z", "datacontenttype": "text/plain", "customer": "email=a%40b.example",
          "data_base64": "aGVsbG8="}
JSON_EDGES = [
    "[]", "{}", '""', "0", "-0.0e-0", "1e400", "1E-399", "123456789012345678901234567890", "true", "nul",
    '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '"\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"', '"\u20ac\U0001f600"',
    "[[[[[[[[[[[[[[[[[[[[", "[" * 127 + "]" * 127, "[" * 129 + "]" * 129, '/a/0/~01~1\n{"a":[{"~1/":null}]}',
    '/a~1b\n{"a/b":1.50,"c":[1,2,{"d":"\\"\\\\\\/\\b\\f\\n\\r\\t"}]}', "9223372036854775807", "-9223372036854775809",
    "\ufeff{}", "9007199254740993.0", '{"":{"":""}}', "/\n" + '{"":1}']
SCALARS = [
    "20.00", "-1.5e3", "1e-3", "0.0", "-0", "12345678901234567890.123456789", "9" * 60, "0." + "0" * 59 + "1", "1e59",
    "1e60", "2026-01-08T10:12:07Z", "2026-01-08t10:12:07.6727179+05:30", "2016-12-31T23:59:60Z", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999-00:00", "2024-02-29T00:00:00-23:59", "250ms", "10s", "5m", "4h", "7d", "36600d", "4 MiB",
    "64KiB", "2GiB", "1048576", "0000-12-31T23:59:59-23:59"]
IDENTITIES = [
    "email=ann%40acme.example&stripe=cus_9&account.domain=acme.example", "phone=%2B49%20%280%2930%20123456",
    "email=Ann%40ACME.example.", "account.vat=de%20123.456.789", "name=Ann", "+49 (0)30 / 123-456", "0049 30 123456",
    "Ann@ACME.example.", "email=info%40acme.example", '{"email":["a@b.example","c@d.example"],"stripe":"cus_1"}',
    '{"email":"a@b.example","account":{"domain":"b.example","vat":["DE1","DE2"]},"phone":491234}', "email=%C3%BC%40x.example"]
TEXTS = [
    "616263", "YWJj", "YWI=", "%41%c3%bC", "a%zz", "https://example.org/a?b=c#d", "urn:isbn:1", "//[::1]:80/a", "1-555",
    'Won: {/amount} {/currency} {{x}}\n{"amount":1.50,"currency":"EUR"}', "{/a/0}{/b}\n" + '{"a":["\\u00e4"],"b":null}',
    "\u4f60\u597d \U0001f469\u200d\U0001f680 e\u0301", "\x1b[31mred\r\n", "\ufdd0\ufffe", "a\tb\x7f"]
REQUESTS = [
    "POST /events HTTP/1.1\nHost: here:8101\nContent-Length: 12\nExpect: 100-continue\n",
    "GET http://here/a%2Fb?c=d HTTP/1.0\nConnection: close\n",
    "POST /webhooks/stripe HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nAuthorization: Bearer sesame\n",
    "POST / HTTP/1.1\nHost: a\nHost: b\n", "POST / HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked\n",
    "GET / 127.0.0.1:80\nHost: [::1]:8100\nX: localhost:1\nY: [::ffff:127.0.0.1]:9\n",
    "GET / 10.0.0.0/8,fd00::/8\nX-Forwarded-For: 203.0.113.9, [fd00::1]:80,, 10.0.0.2:443\nHost: a\nX: unknown, 10.0.0.1\n"]
SIGNATURES = [
    "0POST /webhooks/a\nX-Sign: SIGNED\n\n{}", "1POST /a\nX-Sign: sha1=SIGNED\n\n{}",
    "2POST /a\nX-Sign: t=1796083200,v0=00, v1=ab,v1=SIGNED\n\n{}",
    "3POST /a\nX-Sign: SIGNED\nX-Id: 7\nX-Time: 2026-12-01T00:00:00Z\n\n{}",
    "4POST /webhooks/hubspot?a=b\nX-HubSpot-Signature-v3: SIGNED\nX-HubSpot-Request-Timestamp: 1796083200000\n\n[]",
    "5POST /a\nwebhook-id: msg_1\nwebhook-timestamp: 1796083200\nwebhook-signature: v1a,x v1,SIGNED\n\n{}",
    "6POST /a\nAuthorization: Basic YW5uOml0IGlzIGtub3du\n\n{}", "7POST /a\n\n{}"]
SOURCE = {"department": "sales", "signature": {"scheme": "none"}, "each": "/events", "id": "/id",
          "time": {"pointer": "/at", "format": "unix_ms"}, "source": {"template": "/crm/{/portal}"},
          "customer": {"email": {"first": ["/who", {"header": "X-Who"}]}}, "account": {},
          "minor_units": {"CLP": 2},
          "data": {"amount": {"pointer": "/amount", "scale": "minor_units"}, "currency": {"pointer": "/cur", "upper": True},
                   "list": {"list": ["/a", {"constant": [1, {"x": None}]}]}, "o": {"object": {"b": "/b"}},
                   "m": {"pointer": "/m", "map": {"a": "b"}, "if": {"/k": ["x", 1, True, None]}}},
          "rules": [{"if": {"/kind": "noise"}, "ignore": "noise"},
                    {"unless": {"/kind": {"present": True}}, "quarantine": "no kind"},
                    {"if": {"headers": {"X-Topic": "won"}}, "type": "sales.deal.won"},
                    {"type": {"pointer": "/kind", "map": {"linked": "sales.customer.linked"}}}], "otherwise": "ignore"}
SOURCE_BODY = {"events": [{"id": 1, "at": 1767867127672, "kind": "linked", "who": "a@b.example", "amount": 1200,
                           "cur": "eur", "portal": "p", "a": [1.50], "b": "c", "m": "a", "k": 1}]}
CONFIGS = [
    "throughline.json\n" + json.dumps({"brokers": "a:1", "log_level": "debug", "kafka": {"linger.ms": "5"},
                                       "tl-sales": {"listen": "127.0.0.1:0", "kafka": {"acks": "all"}},
                                       "tl-aggregator": {"batch_bytes": "4 MiB", "database": "${HOME}"}}),
    "identities.json\n" + json.dumps({"kinds": {"email": {"strong": True, "rank": 10, "normalise": "email",
                                                          "deny": ["info@*", "*@x", "*y*"]}}})]
CLI = [
    "--limit=5\nemail=a@b.example\n--json", "--wait\n10s\n--all\n--\n--x\ny", "--reason\n\n1", "--help", "--limit\nx",
    json.dumps(EVENT) + "\n\n \t\r\n[1]\n{\n" + json.dumps(LINKED),
    '\ufeff{"a":1}\n{"b":2}',
    json.dumps({"title": "Bad Request", "detail": "x", "errors": [{"index": 1, "pointer": "/id", "detail": "is required"},
                                                                  {"index": 0, "pointer": "", "detail": "y"}]}),
    json.dumps({"status": "not ready", "missing": ["Kafka does not answer"]})]


LOGS = ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        'invalid input syntax for type bigint: "ann@acme.example"', 'missing "=" after "ter2" in connection info string',
        'invalid integer value "hun" for connection option "port"', 'could not translate host name "a@b.example" to address',
        "two words, a=b \\ and \x1b[31m", "Gr\u00e4\u00df \u202e \U0001f600", "x" * 4000]


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def fixtures():
    """Files outside the tree; only read."""
    folder = paths.fixtures()
    found = folder.glob("*/*.json") if folder else []
    return sorted(path for path in found if path.stat().st_size <= LARGEST)


def payloads():
    """(source, headers, payload as text)"""
    for path in sorted(PAYLOADS.glob("*/*.json")):
        told = json.loads(path.read_text("utf-8"))
        yield path.parent.name, told.get("headers", {}), compact(told["payload"])


def message(first, headers, body):
    return "\n".join([*first, *(f"{name}: {value}" for name, value in headers.items()), "", body])


def source_names():
    """In the order in which the sources are loaded: of their files' names."""
    return [path.stem for path in sorted(CONFIG.glob("sources/*.json"))]


def mapping_seeds():
    names = source_names()
    for source, headers, payload in payloads():
        yield message([chr(ord("0") + names.index(source))], headers, payload)
    for path in fixtures():
        for index, name in enumerate(names):
            if name.startswith(path.parent.name):
                yield message([chr(ord("0") + index)], {}, path.read_text("utf-8", "replace"))


def source_seeds():
    example = message([], {"X-Who": "c@d.example", "X-Topic": "won"}, compact(SOURCE_BODY))
    yield compact(SOURCE) + "\n--\n" + example
    first = {}
    for source, headers, payload in payloads():
        first.setdefault(source, message([], headers, payload))
    for name in source_names():
        file = compact(json.loads((CONFIG / "sources" / f"{name}.json").read_text("utf-8")))
        yield file + "\n--\n" + first.get(name, "")


def http_seeds():
    for event in (EVENT, LINKED, BASE64):
        headers = {f"ce-{name}": str(value).replace("%", "%25") for name, value in event.items()
                   if name not in ("data", "data_base64", "datacontenttype") and value is not None}
        headers["Content-Type"] = event.get("datacontenttype", "application/json")
        yield message([], headers, compact(event.get("data", "hello")))
    yield message([], {"CE-id": '"a\\"b%20c"', "content-type": "application/cloudevents-batch+json; x=y"}, "")


def record_seeds():
    for event in (EVENT, LINKED, BASE64):
        department = event["type"].split(".")[0]
        headers = {f"ce_{name}": value for name, value in event.items()
                   if name not in ("data", "data_base64", "datacontenttype") and value is not None}
        headers["content-type"] = event.get("datacontenttype", "application/json")
        body = compact(event.get("data", "hello"))
        yield message([f"events.{department}", "email=a"], headers, body)
        known = {"ce_customer": "email=ann%40acme.example", "ce_facts": "issue,owner,promises", "ce_owner": "Bo",
                 "ce_summary": "Won", "ce_amount": "1200.5", "ce_currency": "EUR"}
        yield message([f"events.{department}", "email=a"], {**headers, **known}, body)
        structured = {"content-type": "application/cloudevents+json; charset=utf-8"}
        yield message([f"events.{department}", ""], structured, compact(event))
    yield message(["events.sales", ""], {"throughline_source": "stripe", "throughline_reason": "/id is missing"}, "{}")


def config_seeds():
    yield from CONFIGS
    for path in sorted(CONFIG.glob("**/*.json")):
        name = {"departments": "departments/sales.json", "sources": "sources/fuzz.json"}.get(path.parent.name, path.name)
        yield f"{name}\n{compact(json.loads(path.read_text('utf-8')))}"
    yield "sources/fuzz.json\n" + compact(SOURCE)


def json_seeds():
    yield from JSON_EDGES
    yield from (payload for _, _, payload in payloads())
    yield from (path.read_text("utf-8", "replace") for path in fixtures())


def event_seeds():
    yield from (compact(event) for event in (EVENT, LINKED, BASE64, [EVENT, LINKED, BASE64]))
    yield from (path.read_text("utf-8", "replace") for path in fixtures() if "cloudevent" in str(path).lower())


SEEDS = {"json": json_seeds, "scalar": lambda: ("\x10" + text for text in SCALARS), "identity": lambda: IDENTITIES,
         "text": lambda: TEXTS, "log": lambda: LOGS, "request": lambda: REQUESTS, "signature": lambda: SIGNATURES, "event_json": event_seeds,
         "event_http": http_seeds, "record": record_seeds, "mapping": mapping_seeds, "source": source_seeds,
         "config": config_seeds, "cli": lambda: CLI}


def write(target, folder):
    """Each seed a file; those of an earlier run are taken away."""
    for path in folder.iterdir():
        path.unlink()
    for text in SEEDS[target]():
        content = text.encode("utf-8", "surrogateescape")
        (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)
