"""The table of hostile events: bodies of POST /events, and their exact answers. On every one of
these the connection is kept. A row may also say what reaches Kafka."""
from e2e.hostile_requests import EVENT, KEPT, NO_JSON, NOT_VALID, Accepted, Problem, chunked, post, transfer

BATCH = b"Content-Type: application/cloudevents-batch+json"
SOME = "nothing was published, since of these events some are not valid"
EVENT_LIMIT, REQUEST_LIMIT = 256 << 10, 1 << 20
TOO_LARGE = "an event may have at most 262144 bytes"
TIME = "must be an RFC 3339 date and time with its offset, as 2026-01-08T10:12:07Z"
TEXT = "must be UTF-8 without control characters and noncharacters"
STANDS_TWICE = "the same member stands twice in an object"
HUGE = "the number is too large; send it as a string if it is no quantity"
INVALID, BEYOND = "not valid JSON: ", "JSON past what is taken here: "


def changed(old, new):
    assert EVENT.count(old) == 1, old
    return EVENT.replace(old, new)


def at(time):
    return changed(b"2026-01-08T10:12:07Z", time)


def with_data(members):
    return changed(b'"summary":"s"', b'"summary":"s",' + members)


def padded(body, length):
    return body + b" " * (length - len(body))


def one(body):
    return post(body=body)


def batch(*events):
    return post(body=b"[" + b",".join(events) + b"]", kind=BATCH)


def bad(pointer, detail, body):
    return one(body), [Problem(400, NOT_VALID, [("", pointer, detail)])], KEPT


def badly(detail, body, where):
    """No JSON, or too much of it; the place is at the first occurrence of `where`."""
    return bad("", f"{detail}, at byte {body.index(where)}", body)


def numbered(number):
    return with_data(b'"n":' + number)


def fine(body):
    return one(body), [Accepted()], KEPT


BAD_STRINGS = {
    "a NUL, escaped": (rb"\u0000", BEYOND + r"\u0000 cannot be stored"),
    "half a pair, high": (rb"\ud800", BEYOND + "a high surrogate needs a low one after it"),
    "half a pair, low": (rb"\udc00", BEYOND + "a low surrogate needs a high one before it"),
    "a high one twice": (rb"\ud800\ud800", BEYOND + "a high surrogate needs a low one after it"),
    "a byte that is no UTF-8": (b"\xff", INVALID + "the text is not well-formed UTF-8"),
    "an overlong slash": (b"\xc0\xaf", INVALID + "the text is not well-formed UTF-8"),
    "an overlong NUL": (b"\xc0\x80", INVALID + "the text is not well-formed UTF-8"),
    "a surrogate in UTF-8": (b"\xed\xa0\x80", INVALID + "the text is not well-formed UTF-8"),
    "past the last character": (b"\xf4\x90\x80\x80", INVALID + "the text is not well-formed UTF-8"),
    "UTF-8 cut short": (b"\xe2\x82", INVALID + "the text is not well-formed UTF-8"),
    "a raw line feed": (b"\n", INVALID + "a control character in a string must be escaped"),
    "an escape that is none": (rb"\x41", INVALID + "there is no such escape in JSON"),
}
BAD_TIMES = {
    "the year 294277": b"294277-01-01T00:00:00Z",
    "no zone": b"2026-01-08T10:12:07",
    "a leap second that was none": b"2026-01-08T10:12:60Z",
    "the year 0": b"0000-01-01T00:00:00Z",
    "a day that is none": b"2026-02-29T00:00:00Z",
    "24 o'clock": b"2026-01-08T24:00:00Z",
    "a space for the T": b"2026-01-08 10:12:07Z",
    "a Unix time": b"1767867127",
    "a minus before the year": b"-2026-01-08T10:12:07Z",
    "an offset without colon": b"2026-01-08T10:12:07+0100",
    "an empty fraction": b"2026-01-08T10:12:07.Z",
    "no time": b"",
}
PAST = "lies before 1970"
AHEAD = "lies more than 24 h in the future: time is when it happened"
DIGITS = b"1234567890123456789012345678901234567890"

