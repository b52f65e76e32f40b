"""The support desk's material: as many tickets as are wanted, always the same ones, and what helps with them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_PAST = 500  # numbers of tickets that were solved long ago, and are found as similar ones
_SIMILAR = 6
_ORDERS = 6
_STATES = ("delivered", "delivered", "returned", "delivered", "refunded", "open")
_PLANS = ("Basic", "Team", "Business")


@dataclass(frozen=True, slots=True)
class Ticket:
    """One customer's trouble, and what a good answer to it is."""

    number: int
    customer: str
    category: str
    priority: str
    team: str
    subject: str
    body: str
    reply: str

    @property
    def id(self) -> str:
        """As people say it."""
        return f"TK-{1001 + self.number}"


@cache
def _material() -> dict[str, Any]:
    text = files(__package__).joinpath("tickets.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def make_tickets(count: int) -> list[Ticket]:
    """The first `count` tickets: kinds and customers take turns, orders, amounts, days and codes are each their own."""
    return [_ticket(number) for number in range(count)]


def _ticket(number: int) -> Ticket:
    material = _material()
    kind = material["kinds"][number % len(material["kinds"])]
    own = {
        "order": _order(number),
        "amount": _amount(number),
        "day": _day(number),
        "code": f"{chr(65 + number % 23)}{4100 + 17 * number}",
    }
    said = {name: " ".join(kind[name].split()).format(**own) for name in ("subject", "body", "reply")}
    facts = {name: kind[name] for name in ("category", "priority", "team")}
    return Ticket(number, material["customers"][number % len(material["customers"])], **facts, **said)


def _order(number: int) -> str:
    return f"A-{48210 + 37 * number}"


def _amount(number: int) -> str:
    return f"{19 + (number * 53) % 340}.{(number * 29) % 100:02d}"


def _day(number: int) -> str:
    return f"{1 + (number * 5) % 28} October"


def account_of(ticket: Ticket) -> dict[str, Any]:
    """What the desk knows of the customer: plan, seats, and the last orders."""
    first = 40 + _ORDERS * ticket.number
    return {
        "customer": ticket.customer,
        "plan": _PLANS[ticket.number % len(_PLANS)],
        "seats": 1 + (ticket.number * 7) % 40,
        "customer_since": 2019 + ticket.number % 7,
        "orders": [
            {"order": _order(-number), "placed": _day(number), "total_eur": _amount(number), "state": state}
            for number, state in zip(range(first, first + _ORDERS), _STATES, strict=True)
        ],
    }


def articles_on(category: str) -> list[str]:
    """What the knowledge base says of it; nothing of a category that it does not know."""
    found = [kind["articles"] for kind in _material()["kinds"] if kind["category"] == category]
    return [" ".join(text.split()) for articles in found for text in articles]


def similar_to(category: str) -> list[dict[str, str]]:
    """Tickets of that category that were solved before, with the answer that solved them."""
    kinds = [kind["category"] for kind in _material()["kinds"]]
    if category not in kinds:
        return []
    numbers = [_PAST + kinds.index(category) - _PAST % len(kinds) + len(kinds) * place for place in range(_SIMILAR)]
    return [{"id": past.id, "subject": past.subject, "answer": past.reply} for past in map(_ticket, numbers)]
