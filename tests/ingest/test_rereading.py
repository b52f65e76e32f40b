"""What could not be understood is kept, and read once more by a later version."""

import json

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from conversations.ingest import rereading, services
from conversations.ingest.events import Problem
from conversations.ingest.formats.otlp_wire import Signal
from conversations.models import Batch, BatchProblem, Message, Request
from tests.ingest.agents import Client, said

TRACE = "5b8efff798038103d269b633813fc60c"
START = 1795355722_000_000_000  # nanoseconds since 1970


def test_unread_exchange_is_kept_and_read_by_a_later_version(acme, monkeypatch):
    client = Client()
    [good] = client.turns(1)
    trouble = Problem(code="unknown_type", message="The request is of no known API.", mend="Name it.", line=0)
    body = json.dumps([{"request": {"new": "api"}}, {"request": "nothing"}], indent=1).encode()
    receipt = services.accept_exchange_bodies(workspace=acme, body=body)
    unread = receipt.unread
    assert [result.status for result in receipt.results] == ["rejected", "rejected"]
    assert (receipt.batch.pk, unread.rejected, unread.problems.count()) == (unread.pk, 2, 2)

    def reads_more(raw, index, limits):
        return good if b"new" in raw else trouble

    monkeypatch.setattr(rereading, "read_one", reads_more)
    services.redigest(Batch.objects.filter(pk=unread.pk))
    digested = services.digest_pending()

    assert said() == ["matter 0", client.history[1].blocks[0].text]
    unread.refresh_from_db()
    assert (unread.state, unread.problems.get().message, unread.rejected) == ("digested", trouble.message, 1)
    assert unread.pk in digested.batch_ids
    services.redigest(Batch.objects.filter(pk=unread.pk))
    services.digest_pending()
    assert Message.objects.count() == 2


def test_what_no_version_reads_yet_keeps_its_problems(acme):
    trouble = Problem(code="bad_span", message="This span cannot be read.", line=3)
    receipt = services.accept_exchanges(workspace=acme, exchanges=[trouble], source="otlp", unread=[b"\x0a\n\x00"])

    services.redigest(Batch.objects.all())
    services.digest_pending()

    unread = Batch.objects.get()
    assert (unread.pk, unread.state, unread.rejected) == (receipt.unread.pk, "digested", 1)
    assert unread.problems.get().message == trouble.message


# --- telemetry --------------------------------------------------------------------------------------------------------


def value_of(said):
    """An attribute's value in OTLP/JSON; a list nests as deep as it is."""
    if isinstance(said, list):
        return {"arrayValue": {"values": [value_of(each) for each in said]}}
    return {"stringValue": said}


def told(**attributes):
    return [{"key": name.replace("__", "."), "value": value_of(value)} for name, value in attributes.items()]


def chat(number, **more):
    """A span of a call of conversation c1; `more` are attributes of it."""
    asked = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"Ticket {number}?"}]}])
    answered = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": f"Ticket {number} is done."}]}])
    attributes = told(
        gen_ai__operation__name="chat",
        gen_ai__conversation__id="c1",
        gen_ai__input__messages=asked,
        gen_ai__output__messages=answered,
        **more,
    )
    at = START + number * 10**9
    times = {"startTimeUnixNano": str(at), "endTimeUnixNano": str(at + 1000)}
    return {"traceId": TRACE, "spanId": f"{number:016x}", "name": "chat", "attributes": attributes, **times}


def request_log(number, **more):
    """Claude Code's record of a call."""
    attributes = told(session__id="c1", request_id=f"req_{number}", model="claude-opus-5-5", **more)
    attributes.append({"key": "input_tokens", "value": {"intValue": "7"}})
    body = {"stringValue": "claude_code.api_request"}
    return {"timeUnixNano": str(START + number), "body": body, "attributes": attributes}


def as_protobuf(value):
    """The spans of an OTLP/JSON request in protobuf."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for span in value["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        made = scope.spans.add()
        made.trace_id, made.span_id, made.name = bytes.fromhex(TRACE), bytes.fromhex(span["spanId"]), span["name"]
        made.start_time_unix_nano, made.end_time_unix_nano = (
            int(span["startTimeUnixNano"]),
            int(span["endTimeUnixNano"]),
        )
        for pair in span["attributes"]:
            fill(made.attributes.add(key=pair["key"]).value, pair["value"])
    return request.SerializeToString()


def fill(made, value):
    if "stringValue" in value:
        made.string_value = value["stringValue"]
    for item in value.get("arrayValue", {}).get("values", []):
        fill(made.array_value.values.add(), item)


def spans(*several):
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(several)}]}]}


DEEP = [[["deep"]]]
TRACED = spans(chat(1), chat(2, extra=DEEP), chat(3))
LOGGED = {"resourceLogs": [{"scopeLogs": [{"logRecords": [request_log(1), request_log(2, extra=DEEP)]}]}]}
UNREAD = {
    "spans": (Signal.TRACES, True, b"\n " + json.dumps(TRACED).encode(), 2, 3),
    "spans in protobuf": (Signal.TRACES, False, as_protobuf(TRACED), 2, 3),
    "records": (Signal.LOGS, True, json.dumps(LOGGED).encode(), 1, 2),
}


@pytest.mark.parametrize(("signal", "is_json", "body", "before", "after"), UNREAD.values(), ids=UNREAD)
def test_telemetry_that_was_not_understood_is_read_by_a_later_version(
    acme, settings, snapshot, signal, is_json, body, before, after
):
    """Here the later version is one that takes attributes that nest deeper."""
    settings.MAX_DEPTH = 1
    taken = services.accept_telemetry(workspace=acme, body=body, signal=signal, is_json=is_json)
    services.digest_pending()
    assert (taken.rejected, Request.objects.count(), BatchProblem.objects.get().code) == (1, before, "too_deep")
    [unread] = Batch.objects.filter(rejected=1)
    places = dict(Request.objects.values_list("external_id", "position"))

    settings.MAX_DEPTH = 64
    services.redigest(Batch.objects.filter(pk=unread.pk))
    services.digest_pending()

    unread.refresh_from_db()
    assert (unread.state, unread.rejected, unread.problems.count()) == ("digested", 0, 0)
    assert Request.objects.count() == after
    assert places.items() <= dict(Request.objects.values_list("external_id", "position")).items()
    now = snapshot()
    services.redigest(Batch.objects.all())
    services.digest_pending()
    assert snapshot() == now
