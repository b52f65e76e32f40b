import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.events import Image, Text, Thinking, ToolCall, ToolResult, Usage
from conversations.ingest.exchange import Call, Spoken
from conversations.vocabulary import CompactionKind, Role, SummaryState, Trigger
from tests.ingest.formats.api import (
    chunks,
    compacted,
    completion,
    read,
    response,
    response_events,
    response_usage,
    said,
)

OPAQUE = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAA"}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read", "arguments": '{"path":"a.py"}'}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "print(1)"}
REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "x",
}


def asks(*items, **fields):
    return {"model": "gpt-6-sol", "input": list(items), **fields}


def user(text):
    return {"role": "user", "content": text}


def words(exchange):
    return [(spoken.role, spoken.blocks[0].text) for spoken in exchange.sent]


# --- responses --------------------------------------------------------------------------------------------------------


def test_a_response_is_read_whole():
    usage = response_usage(1_000, 20, cached=700, stored=100)
    exchange = read(
        {"model": "gpt-6-sol", "input": "Hello.", "instructions": "Be brief."}, response(said("Hi."), usage=usage)
    )
    assert (exchange.id, exchange.provider, exchange.endpoint) == ("resp_01", "openai", "responses")
    assert exchange.system == [Text("Be brief.")]
    assert exchange.sent == [Spoken(Role.USER, [Text("Hello.")])]
    assert exchange.received == [Spoken(Role.ASSISTANT, [Text("Hi.")])]
    assert exchange.calls == [Call(usage=Usage(200, 700, 100, 20), model="gpt-6-sol")]
    assert exchange.stop_reason == "completed"
    assert exchange.whole


