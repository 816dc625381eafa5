"""The table of hostile requests to POST /events and around it: bytes in, exact answers out.

Bytes are whole requests as they go over the wire; `@@@@` stands for four digits that make an
event's id its own. Answers are Problem, Accepted, Text or Library; then the connection is kept or
closed."""
from dataclasses import dataclass, field

EVENT = (b'{"specversion":"1.0","id":"hostile-@@@@","source":"/tests","type":"service.ticket.opened",'
         b'"time":"2026-01-08T10:12:07Z","data":{"customer":{"email":"h@hostile.example"},"summary":"s"}}')
KIND = b"Content-Type: application/cloudevents+json"
TITLES = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
          413: "Content Too Large", 415: "Unsupported Media Type", 417: "Expectation Failed",
          431: "Request Header Fields Too Large", 501: "Not Implemented", 503: "Service Unavailable",
          505: "HTTP Version Not Supported"}

KEPT, CLOSED = "kept", "closed"


@dataclass
class Problem:
    status: int
    detail: str
    errors: list = None
    headers: dict = field(default_factory=dict)


@dataclass
class Accepted:
    count: int = 1
    body: dict = None


@dataclass
class Text:
    """An answer that is no problem: status, body, headers."""
    status: int
    body: bytes
    headers: dict = field(default_factory=dict)


@dataclass
class Library:
    """The HTTP library's own answer, before this code sees the request: a status and some HTML."""
    status: int


class Nothing:
    """Closed without an answer."""


@dataclass
class Twice(Library):
    """Of 0.9: two heads, the second as the first one's body; the statuses are the same."""


@dataclass
class Either:
    """What libmicrohttpd 0.9 lets through to this code, and 1.0 answers by itself."""
    v0: object
    v1: object


def stricter(problem, status=400):
    return Either(problem, Library(status))


def head(line, *headers):
    return b"\r\n".join((line, *headers)) + b"\r\n\r\n"


def post(*headers, body=EVENT, line=b"POST /events HTTP/1.1", host=b"Host: h", kind=KIND, length=True):
    lines = [h for h in (host, kind) if h]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return head(line, *lines, *headers) + body


def framed(*headers, body=EVENT, **more):
    """As post, but the framing headers are the caller's."""
    return post(*headers, body=body, length=False, **more)


def chunked(body, size=100):
    pieces = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def transfer(body):
    return framed(b"Transfer-Encoding: chunked", body=body)


TOKEN = "the method is no token"
TARGET = "the request target must be a path that starts with a slash, percent-encoded"
MANY = "there are too many headers"
NAME = "a header's name is no token; no space may stand before the colon"
VALUE = "a header's value has a control character"
HOST = "there must be exactly one Host header"
HOST_FORM = "the Host header must be a host and a port"
FRAMING = "Content-Length and Transfer-Encoding exclude each other, and each may come once"
CODING = "the only Transfer-Encoding understood is chunked"
OLD_CODING = "HTTP/1.0 has no Transfer-Encoding"
LENGTH = "Content-Length must be a whole number"
LINES = ("the head must be lines that end in CRLF, none of them folded, with no NUL and single spaces between "
         "method, target and version")
ESCAPE = "the path's percent-encoding is broken"
LARGE = "the body is larger than this server takes"
NO_PATH = "there is nothing at this path"
METHOD = "this path does not know that method"
FORMATS = ("send application/cloudevents+json, application/cloudevents-batch+json, or binary mode: "
           "attributes in ce- headers")
N = b"%d" % len(EVENT)
HEALTH = head(b"GET /healthz HTTP/1.1", b"Host: h")
OK = Text(200, b'{"status":"alive"}')
NOT_VALID = "the event is not valid"
NO_VERSION = [("", "/specversion", 'is required: "1.0"')]
NO_JSON = [("", "", "there is no JSON here: the text is empty")]
TWICE = "Content-Type and Content-Encoding may each come once"
NO_SOURCE = "this department has no source of that name"

