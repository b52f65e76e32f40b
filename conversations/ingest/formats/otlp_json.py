"""Read OTLP/JSON: lowerCamelCase, ids in hex, 64-bit integers as text (and as numbers, as Claude Code sends them).

`google.protobuf.json_format` is not used: it takes the hex ids for base64, and one bad span takes all others with it.
"""

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from conversations.ingest.events import Problem
from conversations.ingest.formats.base import list_of, mapping_of, text_of
from conversations.ingest.formats.otlp import (
    Moment,
    Record,
    Source,
    Span,
    Unreadable,
    at_nanoseconds,
    decoded,
    event_name,
    no_request,
    unreadable,
)

_ERROR = 2  # StatusCode
_STATUSES = {"STATUS_CODE_ERROR": _ERROR}  # written as a name by exporters that do not follow the mapping
_encode = msgspec.json.Encoder().encode


def spans_of(body: bytes, depth: int) -> Iterator[Span | Problem]:
    """The spans of an export request."""
    return _each(groups_of(body, "resourceSpans"), "scopeSpans", "spans", _span, depth)


def records_of(body: bytes, depth: int) -> Iterator[Record | Problem]:
    """The records of an export request."""
    return _each(groups_of(body, "resourceLogs"), "scopeLogs", "logRecords", _record, depth)


def groups_of(body: bytes, name: str) -> list[Any]:
    """The groups by resource of an export request. Raises BadInput."""
    try:
        value = decoded(body)
    except RecursionError:
        raise no_request("The body nests too deep.") from None
    except ValueError as error:
        raise no_request(f"The body is no JSON: {error}.") from None
    if not isinstance(value, dict) or not isinstance(value.get(name, []), list):
        raise no_request(f'The body is no object with a list "{name}".')
    return list_of(value.get(name))


def _each(
    groups: list[Any], scopes: str, items: str, make: Callable[[dict[str, Any], Source, int], Any], depth: int
) -> Iterator[Any]:
    number = 0
    for group in groups:
        resource = _attributes_or_none(mapping_of(mapping_of(group).get("resource")), depth)
        for scope in list_of(mapping_of(group).get(scopes)):
            name = text_of(mapping_of(mapping_of(scope).get("scope")).get("name"))
            source = Source(resource, name)
            for item in list_of(mapping_of(scope).get(items)):
                yield _one(make, item, source, depth, number)
                number += 1


def _one(make: Callable[[dict[str, Any], Source, int], Any], item: Any, source: Source, depth: int, number: int) -> Any:
    try:
        return make(mapping_of(item), source, depth)
    except Unreadable as error:
        return unreadable(error, number, _encode(item)[:2000])


def _span(item: dict[str, Any], source: Source, depth: int) -> Span:
    trace, span = _id(item.get("traceId"), 16), _id(item.get("spanId"), 8)
    if not trace or not span:
        raise Unreadable("bad_span", "This span has no trace id or no span id.")
    return Span(
        trace=trace,
        id=span,
        parent=_id(item.get("parentSpanId"), 8),
        name=text_of(item.get("name")),
        start=at_nanoseconds(_integer(item.get("startTimeUnixNano"))),
        end=at_nanoseconds(_integer(item.get("endTimeUnixNano"))),
        attributes=_attributes(item, depth),
        moments=[_moment(mapping_of(event), depth) for event in list_of(item.get("events"))],
        error=_error(mapping_of(item.get("status"))),
        cut=any(_integer(item.get(f"dropped{what}Count")) > 0 for what in ("Attributes", "Events")),
        source=source,
    )


def _moment(event: dict[str, Any], depth: int) -> Moment:
    at = at_nanoseconds(_integer(event.get("timeUnixNano")))
    return Moment(text_of(event.get("name")), at, _attributes(event, depth))


def _error(status: dict[str, Any]) -> str:
    code = _STATUSES.get(text_of(status.get("code"))) or _integer(status.get("code"))
    return (text_of(status.get("message")) or "error") if code == _ERROR else ""


def _record(item: dict[str, Any], source: Source, depth: int) -> Record:
    if not item:
        raise Unreadable("bad_record", "This record is empty, or no object.")
    attributes = _attributes(item, depth)
    body = _value(item.get("body"), depth)
    at = _integer(item.get("timeUnixNano")) or _integer(item.get("observedTimeUnixNano"))
    return Record(
        name=event_name(item.get("eventName"), body, attributes),
        trace=_id(item.get("traceId"), 16),
        span=_id(item.get("spanId"), 8),
        at=at_nanoseconds(at),
        body=body,
        attributes=attributes,
        cut=_integer(item.get("droppedAttributesCount")) > 0,
        source=source,
    )


# --- values -----------------------------------------------------------------------------------------------------------


def _id(value: object, size: int) -> str:
    """As hex; base64 is what a plain protobuf library makes of it. All zeros is none."""
    text = text_of(value)
    if len(text) != 2 * size:
        try:
            raw = base64.b64decode(text, validate=True)
        except binascii.Error:
            return ""
        text = raw.hex() if len(raw) == size else ""
    lowered = text.lower()
    return lowered if lowered.strip("0") and not lowered.strip("0123456789abcdef") else ""


def _integer(value: object) -> int:
    """0 for what is none."""
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) <= 20:  # noqa: PLR2004 -- 64 bits
        return int(value)
    return int(value) if isinstance(value, int | float) else 0


def _attributes_or_none(item: dict[str, Any], depth: int) -> dict[str, Any]:
    """Of a resource: one that cannot be read says nothing of who it is."""
    try:
        return _attributes(item, depth)
    except Unreadable:
        return {}


def _attributes(item: dict[str, Any], depth: int) -> dict[str, Any]:
    return _pairs(item.get("attributes"), depth)


def _pairs(pairs: object, depth: int) -> dict[str, Any]:
    items = (pair for pair in list_of(pairs) if isinstance(pair, dict) and isinstance(pair.get("key"), str))
    return {pair["key"]: _value(pair.get("value"), depth) for pair in items}


def _value(value: object, depth: int) -> Any:
    if depth < 0:
        raise Unreadable("too_deep", "An attribute nests too deep.")
    if not isinstance(value, dict) or not value:
        return None
    kind, inner = next(iter(value.items()))
    if kind == "intValue":
        return _integer(inner)
    if kind == "doubleValue":
        return inner if isinstance(inner, int | float) else None
    if kind == "arrayValue":
        return [_value(item, depth - 1) for item in list_of(mapping_of(inner).get("values"))]
    if kind == "kvlistValue":
        return _pairs(mapping_of(inner).get("values"), depth - 1)
    return inner if kind in ("stringValue", "boolValue", "bytesValue") else None
