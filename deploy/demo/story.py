"""A story: what happened to one customer, what one department handed to the next, and what must have
come of it.

story.json is a list of steps. Each has a moment ("day" of the story and "at") and a line for people
("say"). What happened has a program ("to"), and either a CloudEvent ("event") or a system's own payload
("source" and "body"). In their strings "$rfc3339", "$unix" and "$ms" stand for the step's moment, so that
the story ended yesterday, whenever it is played. A handoff has its rule ("handoff"), whose work it is
("with"), what its people answer ("answer", a verb of POST /handoffs/…, with "body"), if anything, and what
its own system is told in the end ("told": "opened", "updated", "overdue", "closed").
"""
import datetime
import json
from decimal import Decimal


class Step:
    def __init__(self, step, begin):
        hours, minutes = map(int, step["at"].split(":"))
        self.moment = begin + datetime.timedelta(days=step["day"], hours=hours, minutes=minutes)
        self.day, self.at, self.say = step["day"], step["at"], step["say"]
        self.to, self.source = step.get("to"), step.get("source")
        self.handoff, self.receiver, self.told = step.get("handoff"), step.get("with"), step.get("told")
        self.answer, self.by = step.get("answer"), step.get("body") if self.handoff else None
        if not self.handoff:
            self.body = json.dumps(self._dated(step["body" if self.source else "event"]),
                                   ensure_ascii=False).encode()

    def _dated(self, value):
        seconds = int(self.moment.timestamp())
        texts = {"$rfc3339": self.moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                 "$unix": seconds, "$ms": seconds * 1000}
        if isinstance(value, dict):
            return {name: self._dated(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self._dated(element) for element in value]
        return texts.get(value, value) if isinstance(value, str) else value


def read(folder):
    """(steps in the order they are told, expectations)"""
    with open(folder / "story.json", encoding="utf-8") as file:
        steps = json.load(file)
    with open(folder / "expected.json", encoding="utf-8") as file:
        expected = json.load(file, parse_float=Decimal)
    today = datetime.datetime.now(datetime.timezone.utc).replace(
        hour=0, minute=0, second=0, microsecond=0)
    begin = today - datetime.timedelta(days=1 + max(step["day"] for step in steps))
    return [Step(step, begin) for step in steps], expected


def differences(expected, found):
    """Lines about what came out otherwise; [] when all is right. `found` has the
    shape of `expected`: {"timeline": [{…}, …], "handoffs": [{…}, …], "identities": […], "lifetime_value": {…}}."""
    lines = _of_list("event", "on the timeline", "type", expected["timeline"], found["timeline"])
    lines += _of_list("handoff", "between departments", "rule", expected["handoffs"], found["handoffs"])
    for identity in expected["identities"]:
        if found["customer_by"][identity] != found["customer_id"]:
            lines.append(f"{identity} leads to customer {found['customer_by'][identity]}, "
                         f"expected {found['customer_id']}")
    if not _same(expected["lifetime_value"], found["lifetime_value"]):
        lines.append(f"lifetime value is {found['lifetime_value']}, "
                     f"expected {expected['lifetime_value']}")
    if found["unbalanced"]:
        lines.append(f"the books do not balance in {found['unbalanced']} partitions")
    if found["quarantined"]:
        lines.append(f"{found['quarantined']} records in quarantine")
    return lines


def _of_list(what, where, name, wanted, got):
    lines = []
    if len(wanted) != len(got):
        lines.append(f"{len(wanted)} {what}s expected {where}, {len(got)} found")
    for number, (one, row) in enumerate(zip(wanted, got), 1):
        for member, value in one.items():
            if not _same(value, row[member]):
                lines.append(f"{what} {number} ({row[name]}): {member} is {row[member]!s}, expected {value!s}")
    return lines


def _same(a, b):
    """Equal; numbers by their value, 3000 and 3000.00 are the same money."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[name], b[name]) for name in a)
    if a is None or b is None or isinstance(a, (bool, list, str)) and isinstance(b, (bool, list, str)):
        return a == b
    return Decimal(str(a)) == Decimal(str(b))
