"""OTLP over HTTP as exporters speak it: encodings, errors, limits, and what a request leaves behind."""

import gzip
import json

import pytest
import zstandard
from django.db import OperationalError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from conversations import tasks
from conversations.api import throttle
from conversations.models import Batch, Compaction, Conversation, Message, Request
from tests.factories import chunks_of, create_api_key

JSON, PROTOBUF = "application/json", "application/x-protobuf"
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
SAID = '[{"role":"user","parts":[{"type":"text","content":"Refund 8812"}]}]'
ANSWERED = '[{"role":"assistant","parts":[{"type":"text","content":"Done."}]}]'


@pytest.fixture(autouse=True)
def _no_queue(monkeypatch):
    monkeypatch.setattr(tasks.digest, "delay", lambda: None)
    throttle.forget()


@pytest.fixture
def key(acme):
    return create_api_key(acme, ["ingest"])[1]


def attributes(**values):
    return [{"key": name.replace("__", "."), "value": {"stringValue": value}} for name, value in values.items()]


def span(**fields):
    told = attributes(
        gen_ai__operation__name="chat",
        gen_ai__conversation__id="c1",
        gen_ai__input__messages=SAID,
        gen_ai__output__messages=ANSWERED,
    )
    return {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "chat",
        "startTimeUnixNano": "1795355722680000000",
        "endTimeUnixNano": "1795355722709228227",
        "attributes": told,
        **fields,
    }


def traces(*spans):
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def post(client, key, body, *, path="traces", content_type=JSON, query="?wait=1", **headers):
    body = json.dumps(body) if isinstance(body, dict | list) else body
    headers = {"Authorization": f"Bearer {key}", **headers}
    return client.post(f"/v1/{path}{query}", body, content_type=content_type, headers=headers)


def as_protobuf():
    request = ExportTraceServiceRequest()
    made = request.resource_spans.add().scope_spans.add().spans.add()
    made.trace_id, made.span_id, made.name = bytes.fromhex(TRACE), bytes.fromhex(SPAN), "chat"
    made.start_time_unix_nano, made.end_time_unix_nano = 1795355722680000000, 1795355722709228227
    for each in span()["attributes"]:
        made.attributes.add(key=each["key"]).value.string_value = each["value"]["stringValue"]
    return request.SerializeToString()


# --- encodings --------------------------------------------------------------------------------------------------------


def test_json_span_becomes_messages_and_a_request(client, key):
    response = post(client, key, traces(span()))

    assert (response.status_code, response.json(), response["Content-Type"]) == (200, {}, JSON)
    conversation = Conversation.objects.get()
    assert (conversation.source, conversation.external_id) == ("otlp", "c1")
    assert [m.blocks[0]["text"] for m in Message.objects.order_by("position")] == ["Refund 8812", "Done."]
    assert Request.objects.get().external_id == SPAN


def test_protobuf_says_the_same_and_is_answered_in_protobuf(client, key):
    post(client, key, traces(span()))
    rows = set(Message.objects.values_list("external_id", "position"))

    response = post(client, key, as_protobuf(), content_type=PROTOBUF)

    assert (response.status_code, response["Content-Type"]) == (200, PROTOBUF)
    assert ExportTraceServiceResponse.FromString(response.content) == ExportTraceServiceResponse()
    assert set(Message.objects.values_list("external_id", "position")) == rows


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)])
def test_body_may_be_compressed(client, key, name, pack):
    response = post(client, key, pack(as_protobuf()), content_type=PROTOBUF, **{"Content-Encoding": name})

    assert response.status_code == 200
    assert Conversation.objects.get().external_id == "c1"


def test_exporters_may_accept_what_they_like(client, key):
    assert post(client, key, as_protobuf(), content_type=PROTOBUF, Accept=PROTOBUF).status_code == 200


def test_request_without_anything_about_conversations_is_taken_and_leaves_nothing(client, key):
    assert post(client, key, traces(span(attributes=[], name="GET /"))).json() == {}
    assert post(client, key, {}).json() == {}
    assert not Batch.objects.exists()


