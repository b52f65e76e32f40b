"""Put into canonical events what is new in a conversation, in an order that every way in agrees on.

An exchange's first model call stands at the microsecond at which it was sent; what was sent with it stands just
before, what was answered just after. So events keep their places when an exchange comes late or twice.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import structs

from conversations.ingest.contexts.difference import Part
from conversations.ingest.contexts.known import Held, Known
from conversations.ingest.contexts.likeness import key_after, key_of_system
from conversations.ingest.contexts.weighing import size_of
from conversations.ingest.events import (
    Block,
    CompactionEvent,
    ConversationEvent,
    Event,
    MessageEvent,
    RequestEvent,
)
from conversations.ingest.exchange import Exchange
from conversations.vocabulary import Origin, Role

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
Placed = MessageEvent | RequestEvent | CompactionEvent


def microseconds(at: datetime) -> int:
    """Since 1970; a time without a zone is UTC."""
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


class Telling:
    """Gathers the events of one exchange in one conversation."""

    def __init__(self, exchange: Exchange, conversation: str, received: datetime) -> None:
        self.exchange, self.conversation = exchange, conversation
        self.moment = microseconds(exchange.at or received)
        self._facts: list[Event] = []
        self._before: list[Placed] = []
        self._after: list[Placed] = []

    def message(
        self, key: bytes, role: Role, blocks: list[Block], *, origin: Origin = Origin.SPOKEN, answered: bool = False
    ) -> None:
        """A message that is new. `answered`: the model said it, so that it stands after the call."""
        at, name = self._at(answered=answered), self.conversation
        event = MessageEvent(id=key.hex(), conversation=name, role=role, content=blocks, origin=origin, at=at)
        (self._after if answered else self._before).append(event)

    def part(self, part: Part, before: bytes, *, origin: Origin = Origin.SPOKEN, answered: bool = False) -> Held:
        """Tell of a part that is new and stands after the message `before`; returns it as held."""
        key = key_after(before, part.atoms)
        self.message(key, part.message.role, part.message.blocks, origin=origin, answered=answered)
        return held(part, [key])

    def system(self, atoms: list[bytes], blocks: list[Block]) -> None:
        """A system prompt, or what is new in it."""
        self.message(key_of_system(atoms), Role.SYSTEM, blocks)

    def calls(self, purpose: str) -> list[RequestEvent]:
        """The exchange's calls of one purpose; the last call of all has the exchange's own id."""
        exchange = self.exchange
        told = []
        for number, call in enumerate(exchange.calls):
            if call.purpose != purpose:
                continue
            own = number == len(exchange.calls) - 1
            request = RequestEvent(
                id=exchange.id if own else f"{exchange.id}/{purpose}/{number}",
                conversation=self.conversation,
                at=exchange.at,
                model=call.model or exchange.model,
                usage=call.usage,
                context_tokens=call.context_tokens,
                stop_reason=exchange.stop_reason if own else "",
                duration_ms=exchange.duration_ms if own else None,
                purpose=purpose,
            )
            told.append(request)
        self._after += told
        return told

    def again(self, request: RequestEvent) -> None:
        """A request that was told before and is seen now for what it was. It keeps its place."""
        self._facts.append(request)

    def compaction(self, event: CompactionEvent, *, answered: bool = False) -> CompactionEvent:
        """A compaction; returns it as told."""
        placed = structs.replace(event, conversation=self.conversation, at=self._at(answered=answered))
        (self._after if answered else self._before).append(placed)
        return placed

    def revised(self, event: CompactionEvent) -> None:
        """A compaction that was told before: what it dropped is known better now. It keeps its place."""
        self._facts.append(event)

    def fact(self, **values: Any) -> None:
        """What is known of the conversation as a whole."""
        said = {name: value for name, value in values.items() if value not in ("", None)}
        if said:
            self._facts.append(ConversationEvent(conversation=self.conversation, **said))

    def _at(self, *, answered: bool) -> datetime | None:
        at, took = self.exchange.at, self.exchange.duration_ms
        return at + timedelta(milliseconds=took) if at and took and answered else at

    def events(self, known: Known) -> list[Event]:
        """All of it, each in its place. After what was told before, unless the exchange is older than that."""
        last = known.positions.get(self.conversation, 0)
        late = self.moment <= last and self.exchange.at is not None and self.late
        start = self.moment if late else max(self.moment, last + len(self._before) + 1)
        told = [*self._before, *self._after]
        placed = [structs.replace(event, sequence=at) for at, event in enumerate(told, start - len(self._before))]
        known.positions[self.conversation] = max(last, start + len(self._after) - 1)
        return [*self._facts, *placed]

    late = False  # nothing that it sent is new: it was overtaken


def held(part: Part, keys: list[bytes]) -> Held:
    """The part as it is remembered."""
    return Held(keys, part.joined, part.results, part.only_results, size=size_of(part.message))
