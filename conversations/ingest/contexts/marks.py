"""By what a conversation without an id is known again, and which of several it is."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from conversations.ingest.contexts.choosing import choose
from conversations.ingest.contexts.difference import Part, parts_of
from conversations.ingest.contexts.known import Known
from conversations.ingest.contexts.likeness import number_of
from conversations.ingest.contexts.losses import Evidence
from conversations.ingest.contexts.taking import prompt_of
from conversations.ingest.contexts.telling import microseconds
from conversations.ingest.exchange import Exchange
from conversations.vocabulary import Role

#: Answers of a context that are looked up, the last ones: what is not cut away.
_MOST_ENDINGS = 100
#: Messages that must have stayed for two contexts to be one conversation's, where it was cut or summed up.
_ENOUGH = 2


@dataclass(slots=True)
class Marks:
    """Of a stored conversation: how it begins (up to its first answer), its last answer, its last exchange. Of an
    exchange: how what was sent begins, all answers in it, and the ids by which it may be known."""

    opening: int | None = None
    endings: list[int] = field(default_factory=list)
    latest: list[int] = field(default_factory=list)


def marks_of(exchange: Exchange) -> Marks:
    """What an exchange is looked up by."""
    sent = parts_of(exchange.sent)
    answers = [part for part in sent if part.message.role is Role.ASSISTANT][-_MOST_ENDINGS:]
    ids = [number_of(name) for name in (exchange.previous, exchange.id) if name]
    return Marks(_opening([*sent, *parts_of(exchange.received)]), [_number(part.atoms) for part in answers], ids)


def marks_after(exchange: Exchange, before: Marks | None) -> Marks:
    """What the conversation is found by once the exchange has been taken."""
    answer = [part for part in parts_of(exchange.received) if part.message.role is Role.ASSISTANT][-1:]
    endings = [_number(part.atoms) for part in answer] or (before.endings if before else [])
    opening = before.opening if before and before.opening is not None else marks_of(exchange).opening
    return Marks(opening, endings, [number_of(exchange.id)])


def _opening(parts: Iterable[Part]) -> int | None:
    """Of everything up to the first answer; None where there is none yet."""
    atoms: list[bytes] = []
    for part in parts:
        atoms += part.atoms
        if part.message.role is Role.ASSISTANT:
            return _number(atoms)
    return None


def _number(atoms: Iterable[bytes]) -> int:
    return number_of(b"".join(atoms).hex())


def recognised(exchange: Exchange, candidates: Iterable[tuple[str, Marks, Known]]) -> str:
    """The id of the conversation that the exchange goes on: the one of which it sends the most. "" = a new one."""
    marks, own = marks_of(exchange), number_of(exchange.id)
    latest, endings = set(marks.latest), set(marks.endings)
    best, name = (0, 0), ""
    for external_id, theirs, known in candidates:
        if not latest.isdisjoint(theirs.latest) or own in known.seen:
            return external_id
        begins_alike = marks.opening is not None and marks.opening == theirs.opening and _is_theirs(exchange, known)
        if begins_alike or not endings.isdisjoint(theirs.endings):
            rank = _likeness(exchange, known, enough=1 if begins_alike else _ENOUGH)
            if rank >= best and rank[1]:
                best, name = rank, external_id
    return name


def _is_theirs(exchange: Exchange, known: Known) -> bool:
    """Whether an exchange that begins as the conversation belongs to it: it sends the first answer back, or it was made
    before what is known and comes late. Else somebody said hello anew and was greeted in the same words."""
    if _opening(parts_of(exchange.sent)) is not None:
        return True
    return exchange.at is not None and microseconds(exchange.at) < max(head.at for head in known.heads)


def _likeness(exchange: Exchange, known: Known, enough: int) -> tuple[int, int]:
    """Whether it only grew, and how many messages stayed; (0, 0) where those are too few to be the same."""
    choice = choose(known, parts_of(exchange.sent), prompt_of(exchange), Evidence())
    if choice is None:
        return (0, 0)
    stayed = choice.diff.stayed
    if choice.diff.is_growth:
        return (1, stayed)
    return (0, stayed) if stayed >= enough else (0, 0)