def test_same_request_again_changes_nothing(client, key):
    metadata = span(spanId="aaaaaaaaaaaaaaaa", attributes=attributes(gen_ai__operation__name="chat"))
    for _ in range(3):
        assert post(client, key, traces(span(), metadata)).status_code == 200

    assert (Message.objects.count(), Request.objects.count(), Conversation.objects.count()) == (2, 2, 1)


# --- what cannot be read ----------------------------------------------------------------------------------------------


def test_span_that_cannot_be_read_is_rejected_told_and_kept(client, key):
    body = traces(span(), span(spanId="", name="no id"))

    response = post(client, key, body)

    partial = response.json()["partialSuccess"]
    assert (response.status_code, partial["rejectedSpans"]) == (200, "1")
    assert "no span id" in partial["errorMessage"]
    assert Message.objects.count() == 2
    kept = Batch.objects.get(rejected=1)
    assert kept.problems.get().code == "bad_span"
    assert b"no id" in zstandard.ZstdDecompressor().decompress(chunks_of(kept).get().body)


def test_rejected_spans_are_counted_in_protobuf(client, key):
    request = ExportTraceServiceRequest.FromString(as_protobuf())
    request.resource_spans[0].scope_spans[0].spans.add(name="no ids")

    response = post(client, key, request.SerializeToString(), content_type=PROTOBUF)

    assert ExportTraceServiceResponse.FromString(response.content).partial_success.rejected_spans == 1


def test_what_is_about_something_else_is_counted_in_the_batch(client, key):
    post(client, key, traces(span(), span(spanId="aaaaaaaaaaaaaaaa", name="GET /", attributes=[])))

    assert Batch.objects.get().name == "traces: 1 of 2 passed over (GET /)"


DEEP = {"arrayValue": {"values": []}}
for _ in range(70):
    DEEP = {"arrayValue": {"values": [DEEP]}}


def test_attribute_that_nests_too_deep_takes_no_other_span_with_it(client, key):
    deep = span(spanId="aaaaaaaaaaaaaaaa", attributes=[{"key": "a", "value": DEEP}])

    assert post(client, key, traces(deep, span())).json()["partialSuccess"]["rejectedSpans"] == "1"
    assert Message.objects.count() == 2


# --- errors -----------------------------------------------------------------------------------------------------------

ERRORS = [
    ({}, "not json", {}, 400, 3),
    ({}, "[]", {}, 400, 3),
    ({}, '{"resourceSpans": 3}', {}, 400, 3),
    ({}, "[" * 100_000, {}, 400, 3),
    ({"MAX_BODY_BYTES": 10}, traces(span()), {}, 413, 3),
    ({}, b"\x1f\x8bnope", {"Content-Encoding": "gzip"}, 400, 3),
    ({}, b"x", {"Content-Encoding": "br"}, 400, 3),
    ({}, gzip.compress(b" " * 10_000_000, mtime=0), {"Content-Encoding": "gzip"}, 413, 3),
    ({}, traces(span()), {"Authorization": ""}, 401, 16),
    ({}, traces(span()), {"Authorization": "Bearer obs_unknown"}, 401, 16),
]


@pytest.mark.parametrize(("limits", "body", "headers", "code", "rpc"), ERRORS)
def test_errors_are_told_as_status_and_store_nothing(client, key, settings, limits, body, headers, code, rpc):
    for name, value in limits.items():
        setattr(settings, name, value)

    response = post(client, key, body, **headers)

    assert (response.status_code, response.json()["code"]) == (code, rpc)
    assert response.json()["message"]
    assert not Batch.objects.exists()


def test_error_in_protobuf_is_a_google_rpc_status(client, key):
    response = post(client, key, b"\xff\xff\xff", content_type=PROTOBUF)

    told = Status.FromString(response.content)
    assert (response.status_code, response["Content-Type"], told.code) == (400, PROTOBUF, 3)
    assert "protobuf" in told.message


def test_long_status_message_is_read_by_the_real_library(client, key):
    response = post(client, key, b"x", content_type=PROTOBUF, **{"Content-Encoding": "ä" * 300})

    assert len(Status.FromString(response.content).message.encode()) > 127


def test_other_media_types_are_refused(client, key):
    response = post(client, key, "x", content_type="text/plain")

    assert response.status_code == 415
    assert "text/plain" in Status.FromString(response.content).message


