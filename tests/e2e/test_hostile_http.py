"""Hostile requests, as raw bytes, against department services and a real Kafka: each has its exact
answer, leaves the connection as it should be, and publishes nothing but what was accepted."""
import ctypes
import itertools
import time

import pytest

from e2e.hostile_events import AMOUNTS, BINARY, EVENTS, at, batch, one, with_data
from e2e.hostile_requests import CLOSED, EVENT, HEALTH, KEPT, REQUESTS, TITLES, Accepted, Either, Library, Nothing, Problem, Text, Twice, framed, head, post
from e2e.hostile_webhooks import NOWHERE, WEBHOOKS
from support.kafka import headers
from support.raw_http import Connection
from support.tail import Tail
from support.wait import wait_for

PROGRAM = "tl-service"

_numbers = itertools.count(1)


def library_major():
    """Of the libmicrohttpd that the programs are linked to."""
    library = ctypes.CDLL("libmicrohttpd.so.12")
    library.MHD_get_version.restype = ctypes.c_char_p
    return int(library.MHD_get_version().split(b".")[0])


LIBRARY = library_major()


@pytest.fixture(scope="module")
def door(bare_stack):
    return bare_stack.start(PROGRAM)


@pytest.fixture(scope="module")
def tail(door, kafka):
    tail = Tail(kafka, "events.service")
    yield tail
    tail.close()


def numbered(data):
    """Each event gets an id of its own."""
    parts = data.split(b"@@@@")
    return b"".join(part + b"%04d" % (next(_numbers) % 10000) for part in parts[:-1]) + parts[-1]


def of_this_library(expected):
    """The side of an Either that holds for the library at hand."""
    if isinstance(expected, Either):
        return expected.v0 if LIBRARY == 0 else expected.v1
    return expected


def check_problem(answer, expected):
    assert answer.is_problem, answer
    errors = [(e.get("index", ""), e["pointer"], e["detail"]) for e in answer.json.get("errors", [])]
    told = {key: value for key, value in answer.json.items() if key != "errors"}
    assert told == {"title": TITLES[expected.status], "status": expected.status, "detail": expected.detail}
    assert (answer.status, errors) == (expected.status, expected.errors or [])


def check_answer(answer, expected):
    if isinstance(expected, Library):
        assert answer.status == expected.status, answer
        assert b"<html>" in answer.body or isinstance(expected, Twice), answer
    elif isinstance(expected, Accepted):
        assert (answer.status, answer.headers["content-type"]) == (202, "application/json"), answer
        assert answer.json == (expected.body or {"accepted": expected.count}), answer
    elif isinstance(expected, Text):
        assert (answer.status, answer.body) == (expected.status, expected.body), answer
    else:
        check_problem(answer, expected)
    for name, value in getattr(expected, "headers", {}).items():
        assert answer.headers.get(name) == value, answer.headers


def exchange(connection, data, answers, then):
    """Sends, compares the answers, and looks what became of the connection."""
    connection.send(numbered(data))
    for expected in answers:
        if not isinstance(expected, Nothing):
            check_answer(connection.read(), expected)
    if then == CLOSED:
        rest = connection.rest()
        assert rest == b"" or isinstance(answers[-1], Twice), rest
        return
    assert connection.unread == b""
    connection.send(HEALTH)
    assert connection.read().status == 200


def accepted(answers):
    return sum(a.count for a in answers if isinstance(a, Accepted))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_hostile_request_gets_its_exact_answer(door, tail, name):
    data, answers, then = REQUESTS[name]
    answers, then = [of_this_library(a) for a in answers], of_this_library(then)
    tail.new()
    with Connection(door.ports[PROGRAM]) as connection:
        exchange(connection, data, answers, then)
    assert len(tail.new()) == accepted(answers)


@pytest.mark.parametrize("name", [*EVENTS, *BINARY])
def test_a_hostile_event_gets_its_exact_answer(door, tail, name):
    data, answers, then = {**EVENTS, **BINARY}[name]
    tail.new()
    with Connection(door.ports[PROGRAM]) as connection:
        exchange(connection, data, answers, then)
    assert len(tail.new()) == accepted(answers)


@pytest.mark.parametrize("amount", AMOUNTS, ids=bytes.decode)
def test_a_number_is_never_rounded(door, tail, amount):
    tail.new()
    with Connection(door.ports[PROGRAM]) as connection:
        exchange(connection, one(with_data(b'"currency":"EUR","amount":' + amount)), [Accepted()], KEPT)
    record, = tail.new()
    assert b'"amount":' + amount + b"," in record.value().replace(b"}", b",")
    assert headers(record)["ce_amount"] == AMOUNTS[amount]


# Webhooks.

@pytest.fixture(scope="module")
def billing(door):
    return door.start("tl-billing")


