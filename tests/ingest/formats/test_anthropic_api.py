from datetime import UTC, datetime

import pytest

from conversations.ingest.events import Image, Summary, Text, Thinking, ToolCall, ToolResult, Usage
from conversations.ingest.exchange import Call, Spoken
from conversations.vocabulary import Role
from tests.ingest.formats.api import MODEL, answer, ask, iteration, read

CALL = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "a.py"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "print(1)"}]}


def test_a_plain_exchange_is_read_whole():
    exchange = read(
        ask("Hello.", system="Be brief."),
        answer("Hi.", usage={"input_tokens": 12, "output_tokens": 3, "cache_read_input_tokens": 100}),
        conversation="c1",
        agent="support-bot",
        at="2026-11-22T10:00:00Z",
        duration_ms=800,
    )
    assert exchange.id == "msg_01"
    assert exchange.conversation == "c1"
    assert exchange.agent == "support-bot"
    assert exchange.at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert exchange.duration_ms == 800
    assert (exchange.provider, exchange.endpoint, exchange.model) == ("anthropic", "messages", MODEL)
    assert exchange.system == [Text("Be brief.")]
    assert exchange.sent == [Spoken(Role.USER, [Text("Hello.")])]
    assert exchange.received == [Spoken(Role.ASSISTANT, [Text("Hi.")])]
    assert exchange.calls == [Call(usage=Usage(12, 100, None, 3), model=MODEL)]
    assert exchange.stop_reason == "end_turn"
    assert exchange.whole
    assert not exchange.error
    assert not exchange.announced


@pytest.mark.parametrize(
    ("content", "blocks"),
    [
        ("text", [Text("text")]),
        ([{"type": "text", "text": "text", "cache_control": {"type": "ephemeral"}}], [Text("text")]),
        ([{"type": "text", "text": "a", "citations": [{"type": "char_location"}]}], [Text("a")]),
        ([{"type": "text", "text": ""}], []),
        ([{"type": "thinking", "thinking": "hm", "signature": "Eu=="}, {"type": "text", "text": "a"}],
         [Thinking("hm"), Text("a")]),
        ([{"type": "redacted_thinking", "data": "secret"}], [Thinking()]),
        ([{**CALL, "caller": {"type": "direct"}, "cache_control": {"type": "ephemeral"}}],
         [ToolCall("read", "toolu_1", {"path": "a.py"})]),
        ([{"type": "tool_use", "id": "t", "name": "n", "input": {"signature": "kept", "caller": 1}}],
         [ToolCall("n", "t", {"signature": "kept", "caller": 1})]),
        ([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}],
         [Image("image/png", 3)]),
        ([{"type": "document", "source": {"type": "url", "url": "https://a.org/b.pdf"}}], [Image("document")]),
        ([{"type": "document", "title": "Rules", "source": {"type": "text", "data": "No."}}],
         [Text("Rules\nNo.")]),
        ([{"type": "search_result", "title": "T", "source": "a.org", "content": [{"type": "text", "text": "x"}]}],
         [Text("T\na.org\nx")]),
        ([{"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}], []),
        ([{"type": "mcp_tool_listing", "mcp_server_name": "m", "tools": []}], []),
        ([{"type": "compaction", "content": None}], []),
        ([{"type": "compaction", "content": "sum", "signature": "s", "cache_control": {}}], [Summary("sum")]),
        ([{"type": "new_kind", "says": 1, "cache_control": {}}], [Text('{"type":"new_kind","says":1}')]),
    ],
)  # fmt: skip
def test_what_is_said_is_free_of_marks_and_bookkeeping(content, blocks):
    spoken = read(ask({"role": "assistant", "content": content})).sent
    assert [block for said in spoken for block in said.blocks] == blocks


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("plain", "plain"),
        (None, ""),
        ([{"type": "text", "text": "a", "cache_control": {}}, {"type": "text", "text": "b"}], "a\nb"),
        ([{"type": "image", "source": {"type": "base64", "data": "AAAA"}}], "[image]"),
        ([{"type": "document", "source": {"type": "base64", "data": "AAAA"}}], "[document]"),
        ([{"type": "web_search_result", "title": "T", "url": "https://a", "encrypted_content": "x"}], "T\nhttps://a"),
        ({"type": "web_search_tool_result_error", "error_code": "unavailable"},
         '{"type":"web_search_tool_result_error","error_code":"unavailable"}'),
    ],
)  # fmt: skip
def test_a_tool_result_is_text(content, text):
    kind = "web_search_tool_result" if "web_search" in str(content) else "tool_result"
    block = {"type": kind, "tool_use_id": "t", "content": content}
    (said,) = read(ask({"role": "user", "content": [block]})).sent
    assert said == Spoken(Role.TOOL, [ToolResult(text, "t", is_error="error" in text)])


def test_results_are_a_tools_and_words_beside_them_the_users():
    exchange = read(ask("Read it.", [CALL], {"role": "user", "content": [RESULT, {"type": "text", "text": "Go on."}]}))
    assert [said.role for said in exchange.sent] == [Role.USER, Role.ASSISTANT, Role.TOOL, Role.USER]


def test_the_answer_sent_back_says_the_same():
    content = [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "I read."}, CALL]
    first = read(ask("Read it."), answer(*content, stop_reason="tool_use"))
    marked = [*content[:2], {**CALL, "cache_control": {"type": "ephemeral"}}]
    second = read(ask("Read it.", marked, {"role": "user", "content": [RESULT]}))
    assert second.sent[:2] == [*first.sent, *first.received]
    stripped = read(ask("Read it.", content[1:], {"role": "user", "content": [RESULT]}))
    assert [said.digest() for said in stripped.sent] == [said.digest() for said in second.sent]


