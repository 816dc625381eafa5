"""The table of hostile webhooks: how a request is signed (or not), and its exact answer.

A row makes headers and a body from the sources' secrets, since a signature has the time in it."""
import base64
import hashlib
import hmac
import time

from e2e.hostile_requests import Accepted, Problem
from support import sign

BODY = b'{"unmapped":"@@@@"}'
QUARANTINED = Accepted(1, {"accepted": 0, "ignored": 0, "quarantined": 1})
MISMATCH = "the signature in %s does not match"
STRIPE, ZENDESK = "Stripe-Signature", "X-Zendesk-Webhook-Signature"
MOMENT = ZENDESK + "-Timestamp"


def refused(detail):
    return Problem(401, detail, headers={"www-authenticate": "Signature"})


def mismatch(header):
    return refused(MISMATCH % header)


def no_json(detail, pointer=""):
    return Problem(400, "the body is no JSON", [("", pointer, detail)])


def digest(secret, timestamp, body=BODY):
    return hmac.new(secret.encode(), b"%s.%s" % (timestamp, body), hashlib.sha256).hexdigest().encode()


def now():
    return b"%d" % time.time()


def lines(headers):
    return [f"{name}: {value}".encode() for name, value in headers.items()]


def signed(secret, body=BODY, timestamp=None):
    return lines(sign.stripe(secret, body, timestamp)), body


def stripe(text):
    """`text` makes the header's value from the secret."""
    return lambda secret: ([STRIPE.encode() + b": " + text(secret)], BODY)


def zendesk(change, body=BODY):
    """`change` gets the right headers and the secret, and returns those to send."""
    return lambda secret: (lines(change(sign.zendesk(secret, body), secret)), body)