def test_key_without_the_scope_is_refused(client, acme):
    response = post(client, create_api_key(acme, ["read"])[1], traces(span()))

    assert (response.status_code, response.json()["code"]) == (403, 7)


def test_only_post_is_taken(client, key):
    response = client.get("/v1/traces", headers={"Authorization": f"Bearer {key}"})

    assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")


def test_too_many_requests_may_be_sent_again_later(client, key, settings):
    settings.MAX_REQUESTS_PER_SECOND = 1

    answers = [post(client, key, traces(span()), query="") for _ in range(3)]

    assert answers[-1].status_code == 429
    assert answers[-1]["Retry-After"] == "1"
    assert answers[-1].json()["code"] == 8


def test_database_out_of_reach_may_be_sent_again_later(client, key, monkeypatch):
    def away(**_):
        raise OperationalError("gone")

    monkeypatch.setattr("conversations.ingest.services.accept_telemetry", away)

    response = post(client, key, traces(span()))

    assert (response.status_code, response["Retry-After"], response.json()["code"]) == (503, "5", 14)


def test_another_workspace_sees_nothing_of_it(client, key, globex):
    post(client, key, traces(span()))

    post(client, create_api_key(globex, ["ingest"])[1], traces(span()))

    assert Conversation.objects.filter(workspace=globex).count() == 1
    assert Conversation.objects.count() == 2


COMPACT = attributes(gen_ai__operation__name="compact_events", gen_ai__conversation__id="c1")


@pytest.mark.parametrize(("told_before", "compactions"), [([], 1), ([span()], 0)])
def test_compaction_without_a_summary_is_told_where_no_messages_are(client, key, told_before, compactions):
    """Where messages are told, what left the context tells of the compaction; it must not be told twice."""
    for each in told_before:
        post(client, key, traces(each))

    post(client, key, traces(span(spanId="bbbbbbbbbbbbbbbb", name="compact_events", attributes=COMPACT)))

    assert Compaction.objects.count() == compactions


# --- logs and metrics -------------------------------------------------------------------------------------------------


def test_log_record_of_a_compaction_is_a_compaction_with_an_unknown_summary(client, key):
    told = attributes(session__id="s1", trigger="auto", success="true", pre_tokens="986050", post_tokens="2643")
    record = {
        "timeUnixNano": "1795355751560000000",
        "body": {"stringValue": "claude_code.compaction"},
        "attributes": told,
    }
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}

    assert post(client, key, body, path="logs").json() == {}

    compaction = Compaction.objects.get()
    assert (compaction.summary_state, compaction.trigger, compaction.tokens_before) == ("absent", "auto", 986050)


def test_rejected_log_records_are_counted(client, key):
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [7]}]}]}

    assert post(client, key, body, path="logs").json()["partialSuccess"]["rejectedLogRecords"] == "1"


def test_logs_in_protobuf(client, key):
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1795355751560000000)
    record.event_name = "gemini_cli.chat_compression"
    record.attributes.add(key="session.id").value.string_value = "s1"
    record.attributes.add(key="tokens_before").value.int_value = 900
    record.attributes.add(key="tokens_after").value.int_value = 90

    assert post(client, key, request.SerializeToString(), path="logs", content_type=PROTOBUF).content == b""

    assert (Compaction.objects.get().tokens_before, Compaction.objects.get().summary_state) == (900, "absent")


def test_metrics_are_rejected_in_words(client, key):
    metrics = [{"name": "n", "sum": {"dataPoints": [{"asInt": "1"}, {"asInt": "2"}]}}, {"gauge": {"dataPoints": [{}]}}]
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}

    partial = post(client, key, body, path="metrics").json()["partialSuccess"]

    assert partial["rejectedDataPoints"] == "3"
    assert "OTEL_METRICS_EXPORTER=none" in partial["errorMessage"]


def test_metrics_in_protobuf(client, key):
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="n")
    metric.gauge.data_points.add(as_int=1)

    response = post(client, key, request.SerializeToString(), path="metrics", content_type=PROTOBUF)

    assert ExportMetricsServiceResponse.FromString(response.content).partial_success.rejected_data_points == 1
    assert post(client, key, b"\xff", path="metrics", content_type=PROTOBUF).status_code == 400
