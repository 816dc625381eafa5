"""docs/asyncapi.yaml, and records of Kafka held against it."""
import json
import re

import yaml
from jsonschema import Draft7Validator

from support.kafka import headers as headers_of
from support.paths import ROOT

PATH = ROOT / "docs" / "asyncapi.yaml"

# Fields that AsyncAPI 3.0.0 has for the objects that are used here: required, optional.
FIELDS = {
    "root": ({"asyncapi", "info"}, {"defaultContentType", "servers", "channels", "operations", "components", "id"}),
    "info": ({"title", "version"}, {"description", "license", "contact", "termsOfService", "tags", "externalDocs"}),
    "server": ({"host", "protocol"}, {"protocolVersion", "pathname", "description", "title", "summary", "variables",
                                      "security", "tags", "externalDocs", "bindings"}),
    "channel": ({"address", "messages"}, {"title", "summary", "description", "servers", "parameters", "tags",
                                          "externalDocs", "bindings"}),
    "parameter": (set(), {"enum", "default", "description", "examples", "location"}),
    "operation": ({"action", "channel"}, {"title", "summary", "description", "security", "tags", "externalDocs",
                                          "bindings", "traits", "messages", "reply"}),
    "message": ({"title", "headers", "payload", "bindings"}, {"contentType", "name", "summary", "description", "tags",
                                                              "correlationId", "externalDocs", "examples", "traits"}),
    "kafka channel": ({"partitions", "topicConfiguration", "bindingVersion"}, {"topic", "replicas"}),
    "kafka message": ({"key", "bindingVersion"}, {"schemaIdLocation", "schemaIdPayloadEncoding", "schemaLookupStrategy"}),
}


class Document:
    """References are put in place of what they name: nothing here refers to itself."""

    def __init__(self, path=PATH):
        self.raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.whole = self._expand(self.raw)

    def resolve(self, reference):
        node = self.raw
        assert reference.startswith("#/"), reference
        for step in reference[2:].split("/"):
            assert step in node, f"{reference} leads nowhere"
            node = node[step]
        return node

    def _expand(self, node):
        if isinstance(node, list):
            return [self._expand(one) for one in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            assert set(node) == {"$ref"}, f"beside a reference nothing counts: {node}"
            return self._expand(self.resolve(node["$ref"]))
        return {key: self._expand(value) for key, value in node.items()}

    @property
    def channels(self):
        return self.whole["channels"]

    def topic_channel(self, topic):
        """The name of a topic's channel: one without parameters before one with."""
        if topic == self.channels["system"]["address"]:
            return "system"
        for name, channel in self.channels.items():
            if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[a-z0-9-]+", re.escape(channel["address"])), topic):
                return name
        return None

    def types(self):
        """All that a message's ce_type may be, where it is said."""
        found = set()
        for message in self.whole["components"]["messages"].values():
            for schema in _parts(message["headers"]):
                rule = schema.get("properties", {}).get("ce_type", {})
                found.update(rule.get("enum", [rule["const"]] if "const" in rule else []))
        return found

    def headers(self):
        """The names of all headers that are described."""
        return {name for message in self.whole["components"]["messages"].values()
                for schema in _parts(message["headers"]) for name in schema.get("properties", {})}

    def faults(self, channel, message, record):
        """What is wrong with a record as this message of this channel: texts."""
        wanted = self.channels[channel]["messages"][message]
        headers, value = headers_of(record), record.value() or b""
        key = record.key().decode() if record.key() is not None else None
        faults = [("header", e) for e in Draft7Validator(wanted["headers"]).iter_errors(headers)]
        faults += [("key", e) for e in Draft7Validator(wanted["bindings"]["kafka"]["key"]).iter_errors(key)]
        if headers.get("content-type", "").endswith("json"):
            faults += [("data", e) for e in Draft7Validator(wanted["payload"]).iter_errors(json.loads(value))]
        return [f"{part} {list(error.absolute_path)}: {error.message[:300]}" for part, error in faults]

    def message_of(self, channel, record):
        """The name of the one message that a record is by its type, or the mark of what could not be mapped."""
        headers = headers_of(record)
        if channel == "events":
            kind = headers.get("ce_type", "")
            if "throughline_source" in headers:
                return "unmapped"
            if not kind.startswith("throughline."):
                return "event"
            return "report" if kind.rsplit(".", 1)[1] in ("delivered", "undeliverable") else "request"
        return headers["ce_type"].rsplit(".", 1)[1]


def _parts(schema):
    yield schema
    for one in schema.get("allOf", []):
        yield from _parts(one)