# name: (bytes, [answers], kept or closed)
EVENTS = {
    "nothing": (one(b""), [Problem(400, NOT_VALID, NO_JSON)], KEPT),
    "only spaces": bad("", INVALID + "the text ends where a value is expected, at byte 3", b"   "),
    "cut in the middle": bad("", INVALID + f"the text ends inside an object, at byte {len(EVENT) - 1}", EVENT[:-1]),
    "cut inside a string": bad("", INVALID + "the text ends inside a string, at byte 30", EVENT[:30]),
    "something behind": bad("", INVALID + f"nothing may follow the JSON value, at byte {len(EVENT)}", EVENT + b"x"),
    "two events": bad("", INVALID + f"nothing may follow the JSON value, at byte {len(EVENT)}", EVENT + EVENT),
    "a mark of byte order": fine(b"\xef\xbb\xbf" + EVENT),
    "UTF-16": badly(INVALID + "a JSON value is expected", EVENT.decode().encode("utf-16"), b"\xff"),
    "a string": bad("", "an event must be a JSON object", b'"x"'),
    "null": bad("", "an event must be a JSON object", b"null"),
    "an array": bad("", "an event must be a JSON object", b"[" + EVENT + b"]"),
    "a million brackets": (one(b"[" * 1_000_000), [Problem(413, TOO_LARGE)], KEPT),
    "a million brackets as a batch": (post(body=b"[" * 1_000_000, kind=BATCH), [Problem(400, NOT_VALID, [
        ("", "", BEYOND + "objects and arrays are nested too deeply (more than 128 levels), at byte 128")])], KEPT),
    "deep objects": badly(BEYOND + "objects and arrays are nested too deeply (more than 128 levels)",
                          with_data(b'"d":' + b'{"d":' * 126 + b"[1]" + b"}" * 126), b"[1]"),
    "just not too deep": fine(with_data(b'"d":' + b'{"d":' * 125 + b"[1]" + b"}" * 125)),
    "an attribute twice": bad("/id", STANDS_TWICE, changed(b'"source"', b'"id":"other","source"')),
    "an attribute twice, escaped": bad("/id", STANDS_TWICE, changed(b'"source"', rb'"\u0069d":"other","source"')),
    "a member of data twice": bad("/data/summary", STANDS_TWICE, with_data(b'"summary":"t"')),
    "a member of data twice, escaped": bad("/data/summary", STANDS_TWICE, with_data(rb'"summ\u0061ry":"t"')),
    "a member far below twice": bad("/data/a/0/b", STANDS_TWICE, with_data(b'"a":[{"b":1,"b":2}]')),
    **{f"{name} in data": badly(detail, changed(b'"s"', b'"<' + text + b'>"'), text)
       for name, (text, detail) in BAD_STRINGS.items()},
    "a NUL in an id": badly(BEYOND + r"\u0000 cannot be stored", changed(b"hostile-", rb"hostile\u0000"), rb"\u0000"),
    "a control character in an id": bad("/id", TEXT, changed(b"hostile-", rb"hostile\u0001")),
    "a noncharacter in an id": bad("/id", TEXT, changed(b"hostile-", rb"hostile\uffff")),
    "a long id": bad("/id", "is longer than 512 bytes", changed(b"hostile-", b"x" * 512)),
    "an empty id": bad("/id", "must not be empty", changed(b'"hostile-@@@@"', b'""')),
    "an id that is a number": bad("/id", "must be a string", changed(b'"hostile-@@@@"', b"7")),
    "a source that is no URI": bad("/source", "must be a URI-reference (RFC 3986)", changed(b'"/tests"', b'"a b"')),
    "data that calls itself an event": bad(
        "/datacontenttype", "must be the media type of the data, not of an event",
        changed(b'"source"', b'"datacontenttype":"application/cloudevents+json","source"')),
    "an attribute in capitals": bad("", 'attribute name "Owner" must be 1 to 64 of the characters a-z and 0-9',
                                    changed(b'"source"', b'"Owner":"x","source"')),
    "an attribute that is an object": bad("/x", "must be a string, a boolean or a whole number; structured values "
                                          "belong in data", changed(b'"source"', b'"x":{},"source"')),
    "an attribute past 32 bits": bad("/x", "must be a whole number of 32 bits; write others as strings",
                                     changed(b'"source"', b'"x":2147483648,"source"')),
    **{f"time: {name}": bad("/time", TIME if time else "must not be empty", at(time))
       for name, time in BAD_TIMES.items()},
    "time: a leap second": fine(at(b"2016-12-31T23:59:60Z")),
    "time: before 1970": bad("/time", PAST, at(b"0001-01-01T00:00:00Z")),
    "time: the year 9999": bad("/time", AHEAD, at(b"9999-12-31T23:59:59Z")),
    "data and data_base64": bad("/data_base64", "must not stand beside data",
                                changed(b'"data"', b'"data_base64":"AA==","data"')),

    # Numbers. What is accepted reaches Kafka as it came: see AMOUNTS.
    "an integer past int64": bad("/data/n", HUGE, numbered(b"9223372036854775808")),
    "1e400": badly(BEYOND + "a number must not have more than 400 digits", numbered(b"1e400"), b"1e400"),
    "minus zero": fine(numbered(b"-0")),
    "NaN": badly(INVALID + "a JSON value is expected", numbered(b"NaN"), b"NaN"),
    "Infinity": badly(INVALID + "a number needs a digit here", numbered(b"-Infinity"), b"Infinity"),
    "a zero in front": badly(INVALID + "a number must not begin with a zero", numbered(b"007"), b"007"),
    "a plus in front": badly(INVALID + "a JSON value is expected", numbered(b"+7"), b"+7"),
    "a point at the end": badly(INVALID + "a number needs a digit after its point", numbered(b"7.}"), b"}}"),
    "hex": badly(INVALID + "',' or '}' is expected", numbered(b"0x7"), b"x7"),
    "an amount that is no number": bad("/data/amount", "must be a decimal number like 20.00",
                                       with_data(b'"currency":"EUR","amount":"12,50"')),
    "an amount of too many digits": bad("/data/amount",
                                        "must not have more than 60 digits before or after the decimal point",
                                        with_data(b'"currency":"EUR","amount":"%s"' % (b"9" * 61))),
    "an amount of 40 digits and no point": bad("/data/amount", HUGE, with_data(b'"currency":"EUR","amount":' + DIGITS)),
    "a currency that is none": bad("/data/currency", "must be three capital letters (ISO 4217): USD, not usd or $",
                                   with_data(b'"currency":"eur","amount":1')),

    # About whom.
    "attribute and data disagree": bad("/customer", "says something else than data.customer: leave the attribute "
                                       "out, it is derived",
                                       changed(b'"source"', b'"customer":"email=x%40hostile.example","source"')),
    "attribute and data agree": fine(changed(b'"source"', b'"customer":"email=h%40hostile.example","source"')),
    "a customer with a bad escape": bad("/customer", "a '%' must be followed by two hex digits",
                                        changed(b'"source"', b'"customer":"email=%4","source"')),
    "a customer with overlong UTF-8": bad("/customer", "email: must be UTF-8 without control characters",
                                          changed(b'"source"', b'"customer":"email=%C0%A0","source"')),

    # Sizes.
    "an event of the limit": fine(padded(EVENT, EVENT_LIMIT)),
    "an event of the limit, chunked": (transfer(chunked(padded(EVENT, EVENT_LIMIT), 9999)), [Accepted()], KEPT),
    "a byte over the limit": (one(padded(EVENT, EVENT_LIMIT + 1)), [Problem(413, TOO_LARGE)], KEPT),
    "a byte over the limit, chunked": (transfer(chunked(padded(EVENT, EVENT_LIMIT + 1), 9999)),
                                       [Problem(413, TOO_LARGE)], KEPT),
    "a batch of the request's limit": (post(body=padded(b"[" + EVENT + b"]", REQUEST_LIMIT), kind=BATCH),
                                       [Accepted()], KEPT),
    "a large event in a batch": (batch(EVENT, EVENT[:-1] + b" " * EVENT_LIMIT + b"}", EVENT), [Problem(
        413, "nothing was published, since an event is too large", [(1, "", TOO_LARGE)])], KEPT),

    # Batches.
    "an empty batch": (batch(), [Accepted(0)], KEPT),
    "a batch that is an object": (post(kind=BATCH), [Problem(
        400, NOT_VALID, [("", "", "a batch is a JSON array of events")])], KEPT),
    "a batch with one bad event": (batch(EVENT, at(b"never"), EVENT), [Problem(400, SOME, [(1, "/time", TIME)])], KEPT),
    "a batch with several bad ones": (batch(b"7", EVENT, at(b"never"), changed(b'"/tests"', b'""')), [Problem(400, SOME, [
        (0, "", "an event must be a JSON object"), (2, "/time", TIME), (3, "/source", "must not be empty")])], KEPT),
    "a batch in a batch": (batch(b"[" + EVENT + b"]", EVENT), [Problem(400, SOME, [
        (0, "", "an event must be a JSON object")])], KEPT),
    "a batch of ten thousand that are none": (batch(*[b"0"] * 10_000), [Problem(
        400, SOME + " (9900 more errors are not listed)",
        [(i, "", "an event must be a JSON object") for i in range(100)])], KEPT),
    "a batch cut in the middle": (post(body=b"[" + EVENT + b"," + EVENT, kind=BATCH), [Problem(400, NOT_VALID, [
        ("", "", INVALID + f"the text ends inside an array, at byte {2 * len(EVENT) + 2}")])], KEPT),
    "the same event twice in a batch": (batch(EVENT.replace(b"@@@@", b"twin"), EVENT.replace(b"@@@@", b"twin")),
                                        [Accepted(2)], KEPT),
}

