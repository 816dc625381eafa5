"""Compares handoffs with the ledger: what the accepted events must open and close, by ids computed
here; what arrived at the receivers, try by try; what Kafka has. Breaches are sentences."""
import collections

from orders import RECEIVER, handoff_id

CLOSED_BY = {"billing.invoice.issued": "done", "sales.deal.lost": "cancelled"}
HANDOFFS = """
SELECT handoff_id::text AS id, rule, from_department, to_department, state, undeliverable, sequence,
       closing_event_id, brief_version FROM store.handoffs"""
VIEWED = "SELECT count(*) AS n FROM throughline.handoffs"


class HandoffChecker:
    """`rows` are store.handoffs, `told` Kafka's records of handoffs.* as (department, id, handoff, kind,
    sequence) in order, `said` the (handoff, kind, sequence) of events.throughline; `timeline` the
    ledger's keys that are on the timeline; `root` tells which customer identities are one."""

    def __init__(self, breach, ledger, people, rows, told, said, timeline, root):
        self.breach, self.ledger, self.people = breach, ledger, people
        self.rows = {row["id"]: row for row in rows}
        self.told, self.said = told, said
        self.timeline, self.root = timeline, root
        self.heard = heard_of(told)
        self.first = {}  # (department, webhook-id) -> its first arrival, in order
        for arrival in people.arrivals:
            self.first.setdefault((arrival.department, arrival.id), arrival)

    def check(self):
        self.check_opened()
        self.check_deliveries()
        self.check_order()
        self.check_states()
        self.check_closed_by_events()

    def openings(self, keys):
        """{id: content} of the handoffs that these events open."""
        found = ((key, self.ledger.sent[key]) for key in keys if key in self.ledger.sent)
        return {handoff_id(content.opens, *key): content for key, content in found if content.opens}

    def check_opened(self):
        self.breach("handoffs that accepted events open are missing",
                    self.openings(self.ledger.accepted).keys() - self.rows.keys())
        self.breach("handoffs that events on the timeline open are missing",
                    self.openings(self.timeline).keys() - self.rows.keys())
        self.breach("handoffs are there that no event on the timeline opens",
                    self.rows.keys() - self.openings(self.timeline).keys())
        contents = self.openings(self.timeline)
        self.breach("handoffs have another rule or sender than their event says", (
            f"{row}" for row in self.rows.values() if row["id"] in contents and (
                row["rule"], row["from_department"]) != (
                    contents[row["id"]].opens, contents[row["id"]].department)))

    def ended(self, row):
        """Opened and closed by one batch: told to the timeline alone."""
        return row["closing_event_id"] and self.said.get(row["id"]) == {("closed", row["sequence"])}

    def check_deliveries(self):
        told = {(department, event_id) for department, event_id, *_ in self.told}
        self.breach("signatures do not match", self.people.forged)
        self.breach("changes in Kafka were never delivered", told - self.people.taken)
        self.breach("changes were delivered that Kafka has not", self.first.keys() - told)
        self.breach("deliveries of one change differ", (
            f"{a.department} {a.id}" for a in self.people.arrivals
            if a.kind != "refused" and a.digest != self.first[a.department, a.id].digest))
        self.breach("different changes carry the same id", self.same_ids())
        self.breach("openings without a brief", (
            a.id for a in self.first.values() if a.kind == "opened" and a.brief_version != 1))
        waiting = [row for row in self.rows.values() if not self.ended(row)]
        self.breach("handoffs were never delivered", (
            f"{row['id']} of {row['rule']}" for row in waiting
            if (RECEIVER[row["rule"]], f"{row['id']}/1") not in self.people.taken))
        self.breach("last changes were never delivered", (
            f"{row['id']}/{row['sequence']}" for row in waiting
            if (row["to_department"], f"{row['id']}/{row['sequence']}") not in self.people.taken))
        self.breach("changes were told to the receiver or to the timeline alone", (
            f"{handoff}: {sorted(changes)} and {sorted(self.heard[handoff])}"
            for handoff, changes in self.said_sequences().items()
            if handoff in self.rows and not self.ended(self.rows[handoff])
            and changes != self.heard[handoff]))
        asked = {handoff for handoff, _ in self.people.asked}
        self.breach("refusals of what nobody asked", (
            a.id for a in self.first.values() if a.kind == "refused" and a.handoff not in asked))

    def said_sequences(self):
        return {handoff: {sequence for _, sequence in changes} for handoff, changes in self.said.items()}

    def same_ids(self):
        """An id belongs to one change of one handoff at one department."""
        for (department, event_id), arrival in self.first.items():
            if arrival.kind != "refused" and event_id not in (
                    f"{arrival.handoff}/{arrival.sequence}",
                    f"{arrival.handoff}/{arrival.sequence}/{department}"):
                yield f"{event_id} of {arrival.handoff}, change {arrival.sequence}"

    def check_order(self):
        """First arrivals of a handoff's changes at a department, and Kafka's records of them."""
        self.breach("changes arrived out of order", out_of_order(
            (a.department, a.handoff, a.sequence) for a in self.first.values() if a.kind != "refused"))
        self.breach("changes are out of order in Kafka", out_of_order(
            dict.fromkeys((department, handoff, sequence)
                          for department, _, handoff, kind, sequence in self.told if kind != "refused")))

    def check_states(self):
        """Of what events do not close: as people were told by a 202."""
        closings, outcomes = self.closings(), self.people.outcomes
        self.breach("handoffs are in another state than people were told", (
            f"{row['id']} of {row['rule']} is {row['state']} with {row['to_department']}, not {wanted}"
            for row in self.rows.values() if row["id"] not in closings
            for wanted in [tuple(outcomes.get(
                row["id"], ("delivered", RECEIVER.get(row["rule"]))))]
            if (row["state"], row["to_department"]) != wanted))
        self.breach("handoffs are undeliverable", (i for i, r in self.rows.items() if r["undeliverable"]))

    def closings(self):
        """{id: (state, closing event's id)} of the handoffs whose deal's end is on the timeline and of
        the same customer."""
        ends = {content.deal: (key, content) for key, content in self.ledger.sent.items()
                if content.deal and not content.opens and key in self.timeline}
        found = {}
        for handoff, content in self.openings(self.timeline).items():
            key, end = ends.get(content.deal, (None, None)) if content.deal else (None, None)
            if end and self.root(end.identities[0]) == self.root(content.identities[0]):
                found[handoff] = (CLOSED_BY[end.type], key[1])
        return found

    def check_closed_by_events(self):
        self.breach("handoffs are not closed as their events say", (
            f"{handoff} is {found}, not {wanted}"
            for handoff, wanted in self.closings().items() if handoff in self.rows
            for found in [(self.rows[handoff]["state"], self.rows[handoff]["closing_event_id"])]
            if found != wanted))

    def summary(self):
        states = collections.Counter(row["state"] for row in self.rows.values())
        at_once = sum(bool(self.ended(row)) for row in self.rows.values())
        return (f"{len(self.rows)} handoffs ({', '.join(f'{n} {s}' for s, n in sorted(states.items()))};"
                f" {len(self.closings())} by events, {at_once} as they were opened)")


def heard_of(told):
    """{handoff: sequences} of what went to receivers."""
    heard = collections.defaultdict(set)
    for _, _, handoff, kind, sequence in told:
        if kind != "refused":
            heard[handoff].add(sequence)
    return heard


def out_of_order(changes):
    """`changes` are (department, handoff, sequence) in the order of their first arrival."""
    last = {}
    for department, handoff, sequence in changes:
        place = (department, handoff)
        if sequence < last.get(place, 0):
            yield f"{handoff} at {department}: {sequence} after {last[place]}"
        last[place] = max(sequence, last.get(place, 0))
