"""The agent's model as a script: it knows how tickets are handled, and of the conversation only what is in its context.

After a compaction that is the summary, so what the summary leaves out is gone for it as for any model. Its summaries
are like those that real models write: the task in few words, the last tickets in a line each, earlier ones as a count,
and what is in hand. Details go first, and of the user's rules only what the instructions ask for stays word for word.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from conversations.ops.simulation.desk import STEPS
from conversations.ops.simulation.requests import Block, Context
from conversations.ops.simulation.tickets import Ticket

_TASK = (
    "Task: work through the support queue one ticket at a time: take it, classify, search the knowledge base, set the "
    "priority, route it, draft the response, mark it complete. Responses quote the order number."
)
_REMEMBERED = 6  # tickets that a summary has a line for
_DONE = re.compile(r"^(\d+) tickets? completed", re.MULTILINE)
_LINE = re.compile(r"^- (TK-\d+): .*$", re.MULTILINE)
_IN_HAND = re.compile(r"^In hand: (TK-\d+), last step (\w+)", re.MULTILINE)
_RULES = re.compile(r"^Rules:\n((?:- .*(?:\n|$))+)", re.MULTILINE)


@dataclass(slots=True)
class _Memory:
    """What the context says of how far the work is."""

    done: int = 0
    lines: list[str] = field(default_factory=list)  # the tickets completed that can still be told of
    ticket: str = ""
    step: str = ""  # the last one that was made
    empty: bool = False  # the queue
    rules: str = ""


@dataclass(frozen=True, slots=True)
class Clerk:
    """Handles the tickets given, in whatever order they come. Ids of its tool calls are its own."""

    tickets: dict[str, Ticket]

    def reply(self, context: Context) -> list[Block]:
        """The next step, with a few words before it."""
        memory = _remember(context, self.tickets)
        if memory.empty:
            return [{"type": "text", "text": f"The queue is empty. {memory.done} tickets were completed."}]
        if _is_asked_to_stop(context):
            hand = f" In hand is {memory.ticket}, last step {memory.step}." if memory.ticket else ""
            return [{"type": "text", "text": f"I stop here. {memory.done} tickets were completed.{hand}"}]
        step = STEPS[(STEPS.index(memory.step) + 1) % len(STEPS)] if memory.step else STEPS[0]
        words, given = self._step(step, memory.ticket)
        key = f"toolu_{memory.done + (step != STEPS[0]):04d}_{step}"
        call = {"type": "tool_use", "id": key, "name": step, "input": given}
        return [{"type": "text", "text": words}, call]

    def summarise(self, context: Context, instructions: str) -> str | None:
        """In the tags that the API's prompt asks for."""
        memory = _remember(context, self.tickets)
        kept = memory.rules if "rule" in instructions.lower() else ""
        parts = [
            _TASK,
            f"Rules:\n{kept}" if kept else "",
            f"{memory.done} tickets completed so far. The last of them:\n" + "\n".join(memory.lines[-_REMEMBERED:]),
            f"In hand: {memory.ticket}, last step {memory.step}." if memory.ticket else "No ticket is in hand.",
            "Go on with the next step until the queue is empty, then report how many tickets were completed.",
        ]
        return "<summary>\n" + "\n\n".join(filter(None, parts)) + "\n</summary>"

    def _step(self, step: str, ticket_id: str) -> tuple[str, dict[str, Any]]:
        """What it says, and the tool's input."""
        if step == STEPS[0]:
            return "On to the next ticket.", {}
        ticket = self.tickets[ticket_id]
        given = {"ticket_id": ticket.id}
        steps: dict[str, tuple[str, dict[str, Any]]] = {
            "classify_ticket": (f"{ticket.customer} writes about {ticket.category}.", {"category": ticket.category}),
            "set_priority": (f"This is of {ticket.priority} priority.", {"priority": ticket.priority}),
            "route_to_team": (f"{ticket.id} belongs to {ticket.team}.", {"team": ticket.team}),
            "draft_response": ("I write to the customer.", {"text": _letter(ticket)}),
            "mark_complete": (f"The response to {ticket.id} is saved.", {}),
        }
        if step == "search_knowledge_base":
            return "I look up what is known.", {"query": f"{ticket.category} {ticket.subject.lower()}"}
        words, own = steps[step]
        return words, {**given, **own}


def _is_asked_to_stop(context: Context) -> bool:
    """Words beside the results of tools: nobody says anything there but a budget that is used up."""
    last = context.messages[-1]
    return last["role"] == "user" and {"tool_result", "text"} <= {block["type"] for block in last["content"]}


def _letter(ticket: Ticket) -> str:
    first = ticket.customer.split()[0]
    return f"Dear {first},\n\nthank you for writing. {ticket.reply}\n\nKind regards, the support desk"


# --- what it remembers ------------------------------------------------------------------------------------------------


def _remember(context: Context, tickets: dict[str, Ticket]) -> _Memory:
    memory = _Memory()
    called: dict[str, str] = {}
    for block in (block for message in context.messages for block in message["content"]):
        kind = block["type"]
        if kind == "compaction":
            memory = _from_summary(block["content"])
        elif kind == "text":
            memory.rules = _rules(block["text"]) or memory.rules
        elif kind == "tool_use":
            called[block["id"]] = block["name"]
        elif kind == "tool_result" and not block.get("is_error"):
            _take(memory, called.get(block["tool_use_id"], ""), block, tickets)
    return memory


def _from_summary(text: str) -> _Memory:
    done, hand = _DONE.search(text), _IN_HAND.search(text)
    memory = _Memory(done=int(done.group(1)) if done else 0, rules=_rules(text))
    memory.lines = [match.group(0) for match in _LINE.finditer(text)]
    if hand:
        memory.ticket, memory.step = hand.groups()
    elif memory.done:
        memory.step = STEPS[-1]
    return memory


def _rules(text: str) -> str:
    found = _RULES.search(text)
    return found.group(1).strip() if found else ""


def _take(memory: _Memory, step: str, result: Block, tickets: dict[str, Ticket]) -> None:
    """One answer of a tool. A result whose call is not in the context any more belongs to the step after the last."""
    step = step or STEPS[(STEPS.index(memory.step) + 1) % len(STEPS)]
    answer = next(_answers(result), {})
    memory.step = step
    if step == STEPS[0]:
        ticket = answer.get("ticket")
        memory.empty, memory.ticket = ticket is None, ticket["id"] if ticket else ""
    elif step == STEPS[-1]:
        done = tickets[memory.ticket]
        memory.done += 1
        memory.lines.append(f"- {done.id}: {done.category}, {done.priority}, handed to {done.team}")
        memory.ticket = ""


def _answers(result: Block) -> Iterator[dict[str, Any]]:
    content = result["content"]
    texts = [content] if isinstance(content, str) else [part["text"] for part in content if part["type"] == "text"]
    for text in texts:
        yield json.loads(text)
