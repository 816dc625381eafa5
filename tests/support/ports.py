"""Free ports of 127.0.0.1, below those that outgoing connections take, so that
a server finds its port again after a restart."""
import random
import socket

_given = set()


def free_port():
    while True:
        port = random.randrange(12000, 20000)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