# name: (bytes, [answers], kept or closed[, events published, as many as were accepted where it is left out])
REQUESTS = {
    "a good one": (post(), [Accepted()], KEPT),

    # Where does the request end? What a proxy in front might see otherwise.
    "length and chunked": (framed(b"Content-Length: " + N, b"Transfer-Encoding: chunked", body=chunked(EVENT)),
                           [stricter(Problem(400, FRAMING))], CLOSED),
    "chunked and length": (framed(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=chunked(EVENT)),
                           [stricter(Problem(400, FRAMING))], CLOSED),
    "two lengths alike": (post(b"Content-Length: " + N), [Problem(400, FRAMING)], CLOSED),
    "two lengths that differ": (post(b"Content-Length: 0"), [Problem(400, FRAMING)], CLOSED),
    "a space before the colon": (framed(b"Content-Length : " + N), [stricter(Problem(400, NAME))], CLOSED),
    "a tab before the colon": (framed(b"Content-Length\t: " + N), [stricter(Problem(400, NAME))], CLOSED),
    "a length with plus": (framed(b"Content-Length: +" + N), [Twice(400)], CLOSED),
    "a length with minus": (framed(b"Content-Length: -1"), [Twice(400)], CLOSED),
    "a length with a space inside": (framed(b"Content-Length: 1 0"), [Twice(400)], CLOSED),
    "a length as a list": (framed(b"Content-Length: %s, %s" % (N, N)), [Twice(400)], CLOSED),
    "a length in hex": (framed(b"Content-Length: 0x10"), [Twice(400)], CLOSED),
    "an empty length": (framed(b"Content-Length:"), [Twice(400)], CLOSED),
    "a length past any number": (framed(b"Content-Length: 99999999999999999999"), [Twice(413)], CLOSED),
    "a length past int64": (framed(b"Content-Length: 9223372036854775808"), [Problem(400, LENGTH)], CLOSED),
    "a length of int64": (framed(b"Content-Length: 9223372036854775807"), [Problem(413, LARGE)], CLOSED),
    "chunked twice in two lines": (framed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked",
                                          body=chunked(EVENT)), [Problem(400, FRAMING)], CLOSED),
    "chunked twice in one": (framed(b"Transfer-Encoding: chunked, chunked", body=chunked(EVENT)),
                             [stricter(Problem(501, CODING))], CLOSED),
    "xchunked": (framed(b"Transfer-Encoding: xchunked", body=chunked(EVENT)), [stricter(Problem(501, CODING))], CLOSED),
    "chunked in quotes": (framed(b'Transfer-Encoding: "chunked"', body=chunked(EVENT)), [stricter(Problem(501, CODING))],
                          CLOSED),
    "identity": (framed(b"Transfer-Encoding: identity"), [stricter(Problem(501, CODING))], CLOSED),
    "gzip, chunked": (framed(b"Transfer-Encoding: gzip, chunked", body=chunked(EVENT)), [stricter(Problem(501, CODING))],
                      CLOSED),
    "an empty coding": (framed(b"Transfer-Encoding:", body=chunked(EVENT)), [stricter(Problem(501, CODING))], CLOSED),
    "chunked in HTTP/1.0": (framed(b"Transfer-Encoding: chunked", body=chunked(EVENT),
                                   line=b"POST /events HTTP/1.0"), [Problem(400, OLD_CODING)], CLOSED),
    "chunked by another case": (framed(b"tRANSFER-eNCODING: CHUNKED", body=chunked(EVENT)), [Accepted()], KEPT),
    "a folded value": (post(b"X-Note: one\r\n two"), [stricter(Problem(400, LINES))], CLOSED),
    "a folded name": (framed(b"Trans: chunked\r\n fer-Encoding", body=chunked(EVENT)), [stricter(Problem(400, LINES))],
                      CLOSED),
    "a fold before any header": (head(b"GET /healthz HTTP/1.1\r\n Host: h", b"Host: h"), [stricter(Problem(400, NAME))],
                                 CLOSED),
    "two Hosts": (post(b"Host: h"), [Problem(400, HOST)], CLOSED),
    "no Host": (post(host=None), [stricter(Problem(400, HOST))], CLOSED),
    "no Host in HTTP/1.0": (post(host=None, line=b"POST /events HTTP/1.0"), [Accepted()], CLOSED),
    "a Host that is a list": (post(host=b"Host: a, b"), [Problem(400, HOST_FORM)], CLOSED),
    "a Host with a path": (post(host=b"Host: a/events"), [Problem(400, HOST_FORM)], CLOSED),
    "a Host with a user": (post(host=b"Host: u@a"), [Problem(400, HOST_FORM)], CLOSED),

    # Lines and bytes.
    "bare line feeds in the head": (b"POST /events HTTP/1.1\nHost: h\n" + KIND + b"\nContent-Length: " + N + b"\n\n"
                                    + EVENT, [stricter(Problem(400, LINES))], CLOSED),
    "a bare line feed between headers": (post(b"X-A: 1\nX-B: 2"), [stricter(Problem(400, LINES))], CLOSED),
    "a bare carriage return in a value": (post(b"X-A: 1\rX-B: 2"), [stricter(Problem(400, VALUE))], CLOSED),
    "a carriage return before the end": (post(b"X-A: 1\r"), [stricter(Problem(400, VALUE))], CLOSED),
    "a NUL in a value": (post(b"X-A: 1\0 2"), [stricter(Problem(400, LINES))], CLOSED),
    "a NUL at the end of a value": (post(b"X-A: 1\0"), [stricter(Problem(400, LINES))], CLOSED),
    "a NUL in the last value": (framed(b"Content-Length: %s\0 1" % N), [stricter(Problem(400, LINES))], CLOSED),
    "a NUL right before a bare line feed": (post(b"X-A: 1\0\nX-B: 2"), [Either(Accepted(), Library(400))],
                                            Either(KEPT, CLOSED)),
    "a NUL in a name": (post(b"X\0-A: 1"), [Library(400)], CLOSED),
    "a NUL in the target": (post(line=b"POST /events\0/more HTTP/1.1"), [Either(Problem(400, LINES), Nothing())], CLOSED),
    "a NUL in the query": (post(line=b"POST /events?a\0b HTTP/1.1"), [Either(Problem(400, LINES), Nothing())], CLOSED),
    "a NUL in the method": (post(line=b"PO\0ST /events HTTP/1.1"), [Either(Problem(400, LINES), Nothing())], CLOSED),
    "a control character in a value": (post(b"X-A: \x01"), [Problem(400, VALUE)], CLOSED),
    "a control character in a name": (post(b"X\x01A: 1"), [Problem(400, NAME)], CLOSED),
    "no name": (post(b": 1"), [stricter(Problem(400, LINES))], CLOSED),
    "a request behind a line without a name": (framed(b": 1", b"Content-Length: 0", body=b"")[:-2] + b"\r\n" + post(),
                                                [stricter(Problem(400, LINES))], CLOSED),
    "a request behind a line that begins with a NUL": (framed(b"\0A: 1", body=b"") + post(),
                                                       [stricter(Problem(400, LINES))], CLOSED),
    "no colon": (post(b"nonsense"), [Library(400)], CLOSED),
    "UTF-8 in a name": (post("Größe: 1".encode()), [Problem(400, NAME)], CLOSED),
    "two spaces after the method": (post(line=b"POST  /events HTTP/1.1"), [stricter(Problem(400, LINES))], CLOSED),
    "two spaces before the version": (post(line=b"POST /events  HTTP/1.1"), [stricter(Problem(400, TARGET))], CLOSED),
    "a space at the end of the line": (post(line=b"POST /events HTTP/1.1 "), [Library(400)], CLOSED),
    "a tab for a space": (post(line=b"POST\t/events HTTP/1.1"), [Either(Library(400), Nothing())], CLOSED),
    "a space in the target": (post(line=b"POST /even ts HTTP/1.1"), [stricter(Problem(400, TARGET))], CLOSED),
    "an empty line first": (b"\r\n" + post(), [Accepted()], KEPT),

    # Targets.
    "absolute form": (post(line=b"POST http://h/events HTTP/1.1"), [Accepted()], KEPT),
    "absolute form, another scheme": (post(line=b"POST ftp://h/events HTTP/1.1"), [Problem(400, TARGET)], CLOSED),
    "absolute form without a path": (post(line=b"POST http://h HTTP/1.1"), [Problem(404, NO_PATH)], KEPT),
    "asterisk": (head(b"OPTIONS * HTTP/1.1", b"Host: h"), [Problem(400, TARGET)], CLOSED),
    "authority form": (head(b"CONNECT h:80 HTTP/1.1", b"Host: h"), [Problem(400, TARGET)], CLOSED),
    "no slash": (post(line=b"POST events HTTP/1.1"), [Problem(400, TARGET)], CLOSED),
    "a percent-encoded path": (post(line=b"POST /%65vents HTTP/1.1"), [Accepted()], KEPT),
    "encoded twice": (post(line=b"POST /%2565vents HTTP/1.1"), [Problem(404, NO_PATH)], KEPT),
    "an encoded slash": (post(line=b"POST /webhooks%2Fstripe HTTP/1.1"),
                         [Problem(404, NO_SOURCE)], KEPT),
    "a broken escape": (post(line=b"POST /events%zz HTTP/1.1"), [Problem(400, ESCAPE)], CLOSED),
    "an escape cut short": (post(line=b"POST /events%4 HTTP/1.1"), [Problem(400, ESCAPE)], CLOSED),
    "an encoded NUL": (post(line=b"POST /events%00 HTTP/1.1"), [Problem(400, ESCAPE)], CLOSED),
    "dot segments": (post(line=b"POST /webhooks/../events HTTP/1.1"),
                     [Problem(404, NO_SOURCE)], KEPT),
    "encoded dot segments": (post(line=b"POST /x/%2e%2e/events HTTP/1.1"), [Problem(404, NO_PATH)], KEPT),
    "two slashes": (post(line=b"POST //events HTTP/1.1"), [Problem(404, NO_PATH)], KEPT),
    "a slash at the end": (post(line=b"POST /events/ HTTP/1.1"), [Problem(404, NO_PATH)], KEPT),
    "another case": (post(line=b"POST /Events HTTP/1.1"), [Problem(404, NO_PATH)], KEPT),
    "a query": (post(line=b"POST /events?x=1 HTTP/1.1"), [Accepted()], KEPT),
    "a fragment": (post(line=b"POST /events#x HTTP/1.1"), [Problem(400, TARGET)], CLOSED),
    "UTF-8 in the target": (post(line="POST /évents HTTP/1.1".encode()), [Problem(400, TARGET)], CLOSED),

    # Methods and versions.
    "GET": (head(b"GET /events HTTP/1.1", b"Host: h"), [Problem(405, METHOD, headers={"allow": "POST, OPTIONS"})],
            KEPT),
    "PUT with a body": (post(line=b"PUT /events HTTP/1.1"),
                        [Problem(405, METHOD, headers={"allow": "POST, OPTIONS"})], KEPT),
    "DELETE": (head(b"DELETE /healthz HTTP/1.1", b"Host: h"),
               [Problem(405, METHOD, headers={"allow": "GET, HEAD"})], KEPT),
    "PATCH": (post(line=b"PATCH /webhooks/zendesk HTTP/1.1"), [Problem(405, METHOD, headers={"allow": "POST"})],
              KEPT),
    "TRACE": (head(b"TRACE /events HTTP/1.1", b"Host: h"),
              [Problem(405, METHOD, headers={"allow": "POST, OPTIONS"})], KEPT),
    "a method in lower case": (post(line=b"post /events HTTP/1.1"),
                               [Problem(405, METHOD, headers={"allow": "POST, OPTIONS"})], KEPT),
    "a method nobody knows": (post(line=b"BREW /nothing HTTP/1.1"), [Problem(404, NO_PATH)], KEPT),
    "a method that is no token": (post(line=b"PO(ST /events HTTP/1.1"), [Problem(400, TOKEN)], CLOSED),
    "OPTIONS": (head(b"OPTIONS /events HTTP/1.1", b"Host: h", b"WebHook-Request-Origin: crm.example"),
                [Text(200, b"", {"allow": "OPTIONS, POST", "webhook-allowed-origin": "crm.example",
                                 "webhook-allowed-rate": "*"})], KEPT),
    "OPTIONS elsewhere": (head(b"OPTIONS /nothing HTTP/1.1", b"Host: h"), [Problem(404, NO_PATH)], KEPT),
    "HTTP/0.9": (b"GET /healthz\r\n", [Library(400)], CLOSED),
    "HTTP/0.9 with a version": (head(b"GET /healthz HTTP/0.9"), [Library(505)], CLOSED),
    "HTTP/1.2": (post(line=b"POST /events HTTP/1.2"), [Accepted()], KEPT),
    "HTTP/2.0": (post(line=b"POST /events HTTP/2.0"), [Library(505)], CLOSED),
    "HTTP/2's preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [Library(505)], CLOSED),
    "http in lower case": (post(line=b"POST /events http/1.1"), [Library(400)], CLOSED),
    "HTTP/1.10": (post(line=b"POST /events HTTP/1.10"), [Library(400)], CLOSED),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n", [Nothing()], CLOSED),

    # Sizes.
    "a long target": (head(b"GET /" + b"a" * 20000 + b" HTTP/1.1", b"Host: h"), [Library(414)], CLOSED),
    "a long header": (post(b"X-A: " + b"a" * 20000), [Library(431)], CLOSED),
    "a long name": (post(b"X" * 20000 + b": a"), [Library(431)], CLOSED),
    "a head of many small headers": (post(*[b"X-%d: a" % i for i in range(3000)]), [Library(431)], CLOSED),
    "a hundred headers": (post(*[b"X-%d: a" % i for i in range(97)]), [Accepted()], KEPT),
    "a hundred and one": (post(*[b"X-%d: a" % i for i in range(98)]), [Problem(431, MANY)], CLOSED),
    "a body over the limit, declared": (post(body=b" " * ((1 << 20) + 1)), [Problem(413, LARGE)], CLOSED),
    "a body over the limit, chunked": (transfer(chunked(b" " * ((1 << 20) + 1), 65536)), [Problem(413, LARGE)],
                                       CLOSED),

    # Chunks.
    "chunked": (transfer(chunked(EVENT)), [Accepted()], KEPT),
    "chunks of one byte": (transfer(chunked(EVENT, 1)), [Accepted()], KEPT),
    "a chunk extension": (transfer(b'%x;a="b";c\r\n%s\r\n0;last\r\n\r\n' % (len(EVENT), EVENT)), 
                          [Either(Accepted(), Library(400))], Either(KEPT, CLOSED)),
    "a chunk extension that ends in a bare line feed": (transfer(b"%x;a\n%s\r\n0\r\n\r\n" % (len(EVENT), EVENT)),
                                                        [Either(Accepted(), Library(400))], Either(KEPT, CLOSED)),
    "a trailer": (transfer(b"%x\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(EVENT), EVENT)), [Accepted()], KEPT),
    "a trailer that would frame": (transfer(b"%x\r\n%s\r\n0\r\nContent-Length: 7\r\nHost: x\r\n\r\n"
                                            % (len(EVENT), EVENT)), [Accepted()], KEPT),
    "a trailer that would sign": (framed(b"Transfer-Encoding: chunked", kind=b"Content-Type: text/plain",
                                         body=b"1\r\nx\r\n0\r\nContent-Type: application/cloudevents+json\r\n"
                                              b"ce-id: 1\r\n\r\n"), [Problem(415, FORMATS)], KEPT),
    "zeros before the size": (transfer(b"0000%x\r\n%s\r\n0\r\n\r\n" % (len(EVENT), EVENT)), [Accepted()], KEPT),
    "a chunk size that is no number": (transfer(b"xyz\r\n"), [Library(400)], CLOSED),
    "a negative chunk size": (transfer(b"-1\r\n"), [Library(400)], CLOSED),
    "a chunk size with 0x": (transfer(b"0x5\r\nhello\r\n0\r\n\r\n"), [Library(400)], CLOSED),
    "a chunk size with a plus": (transfer(b"+5\r\nhello\r\n0\r\n\r\n"), [Library(400)], CLOSED),
    "a chunk size with spaces": (transfer(b" 5\r\nhello\r\n0\r\n\r\n"), [Library(400)], CLOSED),
    "an empty chunk size": (transfer(b"\r\nhello\r\n"), [Library(400)], CLOSED),
    "a chunk size past 64 bits": (transfer(b"10000000000000000\r\n"), [Library(413)], CLOSED),
    "a chunk size that wraps": (transfer(b"fffffffffffffffe\r\n" + b" " * ((1 << 20) + 1)), [Problem(413, LARGE)], CLOSED),
    "a chunk longer than its size": (transfer(b"5\r\nhello world\r\n0\r\n\r\n"), [Library(400)], CLOSED),
    "bare line feeds around a chunk": (transfer(b"%x\n%s\n0\n\n" % (len(EVENT), EVENT)),
                                       [Either(Accepted(), Library(400))], Either(KEPT, CLOSED)),

    # Bodies and what follows them.
    "a body longer than declared": (framed(b"Content-Length: 2", body=b"{}POST /events HTTP/1.1\r\n\r\n"),
                                    [Problem(400, NOT_VALID, NO_VERSION), stricter(Problem(400, HOST))],
                                    CLOSED),
    "a request hidden in a body": (framed(b"Content-Length: 0", b"Transfer-Encoding: chunked",
                                          body=b"0\r\n\r\n" + post()), [stricter(Problem(400, FRAMING))], CLOSED),
    "no length at all": (framed(body=b""), [Problem(400, NOT_VALID, NO_JSON)], KEPT),
    "a body with GET": (head(b"GET /healthz HTTP/1.1", b"Host: h", b"Content-Length: 5") + b"hello", [OK], KEPT),

    # Pipelining.
    "three in one go": (post() + HEALTH + post(line=b"POST /nothing HTTP/1.1"),
                        [Accepted(), OK, Problem(404, NO_PATH)], KEPT),
    "ten posts in one go": (post() * 10, [Accepted()] * 10, KEPT),
    "nothing after a refused head": (post(b"Host: two") + post(), [Problem(400, HOST)], CLOSED),
    "a bad event, then a good one": (post(body=b"{}") + post(),
                                     [Problem(400, NOT_VALID, NO_VERSION), Accepted()], KEPT),
    "Connection: close": (post(b"Connection: close") + post(), [Accepted()], CLOSED),

    # Expectations.
    "Expect for a path that is none": (framed(b"Expect: 100-continue", b"Content-Length: 10",
                                              line=b"POST /nothing HTTP/1.1", body=b""), [Problem(404, NO_PATH)],
                                       CLOSED),
    "Expect for too much": (framed(b"Expect: 100-continue", b"Content-Length: 9999999", body=b""),
                            [Problem(413, LARGE)], CLOSED),
    "Expect of something else": (post(b"Expect: 200-ok"),
                                 [Problem(417, "the only expectation understood is 100-continue")], CLOSED),

    # Formats.
    "XML": (post(kind=b"Content-Type: application/cloudevents+xml"), [Problem(415, FORMATS)], KEPT),
    "no content type": (post(kind=None), [Problem(415, FORMATS)], KEPT),
    "plain JSON": (post(kind=b"Content-Type: application/json"), [Problem(415, FORMATS)], KEPT),
    "a content type in capitals": (post(kind=b"Content-Type: APPLICATION/CloudEvents+JSON; charset=UTF-8"),
                                   [Accepted()], KEPT),
    "two content types": (post(b"Content-Type: application/json"), [Problem(400, TWICE)], KEPT),
    "a long content type": (post(kind=b"Content-Type: application/cloudevents+json; x=" + b"y" * 8000), [Accepted()],
                            KEPT),
    "a content type with rubbish behind": (post(kind=b"Content-Type: application/cloudevents+jsonp"),
                                           [Problem(415, FORMATS)], KEPT),
    "gzip": (post(b"Content-Encoding: gzip"), [Problem(415, "send it without Content-Encoding")], KEPT),
    "identity encoding": (post(b"Content-Encoding: identity"), [Accepted()], KEPT),
    "two encodings": (post(b"Content-Encoding: identity", b"Content-Encoding: gzip"),
                      [Problem(400, TWICE)], KEPT),
}
