"""Events for tests, and what is computed from them apart from the code under test."""
import hashlib
import itertools
import struct
import uuid

_numbers = itertools.count(1)


def event(kind, data, time="2026-01-08T10:12:07Z", **attributes):
    """A CloudEvent with an id of its own."""
    number = next(_numbers)
    return {"specversion": "1.0", "id": f"test-{number}", "source": "/tests", "type": kind,
            "time": time, "data": data, **attributes}


def person(name):
    """A customer nobody else in this database has: data.customer."""
    return {"email": f"{name}.{next(_numbers)}@acme.example"}


def event_uid(source, event_id):
    """As the contract has it: 128 bits of SHA-256 over length-prefixed source and id."""
    digest = hashlib.sha256()
    for text in (source.encode(), event_id.encode()):
        digest.update(struct.pack(">I", len(text)) + text)
    return str(uuid.UUID(bytes=digest.digest()[:16]))


def binary(cloudevent):
    """Headers of binary mode for an event; its data is the body."""
    headers = {f"ce-{name}": value for name, value in cloudevent.items()
               if name not in ("data", "datacontenttype")}
    headers["Content-Type"] = cloudevent.get("datacontenttype", "application/json")
    return headers