def test_each_sampling_is_a_call_and_the_compacting_ones_are_marked():
    rounds = [
        iteration("compaction", 180_000, 3_500),
        iteration("message", 23_000, 1_000, cached=5, stored=7, model="claude-a"),
        iteration("advisor_message", 900, 50, model="claude-b"),
    ]
    calls = read(ask("Go."), answer("Done.", usage={"iterations": rounds})).calls
    assert [(call.purpose, call.model, call.usage.input_tokens) for call in calls] == [
        ("compaction", MODEL, 180_000),
        ("turn", "claude-a", 23_000),
        ("turn", "claude-b", 900),
    ]
    assert calls[1].usage == Usage(23_000, 5, 7, 1_000)


def test_without_an_answer_there_is_only_what_was_sent():
    exchange = read(ask("Hello."))
    assert exchange.sent
    assert (exchange.received, exchange.calls, exchange.error) == ([], [], "")


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ({"error": {"status": 529, "body": {"error": {"type": "overloaded_error", "message": "Busy"}}}},
         "529 overloaded_error: Busy"),
        ({"error": {"status": 502, "body": "<html>Bad\n gateway</html>"}}, "502 <html>Bad gateway</html>"),
        ({"error": {"status": 500}}, "500 error"),
        ({"error": {"message": "Connection reset", "type": "APIConnectionError"}},
         "APIConnectionError: Connection reset"),
        ({"response": {"type": "error", "error": {"type": "api_error", "message": "Oh"}}}, "api_error: Oh"),
        ({"error": {"status": 400, "body": {"error": {"type": "invalid_request_error", "message": "No.",
                    "details": {"error_code": "compaction_block_misplaced"}}}}},
         "400 invalid_request_error (compaction_block_misplaced): No."),
    ],
)  # fmt: skip
def test_a_failed_call_says_why(item, error):
    exchange = read(ask("Hello."), **item)
    assert exchange.error == error
    assert exchange.received == []


def test_a_call_without_an_id_is_known_by_what_it_says():
    failed = {"error": {"status": 529, "body": "busy"}}
    assert read(ask("a"), **failed).id == read(ask("a"), **failed).id
    assert read(ask("a"), **failed).id != read(ask("b"), **failed).id
    assert read(ask("a"), id="mine", **failed).id == "mine"


def test_a_thread_holds_what_is_not_sent():
    thread = {"type": "continue", "previous_message_id": "msg_00"}
    exchange = read(ask("And then?", thread=thread), answer("This."))
    assert (exchange.whole, exchange.previous) == (False, "msg_00")
    created = read(ask("Start.", thread={"type": "create"}), answer("Yes."))
    assert (created.whole, created.previous) == (True, "")


@pytest.mark.parametrize(
    ("result", "received", "error"),
    [
        ({"type": "succeeded", "message": answer("Done.")}, [Spoken(Role.ASSISTANT, [Text("Done.")])], ""),
        ({"type": "expired"}, [], "The request in the batch was expired."),
        ({"type": "canceled"}, [], "The request in the batch was canceled."),
        ({"type": "errored", "error": {"type": "error", "error": {"type": "api_error", "message": "Oh"}}}, [],
         "api_error: Oh"),
    ],
)  # fmt: skip
def test_a_request_of_a_batch_is_an_exchange(result, received, error):
    exchange = read({"custom_id": "r1", "params": ask("Go.")}, {"custom_id": "r1", "result": result})
    assert exchange.endpoint == "batches"
    assert exchange.sent == [Spoken(Role.USER, [Text("Go.")])]
    assert exchange.received == received
    assert exchange.error == error


def test_counting_tokens_is_no_call_but_measures_the_last_compaction():
    compacted = [{"type": "compaction", "content": "So far."}, {"type": "text", "text": "Next."}]
    counted = {"input_tokens": 3_000, "context_management": {"original_input_tokens": 61_000}}
    exchange = read(ask("Go.", compacted, "More."), counted, endpoint="/v1/messages/count_tokens?beta=true")
    assert (exchange.endpoint, exchange.calls, exchange.received) == ("count_tokens", [], [])
    (seen,) = exchange.announced
    assert (seen.in_request, seen.tokens_before, seen.tokens_after) == (True, 61_000, 3_000)


@pytest.mark.parametrize(
    ("item", "request_fields", "provider", "model"),
    [
        ({"path": "/model/us.anthropic.claude-opus-4-6-v1%3A0/invoke"}, {"anthropic_version": "bedrock-2023-05-31"},
         "bedrock", "us.anthropic.claude-opus-4-6-v1:0"),
        ({"path": "/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-5-5:streamRawPredict"},
         {"anthropic_version": "vertex-2023-10-16"}, "vertex", "claude-opus-5-5"),
        ({"provider": "Foundry", "model": "my-deployment"}, {}, "foundry", "my-deployment"),
    ],
)  # fmt: skip
def test_the_clouds_bodies_are_read_alike(item, request_fields, provider, model):
    request = {**ask("Hello."), **request_fields}
    del request["model"]
    exchange = read(request, **item)
    assert (exchange.provider, exchange.endpoint, exchange.model) == (provider, "messages", model)
    assert exchange.sent == [Spoken(Role.USER, [Text("Hello.")])]


@pytest.mark.parametrize(
    ("fields", "window"),
    [
        ({}, None),
        ({"headers": {"Anthropic-Beta": "a, context-1m-2025-08-07"}}, 1_000_000),
    ],
)
def test_the_long_context_is_known_by_its_beta(fields, window):
    assert read(ask("Hello."), answer("Hi."), **fields).context_window == window
