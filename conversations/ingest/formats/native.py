"""Our own event log: `{"events": [...]}`, a bare list, or NDJSON, into events, each with its index.

The whole batch is decoded in one go; only when something in it is wrong is it taken apart, so that one bad event does
not take the others with it. Fields that are not known are accepted and ignored: an older server takes a newer client's
events. A timestamp without a zone is read as UTC.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import msgspec
from msgspec import Struct, structs

from conversations.errors import BadInput, TooLarge
from conversations.ingest.events import (
    Event,
    MessageEvent,
    Problem,
    Text,
)
from conversations.ingest.formats.base import MOST
from conversations.ingest.formats.lines import problem, storable
from conversations.ingest.formats.native_checks import DEFAULTS, Limits, bad_keys, depth_problem, fault, is_bad_key
from conversations.vocabulary import CompactionKind, Origin, Role, SummaryState, Trigger

_SHAPES = 'Send {"events": [...]}, a list of events, or one event a line (NDJSON).'


@dataclass(frozen=True, slots=True)
class Item:
    """One event of a batch by its index from 0, decoded, or the problem with it."""

    index: int
    result: Event | Problem


class _Batch(Struct):
    events: list[Event]


class _RawBatch(Struct):
    events: list[msgspec.Raw]


class _Shape(Struct):
    """One JSON object: a batch if it has "events"."""

    events: msgspec.Raw = msgspec.Raw()


_EVENT = msgspec.json.Decoder(Event)
_EVENTS = msgspec.json.Decoder(list[Event])
_BATCH = msgspec.json.Decoder(_Batch)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_RAW_BATCH = msgspec.json.Decoder(_RawBatch)
_SHAPE = msgspec.json.Decoder(_Shape)
_OBJECT = msgspec.json.Decoder(dict[str, Any])
_MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode_batch(body: bytes, limits: Limits = DEFAULTS, *, sound: bool = False) -> list[Item]:
    """Every event of the body in order. Raises BadInput for what is no batch at all, TooLarge for too many events.

    `sound`: the body was decoded before and nothing in it was wrong; what the types do not say is not checked again."""
    body, shape = _readable(body)
    events = _all_at_once(body, shape, limits, sound=sound)
    if events is not None:
        _check_count(len(events), limits)
        return [Item(index, event) for index, event in enumerate(events)]
    raws = _taken_apart(body, shape)
    _check_count(len(raws), limits)
    return [Item(index, _decode_one(raw, _number(index, shape), limits)) for index, raw in enumerate(raws)]


def _number(index: int, shape: str) -> int:
    """What a problem calls the event: its line from 1 in NDJSON, else its index from 0."""
    return index + 1 if shape == "lines" else index


def _check_count(count: int, limits: Limits) -> None:
    if count > limits.events:
        message = f"This batch has {count:,} events; at most {limits.events:,} are taken."
        raise TooLarge(message, mend="Send them in several batches.", at="events")


# --- the shape of the body ------------------------------------------------------------------------------------------


def _readable(body: bytes) -> tuple[bytes, str]:
    """The body as JSON that msgspec reads, and its shape: "list", "batch" or "lines" (a single event is one line)."""
    start = body.lstrip()[:1]
    if start not in (b"[", b"{"):
        raise BadInput("The body is no batch of events.", mend=_SHAPES)
    try:
        if start == b"[":
            _RAWS.decode(body)
            return body, "list"
        return body, "batch" if bytes(_SHAPE.decode(body).events) else "lines"
    except RecursionError:
        raise TooLarge("The body nests too deep.", mend="Flatten the events.") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return _read_patiently(body, error)


def _read_patiently(body: bytes, error: Exception) -> tuple[bytes, str]:
    """A body that msgspec does not take: half an emoji, NaN (then it is written anew), or NDJSON. Raises BadInput."""
    try:
        value = storable(_patient_json(body))
    except RecursionError:
        raise TooLarge("The body nests too deep.", mend="Flatten the events.") from None
    except ValueError:
        if _first_line_is_an_object(body):
            return body, "lines"
        raise BadInput(f"The body is not JSON: {error}.", mend="Check that it is complete.") from None
    if isinstance(value, list):
        return msgspec.json.encode(value), "list"
    return msgspec.json.encode(value), "batch" if "events" in value else "lines"


def _patient_json(raw: bytes) -> Any:
    """Raises ValueError, RecursionError."""
    return json.loads(raw.decode("utf-8", "replace"), strict=False, parse_constant=lambda _: None)


def _first_line_is_an_object(body: bytes) -> bool:
    """NDJSON may hold a broken line anywhere but first: a broken first line is a broken body."""
    try:
        return isinstance(_patient_json(body.lstrip().partition(b"\n")[0]), dict)
    except (ValueError, RecursionError):
        return False


def _taken_apart(body: bytes, shape: str) -> list[bytes]:
    """The bytes of each event, none of them decoded."""
    if shape == "lines":
        return _lines(body)
    try:
        raws = _RAWS.decode(body) if shape == "list" else _RAW_BATCH.decode(body).events
    except msgspec.ValidationError:
        raise BadInput('"events" must be a list.', mend=_SHAPES, at="events") from None
    return [bytes(raw) for raw in raws]


def _lines(body: bytes) -> list[bytes]:
    """One line an event, or the whole body if it is one object written over several lines."""
    try:
        _OBJECT.decode(body)
    except _MALFORMED:
        return [line for line in body.split(b"\n") if line.strip()]
    return [body]


# --- the fast way: everything is right --------------------------------------------------------------------------------


def _all_at_once(body: bytes, shape: str, limits: Limits, *, sound: bool) -> list[Event] | None:
    """All events, or None where any of them needs a closer look."""
    if b"\\u0000" in body or len(body) > limits.event_bytes:
        return None
    try:
        if shape == "list":
            events = _EVENTS.decode(body)
        else:
            events = _BATCH.decode(body).events if shape == "batch" else _EVENT.decode_lines(body)
    except _MALFORMED:
        return None
    events = [_with_zone(event) for event in events]
    if sound:
        return events
    return None if any(not _is_plain(event) and fault(event, limits) for event in events) else events


def _is_plain(event: Event) -> bool:
    """Whether this is a message in which only what is looked at here could be wrong, and is not: most events are."""
    if type(event) is not MessageEvent or not (event.agent is event.agent_version is msgspec.UNSET):
        return False
    if is_bad_key(event.id) or is_bad_key(event.conversation) or abs(event.sequence or 0) > MOST:
        return False
    return isinstance(event.content, str) or all(type(block) is Text for block in event.content)


# --- the careful way: one event at a time -----------------------------------------------------------------------------


def _decode_one(raw: bytes, number: int, limits: Limits) -> Event | Problem:
    if len(raw) > limits.event_bytes:
        message = f"This event has {len(raw):,} bytes; at most {limits.event_bytes:,} are taken."
        return problem("too_large", message, mend="Shorten or split it.", line=number, raw=raw[:2000])
    try:
        event = _with_zone(_strict_or_scrubbed(raw))
    except RecursionError:
        return _too_deep(raw, number, limits)
    except msgspec.ValidationError as error:
        return _invalid(str(error), raw, number)
    except ValueError as error:
        return problem("bad_json", f"This event is not JSON: {error}.", mend="Check the line.", line=number, raw=raw)
    wrong = fault(event, limits)
    if wrong is None:
        return event
    return structs.replace(wrong, line=number, raw=problem("", "", raw=raw).raw)


def _strict_or_scrubbed(raw: bytes) -> Event:
    """NUL, half surrogates and the like are replaced by U+FFFD; in an id they are an error. Raises ValueError."""
    try:
        event: Event = _EVENT.decode(raw)
        if b"\\u0000" not in raw or next(bad_keys(event), None):
            return event
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # the slow way below reads it or tells what is wrong
    scrubbed: Event = msgspec.convert(storable(_patient_json(raw)), Event)
    return scrubbed


def _with_zone(event: Event) -> Event:
    if event.at is None or event.at.tzinfo is not None:
        return event
    return structs.replace(event, at=event.at.replace(tzinfo=UTC))


def _too_deep(raw: bytes, number: int, limits: Limits) -> Problem:
    return structs.replace(depth_problem(limits), line=number, raw=problem("", "", raw=raw[:2000]).raw)


# --- saying what is wrong ---------------------------------------------------------------------------------------------

_AT = re.compile(r"(.*) - at `(?:key in )?\$\.?([^`]*)`$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_ALLOWED: dict[str, str] = {
    "role": ", ".join(Role),
    "origin": ", ".join(Origin),
    "kind": ", ".join(CompactionKind),
    "trigger": ", ".join(Trigger),
    "summary_state": ", ".join(SummaryState),
}


def _invalid(error: str, raw: bytes, number: int) -> Problem:
    """The decoder's message as a field and a sentence on how to mend it."""
    match = _AT.match(error)
    what, path = (match.group(1), match.group(2)) if match else (error, "")
    missing = _MISSING.match(what)
    field = ".".join(filter(None, (path, missing.group(1)))) if missing else path
    mend = f'Add "{missing.group(1)}".' if missing else _mend(field, path)
    code = "unknown_type" if field == "type" else "bad_field"
    return Problem(code=code, message=f"{what}.", mend=mend, line=number, field=field, raw=problem("", "", raw=raw).raw)


def _mend(field: str, path: str) -> str:
    name = field.rpartition(".")[2]
    if field == "type":
        return "Use message, request, compaction or conversation."
    if name == "type" and path.startswith("content"):
        return "Use text, thinking, tool_call, tool_result, image or summary."
    if name in _ALLOWED:
        return f"Use one of {_ALLOWED[name]}."
    if name == "at":
        return "Write it as in 2026-11-22T13:55:22.590Z."
    return "See the event's schema."