PLAIN = b"Content-Type: text/plain"
DATA = b'{"customer":{"email":"h@hostile.example"},"summary":"s"}'
ATTRIBUTES = {b"ce-specversion": b"1.0", b"ce-id": b"hostile-@@@@", b"ce-source": b"/tests",
              b"ce-type": b"service.ticket.opened", b"ce-time": b"2026-01-08T10:12:07Z"}


def in_headers(*more, body=DATA, kind=b"Content-Type: application/json", **replaced):
    attributes = {**ATTRIBUTES, **{b"ce-" + name.encode(): value for name, value in replaced.items()}}
    lines = [name + b": " + value for name, value in attributes.items() if value is not None]
    return post(*lines, *more, body=body, kind=kind)


def bad_headers(pointer, detail, *more, **replaced):
    return in_headers(*more, **replaced), [Problem(400, NOT_VALID, [("", pointer, detail)])], KEPT


def fine_headers(*more, **replaced):
    return in_headers(*more, **replaced), [Accepted()], KEPT


BINARY = {
    "binary: a good one": fine_headers(),
    "binary: a broken escape": bad_headers("", "header ce-subject has a '%' without two hex digits after it",
                                           subject=b"50%zz"),
    "binary: an escape cut short": bad_headers("", "header ce-subject has a '%' without two hex digits after it",
                                               subject=b"50%4"),
    "binary: overlong UTF-8": bad_headers("/subject", TEXT, subject=b"a%C0%A0b"),
    "binary: raw bytes that are no UTF-8": bad_headers("/subject", TEXT, subject=b"a\xff"),
    "binary: an encoded NUL": bad_headers("/subject", TEXT, subject=b"a%00"),
    "binary: an encoded line feed": bad_headers("/subject", TEXT, subject=b"a%0ab"),
    "binary: decoded once only": fine_headers(subject=b"50%2525"),
    "binary: a quote that does not end": bad_headers("", "header ce-subject has a double quote that does not end",
                                                     subject=b'"open'),
    "binary: a backslash at the end of a quote": bad_headers(
        "", "header ce-subject has a double quote that does not end", subject=b'"open\\'),
    "binary: datacontenttype as a header": bad_headers(
        "", "header ce-datacontenttype must not be sent: Content-Type says it", b"ce-datacontenttype: text/plain"),
    "binary: an attribute twice": bad_headers("/id", "is given twice", b"ce-id: other"),
    "binary: an attribute twice, in another case": bad_headers("/id", "is given twice", b"CE-ID: other"),
    "binary: an extension twice": bad_headers("/x", "is given twice", b"ce-x: 1", b"ce-x: 1"),
    "binary: data as an attribute": bad_headers("/data", "is not an attribute; the name is reserved", b"ce-data: {}"),
    "binary: a name with an underscore": bad_headers(
        "", 'attribute name "a_b" must be 1 to 64 of the characters a-z and 0-9', b"ce-a_b: 1"),
    "binary: no id": bad_headers("/id", "is required", id=None),
    "binary: an empty id": bad_headers("/id", "must not be empty", id=b""),
    "binary: an old version": bad_headers("/specversion", 'must be "1.0"', specversion=b"0.3"),
    "binary: a name without an end": (in_headers(b"ce-: 1"), [Problem(400, NOT_VALID, [
        ("", "", 'attribute name "" must be 1 to 64 of the characters a-z and 0-9')])], KEPT),
    "binary: no JSON": bad_headers("/data", INVALID + "a JSON value is expected, at byte 0", body=b"hello"),
    "binary: text where an object is needed": bad_headers(
        "/data", "must be a JSON object: service.ticket.opened has required members", body=b"hello", kind=PLAIN),
    "binary: no data": bad_headers("/data", "must be a JSON object: service.ticket.opened has required members",
                                   body=b""),
    "binary: too large": (in_headers(body=padded(DATA, EVENT_LIMIT + 1)), [Problem(413, TOO_LARGE)], KEPT),
    "binary: the customer twice over": bad_headers(
        "/customer", "says something else than data.customer: leave the attribute out, it is derived",
        b"ce-customer: email=x%2540hostile.example"),
}

# What an amount becomes on Kafka: never another number, and data as it came. As JSON, and as ce_amount.
AMOUNTS = {
    b"12.50": "12.50",
    b'"' + DIGITS + b'"': DIGITS.decode(),
    DIGITS[:20] + b"." + DIGITS[20:]: (DIGITS[:20] + b"." + DIGITS[20:]).decode(),
    b"9007199254740993.0": "9007199254740993.0",
    b"1e2": "100",
    b"-0": "0",
    b'"0.1000000000000000055511151231257827"': "0.1000000000000000055511151231257827",
    b"1e-30": "0.000000000000000000000000000001",
}
