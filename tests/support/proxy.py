"""A TCP proxy in front of a server under test, which harms what goes through it, on demand.

    proxy = Proxy(upstream_port)           # a child process; listens at 127.0.0.1:proxy.port
    proxy.cut()                            # all connections, now, by a reset
    proxy.cut_after(1000, "down")          # the connection that carries the 1000th byte from now,
                                           # right after it; `proxy.cuts` tells when that happened
    proxy.cut_before(b"COMMIT", "down")    # the connection that carries these bytes, before them
    proxy.delay(0.2); proxy.throttle(50_000); proxy.freeze(); proxy.refuse()
    proxy.normal()                         # all of these off
    proxy.only(b"writer 0")                # whom cut_after, cut_before, freeze and the counted bytes
                                           # are about: clients that began with a text with this in it
    proxy.close()

"up" is from the client to the server, "down" back, "both" either. What is asked for is in force
when the call returns. Delay, throttle, freeze and refuse are apart from each other: several may be
on. Thread-safe. The child ends with its parent, however that ends.
"""
import asyncio
import collections
import json
import socket
import struct
import subprocess
import sys
import threading
import time

PIECE = 16 * 1024  # bytes taken at once
BEGINNING = 1024  # bytes of a client by which it is known
ASKED = 64  # last bytes of a piece that are kept, to tell what a cut fell into
QUEUE = 64  # pieces on their way in one direction of a connection, then its sender has to wait
DIRECTIONS = ("up", "down")


