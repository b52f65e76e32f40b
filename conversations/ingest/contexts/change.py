"""One exchange's work on one head: what all steps of it share."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import structs

from conversations.ingest.contexts.choosing import Choice
from conversations.ingest.contexts.difference import Difference, Part
from conversations.ingest.contexts.known import Head, Held, Known, keys_of
from conversations.ingest.contexts.likeness import is_summary, key_after
from conversations.ingest.contexts.telling import Telling, held
from conversations.ingest.contexts.wording import as_summary
from conversations.ingest.events import Block
from conversations.ingest.exchange import Exchange
from conversations.vocabulary import Origin


@dataclass(slots=True)
class Change:
    """`head` becomes what it is after the exchange; it is `old` itself, or a fork of it."""

    known: Known
    exchange: Exchange
    telling: Telling
    old: Head
    choice: Choice | None
    head: Head
    tail: list[Held] = field(default_factory=list)  # of the old head, what the exchange did not send
    edits: bool = False  # the tail is abandoned by it: it is no older exchange, and makes no summary aside
    sent: dict[int, Held] = field(default_factory=dict)  # by index of `Exchange.sent`
    new_prompt: list[Block] = field(default_factory=list)  # what the system prompt says that it did not say before

    @property
    def went_on(self) -> list[Held]:
        """The tail as far as it stays in the context, beside what this exchange makes of it."""
        return [] if self.edits else self.tail

    def new(self, part: Part, before: bytes, *, as_its_summary: bool = False) -> Held:
        """Tell of a part that was sent and is new; returns it as held. `as_its_summary`: of the loss just found."""
        if not as_its_summary and not is_summary(part.message):
            return self.telling.part(part, before)
        key = key_after(before, part.atoms)
        blocks = as_summary(part.message) if as_its_summary else part.message.blocks
        self.telling.message(key, part.message.role, blocks, origin=Origin.SUMMARY)
        return held(part, [key])

    def become(self, context: list[Held], parts: Sequence[Part]) -> None:
        """The parts are the context now, each as held."""
        self.head.held = context
        self.sent |= {part.index: message for part, message in zip(parts, context, strict=True)}


def begin(
    known: Known, exchange: Exchange, telling: Telling, head: Head, choice: Choice | None, *, fork: bool
) -> Change:
    """`fork`: the old head goes on by itself too."""
    goes_back = choice is not None and choice.goes_back
    tail = head.held[choice.diff.gone[0] :] if choice is not None and goes_back else []
    changed = structs.replace(head, story=None) if goes_back or (fork and head.turns) else head
    edits = bool(tail) and not fork and telling.moment > head.at
    return Change(known, exchange, telling, head, choice, changed, tail, edits)


def last_key(context: Sequence[Held]) -> bytes:
    """What the next message's key is chained to."""
    return context[-1].keys[-1] if context else b""


def same(part: Part, sources: Sequence[Held]) -> Held:
    """The part under the keys that its messages have, in the words it has now."""
    if len(sources) == 1 and sources[0].atoms == part.joined:
        return sources[0]
    now = held(part, keys_of(sources))
    now.cleared = any(message.cleared for message in sources)
    return now


def all_new(parts: Sequence[Part]) -> Difference:
    """Nothing of them is known."""
    return Difference([[] for _ in parts], [], [], list(range(len(parts))), [])


def without(messages: Sequence[Held], kept: Sequence[Held]) -> list[Held]:
    """Those of which no key is kept."""
    keys = set(keys_of(kept))
    return [message for message in messages if keys.isdisjoint(message.keys)]
