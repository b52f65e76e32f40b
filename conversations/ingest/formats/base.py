"""What every transcript parser offers: lines in, events and problems out, and a small state to go on from.

A transcript grows while the agent works. `checkpoint()` after any line and `resume()` before the next give exactly the
events that one pass over the whole file gives, once later events have overwritten earlier ones of the same type,
conversation and id ("last wins").
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import msgspec
from msgspec import Struct

from conversations.ingest.events import ConversationEvent, Event, Problem

#: `sequence` = line number x STRIDE + index within the line: a line can yield that many messages in a fixed order.
STRIDE = 1024
#: The largest count of tokens or milliseconds that is believed (and that fits a 4-byte column): 2 billion, 24 days.
MOST = 2**31 - 1

TITLE_CHARACTERS = 120
KEY_CHARACTERS = 200  # two of them and a word between are an id of our own, of at most 512
NAME_CHARACTERS = 200
VERSION_CHARACTERS = 100
REASON_CHARACTERS = 60
_SECONDS = 100_000_000_000  # a larger time is in milliseconds: as seconds it would lie in the year 5138

Output = Event | Problem
State = dict[str, Any]


class Parser(Protocol):
    """Reads one transcript. `source` names the format; lines are counted from 1."""

    source: ClassVar[str]

    def feed(self, line: bytes, number: int) -> Iterator[Output]:
        """What one line says."""
        ...

    def finish(self) -> Iterator[Output]:
        """What can only be said at the end: the record types that were not understood. Changes no state."""
        ...

    def checkpoint(self) -> State:
        """JSON-able state after the lines fed so far; at most some tens of kilobytes."""
        ...

    @classmethod
    def resume(cls, checkpoint: State) -> Self:
        """A parser that goes on after the line at which the checkpoint was taken."""
        ...


class Unknown:
    """Counts record types that are not understood, each with the first line it stood on."""

    #: A hostile file may invent a type a line; beyond this many they are counted together.
    MOST_TYPES = 200

    def __init__(self, state: Mapping[str, list[int]] | None = None) -> None:
        self.seen: dict[str, list[int]] = {name: list(entry) for name, entry in (state or {}).items()}

    def count(self, name: str, line: int) -> None:
        """One more record of this type."""
        key = name[:80] if name[:80] in self.seen or len(self.seen) < self.MOST_TYPES else "(others)"
        self.seen.setdefault(key, [0, line])[0] += 1

    def problems(self) -> Iterator[Problem]:
        """One problem a type."""
        for name, (count, line) in self.seen.items():
            times = "once" if count == 1 else f"{count:,} times"
            yield Problem(
                code="unknown_type",
                message=f'Record type "{name}" is not known; it stands in the file {times}, first on line {line:,}.',
                mend="Nothing is lost: the bytes are kept and can be digested again by a version that knows it.",
                line=line,
                field=name,
            )


class Remembered(Struct):
    """What a parser knows after a line, as its checkpoint holds it. Each format adds its own fields."""

    unknown: dict[str, list[int]] = {}  # record types not understood: how often, and on which line first


M = TypeVar("M", bound=Remembered)


class Remembering(Generic[M]):
    """The parts of a `Parser` that are the same for every format: all it knows between two lines is its memory."""

    memory_type: type[M]

    def __init__(self, memory: M | None = None) -> None:
        self._memory = memory or self.memory_type()
        self._unknown = Unknown(self._memory.unknown)

    def finish(self) -> Iterator[Output]:
        """The record types that were not understood."""
        yield from self._unknown.problems()

    def checkpoint(self) -> State:
        """What is remembered, as JSON."""
        self._memory.unknown = self._unknown.seen
        state: State = msgspec.to_builtins(self._memory)
        return state

    @classmethod
    def resume(cls, checkpoint: State) -> Self:
        """Goes on after the line of the checkpoint."""
        return cls(msgspec.convert(checkpoint, cls.memory_type))


def moment(value: object) -> datetime | None:
    """An ISO 8601 timestamp, or seconds or milliseconds since 1970, as an aware datetime; None for anything else.

    A timestamp without a zone is read as UTC: all sources known here write UTC.
    """
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            at = datetime.fromtimestamp(value / 1000 if abs(value) > _SECONDS else value, UTC)
        else:
            return None
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def milliseconds(start: datetime | None, end: datetime | None) -> int | None:
    """From start to end; None where one is unknown or the clock went backwards."""
    if start is None or end is None or end < start:
        return None
    return tokens_of(round((end - start).total_seconds() * 1000))


def text_of(value: object) -> str:
    """The value if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def key_of(value: object) -> str:
    """An id of the source's; "" where it is none, or one no log would write (real ones have at most 80 characters)."""
    return value if isinstance(value, str) and len(value) <= KEY_CHARACTERS and "\ufffd" not in value else ""


def name_of(value: object, most: int = NAME_CHARACTERS) -> str:
    """A model's, version's or agent's name, cut to what is stored."""
    return value[:most] if isinstance(value, str) else ""


def tokens_of(value: object) -> int | None:
    """A count of tokens or milliseconds, from 0 to MOST; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        return None
    return int(value)


def short_title(text: str) -> str:
    """The text on one line, cut to what a list can show."""
    line = " ".join(text[: 4 * TITLE_CHARACTERS].split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1].rstrip() + "…"


def mapping_of(value: object) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def strings_of(value: object) -> list[str]:
    """The strings in a list, each once, in order."""
    return list(dict.fromkeys(item for item in list_of(value) if isinstance(item, str) and item))


def keys_of(value: object) -> list[str]:
    """The ids in a list, each once, in order."""
    return list(dict.fromkeys(filter(None, map(key_of, list_of(value)))))


def event_key(event: Event) -> tuple[str, str, str]:
    """What makes two events the same one: type, conversation and id. The later wins; conversation events merge."""
    return (type(event).__name__, event.conversation, "" if isinstance(event, ConversationEvent) else event.id)
