"""The proxy of the fault tests does what its faults are named after: a fault that does not happen
would let everything pass."""
import contextlib
import socket
import threading
import time

import pytest

from support.proxy import Proxy
from support.wait import wait_for


class Echo:
    """A server that sends back what it gets, and keeps it."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got = bytearray()
        self.ended = 0
        self._lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(65536):
                with self._lock:
                    self.got += data
                connection.sendall(data)
        with self._lock:
            self.ended += 1

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self.listener.close()


@pytest.fixture(name="echo")
def _echo():
    server = Echo()
    yield server
    server.close()


@pytest.fixture(name="proxy")
def _proxy(echo):
    with Proxy(echo.port) as proxy:
        yield proxy


def dial(proxy):
    return socket.create_connection(("127.0.0.1", proxy.port), 10)


def read(connection, count):
    """So many bytes, or fewer where the connection ended before."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while len(data) < count and (more := connection.recv(count - len(data))):
            data += more
    return data


def talks(connection, text=b"hello"):
    connection.sendall(text)
    return read(connection, len(text)) == text


def silent(connection, seconds):
    connection.settimeout(seconds)
    try:
        return not connection.recv(1) and False
    except TimeoutError:
        return True
    finally:
        connection.settimeout(10)


def test_forwards_everything_both_ways(proxy):
    big = bytes(range(256)) * 8192  # more than every queue on the way
    with dial(proxy) as connection:
        sender = threading.Thread(target=connection.sendall, args=(big,))
        sender.start()
        assert read(connection, len(big)) == big
        sender.join()
        connection.shutdown(socket.SHUT_WR)  # an end is passed on, too
        assert connection.recv(1) == b""
    assert proxy.state["up"] == proxy.state["down"] == len(big)
    wait_for(lambda: proxy.state["connections"] == 0, 5, "the connection is forgotten")


def test_cuts_all_connections(proxy, echo):
    with dial(proxy) as one, dial(proxy) as other:
        assert talks(one) and talks(other)
        assert proxy.cut() == 2
        for connection in (one, other):
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
    wait_for(lambda: echo.ended == 2, 5, "the server hears of it")
    with dial(proxy) as connection:
        assert talks(connection)


@pytest.mark.parametrize("count", [1, 7, 16384, 50001])
def test_cuts_at_any_byte_up(proxy, echo, count):
    proxy.cut_after(count, "up")
    with dial(proxy) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(b"x" * 60000)
        wait_for(lambda: echo.ended == 1, 5, "the server sees the end")
    assert len(echo.got) == count
    assert proxy.cuts == 1
    with dial(proxy) as connection:
        assert talks(connection)  # once


@pytest.mark.parametrize("count", [1, 7, 16384, 50001])
def test_cuts_at_any_byte_down(proxy, count):
    with dial(proxy) as other, dial(proxy) as connection:
        assert talks(other)
        proxy.cut_after(count, "down")
        with contextlib.suppress(OSError):
            connection.sendall(b"x" * 60000)
        assert len(read(connection, 60000)) == count
        assert proxy.cuts == 1
        assert talks(other)  # only the one that carried the byte


@pytest.mark.parametrize("direction", ["up", "down"])
def test_cuts_before_a_text(proxy, echo, direction):
    with dial(proxy) as connection:
        proxy.cut_before(b"COMMIT", direction)
        assert talks(connection, b"BEGIN")
        connection.sendall(b"now COMMIT it")
        assert read(connection, 1) == b""
    assert proxy.cuts == 1
    assert echo.got == (b"BEGIN" if direction == "up" else b"BEGINnow COMMIT it")


def test_harms_those_alone_that_began_with_a_text(proxy):
    proxy.only(b"writer")
    with dial(proxy) as writer, dial(proxy) as relay:
        assert talks(relay, b"the relay") and talks(writer, b"the ") and talks(writer, b"writer")
        counted = {way: proxy.state[way] for way in ("up", "down")}
        assert counted["up"] == len(b"writer")  # not before it is known
        proxy.freeze()
        writer.sendall(b"x" * 10)
        assert talks(relay, b"goes on") and silent(writer, 0.3)
        proxy.normal()
        assert len(read(writer, 10)) == 10
        proxy.cut_after(10, "up")
        assert talks(relay, b"x" * 20) and talks(relay, b"x" * 20) and proxy.cuts == 0
        assert talks(writer, b"x" * 9) and proxy.state["up"] == counted["up"] + 19
        writer.sendall(b"xx")
        assert read(writer, 2) == b"" and proxy.cuts == 1 and proxy.state["up"] == counted["up"] + 20
        assert proxy.state["asked"] == "xx"
    with dial(proxy) as writer, dial(proxy) as relay:
        proxy.only()
        assert talks(writer, b"the writer")
        proxy.cut_before(b"COMMIT")
        relay.sendall(b"COMMIT")
        assert read(relay, 1) == b"" and proxy.cuts == 2  # any, again


def test_delays(proxy):
    with dial(proxy) as connection:
        proxy.delay(0.3)
        begin = time.monotonic()
        assert talks(connection)
        assert time.monotonic() - begin >= 0.6  # there and back
        proxy.delay(60)
        connection.sendall(b"late")
        proxy.normal()
        assert read(connection, 4) == b"late"  # what was on its way does not wait any longer


def test_throttles(proxy):
    with dial(proxy) as connection:
        proxy.throttle(40000)
        begin = time.monotonic()
        assert talks(connection, b"x" * 40000)
        assert time.monotonic() - begin >= 0.5
        proxy.throttle(1)
        connection.sendall(b"x" * 40000)
        proxy.normal()
        assert len(read(connection, 40000)) == 40000


def test_freezes(proxy, echo):
    with dial(proxy) as old:
        assert talks(old)
        proxy.freeze()
        got = len(echo.got)
        with dial(proxy) as new:  # is accepted all the same
            old.sendall(b"old")
            new.sendall(b"new")
            assert silent(old, 0.3) and silent(new, 0.1)
            assert len(echo.got) == got
            proxy.normal()
            assert read(old, 3) == b"old" and read(new, 3) == b"new"


def test_refuses(proxy):
    with dial(proxy) as old:
        assert talks(old)
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            dial(proxy)
        assert talks(old)
        proxy.normal()
        with dial(proxy) as new:
            assert talks(new)


def test_a_server_that_is_away_ends_the_connection(proxy, echo):
    echo.close()
    with dial(proxy) as connection, contextlib.suppress(ConnectionResetError):
        assert connection.recv(1) == b""


def test_closing_ends_everything(echo):
    proxy = Proxy(echo.port)
    with dial(proxy) as connection:
        assert talks(connection)
        proxy.close()
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        dial(proxy)