# name: (source, makes (headers, body) from the secret, answer)
WEBHOOKS = {
    "stripe: right": ("stripe", signed, QUARANTINED),
    "stripe: none": ("stripe", lambda s: ([], BODY), refused("the header Stripe-Signature is missing")),
    "stripe: empty": ("stripe", stripe(lambda s: b""), refused("the header Stripe-Signature is missing")),
    "stripe: another secret": ("stripe", lambda s: signed("another"), mismatch(STRIPE)),
    "stripe: stale": ("stripe", lambda s: signed(s, timestamp=int(time.time()) - 330),
                      refused("the timestamp is too old")),
    "stripe: ahead": ("stripe", lambda s: signed(s, timestamp=int(time.time()) + 330),
                      refused("the timestamp lies in the future")),
    "stripe: just not stale": ("stripe", lambda s: signed(s, timestamp=int(time.time()) - 240), QUARANTINED),
    "stripe: from the year 294277": ("stripe", lambda s: signed(s, timestamp=9224318015999),
                                     refused("the timestamp cannot be read")),
    "stripe: a time past 64 bits": ("stripe", lambda s: signed(s, timestamp="99999999999999999999"),
                                    refused("the timestamp cannot be read")),
    "stripe: a time with a sign": ("stripe", lambda s: signed(s, timestamp=f"+{int(time.time())}"),
                                   refused("the timestamp cannot be read")),
    "stripe: no time": ("stripe", stripe(lambda s: b"v1=" + digest(s, b"")),
                        refused("the header Stripe-Signature has no timestamp")),
    "stripe: two times": ("stripe", stripe(lambda s: b"t=1,t=%s,v1=%s" % (now(), digest(s, now()))),
                          refused("the header Stripe-Signature has two timestamps")),
    "stripe: several, one right": ("stripe", stripe(lambda s: b"t=%s,v1=%s,v1=%s,v0=00" % (
        now(), b"0" * 64, digest(s, now()))), QUARANTINED),
    "stripe: several, none right": ("stripe", stripe(lambda s: b"t=%s,v1=%s,v1=%s" % (
        now(), b"0" * 64, digest("other", now()))), mismatch(STRIPE)),
    "stripe: the right one as v0": ("stripe", stripe(lambda s: b"t=%s,v0=%s" % (now(), digest(s, now()))),
                                    mismatch(STRIPE)),
    "stripe: truncated": ("stripe", stripe(lambda s: b"t=%s,v1=%s" % (now(), digest(s, now())[:-1])),
                          mismatch(STRIPE)),
    "stripe: truncated to half": ("stripe", stripe(lambda s: b"t=%s,v1=%s" % (now(), digest(s, now())[:32])),
                                  mismatch(STRIPE)),
    "stripe: empty v1": ("stripe", stripe(lambda s: b"t=%s,v1=" % now()), mismatch(STRIPE)),
    "stripe: a byte too long": ("stripe", stripe(lambda s: b"t=%s,v1=%s00" % (now(), digest(s, now()))),
                                mismatch(STRIPE)),
    "stripe: in capitals": ("stripe", stripe(lambda s: b"t=%s,v1=%s" % (now(), digest(s, now()).upper())),
                            QUARANTINED),
    "stripe: no hex": ("stripe", stripe(lambda s: b"t=%s,v1=%s" % (now(), b"zz" * 32)), mismatch(STRIPE)),
    "stripe: base64": ("stripe", stripe(lambda s: b"t=%s,v1=%s" % (
        now(), base64.b64encode(bytes.fromhex(digest(s, now()).decode())))), mismatch(STRIPE)),
    "stripe: of other bytes": ("stripe", lambda s: (signed(s, b"{}")[0], BODY), mismatch(STRIPE)),
    "stripe: a byte of the body changed": ("stripe", lambda s: (signed(s)[0], BODY.replace(b"un", b"uN")),
                                           mismatch(STRIPE)),
    "stripe: a space behind the body": ("stripe", lambda s: (signed(s)[0], BODY + b" "), mismatch(STRIPE)),
    "stripe: of another time": ("stripe", stripe(lambda s: b"t=%s,v1=%s" % (now(), digest(s, b"1"))),
                                mismatch(STRIPE)),
    "stripe: the header twice": ("stripe", lambda s: (signed(s)[0] * 2, BODY),
                                 refused("the header Stripe-Signature came more than once")),
    "stripe: a hundred v1": ("stripe", stripe(lambda s: b"t=%s" % now() + b",v1=00" * 1000), mismatch(STRIPE)),

    # What is authentic is JSON, or refused; what cannot be mapped is kept.
    "stripe: empty body": ("stripe", lambda s: signed(s, b""), no_json("there is no JSON here: the text is empty")),
    "stripe: no JSON": ("stripe", lambda s: signed(s, b"id=1"),
                        no_json("not valid JSON: a JSON value is expected, at byte 0")),
    "stripe: cut": ("stripe", lambda s: signed(s, b'{"id":'),
                    no_json("not valid JSON: the text ends where a value is expected, at byte 6")),
    "stripe: bad UTF-8": ("stripe", lambda s: signed(s, b'"\xc0\xa0"'),
                          no_json("not valid JSON: the text is not well-formed UTF-8, at byte 1")),
    "stripe: no JSON, wrongly signed": ("stripe", lambda s: (signed("other", b"id=1")[0], b"id=1"), mismatch(STRIPE)),
    "stripe: null": ("stripe", lambda s: signed(s, b"null"), QUARANTINED),
    "stripe: a million brackets, open": ("stripe", lambda s: signed(s, b"[" * 1_000_000), no_json(
        "not valid JSON: the text ends where a value is expected, at byte 1000000")),
    "stripe: half a million levels": ("stripe", lambda s: signed(s, b"[" * 500_000 + b"]" * 500_000), QUARANTINED),
    "stripe: a member twice": ("stripe", lambda s: signed(s, b'{"id":1,"id":2}'), QUARANTINED),
    "stripe: an overflowing number": ("stripe", lambda s: signed(s, b'{"id":1e400}'), QUARANTINED),

    "zendesk: right": ("zendesk", zendesk(lambda h, s: h), QUARANTINED),
    "zendesk: no time": ("zendesk", zendesk(lambda h, s: {ZENDESK: h[ZENDESK]}),
                         refused(f"the header {MOMENT} is missing")),
    "zendesk: no signature": ("zendesk", zendesk(lambda h, s: {MOMENT: h[MOMENT]}),
                              refused(f"the header {ZENDESK} is missing")),
    "zendesk: a time that is none": ("zendesk", zendesk(lambda h, s: sign.zendesk(s, BODY, "yesterday")),
                                     refused("the timestamp cannot be read")),
    "zendesk: another time than was signed": ("zendesk", zendesk(lambda h, s: {**h, MOMENT: "2026-01-01T00:00:00Z"}),
                                              mismatch(ZENDESK)),
    "zendesk: stale": ("zendesk", zendesk(lambda h, s: sign.zendesk(s, BODY, "2026-01-01T00:00:00Z")),
                       refused("the timestamp is too old")),
    "zendesk: the time in another zone": ("zendesk", zendesk(lambda h, s: sign.zendesk(
        s, BODY, time.strftime("%Y-%m-%dT%H:%M:%S+01:00", time.gmtime(time.time() + 3600)))), QUARANTINED),
    "zendesk: hex": ("zendesk", zendesk(lambda h, s: {**h, ZENDESK: base64.b64decode(h[ZENDESK]).hex()}),
                     mismatch(ZENDESK)),
    "zendesk: no base64": ("zendesk", zendesk(lambda h, s: {**h, ZENDESK: "!" * 44}), mismatch(ZENDESK)),
    "zendesk: truncated": ("zendesk", zendesk(lambda h, s: {**h, ZENDESK: h[ZENDESK][:-4]}), mismatch(ZENDESK)),
    "zendesk: padded twice": ("zendesk", zendesk(lambda h, s: {**h, ZENDESK: h[ZENDESK] + "===="}),
                              mismatch(ZENDESK)),
    "zendesk: Stripe's kind": ("zendesk", lambda s: signed(s), refused(f"the header {ZENDESK} is missing")),
}

# Paths that no signature helps.
NO_SOURCE = "this department has no source of that name"
NOWHERE = {
    "a source nobody knows": ("tl-billing", "nobody", NO_SOURCE),
    "another department's source": ("tl-service", "stripe", NO_SOURCE),
    "no source": ("tl-billing", "", NO_SOURCE),
    "a path below a source": ("tl-billing", "stripe/x", NO_SOURCE),
    "a source in another case": ("tl-billing", "Stripe", NO_SOURCE),
    "a source by its file": ("tl-billing", "../sources/stripe", NO_SOURCE),
}
