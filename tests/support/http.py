"""Requests to a program under test, and its answers."""
import http.client
import json


class Answer:
    """`status`, `headers` (by any case), `body` (bytes)."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300].decode('utf-8', 'replace')}>"


def request(port, method, path, body=None, headers=None, timeout=15, tls=None):
    """One request on a connection of its own. `body`: bytes, text, or what json.dumps takes; `tls`: an
    ssl.SSLContext, for HTTPS."""
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    connection = (http.client.HTTPSConnection("localhost", port, timeout=timeout, context=tls) if tls else
                  http.client.HTTPConnection("127.0.0.1", port, timeout=timeout))
    try:
        try:
            connection.request(method, path, body=body, headers=headers or {})
        except (BrokenPipeError, ConnectionResetError):
            pass  # a refusal may come before the body is sent
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()
