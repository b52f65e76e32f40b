"""The export requests of OTLP/HTTP and their answers, in protobuf and JSON."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import msgspec
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from conversations.ingest.events import Problem
from conversations.ingest.formats import otlp_json, otlp_protobuf
from conversations.ingest.formats.base import list_of, mapping_of
from conversations.ingest.formats.otlp import Record, Span, no_request

_POINTS = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")
_VARINT = 0x80


class Signal(StrEnum):
    """What an exporter sends, each to an address of its own."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"


# --- requests ---------------------------------------------------------------------------------------------------------


def read_trace(body: bytes, *, is_json: bool, depth: int) -> Iterator[Span | Problem]:
    """Every span in the order sent; those that cannot be read as problems, their number from 0 as line.

    `depth`: how deep an attribute may nest. Raises BadInput for a body that is no export request."""
    return otlp_json.spans_of(body, depth) if is_json else otlp_protobuf.spans_of(body, depth)


def read_logs(body: bytes, *, is_json: bool, depth: int) -> Iterator[Record | Problem]:
    """The same for log records."""
    return otlp_json.records_of(body, depth) if is_json else otlp_protobuf.records_of(body, depth)


def count_points(body: bytes, *, is_json: bool) -> int:
    """How many data points of metrics there are. Raises BadInput."""
    if is_json:
        return sum(map(_points_in_json, _metrics_in_json(body)))
    request = ExportMetricsServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise no_request(f"The body is no protobuf of this kind: {error}.") from None
    metrics = (
        metric for group in request.resource_metrics for scope in group.scope_metrics for metric in scope.metrics
    )
    return sum(len(getattr(metric, kind).data_points) for metric in metrics if (kind := metric.WhichOneof("data")))


def _metrics_in_json(body: bytes) -> Iterator[dict[str, Any]]:
    for group in otlp_json.groups_of(body, "resourceMetrics"):
        for scope in list_of(mapping_of(group).get("scopeMetrics")):
            yield from map(mapping_of, list_of(mapping_of(scope).get("metrics")))


def _points_in_json(metric: dict[str, Any]) -> int:
    return sum(len(list_of(mapping_of(metric.get(kind)).get("dataPoints"))) for kind in _POINTS)


# --- answers ----------------------------------------------------------------------------------------------------------

_RESPONSES: dict[Signal, tuple[Callable[[], Message], str, str]] = {
    Signal.TRACES: (ExportTraceServiceResponse, "rejected_spans", "rejectedSpans"),
    Signal.LOGS: (ExportLogsServiceResponse, "rejected_log_records", "rejectedLogRecords"),
    Signal.METRICS: (ExportMetricsServiceResponse, "rejected_data_points", "rejectedDataPoints"),
}


def success(signal: Signal, *, rejected: int, message: str, is_json: bool) -> bytes:
    """The body of a 200; with nothing to say, nothing was left out."""
    response, name, json_name = _RESPONSES[signal]
    if is_json:
        partial = {json_name: str(rejected), "errorMessage": message} if rejected or message else {}
        return msgspec.json.encode({"partialSuccess": partial} if partial else {})
    answer: Any = response()
    if rejected or message:
        setattr(answer.partial_success, name, rejected)
        answer.partial_success.error_message = message
    return bytes(answer.SerializeToString())


def status(code: int, message: str, *, is_json: bool) -> bytes:
    """A google.rpc.Status: two fields, for which a package of its own would bring all of Google's APIs."""
    if is_json:
        return msgspec.json.encode({"code": code, "message": message})
    text = message.encode()
    return b"\x08" + _varint(code) + b"\x12" + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= _VARINT:
        out.append(number % _VARINT + _VARINT)
        number //= _VARINT
    return bytes([*out, number])