@pytest.fixture(scope="module")
def tails(billing, tail, kafka):
    tails = {"zendesk": tail, "stripe": Tail(kafka, "events.billing")}
    yield tails
    tails["stripe"].close()


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_hostile_webhook_gets_its_exact_answer(billing, tails, name):
    source, make, answer = WEBHOOKS[name]
    lines, body = make(billing.sources.secrets[source])
    port = billing.ports["tl-billing" if source == "stripe" else PROGRAM]
    tails[source].new()
    with Connection(port) as connection:
        connection.send(post(*lines, body=body, line=b"POST /webhooks/%s HTTP/1.1" % source.encode(),
                             kind=b"Content-Type: application/json"))
        check_answer(connection.read(), answer)
        connection.send(HEALTH)
        assert connection.read().status == 200
    records = tails[source].new()
    assert [record.value() for record in records] == [body] * accepted([answer])
    assert all(headers(record)["throughline_source"] == source for record in records)


@pytest.mark.parametrize("name", NOWHERE)
def test_a_webhook_to_nowhere_is_not_found(billing, name):
    program, source, detail = NOWHERE[name]
    with Connection(billing.ports[program]) as connection:
        exchange(connection, post(line=b"POST /webhooks/%s HTTP/1.1" % source.encode()), [Problem(404, detail)], KEPT)


def test_a_source_that_is_off_is_not_found(billing):
    billing.start("tl-department:billing", env={"STRIPE_WEBHOOK_SECRET": ""})
    try:
        with Connection(billing.ports["tl-department:billing"]) as connection:
            exchange(connection, post(line=b"POST /webhooks/stripe HTTP/1.1"),
                     [Problem(404, "the source is off: its secret is not set")], KEPT)
    finally:
        billing.stop("tl-department:billing")


# Connections: how long, how many. A second service with small limits.

DEADLINE, IDLE, CLIENT, TOTAL = 1.5, 1.0, 4, 6
SMALL, COUNTED = "tl-department:service", "tl-department:service#counted"
TOKEN = b"Authorization: Bearer let me in"
TOO_MANY = Problem(503, "there are too many connections; try again", headers={"retry-after": "1"})
WRONG = "Authorization: Bearer <token> is missing or wrong"


@pytest.fixture(scope="module")
def small(door):
    door.start(SMALL, env={"TL_HTTP_READ_DEADLINE": f"{int(DEADLINE * 1000)}ms", "TL_HTTP_IDLE": f"{int(IDLE * 1000)}ms",
                           "TL_TOKEN": "let me in", "TL_REQUEST_LIMIT": "3 MiB"})
    yield door.ports[SMALL]
    door.stop(SMALL)


