"""The support desk's tools, and the task that its agent is given: seven steps a ticket, as the published one."""

import json
from dataclasses import dataclass, field
from typing import Any

from conversations.ops.simulation.tickets import Ticket, account_of, articles_on, similar_to

STEPS = (
    "get_next_ticket", "classify_ticket", "search_knowledge_base", "set_priority", "route_to_team", "draft_response",
    "mark_complete",
)  # fmt: skip

TASK = """You are the support desk's agent. Work through all tickets in the queue, one at a time. For each ticket:

1. get_next_ticket
2. classify_ticket: billing, shipping, technical, account, product or returns
3. search_knowledge_base for what is known about it
4. set_priority: low, normal, high or urgent
5. route_to_team
6. draft_response to the customer
7. mark_complete

Rules:
- Never promise a refund above 100 EUR; say that it was handed to the billing team.
- Always quote the order number in the response.
- Never send a recovery code by mail or chat.
- Do not mark a ticket complete before its response is saved.
- Only one ticket at a time; do not fetch the next before the last is complete.

When the queue is empty, say how many tickets were completed, and stop."""

_TICKET = {"ticket_id": {"type": "string", "description": "The ticket's id, as in TK-1001"}}


def _tool(name: str, description: str, **properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"name": name, "description": description, "input_schema": schema}


TOOLS = [
    _tool("get_next_ticket", "Take the next ticket from the queue: its message and the customer's account."),
    _tool("classify_ticket", "Say what a ticket is about.", **_TICKET, category={"type": "string"}),
    _tool(
        "search_knowledge_base",
        "Find articles and solved tickets; the query begins with the category.",
        query={"type": "string"},
    ),
    _tool("set_priority", "Say how soon a ticket must be answered.", **_TICKET, priority={"type": "string"}),
    _tool("route_to_team", "Hand a ticket to the team that can solve it.", **_TICKET, team={"type": "string"}),
    _tool("draft_response", "Save the response to the customer.", **_TICKET, text={"type": "string"}),
    _tool("mark_complete", "Close a ticket whose response is saved.", **_TICKET),
]


@dataclass(slots=True)
class Desk:
    """The queue and what was done with each ticket. Its tools answer in JSON."""

    queue: list[Ticket]
    taken: int = 0
    done: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self, name: str, given: dict[str, Any]) -> str:
        """What the tool answers. Raises ValueError for what the desk does not allow: the model is told."""
        if name == "get_next_ticket":
            return self._next()
        if name == "search_knowledge_base":
            return self._search(given["query"])
        return self._note(name, given)

    def completed(self) -> int:
        """Tickets that were closed."""
        return sum("mark_complete" in notes for notes in self.done.values())

    def _search(self, query: str) -> str:
        """Articles and solved tickets of the category that the query names first."""
        category = query.split(maxsplit=1)[0]
        return _json({"query": query, "articles": articles_on(category), "similar": similar_to(category)})

    def _next(self) -> str:
        if self.taken == len(self.queue):
            return _json({"ticket": None, "message": "The queue is empty."})
        ticket = self.queue[self.taken]
        self.taken += 1
        self.done[ticket.id] = {}
        told = {"id": ticket.id, "subject": ticket.subject, "message": ticket.body}
        return _json({"ticket": told, "account": account_of(ticket), "waiting": len(self.queue) - self.taken})

    def _note(self, name: str, given: dict[str, Any]) -> str:
        notes = self.done.get(given["ticket_id"])
        if notes is None:
            raise ValueError(f"There is no ticket {given['ticket_id']} in hand.")
        if name == "mark_complete" and "draft_response" not in notes:
            raise ValueError("The response is not saved yet.")
        notes[name] = given
        return _json({"ok": True, "ticket_id": given["ticket_id"], "saved": STEPS.index(name) + 1})


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