@pytest.mark.parametrize(
    ("item", "spoken"),
    [
        (user("a"), Spoken(Role.USER, [Text("a")])),
        (said("a"), Spoken(Role.ASSISTANT, [Text("a")])),
        (CALL, Spoken(Role.ASSISTANT, [ToolCall("read", "call_1", {"path": "a.py"})])),
        ({**CALL, "arguments": '{"path":'}, Spoken(Role.ASSISTANT, [ToolCall("read", "call_1", '{"path":')])),
        (OUTPUT, Spoken(Role.TOOL, [ToolResult("print(1)", "call_1")])),
        ({**OUTPUT, "output": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "x"}]},
         Spoken(Role.TOOL, [ToolResult("a\n[image]", "call_1")])),
        ({"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "1 2"},
         Spoken(Role.ASSISTANT, [ToolCall("patch", "c", "1 2")])),
        ({"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "q"}},
         Spoken(Role.ASSISTANT, [ToolCall("web_search", "ws", {"type": "search", "query": "q"})])),
        ({"type": "shell_call", "call_id": "s", "action": {"commands": ["ls"]}},
         Spoken(Role.ASSISTANT, [ToolCall("shell", "s", {"commands": ["ls"]})])),
        ({"type": "image_generation_call", "id": "i", "status": "completed", "result": "AAAA" * 99},
         Spoken(Role.ASSISTANT, [ToolCall("image_generation", "i")])),
        ({"type": "message", "role": "user", "content": [
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]},
         Spoken(Role.USER, [Image("image/png", 3)])),
        ({"type": "message", "role": "user", "content": [{"type": "input_file", "file_data": "AAAA"}]},
         Spoken(Role.USER, [Image("file", 3)])),
        ({"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
         Spoken(Role.ASSISTANT, [Text("No.")])),
    ],
)  # fmt: skip
def test_an_item_is_what_it_says(item, spoken):
    assert read(asks(user("Go."), item)).sent[1:] == [spoken]


def test_a_hosted_tool_brings_its_result():
    item = {"type": "mcp_call", "id": "m", "name": "find", "server_label": "s", "arguments": "{}", "output": "found"}
    call, result = read(asks(user("Go."), item)).sent[1:]
    assert call == Spoken(Role.ASSISTANT, [ToolCall("find", "m", {})])
    assert result == Spoken(Role.TOOL, [ToolResult("found", "m")])


def test_reasoning_belongs_to_what_follows_it():
    exchange = read(asks(user("Go.")), response(REASONING, CALL))
    assert exchange.received == [Spoken(Role.ASSISTANT, [Thinking("hm"), ToolCall("read", "call_1", {"path": "a.py"})])]
    left_out = read(asks(user("Go."), CALL, OUTPUT))
    assert left_out.sent[1].digest() == exchange.received[0].digest()


def test_reasoning_before_the_user_speaks_stays_the_models():
    assert [spoken.role for spoken in read(asks(REASONING, user("Go."))).sent] == [Role.ASSISTANT, Role.USER]


@pytest.mark.parametrize(
    ("fields", "whole", "previous", "conversation"),
    [
        ({}, True, "", ""),
        ({"previous_response_id": "resp_00"}, False, "resp_00", ""),
        ({"conversation": "conv_1"}, False, "", "conv_1"),
        ({"conversation": {"id": "conv_1"}}, False, "", "conv_1"),
    ],
)
def test_what_the_server_holds_is_not_sent(fields, whole, previous, conversation):
    exchange = read(asks(user("And?"), **fields))
    assert (exchange.whole, exchange.previous, exchange.conversation) == (whole, previous, conversation)


@pytest.mark.parametrize("reference", [{"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}])
def test_a_reference_stands_for_what_only_the_server_has(reference):
    exchange = read(asks(reference, user("And?")))
    assert not exchange.whole
    assert words(exchange) == [(Role.USER, "And?")]


def test_the_first_developer_items_are_the_system_prompt():
    exchange = read(
        asks({"role": "developer", "content": "Rules."}, user("a"), {"role": "developer", "content": "Late."})
    )
    assert exchange.system == [Text("Rules.")]
    assert words(exchange) == [(Role.USER, "a"), (Role.SYSTEM, "Late.")]


def test_a_compaction_in_line_is_opaque():
    request = asks(
        user("a"), said("b"), user("c"), context_management=[{"type": "compaction", "compact_threshold": 90_000}]
    )
    exchange = read(request, response(OPAQUE, said("d"), usage=response_usage(95_000, 10)))
    (announced,) = exchange.announced
    assert (announced.kind, announced.summary_state) == (CompactionKind.HOSTED_OPAQUE, SummaryState.ENCRYPTED)
    assert (announced.trigger, announced.trigger_tokens) == (Trigger.THRESHOLD, 90_000)
    assert (announced.in_request, announced.before, announced.summary) == (False, None, None)
    assert announced.raw == {"type": "compaction", "id": "cmp_1"}
    assert exchange.received == [Spoken(Role.ASSISTANT, [Text("d")])]


def test_a_trigger_item_asks_for_it():
    exchange = read(asks(user("a"), {"type": "compaction_trigger"}), response(OPAQUE))
    assert [announced.trigger for announced in exchange.announced] == [Trigger.MANUAL]
    assert words(exchange) == [(Role.USER, "a")]


def test_compacting_on_demand_keeps_the_users_messages():
    request = asks(user("Keep."), said("Gone."), CALL, OUTPUT, user("Keep too."))
    kept = [said("Keep.", "user", "u1"), said("Keep too.", "user", "u2")]
    exchange = read(request, compacted(*kept, OPAQUE, usage=response_usage(5_000, 300, cached=1_000)))
    assert exchange.endpoint == "responses/compact"
    (announced,) = exchange.announced
    assert announced.kept == [0, 4]
    assert (announced.trigger, announced.tokens_before) == (Trigger.MANUAL, 5_000)
    assert announced.cost == Usage(4_000, 1_000, 0, 300)
    assert [call.purpose for call in exchange.calls] == ["compaction"]
    assert exchange.received == []


@pytest.mark.parametrize(
    ("items", "before"),
    [
        ([user("Keep."), OPAQUE, user("New.")], 0),  # as `/responses/compact` gave it: the user's messages stayed
        ([user("a"), said("b"), OPAQUE, user("New.")], 2),  # compacted in line, and nothing was taken out
        ([OPAQUE, user("New.")], 0),
    ],
)
def test_a_summary_sent_back_is_seen(items, before):
    (seen,) = read(asks(*items)).announced
    assert (seen.in_request, seen.before, seen.kind) == (True, before, CompactionKind.HOSTED_OPAQUE)


@pytest.mark.parametrize("last", [True, False])
def test_a_streamed_response_is_the_same(last):
    body = response(REASONING, CALL, said("Done."))
    request = asks(user("Go."))
    streamed = read(request, stream=response_events(body, last=last))
    whole = read(request, body)
    assert streamed.received == whole.received
    assert not last or streamed == whole


def test_a_response_cut_off_within_an_item_keeps_what_came():
    item = {"type": "message", "id": "m", "role": "assistant", "status": "in_progress", "content": []}
    events = [
        {"type": "response.created", "response": {"id": "resp_01", "model": "gpt-6-sol", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hel"},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "lo"},
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": '{"a":1}'},
        {"type": "error", "code": "server_error", "message": "Lost."},
    ]
    exchange = read(asks(user("Go.")), stream=events)
    assert exchange.received[0] == Spoken(Role.ASSISTANT, [Text("Hello")])
    assert exchange.error


@pytest.mark.parametrize(
    ("answer", "reason", "error"),
    [
        (response(status="incomplete", incomplete_details={"reason": "max_output_tokens"}), "max_output_tokens", ""),
        (response(status="failed", error={"code": "server_error", "message": "Oh."}), "failed", "server_error: Oh."),
        (
            {"error": {"type": "invalid_request_error", "message": "No.", "code": None}},
            "",
            "invalid_request_error: No.",
        ),
    ],
)
def test_a_response_that_failed_says_why(answer, reason, error):
    exchange = read(asks(user("Go.")), answer)
    assert (exchange.stop_reason, exchange.error) == (reason, error)


# --- chat completions -------------------------------------------------------------------------------------------------

TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": '{"path":"a.py"}'}}


def chat(*messages):
    return {"model": "gpt-6-sol", "messages": list(messages)}


def test_a_chat_completion_is_read_whole():
    request = chat({"role": "system", "content": "Be brief."}, user("Go."))
    message = {"content": "Reading.", "tool_calls": [TOOL_CALL], "refusal": None}
    details = {"prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10}}
    exchange = read(request, completion(message, "tool_calls", **details))
    assert (exchange.id, exchange.provider, exchange.endpoint) == ("chatcmpl-1", "openai", "chat/completions")
    assert exchange.system == [Text("Be brief.")]
    assert exchange.sent == [Spoken(Role.USER, [Text("Go.")])]
    assert exchange.received == [
        Spoken(Role.ASSISTANT, [Text("Reading."), ToolCall("read", "call_1", {"path": "a.py"})])
    ]
    assert exchange.calls == [Call(usage=Usage(30, 60, 10, 10), model="gpt-6-sol")]
    assert exchange.stop_reason == "tool_calls"


@pytest.mark.parametrize(
    ("message", "spoken"),
    [
        ({"role": "tool", "tool_call_id": "call_1", "content": "print(1)"},
         Spoken(Role.TOOL, [ToolResult("print(1)", "call_1")])),
        ({"role": "function", "name": "read", "content": "x"}, Spoken(Role.TOOL, [ToolResult("x", "read")])),
        ({"role": "assistant", "content": None, "function_call": {"name": "read", "arguments": "{}"}},
         Spoken(Role.ASSISTANT, [ToolCall("read", "", {})])),
        ({"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "custom", "custom":
            {"name": "patch", "input": "1"}}]}, Spoken(Role.ASSISTANT, [ToolCall("patch", "c", "1")])),
        ({"role": "assistant", "content": "", "reasoning_content": "hm", "refusal": "No."},
         Spoken(Role.ASSISTANT, [Thinking("hm"), Text("No.")])),
        ({"role": "assistant", "content": None, "audio": {"id": "a", "transcript": "Hi."}},
         Spoken(Role.ASSISTANT, [Text("Hi.")])),
        ({"role": "user", "content": [{"type": "text", "text": "See."}, {"type": "image_url", "image_url":
            {"url": "https://a.org/b.png"}}, {"type": "input_audio", "input_audio": {"data": "AAAA"}}]},
         Spoken(Role.USER, [Text("See."), Image("image"), Image("audio", 3)])),
    ],
)  # fmt: skip
def test_a_chat_message_is_what_it_says(message, spoken):
    assert read(chat(user("Go."), message), endpoint="v1/chat/completions").sent[1:] == [spoken]


def test_streamed_chunks_make_the_same_completion():
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    deltas = [
        {"role": "assistant", "content": ""},
        {"content": "Rea"},
        {"content": "ding."},
        {
            "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function", "function": {"name": "read", "arguments": ""}}
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"path":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '"a.py"}'}}]},
    ]
    streamed = read(chat(user("Go.")), stream=chunks(*deltas, finish="tool_calls", usage=usage))
    whole = read(chat(user("Go.")), completion({"content": "Reading.", "tool_calls": [TOOL_CALL]}, "tool_calls"))
    assert streamed == whole


@given(st.text(min_size=1, max_size=60), st.integers(1, 9))
def test_text_is_the_same_however_it_is_cut(text, size):
    deltas = [{"content": text[at : at + size]} for at in range(0, len(text), size)]
    streamed = read(chat(user("Go.")), stream=chunks({"role": "assistant"}, *deltas))
    assert streamed.received == [Spoken(Role.ASSISTANT, [Text(text)])]


def test_an_error_among_the_chunks_is_told():
    exchange = read(
        chat(user("Go.")), stream=[{"error": {"message": "Too many.", "code": "rate_limit"}, "choices": []}]
    )
    assert (exchange.error, exchange.received) == ("rate_limit: Too many.", [])
