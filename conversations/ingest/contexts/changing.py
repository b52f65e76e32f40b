"""Change a head by what an exchange sent and answered, and tell of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import structs

from conversations.ingest.contexts.absorbing import absorb, extend
from conversations.ingest.contexts.answering import answer, answer_late
from conversations.ingest.contexts.change import Change, all_new
from conversations.ingest.contexts.difference import Part
from conversations.ingest.contexts.known import MOST_OPENINGS, Head, Held, keys_of
from conversations.ingest.contexts.likeness import atoms_of_system
from conversations.ingest.contexts.replacing import absorb_replaced
from conversations.ingest.contexts.weighing import weigh
from conversations.ingest.exchange import Announced
from conversations.vocabulary import SummaryState

_UNDONE = "It was no compaction after all: the next request had the whole context again."


@dataclass(frozen=True, slots=True)
class Sent:
    """The messages of a request: those in its context, those before the summary that was `announced`."""

    parts: Sequence[Part]
    lead: Sequence[Part]
    announced: Announced | None


def go_on(change: Change, sent: Sent, prompt: bytes) -> Head:
    """The head as it is after the exchange: the same one, or a fork of it. `prompt`: digest of the system prompt."""
    if change.choice is not None and change.choice.late:
        answer_late(change, sent.parts)
        return change.old
    _open(change, prompt)
    _take_sent(change, sent)
    answer(change)
    return _close(change, prompt)


def _take_sent(change: Change, sent: Sent) -> None:
    choice, parts = change.choice, sent.parts
    if sent.announced is not None:
        absorb_replaced(change, sent.announced, sent.lead, parts)
    elif choice is None:
        absorb(change, parts, all_new(parts), None)
    elif change.exchange.whole:
        absorb(change, parts, choice.diff, choice.loss)
    else:
        extend(change, parts)


def _open(change: Change, prompt: bytes) -> None:
    """What can be told before anything that was sent: that the last loss was none, and a system prompt that is new."""
    head = change.head
    if change.choice is not None and change.choice.undone and head.closing is not None:
        nothing = structs.replace(head.closing, dropped=[], kept=[], cleared=[], error=_UNDONE)
        change.telling.revised(structs.replace(nothing, summary_state=SummaryState.FAILED))
        head.held, head.story = head.closed, None
    system = change.exchange.system
    new = [atom for atom in atoms_of_system(system) if atom not in head.system]
    if new:
        change.new_prompt = [block for block in system if not set(new).isdisjoint(atoms_of_system([block]))]
        change.telling.system(new, change.new_prompt)
        head.system = [*head.system, *new]
    head.shifting = head.shifting or bool(head.turns and prompt != head.prompt)


def _close(change: Change, prompt: bytes) -> Head:
    head, old = change.head, change.old
    head.prompt, head.exchange, head.turns = prompt, change.exchange.id, head.turns + 1
    head.at = max(head.at, change.telling.moment)
    weigh(head, change.exchange)
    opening = (head.held[0].atoms, head.held[0].keys[0]) if head.held else None
    if opening and head.story is None and opening not in head.openings:
        head.openings = [*head.openings, opening][-MOST_OPENINGS:]
    if head is not old and _is_prefix(head.held, old.held):
        change.telling.late = True
        return old
    return head


def _is_prefix(context: Iterable[Held], of: Sequence[Held]) -> bool:
    keys = keys_of(context)
    return keys == keys_of(of)[: len(keys)]
