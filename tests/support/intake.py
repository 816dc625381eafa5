"""A stand-in for an intake that answers POST /events as a test says: what real ones do when Kafka
is away, or a connection is cut, or an event is bad, at the moment that the test wants it."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Intake:
    """`answer(events)` is called for each request, in order, and returns (status, headers, body), or
    None to cut the connection. `requests` are the events of each request and its headers."""

    def __init__(self, answer):
        self.answer, self.requests = answer, []
        intake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                events = json.loads(body)
                intake.requests.append((events, dict(self.headers), self.path))
                found = intake.answer(events)
                if found is None:
                    self.close_connection = True
                    self.connection.shutdown(2)
                    return
                status, headers, body = found
                text = json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def accepted(self):
        """Ids of the events that a 202 was answered for, in order: only where `answer` keeps them."""
        return [event["id"] for events, _, _ in self.requests for event in events]


def accepted(events):
    return 202, {}, {"accepted": len(events)}


def unavailable(seconds=0):
    return 503, {"Retry-After": str(seconds)}, {"title": "Service Unavailable", "status": 503,
                                                "detail": "Kafka does not take it now"}


def refused(*errors, status=400):
    """errors: (index, pointer, detail)"""
    return status, {}, {"title": "Bad Request", "status": status, "detail": "see errors", "errors": [
        {"index": i, "pointer": pointer, "detail": detail} for i, pointer, detail in errors]}
