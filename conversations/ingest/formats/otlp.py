"""Spans and log records as values, whichever encoding of OTLP they came in. Ids are lower-case hex, "" = none."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from conversations.errors import BadInput
from conversations.ingest.events import Problem
from conversations.ingest.formats.lines import problem, storable

_MOST_DEPTH = 64  # of JSON within an attribute; real tools' inputs nest at most 14 deep
#: Nanoseconds of the last microsecond of the year 9999: what a later time means, nobody knows.
_LAST = 253_402_300_799_999_999_000


class Source(Struct, frozen=True):
    """Who tells: the resource's attributes and the name of the instrumentation scope."""

    attributes: dict[str, Any] = {}
    scope: str = ""


class Moment(Struct, frozen=True):
    """An event within a span."""

    name: str
    at: datetime | None = None
    attributes: dict[str, Any] = {}


class Span(Struct, frozen=True, kw_only=True):
    """One operation. `cut`: the exporter's limits have taken attributes or events away."""

    trace: str
    id: str
    parent: str = ""
    name: str = ""
    start: datetime | None = None
    end: datetime | None = None
    attributes: dict[str, Any] = {}
    moments: list[Moment] = []
    error: str = ""  # what went wrong, or "error" where it is not said
    cut: bool = False
    source: Source = Source()


class Record(Struct, frozen=True, kw_only=True):
    """One log record. `name`: of the event; older exporters say it in the body or in `event.name`."""

    name: str = ""
    trace: str = ""
    span: str = ""  # the span during which it was written
    at: datetime | None = None
    body: Any = None
    attributes: dict[str, Any] = {}
    cut: bool = False
    source: Source = Source()


Told = Span | Record


class Unreadable(Exception):
    """One span or record that cannot be read; the others can. `code` and the message are for its problem."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def no_request(what: str) -> BadInput:
    """The body is not what its Content-Type says."""
    return BadInput(what, mend="Send an OTLP export request; exporters do, with OTEL_EXPORTER_OTLP_PROTOCOL.")


def unreadable(error: Unreadable, number: int, raw: bytes) -> Problem:
    """The problem of one span or record."""
    return problem(error.code, str(error), mend="Its bytes are kept.", line=number, raw=raw)


def at_nanoseconds(nanoseconds: int) -> datetime | None:
    """Nanoseconds since 1970; 0 = not told."""
    if not 0 < nanoseconds <= _LAST:
        return None
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


#: How the names of events begin that are read here; the body of a record may hold words for people instead.
_KNOWN = ("gen_ai.", "claude_code.", "codex.", "gemini_cli.")


def event_name(name: object, body: object, attributes: Mapping[str, Any]) -> str:
    """What a log record calls itself: in its own field, in `event.name`, or as its body."""
    candidates = [each for each in (name, attributes.get("event.name"), body) if isinstance(each, str) and each]
    return next((each for each in candidates if each.startswith(_KNOWN)), next(iter(candidates), ""))


def structured(value: object) -> object:
    """An attribute that may be JSON text or the structure itself; text that is no JSON stays text."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        found = decoded(value.encode())
    except (ValueError, RecursionError):
        return value
    return value if _is_deep(found, _MOST_DEPTH) else found


def _is_deep(value: object, depth: int) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth < 0 or any(_is_deep(item, depth - 1) for item in items)


def decoded(text: bytes) -> Any:
    """JSON as storable values. Raises ValueError, RecursionError."""
    if b"\\u0000" not in text:
        try:
            return msgspec.json.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            pass  # half an emoji, NaN: `json` takes them, or says what is wrong
    return storable(json.loads(text, strict=False, parse_constant=lambda _: None))
