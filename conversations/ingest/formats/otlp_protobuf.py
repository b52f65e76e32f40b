"""Read OTLP/protobuf, with the messages of `opentelemetry-proto`."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1 import trace_pb2

from conversations.ingest.events import Problem
from conversations.ingest.formats.lines import clean_text
from conversations.ingest.formats.otlp import (
    Moment,
    Record,
    Source,
    Span,
    Unreadable,
    at_nanoseconds,
    event_name,
    no_request,
    unreadable,
)

_ERROR = trace_pb2.Status.STATUS_CODE_ERROR
_TRACE_BYTES, _SPAN_BYTES = 16, 8


def spans_of(body: bytes, depth: int) -> Iterator[Span | Problem]:
    """The spans of an export request."""
    request = _parsed(ExportTraceServiceRequest(), body)
    groups = (
        (group.resource.attributes, scope.scope.name, scope.spans)
        for group in request.resource_spans
        for scope in group.scope_spans
    )
    return _each(groups, _span, depth)


def records_of(body: bytes, depth: int) -> Iterator[Record | Problem]:
    """The records of an export request."""
    request = _parsed(ExportLogsServiceRequest(), body)
    groups = (
        (group.resource.attributes, scope.scope.name, scope.log_records)
        for group in request.resource_logs
        for scope in group.scope_logs
    )
    return _each(groups, _record, depth)


def _parsed(request: Any, body: bytes) -> Any:
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise no_request(f"The body is no protobuf of this kind: {error}.") from None
    return request


def _each(groups: Iterable[Any], make: Callable[[Any, Source, int], Any], depth: int) -> Iterator[Any]:
    number = 0
    for resource, scope, items in groups:
        source = Source(_resource(resource, depth), clean_text(scope))
        for item in items:
            yield _one(make, item, source, depth, number)
            number += 1


def _resource(attributes: Iterable[KeyValue], depth: int) -> dict[str, Any]:
    """A resource that cannot be read says nothing of who it is."""
    try:
        return _pairs(attributes, depth)
    except Unreadable:
        return {}


def _one(make: Callable[[Any, Source, int], Any], item: Message, source: Source, depth: int, number: int) -> Any:
    try:
        return make(item, source, depth)
    except Unreadable as error:
        return unreadable(error, number, item.SerializeToString()[:2000])


def _span(item: trace_pb2.Span, source: Source, depth: int) -> Span:
    trace, span = _id(item.trace_id, _TRACE_BYTES), _id(item.span_id, _SPAN_BYTES)
    if not trace or not span:
        raise Unreadable("bad_span", "This span has no trace id or no span id.")
    return Span(
        trace=trace,
        id=span,
        parent=_id(item.parent_span_id, _SPAN_BYTES),
        name=clean_text(item.name),
        start=at_nanoseconds(item.start_time_unix_nano),
        end=at_nanoseconds(item.end_time_unix_nano),
        attributes=_pairs(item.attributes, depth),
        moments=[_moment(event, depth) for event in item.events],
        error=(clean_text(item.status.message) or "error") if item.status.code == _ERROR else "",
        cut=item.dropped_attributes_count > 0 or item.dropped_events_count > 0,
        source=source,
    )


def _moment(event: trace_pb2.Span.Event, depth: int) -> Moment:
    return Moment(clean_text(event.name), at_nanoseconds(event.time_unix_nano), _pairs(event.attributes, depth))


def _record(item: LogRecord, source: Source, depth: int) -> Record:
    attributes = _pairs(item.attributes, depth)
    body = _value(item.body, depth)
    return Record(
        name=event_name(clean_text(item.event_name), body, attributes),
        trace=_id(item.trace_id, _TRACE_BYTES),
        span=_id(item.span_id, _SPAN_BYTES),
        at=at_nanoseconds(item.time_unix_nano or item.observed_time_unix_nano),
        body=body,
        attributes=attributes,
        cut=item.dropped_attributes_count > 0,
        source=source,
    )


# --- values -----------------------------------------------------------------------------------------------------------


def _id(value: bytes, size: int) -> str:
    """All zeros is none."""
    return value.hex() if len(value) == size and any(value) else ""


def _pairs(pairs: Iterable[KeyValue], depth: int) -> dict[str, Any]:
    return {clean_text(pair.key): _value(pair.value, depth) for pair in pairs}


def _value(value: AnyValue, depth: int) -> Any:
    if depth < 0:
        raise Unreadable("too_deep", "An attribute nests too deep.")
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return clean_text(value.string_value)
    if kind == "array_value":
        return [_value(item, depth - 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _pairs(value.kvlist_value.values, depth - 1)
    if kind == "double_value":
        return value.double_value if math.isfinite(value.double_value) else None
    if kind == "bytes_value":
        return value.bytes_value.hex()
    return getattr(value, kind) if kind in ("int_value", "bool_value") else None
