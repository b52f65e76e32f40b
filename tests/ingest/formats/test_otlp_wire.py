import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common._internal import _encode_value
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from conversations.errors import BadInput
from conversations.ingest.events import Problem
from conversations.ingest.formats.otlp import Record, Span, structured
from conversations.ingest.formats.otlp_wire import read_logs, read_trace

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
VALUES = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc.", min_size=1), inner, max_size=3),
    max_leaves=8,
)


def as_json(value):
    """A value as OTLP/JSON has it."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [as_json(item) for item in value]}}
    return {"kvlistValue": {"values": [{"key": key, "value": as_json(item)} for key, item in value.items()]}}


def json_span(**fields):
    told = {"traceId": TRACE, "spanId": SPAN, "name": "chat", "startTimeUnixNano": "1795355722680000001", **fields}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "s"}, "spans": [told]}]}]}).encode()


def only(body, *, is_json=True, depth=64):
    [told] = read_trace(body, is_json=is_json, depth=depth)
    return told


# --- both encodings ---------------------------------------------------------------------------------------------------


@given(VALUES)
def test_both_encodings_say_the_same(value):
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "agent"
    scope = group.scope_spans.add()
    scope.scope.name = "s"
    made = scope.spans.add(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN), name="chat")
    made.start_time_unix_nano = 1795355722680000001
    made.attributes.add(key="told", value=_encode_value(value))
    body = {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "agent"}}]},
                "scopeSpans": [
                    {
                        "scope": {"name": "s"},
                        "spans": [
                            {
                                "traceId": TRACE.upper(),
                                "spanId": SPAN,
                                "name": "chat",
                                "startTimeUnixNano": 1795355722680000001,
                                "attributes": [{"key": "told", "value": as_json(value)}],
                            }
                        ],
                    }
                ],
            }
        ]
    }

    told = only(json.dumps(body).encode())

    assert told == only(request.SerializeToString(), is_json=False)
    assert told.start == datetime(2026, 11, 22, 13, 55, 22, 680000, tzinfo=UTC)


def test_log_records_in_both_encodings_say_the_same():
    request = ExportLogsServiceRequest()
    made = request.resource_logs.add().scope_logs.add().log_records.add(observed_time_unix_nano=1795355722680000000)
    made.trace_id, made.span_id = bytes.fromhex(TRACE), bytes.fromhex(SPAN)
    made.body.string_value = "gemini_cli.api_response"
    item = {
        "observedTimeUnixNano": "1795355722680000000",
        "traceId": TRACE,
        "spanId": SPAN,
        "body": {"stringValue": "gemini_cli.api_response"},
    }
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [item]}]}]}).encode()

    [told] = read_logs(body, is_json=True, depth=64)

    assert [told] == list(read_logs(request.SerializeToString(), is_json=False, depth=64))
    assert (told.name, told.span, told.at) == ("gemini_cli.api_response", SPAN, told.at)


NAMES = [
    ({"eventName": "gen_ai.choice"}, "gen_ai.choice"),
    ({"body": {"stringValue": "claude_code.x"}, "attributes": {"event.name": "x"}}, "claude_code.x"),
    ({"body": {"stringValue": "API response."}, "attributes": {"event.name": "gemini_cli.x"}}, "gemini_cli.x"),
    ({"eventName": "event otel/src/lib.rs:12", "attributes": {"event.name": "codex.user_prompt"}}, "codex.user_prompt"),
    ({"body": {"stringValue": "something else"}}, "something else"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "name"), NAMES)
def test_record_is_named_wherever_its_name_stands(fields, name):
    attributes = [{"key": key, "value": as_json(value)} for key, value in fields.get("attributes", {}).items()]
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{**fields, "attributes": attributes}]}]}]}

    [told] = read_logs(json.dumps(body).encode(), is_json=True, depth=64)

    assert told.name == name


# --- JSON -------------------------------------------------------------------------------------------------------------

IDS = [
    (TRACE.upper(), TRACE),
    ("W47/95gDgQPSabYzgT/GDA==", TRACE),  # what a plain protobuf library makes of it
]


@pytest.mark.parametrize(("written", "read"), IDS)
def test_ids_are_hex_and_base64_is_understood(written, read):
    assert only(json_span(traceId=written)).trace == read


@pytest.mark.parametrize("trace", ["", "0" * 32, "xyz", "g" * 32, None, 7, "W47/95gDgQPSabYzgT/GDA"])
def test_span_without_a_readable_trace_id_is_a_problem(trace):
    assert only(json_span(traceId=trace)).code == "bad_span"


NUMBERS = [("42", 42), (42, 42), ("-7", -7), (4.0, 4), ("x", 0), (None, 0), ("9" * 40, 0)]


@pytest.mark.parametrize(("written", "read"), NUMBERS)
def test_integers_come_as_text_and_as_numbers(written, read):
    told = only(json_span(attributes=[{"key": "n", "value": {"intValue": written}}]))

    assert told.attributes == {"n": read}


ODD = [
    ({}, None),
    (None, None),
    ({"stringValue": "a\x00b"}, "a\ufffdb"),
    ({"doubleValue": "NaN"}, None),
    ({"bytesValue": "AAEC"}, "AAEC"),
    ({"arrayValue": {}}, []),
    ({"kvlistValue": {"values": [{"key": "a"}, {"value": {}}, 3]}}, {"a": None}),
    ({"unknownValue": 1}, None),
]


@pytest.mark.parametrize(("written", "read"), ODD)
def test_odd_values_are_taken_for_what_they_hold(written, read):
    assert only(json_span(attributes=[{"key": "a", "value": written}])).attributes == {"a": read}


def test_half_an_emoji_is_taken():
    body = json_span(name="x").replace(b'"x"', b'"\\ud83d"')

    assert only(body).name == "\ufffd"


def test_status_times_events_and_dropped_attributes_are_read():
    moment = {"name": "gen_ai.choice", "timeUnixNano": "1795355722680000000", "attributes": []}
    status = {"code": 2, "message": "Overloaded"}
    told = only(json_span(status=status, events=[moment], droppedAttributesCount=3, endTimeUnixNano="9" * 21))

    assert (told.error, told.cut, told.end) == ("Overloaded", True, None)
    assert [each.name for each in told.moments] == ["gen_ai.choice"]
    assert only(json_span(status={"code": "STATUS_CODE_ERROR"})).error == "error"
    assert only(json_span(status={"code": 1, "message": "fine"})).error == ""


@pytest.mark.parametrize("item", [3, None, "x", [], {}])
def test_item_that_is_no_span_is_a_problem_and_the_others_are_read(item):
    body = json.loads(json_span())
    body["resourceSpans"][0]["scopeSpans"][0]["spans"].insert(0, item)

    bad, good = read_trace(json.dumps(body).encode(), is_json=True, depth=64)

    assert isinstance(bad, Problem)
    assert (bad.line, good.id) == (0, SPAN)


@pytest.mark.parametrize("is_json", [True, False])
def test_attribute_that_nests_too_deep_is_a_problem(is_json):
    value = []
    for _ in range(9):
        value = [value]
    request = ExportTraceServiceRequest()
    made = request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8)
    made.attributes.add(key="a", value=_encode_value(value))
    body = json_span(attributes=[{"key": "a", "value": as_json(value)}]) if is_json else request.SerializeToString()

    assert only(body, is_json=is_json, depth=9).attributes == {"a": value}
    assert only(body, is_json=is_json, depth=8).code == "too_deep"


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b"\xff", b'{"resourceSpans": {}}', b'{"a":' * 3000])
def test_body_that_is_no_request_is_refused(body):
    with pytest.raises(BadInput):
        list(read_trace(body, is_json=True, depth=64))


@given(st.binary(max_size=200), st.booleans(), st.sampled_from([read_trace, read_logs]))
def test_any_bytes_are_read_or_refused(body, is_json, reader):
    with suppress(BadInput):
        assert all(isinstance(told, Span | Record | Problem) for told in reader(body, is_json=is_json, depth=64))


# --- JSON within attributes -------------------------------------------------------------------------------------------

STRUCTURED = [
    ('{"a": 1}', {"a": 1}),
    (" [1]", [1]),
    ({"a": 1}, {"a": 1}),
    ("words", "words"),
    ("{not json", "{not json"),
    ('["\\u0000"]', ["\ufffd"]),
    ('["\\ud83d"]', ["\ufffd"]),
    ("[" * 70 + "]" * 70, "[" * 70 + "]" * 70),
    (None, None),
]


@pytest.mark.parametrize(("told", "read"), STRUCTURED)
def test_json_text_is_read_and_words_stay_words(told, read):
    assert structured(told) == read
