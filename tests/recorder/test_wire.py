"""What is sent of a call: the bodies as they were, on one line, without secrets."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.recorder.labels import Labels
from conversations.recorder.routes import Route, route_of
from conversations.recorder.seen import Begun
from conversations.recorder.wire import Unreadable, line_of
from tests.recorder.test_tap import EVENTS, frame, sse

AMAZON = "application/vnd.amazon.eventstream"
BEDROCK = "eu.anthropic.claude-opus-4-6-v1:0"
VERTEX = "/v1/projects/p/locations/l/publishers/anthropic/models"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi.\nThere."}]}


def begun(body=ASKED, **labels):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Begun(Route("messages"), Labels(**labels), "anthropic", "", body)


def told(seen):
    line = line_of(seen)
    assert b"\n" not in line
    return json.loads(line)


def streamed(raw, kind="text/event-stream"):
    return told(begun().answered(200, kind, raw))["stream"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values), st.dictionaries(st.text(), json_values), st.text(), st.booleans())
def test_bodies_arrive_as_they_were_however_they_were_laid_out(request, response, title, is_ascii):
    laid_out = [
        json.dumps(body, indent=2, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
        for body in (request, response)
    ]
    exchange = told(begun(laid_out[0], title=title).answered(200, "application/json", laid_out[1]))
    assert exchange["response"] == response
    assert exchange.get("title", "") == title
    if not {"mcp_servers", "tools"} & request.keys():
        assert exchange["request"] == request


def test_secrets_of_mcp_servers_are_blanked_and_nothing_else():
    body = {
        **ASKED,
        "mcp_servers": [{"type": "url", "url": "https://mcp.example.org", "authorization_token": "secret-1"}],
        "tools": [
            {
                "type": "mcp",
                "server_url": "https://x.example.org",
                "headers": {"X-Key": "secret-2"},
                "authorization": "s-3",
            },
            {"name": "fetch", "input_schema": {"type": "object", "properties": {"headers": {"type": "object"}}}},
        ],
        "system": 'Say "authorization" and "headers".',
    }
    line = line_of(begun(body).failed(TimeoutError("secret-4")))
    for secret in (b"secret-1", b"secret-2", b"s-3", b"secret-4"):
        assert secret not in line
    request = json.loads(line)["request"]
    assert request["tools"][1] == body["tools"][1]
    assert (request["system"], request["messages"]) == (body["system"], body["messages"])
    assert request["mcp_servers"][0]["url"] == "https://mcp.example.org"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"--boundary\r\nContent-Disposition: form-data", b'{"a": 1'])
def test_a_request_that_is_no_object_is_not_told(body):
    with pytest.raises(Unreadable):
        line_of(begun(body).answered(200, "application/json", b"{}"))


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (529, b'{"type": "error"}', {"status": 529, "body": {"type": "error"}}),
        (502, b"<html>\nBad gateway", {"status": 502, "body": "<html>\nBad gateway"}),
        (500, b"", {"status": 500, "body": ""}),
        (400, b"\xff" * 9000, {"status": 400, "body": "\N{REPLACEMENT CHARACTER}" * 4000}),
    ],
)
def test_errors_are_told_whatever_they_are(status, answer, error):
    exchange = told(begun().answered(status, "application/json", answer))
    assert (exchange["response"], exchange["error"]) == (None, error)


def test_an_answer_that_is_no_object_is_told_as_none():
    assert told(begun().answered(200, "text/html", b"<html>"))["response"] is None


def test_a_cut_off_answer_does_not_pass_for_a_whole_one():
    exchange = told(begun().answered(200, "text/event-stream", sse(EVENTS[:3]), failure="ReadError"))
    assert exchange["stream"] == EVENTS[:3]
    assert exchange["error"] == {"body": {"type": "ReadError"}}


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        (b'data: {"a":1}\n\ndata: [DONE]\n\n', [{"a": 1}]),
        (b'event: x\r\ndata:{"a":\r\ndata: 1}\r\n\r\n', [{"a": 1}]),
        (b': comment\n\nid: 7\ndata: {"a":1}\n\n', [{"a": 1}]),
        (b'data: {"a":1}\n\ndata: {"b"', [{"a": 1}]),
        (b"", []),
    ],
)
def test_server_sent_events(raw, events):
    assert streamed(raw) == events


def test_amazons_frames_may_be_cut_off_anywhere():
    whole = b"".join(map(frame, EVENTS))
    first = len(frame(EVENTS[0]))
    for end in range(0, len(whole), 7):
        events = streamed(whole[:end], AMAZON)
        assert events == EVENTS[: len(events)]
    assert streamed(whole[: first + 3], AMAZON) == EVENTS[:1]
    assert streamed(struct.pack(">II", 3, 0) * 4, AMAZON) == []


def test_an_exception_in_amazons_stream_is_an_error():
    payload = b'{"message": "Too many requests"}'
    raw = struct.pack(">III", 16 + len(payload), 0, 0) + payload + bytes(4)
    [event] = streamed(raw, AMAZON)
    assert event == {"type": "error", "error": {"message": "Too many requests"}}


PATHS = [
    ("POST", "/v1/messages", Route("messages")),
    ("POST", "/anthropic/v1/messages", Route("messages")),
    ("POST", "/v1/messages/count_tokens", Route("count_tokens")),
    ("POST", "/model/eu.anthropic.claude-opus-4-6-v1%3A0/invoke", Route("messages", BEDROCK)),
    ("POST", "/model/m/invoke-with-response-stream", Route("messages", "m")),
    ("POST", f"{VERTEX}/claude@1:streamRawPredict", Route("messages", "claude@1")),
    ("POST", f"{VERTEX}/count-tokens:rawPredict", Route("count_tokens")),
    ("POST", "/v1/responses", Route("responses")),
    ("POST", "/v1/responses/compact", Route("responses/compact")),
    ("POST", "/openai/deployments/d/chat/completions", Route("chat/completions")),
    ("GET", "/v1/messages", None),
    ("POST", "/v1/files", None),
    ("POST", "/v1/embeddings", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "route"), PATHS)
def test_which_requests_are_recorded(method, path, route):
    assert route_of(method, path) == route
