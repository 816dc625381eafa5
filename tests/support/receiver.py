"""A department's own system, as an example and for tests: takes handoffs by HTTP, and checks each
one's Standard Webhooks signature before it believes it (written from the specification, apart from
the code under test).

    with Receiver() as receiver:
        stack.deliver_to("billing", receiver)
        …
        receiver.wait_for(handoff_id, "throughline.handoff.opened")
        receiver.answer = lambda event: 500          # from now on; a status, or
        receiver.answer = lambda event: Receiver.HANG   # FLOOD, DRIP, CUT, or (status, headers)
        receiver.stop(); receiver.start()            # dead, and back at the same port

`tries` are all requests, in the order of their arrival, with what was answered; `events` those
CloudEvents that were answered 2xx. A request whose signature is wrong is in `forged`."""
import base64
import hashlib
import hmac
import json
import os
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.ports import free_port
from support.wait import wait_for

TOLERANCE = 300  # seconds between webhook-timestamp and now
FLOOD_PIECE = b"x" * 65536
FLOOD_BYTES = 10 * 2**30


class Forged(Exception):
    """Not from whoever knows the secret, or too old."""


def verify(secret, headers, body, now=None):
    """As https://www.standardwebhooks.com has it; raises Forged."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs((now or time.time()) - int(timestamp)) > TOLERANCE:
        raise Forged(f"webhook-timestamp {timestamp!r} is not of now")
    signed = f"{identifier}.{timestamp}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    for given in headers.get("webhook-signature", "").split(" "):
        if hmac.compare_digest(given.encode(), wanted.encode()):
            return
    raise Forged("webhook-signature does not match")


class Try:
    """One request: `id` (webhook-id), `event` as read from its `body`, `headers`, `path`, `at`
    (monotonic), `answered` (a status, or one of the ways below)."""

    def __init__(self, headers, path, body, event, answered):
        self.headers, self.path, self.body, self.event, self.answered = headers, path, body, event, answered
        self.id, self.at = headers.get("webhook-id"), time.monotonic()

    @property
    def taken(self):
        return isinstance(self.answered, int) and 200 <= self.answered < 300

    @property
    def handoff(self):
        return self.event["data"]["handoff"]


class Receiver:
    HANG, FLOOD, DRIP, CUT = "hang", "flood", "drip", "cut"

    def __init__(self, certificate=None, secret=None):
        """`certificate`: a file with key and certificate; then it speaks TLS."""
        self.port, self.certificate = free_port(), certificate
        self.secret = secret or "whsec_" + base64.b64encode(os.urandom(24)).decode()
        self.answer = lambda event: 200
        self.tries, self.forged = [], []
        self.flooded = 0  # bytes that somebody read of the largest flood
        self.server = self.thread = None
        self.connections, self.over = set(), threading.Event()

    @property
    def url(self):
        scheme, host = ("https", "localhost") if self.certificate else ("http", "127.0.0.1")
        return f"{scheme}://{host}:{self.port}/handoffs"

    @property
    def environment(self):
        return {"TL_DELIVER_URL": self.url, "TL_DELIVER_SECRET": self.secret}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        if self.server:
            return self
        self.over = threading.Event()
        self.server = _Server(self)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def stop(self):
        """Whoever asks now finds nobody."""
        if not self.server:
            return
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.connections):
            _shut(connection)
        self.thread.join()
        self.server = None

    # What came.

    def note(self, one):
        """Each try, before it is answered."""
        self.tries.append(one)

    @property
    def events(self):
        return [t.event for t in list(self.tries) if t.taken]

    def of(self, handoff):
        """The tries of one handoff."""
        return [t for t in list(self.tries) if t.handoff == handoff]

    def taken(self, handoff):
        """[(type without its prefix, sequence)] of what was taken of one handoff."""
        return [(t.event["type"].removeprefix("throughline.handoff."), int(t.event.get("sequence", 0)))
                for t in self.of(handoff) if t.taken]

    def wait_for(self, handoff, kind, seconds=30):
        """The first event of that type ("opened") that was taken of a handoff."""
        def look():
            return next((t.event for t in self.of(handoff)
                         if t.taken and t.event["type"] == f"throughline.handoff.{kind}"), None)
        return wait_for(look, seconds, lambda: f"{kind} of {handoff}; came: {self.taken(handoff)}")


class _Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128

    def __init__(self, receiver):
        self.receiver = receiver
        super().__init__(("127.0.0.1", receiver.port), _Handler)
        if receiver.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(receiver.certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        pass  # who asks may go away at any time


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.receiver = self.server.receiver
        self.receiver.connections.add(self.connection)

    def finish(self):
        self.receiver.connections.discard(self.connection)
        try:
            super().finish()
        except OSError:
            pass

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            verify(self.receiver.secret, headers, body)
        except Forged as why:
            self.receiver.forged.append((headers, body, str(why)))
            self._respond(401, {})
            return
        event = json.loads(body)
        answer = self.receiver.answer(event)
        status, more = answer if isinstance(answer, tuple) else (answer, {})
        self.receiver.note(Try(headers, self.path, body, event, status))
        if isinstance(status, int):
            self._respond(status, more)
        else:
            self._misbehave(status)

    def _respond(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _misbehave(self, way):
        self.close_connection = True
        if way == Receiver.HANG:
            self.receiver.over.wait(120)
        elif way != Receiver.CUT:
            self.send_response(200)
            self.send_header("Content-Length", str(FLOOD_BYTES))
            self.end_headers()
            self._pour(FLOOD_PIECE if way == Receiver.FLOOD else b"x", way == Receiver.DRIP)
        _shut(self.connection)

    def _pour(self, piece, slowly):
        sent = 0
        try:
            while sent < FLOOD_BYTES and not self.receiver.over.wait(0.1 if slowly else 0):
                self.wfile.write(piece)
                sent += len(piece)
                self.receiver.flooded = max(self.receiver.flooded, sent)
        except OSError:
            pass  # cut off, as it should be

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def _shut(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
