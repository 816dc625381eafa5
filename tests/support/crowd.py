"""Many connections at once, each posting one request after the other and repeating nothing: what a
service answers is written down, with how long it took."""
import asyncio
import itertools
import json
import threading
import time

_numbers = itertools.count(1)


class Crowd:
    """`connections` of each kind to each port until stop(). `answers` are (seconds since the start,
    seconds it took, status, Retry-After, ids). A connection that is cut counts in `cut`. `lag` is the
    longest time that this crowd itself was late, which is not the service's doing."""

    def __init__(self, ports, connections, bodies, pause=0.25):
        self.ports, self.connections, self.bodies, self.pause = ports, connections, bodies, pause
        self.answers, self.cut, self.lag = [], 0, 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)

    def __enter__(self):
        self.began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    async def _all(self):
        await asyncio.gather(self._watch(), *(self._one(department, port, n) for department, port in self.ports.items()
                               for n in range(self.connections)))

    async def _watch(self):
        while not self._over.is_set():
            began = time.monotonic()
            await asyncio.sleep(0.01)
            self.lag = max(self.lag, time.monotonic() - began - 0.01)

    async def _one(self, department, port, n):
        make = self.bodies[n % len(self.bodies)]
        while not self._over.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                self.cut += 1
                await asyncio.sleep(self.pause)
                continue
            try:
                while not self._over.is_set():
                    await self._request(reader, writer, department, make)
                    await asyncio.sleep(self.pause)
            except (OSError, asyncio.IncompleteReadError):
                self.cut += 1
            finally:
                writer.close()

    async def _request(self, reader, writer, department, make):
        ids, kind, body = make(department)
        began = time.monotonic()
        writer.write(f"POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/{kind}+json\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        await reader.readexactly(int(fields["content-length"]))
        now = time.monotonic()
        self.answers.append((began - self.began, now - began, int(head[0].split()[1]), fields.get("retry-after"), ids))


def one_event(size):
    """Makes bodies of one event, with so many bytes of padding."""
    def make(department):
        one = _event(department, "x" * size)
        return [one["id"]], "cloudevents", json.dumps(one).encode()
    return make


def smallest_events(count):
    """Makes batches of the smallest events: what takes the most memory for its size."""
    def make(department):
        start = next(_numbers)
        ids = [f"c{start}-{n}" for n in range(count)]
        before, after = json.dumps(_event(department), separators=(",", ":")).split(f"c{next(_numbers) - 1}")
        return ids, "cloudevents-batch", ("[" + ",".join(before + i + after for i in ids) + "]").encode()
    return make


def _event(department, padding=None):
    noun = {"sales": "sales.call.made", "billing": "billing.reminder.sent",
            "service": "service.customer.contacted"}[department]
    one = {"specversion": "1.0", "id": f"c{next(_numbers)}", "source": "/c", "type": noun,
           "time": "2026-02-01T00:00:00Z", "data": {"customer": {"email": "c@c.example"}}}
    if padding:
        one["data"]["note"] = padding
    return one
