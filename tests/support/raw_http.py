"""HTTP as bytes over a socket: for what no client library would send."""
import json
import socket

PATIENCE = 20  # seconds; no wait in these tests takes longer before it fails


class Answer:
    """`status`, `headers` (names in lower case), `body` (bytes)."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"<{self.status} {self.headers.get('content-type')} {self.body[:400]}>"

    @property
    def is_problem(self):
        return self.headers.get("content-type") == "application/problem+json"

    @property
    def json(self):
        return json.loads(self.body)


class Closed(Exception):
    """The other side has closed instead of answering; `rest` is what it sent before."""

    def __init__(self, rest):
        super().__init__(rest)
        self.rest = rest


class Connection:
    """One connection to 127.0.0.1; `source` is the address it comes from."""

    def __init__(self, port, source="127.0.0.1"):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False when the other side has closed: a refusal may come before the end of what is sent."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed(self.unread)
        self.unread += data

    def read(self, has_body=True):
        """The next answer, without what follows it (`100 Continue` is one of its own)."""
        while b"\r\n\r\n" not in self.unread:
            self._more()
        head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        version, status = lines[0].split(" ")[:2]
        assert version == "HTTP/1.1" and len(headers) == len(lines) - 1, head
        length = int(headers.get("content-length", 0)) if has_body else 0
        while len(self.unread) < length:
            self._more()
        body, self.unread = self.unread[:length], self.unread[length:]
        return Answer(int(status), headers, body)

    def rest(self):
        """What comes until the other side closes."""
        try:
            while True:
                self._more()
        except Closed as closed:
            return closed.rest

    def drip(self, data, pause):
        """A byte at a time, until the end or until the other side has closed."""
        self.socket.settimeout(pause)
        try:
            for at in range(len(data)):
                self.socket.sendall(data[at:at + 1])
                try:
                    if not self.socket.recv(1, socket.MSG_PEEK):
                        break
                except TimeoutError:
                    continue
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            self.socket.settimeout(PATIENCE)