# name: (at once, then a byte at a time)
SLOW = {
    "the request line": (b"", b"POST /" + b"a" * 500),
    "a header": (b"GET /healthz HTTP/1.1\r\nHost: h\r\nX-A: ", b"a" * 500),
    "headers": (b"GET /healthz HTTP/1.1\r\nHost: h\r\n", b"A: b\r\n" * 90),
    "a body": (framed(TOKEN, b"Content-Length: 1000", body=b""), b" " * 900),
    "chunks": (framed(TOKEN, b"Transfer-Encoding: chunked", body=b""), b"1\r\n \r\n" * 90),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_byte_at_a_time_is_cut_off_at_the_deadline(small, name):
    at_once, slowly = SLOW[name]
    begin = time.monotonic()
    with Connection(small) as connection:
        connection.send(at_once)
        connection.drip(slowly, 0.02)
        assert connection.rest() == b""
    assert time.monotonic() - begin > DEADLINE * 0.9


def test_an_idle_connection_is_closed_and_one_that_waits_is_not_answered(small):
    with Connection(small) as used, Connection(small) as silent:
        used.send(HEALTH)
        assert used.read().status == 200
        begin = time.monotonic()
        assert used.rest() == b"" and time.monotonic() - begin > IDLE * 0.9
        assert silent.rest() == b""


CUT = {
    "in the request line": b"POST /ev",
    "in a header": b"POST /events HTTP/1.1\r\nHost: h\r\nContent-Le",
    "before the body": framed(TOKEN, b"Content-Length: 100", body=b""),
    "in the body": post(TOKEN)[:-10],
    "in a chunk": framed(TOKEN, b"Transfer-Encoding: chunked", body=b"100\r\n{"),
    "before the last chunk": framed(TOKEN, b"Transfer-Encoding: chunked", body=b"%x\r\n%s\r\n" % (len(EVENT), EVENT)),
}


@pytest.mark.parametrize("name", CUT)
def test_a_request_cut_in_the_middle_is_not_obeyed(small, tail, name):
    tail.new()
    with Connection(small) as connection:
        connection.send(numbered(CUT[name]))
        connection.half_close()
        assert connection.rest() == b""
    assert tail.new() == []


def test_a_client_that_has_said_all_still_gets_its_answers(door, tail):
    tail.new()
    with Connection(door.ports[PROGRAM]) as connection:
        connection.send(numbered(post() + post()))
        connection.half_close()
        assert [connection.read().status for _ in range(2)] == [202, 202]
        assert connection.rest() == b""
    assert len(tail.new()) == 2


def test_continue_is_said_before_the_body(door, tail):
    tail.new()
    with Connection(door.ports[PROGRAM]) as connection:
        connection.send(framed(b"Expect: 100-continue", b"Content-Length: %d" % len(EVENT), body=b""))
        assert connection.read().status == 100
        connection.send(numbered(EVENT))
        check_answer(connection.read(), Accepted())
    assert len(tail.new()) == 1


def test_head_is_get_without_a_body(door):
    with Connection(door.ports[PROGRAM]) as connection:
        connection.send(head(b"HEAD /healthz HTTP/1.1", b"Host: h") + HEALTH)
        first = connection.read(has_body=False)
        assert (first.status, first.headers["content-length"]) == (200, str(len(connection.read().body)))


def enter(port, source):
    """A connection that is let in, as soon as there is room; None while there is none."""
    connection = Connection(port, source)
    connection.send(HEALTH)
    if connection.read().status == 200:
        return connection
    connection.socket.close()
    return None


def test_connections_are_bounded_by_client_and_in_total(door):
    door.start(COUNTED, env={"TL_HTTP_CONNECTIONS": str(TOTAL), "TL_HTTP_CONNECTIONS_PER_CLIENT": str(CLIENT)})
    port, inside = door.ports[COUNTED], []

    def let_in(source):
        inside.append(wait_for(lambda: enter(port, source), 20, f"there is room for {source}"))
    try:
        for source, many in (("127.0.0.1", CLIENT), ("127.0.0.2", TOTAL - CLIENT)):
            for _ in range(many):
                let_in(source)
            with Connection(port, source) as refused:
                check_answer(refused.read(), TOO_MANY)
                assert refused.rest() == b""
        inside.pop().socket.close()
        let_in("127.0.0.2")
        for connection in inside:  # nobody who was in has suffered
            connection.send(HEALTH)
            assert connection.read().status == 200
    finally:
        for connection in inside:
            connection.socket.close()
        door.stop(COUNTED)


BEARERS = {
    "no token": ([], WRONG),
    "another": ([b"Authorization: Bearer let me out"], WRONG),
    "a part": ([b"Authorization: Bearer let me"], WRONG),
    "more": ([b"Authorization: Bearer let me in!"], WRONG),
    "empty": ([b"Authorization: Bearer "], WRONG),
    "no scheme": ([b"Authorization: let me in"], WRONG),
    "another scheme": ([b"Authorization: Basic let me in"], WRONG),
    "two, the first right": ([TOKEN, b"Authorization: Bearer x"], WRONG),
    "two alike": ([TOKEN] * 2, WRONG),
    "right": ([TOKEN], None),
    "a scheme in lower case": ([b"authorization: bearer let me in"], None),
}


@pytest.mark.parametrize("name", BEARERS)
def test_a_token_must_be_right_and_alone(small, tail, name):
    lines, refused = BEARERS[name]
    expected = Problem(401, refused, headers={"www-authenticate": "Bearer"}) if refused else Accepted()
    tail.new()
    with Connection(small) as connection:
        exchange(connection, post(*lines), [expected], KEPT)
    assert len(tail.new()) == accepted([expected])


def test_ten_thousand_events_in_a_batch(small, tail):
    tail.new()
    many = batch(*[EVENT.replace(b"@@@@", b"%d" % n) for n in range(10_000)])
    line, rest = many.split(b"\r\n", 1)
    with Connection(small) as connection:
        exchange(connection, line + b"\r\n" + TOKEN + b"\r\n" + rest, [Accepted(10_000)], KEPT)
    assert len(tail.new()) == 10_000


def test_the_books_know_everything_that_was_accepted(billing):
    """Last: all of the above on the timeline, or a duplicate, or in quarantine; the first of two events
    with one id and time stays, with another time it is another event."""
    first = EVENT.replace(b"@@@@", b"body")
    second = first.replace(b'"summary":"s"', b'"summary":"other"')
    third = at(b"2026-01-09T10:12:07Z").replace(b"@@@@", b"body")
    with Connection(billing.ports[PROGRAM]) as connection:
        for body in (first, second, third):
            exchange(connection, one(body), [Accepted()], KEPT)
    billing.start("tl-aggregator")
    billing.run("reconcile", "--wait", "60s")
    rows = billing.query("SELECT summary FROM throughline.timeline WHERE event_id = 'hostile-body' ORDER BY occurred_at")
    assert [row["summary"] for row in rows] == ["s", "s"]
    twins = billing.query("SELECT count(*) AS n FROM throughline.timeline WHERE event_id = 'hostile-twin'")
    assert twins == [{"n": 1}]
    books, = billing.query("SELECT sum(duplicates) AS duplicates, sum(difference) AS difference FROM throughline.reconciliation")
    assert (books["duplicates"] >= 2, books["difference"]) == (True, 0)