class Proxy:
    """In the test's process: starts the child and tells it what to do."""

    def __init__(self, upstream, port=0):
        self._lock = threading.Lock()
        self._child = subprocess.Popen([sys.executable, __file__, str(port), str(upstream)],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self._child.stdout.readline())["port"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _tell(self, command, *arguments):
        with self._lock:
            self._child.stdin.write(json.dumps([command, *arguments]) + "\n")
            self._child.stdin.flush()
            answer = self._child.stdout.readline()
        assert answer, f"the proxy at port {self.port} has ended"
        return json.loads(answer)

    def cut(self):
        """Resets all connections; returns how many there were."""
        return self._tell("cut")

    def cut_after(self, count, direction="both"):
        """Lets `count` more bytes through, counted over all connections, then closes the one that
        carried the last of them. Once; a later call replaces it, normal() takes it back."""
        self._tell("cut_after", count, direction)

    def cut_before(self, text, direction="both"):
        """Closes the connection on which `text` comes next, and lets nothing of the piece through
        that it comes in. Once, as cut_after; a text that two pieces share is not seen."""
        self._tell("cut_before", text.decode("latin-1"), direction)

    def only(self, text=b""):
        """From now on cut_after, cut_before, freeze, and the bytes in `state` are about connections
        alone whose clients' first bytes have this in them, as PostgreSQL's have the application's
        name; not over TLS. Lasts till the next call; without a text they are about all again."""
        self._tell("only", text.decode("latin-1"))

    def delay(self, seconds):
        """Everything arrives so much later, in each direction."""
        self._tell("delay", seconds)

    def throttle(self, bytes_per_second):
        """For all connections together, in each direction; bursts of at most 1/10 s."""
        self._tell("throttle", bytes_per_second)

    def freeze(self):
        """Connections are accepted, what has come stays, nothing is forwarded: a black hole."""
        self._tell("freeze")

    def refuse(self):
        """New connections are refused; those that are there go on."""
        self._tell("refuse")

    def normal(self):
        """Nothing is cut, delayed, throttled, frozen or refused any more."""
        self._tell("normal")

    @property
    def state(self):
        """{"connections" now, "accepted" since the start, "cuts" that cut_after made, bytes forwarded
        "up" and "down", of those that only() names, and "asked", the last piece of the client's that
        the latest of these cuts fell into or came after, or its end}"""
        return self._tell("state")

    @property
    def cuts(self):
        return self.state["cuts"]

    def close(self):
        """Ends the child, and every connection with it."""
        if self._child.poll() is None:
            self._child.stdin.close()
            try:
                self._child.wait(5)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._child.stdout.close()


class _Connection:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(self, client, server):
        self.writers = {"up": server[1], "down": client[1]}
        self.readers = {"up": client[0], "down": server[0]}
        self.is_cut = False
        self.beginning = b""  # what the client said first
        self.asked = b""  # and what it said last

    def hear(self, data):
        if len(self.beginning) < BEGINNING:
            self.beginning += data[:BEGINNING - len(self.beginning)]

    def close(self, reset):
        for writer in self.writers.values():
            if reset:
                raw = writer.get_extra_info("socket")
                if raw is not None and raw.fileno() >= 0:
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()


class _Forwarder:
    """In the child: the event loop's side."""

    def __init__(self, upstream):
        self.upstream, self.port, self.server = upstream, 0, None
        self.connections = set()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.seconds = 0.0  # delay
        self.rate = None  # bytes a second
        self.free_at = dict.fromkeys(DIRECTIONS, 0.0)  # when a throttled direction may go on
        self.left, self.text, self.cut_direction = None, None, "both"  # bytes, or text, till the cut
        self.named = b""  # only()
        self.passed = dict.fromkeys(DIRECTIONS, 0)
        self.accepted = self.cuts = 0
        self.asked = b""  # on the connection that was cut last

    async def listen(self):
        if self.server is None:
            self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port,
                                                     limit=PIECE, backlog=256)
            self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        self.accepted += 1
        try:
            server = await asyncio.open_connection("127.0.0.1", self.upstream, limit=PIECE)
        except OSError:
            writer.transport.abort()
            return
        for side in (writer, server[1]):
            side.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection((reader, writer), server)
        self.connections.add(connection)
        try:
            await asyncio.gather(*(self.forward(connection, d) for d in DIRECTIONS))
        except OSError:
            connection.close(reset=not connection.is_cut)
        finally:
            connection.close(reset=False)
            self.connections.discard(connection)

    async def forward(self, connection, direction):
        """A direction's pieces wait in a queue, so that a delay takes no throughput."""
        queue = collections.deque()
        room, filled = asyncio.Semaphore(QUEUE), asyncio.Semaphore(0)

        async def take():
            while True:
                await room.acquire()
                await self.flow(connection)
                data = await connection.readers[direction].read(PIECE)
                if direction == "up":
                    connection.hear(data)
                queue.append((time.monotonic() + self.seconds, data))
                filled.release()
                if not data:
                    return

        async def give():
            writer = connection.writers[direction]
            while True:
                await filled.acquire()
                due, data = queue.popleft()
                await self.hold_back(connection, direction, due, len(data))
                if not data:
                    if writer.can_write_eof() and not writer.is_closing():
                        writer.write_eof()
                    return
                writer.write(self.count(connection, direction, data))
                if connection.is_cut:
                    connection.close(reset=False)  # what was written is flushed first
                    raise ConnectionAbortedError
                await writer.drain()
                room.release()

        tasks = [asyncio.ensure_future(take()), asyncio.ensure_future(give())]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    def is_frozen(self, connection):
        return not self.flowing.is_set() and self.named in connection.beginning

    async def flow(self, connection):
        while self.is_frozen(connection):
            await self.flowing.wait()

    async def hold_back(self, connection, direction, due, count):
        while True:
            wait = due - time.monotonic()
            if self.rate:
                wait = max(wait, self.free_at[direction] - time.monotonic())
            if wait > 0:
                await asyncio.sleep(min(wait, 0.1))  # normal() may shorten it
                due = min(due, time.monotonic() + self.seconds)
            elif self.is_frozen(connection):
                await self.flow(connection)
            else:
                break
        if self.rate:
            since = max(self.free_at[direction], time.monotonic() - 0.1)
            self.free_at[direction] = since + count / self.rate

    def count(self, connection, direction, data):
        """What of a piece may pass; marks the connection where the cut falls into it."""
        if connection.is_cut:
            return b""
        if self.named not in connection.beginning:
            return data
        if direction == "up":
            connection.asked = data[-ASKED:]
        if self.cut_direction in (direction, "both"):
            if self.left is not None and len(data) >= self.left:
                data = data[:self.left]
                connection.is_cut = True
            elif self.left is not None:
                self.left -= len(data)
            elif self.text is not None and self.text in data:
                data = b""
                connection.is_cut = True
        if connection.is_cut:
            self.left = self.text = None
            self.cuts += 1
            self.asked = connection.asked
        self.passed[direction] += len(data)
        return data

    # Commands.

    def cut(self):
        found = list(self.connections)
        for connection in found:
            connection.close(reset=True)
        return len(found)

    def cut_after(self, count, direction):
        self.left, self.text, self.cut_direction = count, None, direction

    def cut_before(self, text, direction):
        self.left, self.text, self.cut_direction = None, text.encode("latin-1"), direction

    def only(self, text):
        self.named = text.encode("latin-1")

    def delay(self, seconds):
        self.seconds = seconds

    def throttle(self, bytes_per_second):
        self.rate = bytes_per_second

    def freeze(self):
        self.flowing.clear()

    def refuse(self):
        if self.server is not None:
            self.server.close()
            self.server = None

    async def normal(self):
        self.seconds, self.rate, self.left, self.text = 0.0, None, None, None
        self.flowing.set()
        await self.listen()

    def state(self):
        return {"connections": len(self.connections), "accepted": self.accepted, "cuts": self.cuts,
                "asked": self.asked.decode("latin-1"), **self.passed}


async def _child(port, upstream):
    forwarder = _Forwarder(upstream)
    forwarder.port = port
    await forwarder.listen()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)  # connections end in every possible way here
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print(json.dumps({"port": forwarder.port}), flush=True)
    while line := await commands.readline():
        command, *arguments = json.loads(line)
        answer = getattr(forwarder, command)(*arguments)
        if asyncio.iscoroutine(answer):
            answer = await answer
        print(json.dumps(answer), flush=True)
    forwarder.refuse()
    forwarder.cut()


if __name__ == "__main__":
    asyncio.run(_child(int(sys.argv[1]), int(sys.argv[2])))
