"""What handoffs there must be, computed apart from the code under test: the rules that the aggregators
are given here, the events that the senders open and close handoffs by, and the ids that follow."""
import collections
import datetime
import hashlib
import uuid

INVOICE, WELCOME, GROW, WELCOME_WEBHOOK = (
    "faults-invoice", "faults-welcome", "faults-grow", "faults-welcome-webhook")
AGE = "36500d"  # the senders' events are of a fixed time
RULES = [
    {"rule": INVOICE, "when": "sales.deal.won", "if": {"/deal": {"present": True}}, "to": "billing",
     "ask": "Issue the invoice", "due": "300d", "max_age": AGE, "done_when": "billing.invoice.issued",
     "cancel_when": "sales.deal.lost", "match": [["/deal", "/deal"]], "brief": ["/deal", "/amount"]},
    {"rule": WELCOME, "when": "billing.invoice.paid", "if": {"/welcome": True}, "to": "service",
     "ask": "Welcome the customer", "due": "300d", "max_age": AGE},
    {"rule": WELCOME_WEBHOOK, "when": "billing.invoice.paid",
     "if": {"/payload/data/object/welcome": True}, "to": "service", "ask": "Welcome the customer",
     "due": "300d", "max_age": AGE},
    {"rule": GROW, "when": "service.ticket.opened", "if": {"/grow": True}, "to": "sales",
     "ask": "Talk about more", "due": "300d", "max_age": AGE},
]
RECEIVER = {rule["rule"]: rule["to"] for rule in RULES}
OPENING = 0.055  # share of the events that open a handoff
# Of won deals: how many are closed by an event at all, how many of these arrive before the deal, are
# lost, name the customer by another identity than the deal does.
CLOSED, EARLY, LOST, BY_NUMBER = 0.7, 0.25, 0.3, 0.2
MOST_LATER = 40  # requests of a sender between the two events, either way round

# An event that a sender has yet to send: from its `turn`-th request on.
Waiting = collections.namedtuple("Waiting", "turn department made")


def handoff_id(rule, source, event_id):
    """Of the rule and the opening event: the first 128 bits of SHA-256, each part with its length."""
    digest = hashlib.sha256()
    for part in (rule, source, event_id):
        digest.update(len(part.encode()).to_bytes(4, "big") + part.encode())
    return str(uuid.UUID(bytes=digest.digest()[:16]))


def open_one(department, made):
    """Makes of an event one that opens a handoff."""
    event, key, content = made
    if department == "sales":
        event["data"]["deal"] = f"deal of {key[1]}"
        return event, key, content._replace(opens=INVOICE, deal=event["data"]["deal"])
    member, rule = {"billing": ("welcome", WELCOME), "service": ("grow", GROW)}[department]
    event["data"][member] = True
    return event, key, content._replace(opens=rule)


def closing_of(made, rng, number):
    """(department, event) that closes what `made` opens; `number` is the customer's."""
    event, key, content = made
    lost = rng.random() < LOST
    department, kind = ("sales", "sales.deal.lost") if lost else ("billing", "billing.invoice.issued")
    by_number = rng.random() < BY_NUMBER
    given, known = (({"customer": f"C{number}"}, ("customer", f"C{number}")) if by_number else
                    ({"email": f"c{number}@acme.example"}, ("email", f"c{number}@acme.example")))
    moment = content.occurred_at + datetime.timedelta(minutes=rng.randrange(3))
    data = {"customer": given, "deal": content.deal}
    if not lost:
        data.update(amount=event["data"]["amount"], currency="EUR")
    closing = {**event, "id": f"{key[1]}-closing", "type": kind, "data": data,
               "time": moment.isoformat().replace("+00:00", "Z")}
    told = content._replace(department=department, type=kind, occurred_at=moment, opens=None,
                            identities=(known,),
                            **({"amount": None, "currency": None} if lost else {}))
    return department, (closing, (key[0], closing["id"]), told)


def hand_over(made, department, rng, number, turn):
    """The events, each with the request from on which it goes, by which a handoff is opened and, if it
    is one of a deal, mostly closed."""
    opening = open_one(department, made)
    if opening[2].deal is None or rng.random() >= CLOSED:
        return [Waiting(turn, department, opening)]
    early, later = rng.random() < EARLY, turn + rng.randrange(MOST_LATER)
    where, closing = closing_of(opening, rng, number)
    return [Waiting(later if early else turn, department, opening),
            Waiting(turn if early else later, where, closing)]
