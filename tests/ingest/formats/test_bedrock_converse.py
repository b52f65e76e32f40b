import pytest

from conversations.ingest.events import Image, Text, Thinking, ToolCall, ToolResult, Usage
from conversations.ingest.exchange import Spoken
from conversations.vocabulary import Role
from tests.ingest.formats.api import read

CALL = {"toolUse": {"toolUseId": "t1", "name": "read", "input": {"path": "a.py"}}}


def asks(*content, **fields):
    return {
        "modelId": "anthropic.claude-opus-4-6-v1:0",
        "messages": [{"role": "user", "content": list(content)}],
        **fields,
    }


def answers(*content, reason="end_turn"):
    usage = {"inputTokens": 30, "outputTokens": 5, "totalTokens": 135, "cacheReadInputTokens": 100}
    message = {"role": "assistant", "content": list(content)}
    return {"output": {"message": message}, "stopReason": reason, "usage": usage, "metrics": {"latencyMs": 7}}


def test_a_converse_exchange_is_read_whole():
    request = asks({"text": "Go."}, {"cachePoint": {"type": "default"}}, system=[{"text": "Be brief."}])
    exchange = read(request, answers({"text": "Reading."}, CALL, reason="tool_use"))
    assert (exchange.provider, exchange.endpoint) == ("bedrock", "converse")
    assert exchange.model == "anthropic.claude-opus-4-6-v1:0"
    assert exchange.system == [Text("Be brief.")]
    assert exchange.sent == [Spoken(Role.USER, [Text("Go.")])]
    assert exchange.received == [Spoken(Role.ASSISTANT, [Text("Reading."), ToolCall("read", "t1", {"path": "a.py"})])]
    assert exchange.calls[0].usage == Usage(30, 100, None, 5)
    assert exchange.stop_reason == "tool_use"


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"toolResult": {"toolUseId": "t1", "content": [{"text": "a"}, {"json": {"b": 1}}]}},
         ToolResult('a\n{"b":1}', "t1")),
        ({"toolResult": {"toolUseId": "t1", "content": [{"text": "no"}], "status": "error"}},
         ToolResult("no", "t1", is_error=True)),
        ({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}, Thinking("hm")),
        ({"image": {"format": "png", "source": {"bytes": "AAAA"}}}, Image("image/png", 3)),
        ({"document": {"format": "pdf", "name": "d", "source": {"s3Location": {"uri": "s3://b"}}}},
         Image("document/pdf")),
    ],
)  # fmt: skip
def test_a_block_is_known_by_its_key(block, said):
    assert read(asks(block)).sent[0].blocks == [said]


def test_a_streamed_answer_is_the_same():
    events = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "h"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "m"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "Rea"}}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "ding."}}},
        {"contentBlockStart": {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "read"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"path":'}}}},
        {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '"a.py"}'}}}},
        {"contentBlockStop": {"contentBlockIndex": 2}},
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": answers()["usage"], "metrics": {"latencyMs": 7}}},
    ]
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}
    whole = read(asks({"text": "Go."}), answers(thought, {"text": "Reading."}, CALL, reason="tool_use"), id="x")
    assert read(asks({"text": "Go."}), stream=events, id="x") == whole


def test_an_exception_ends_the_stream():
    events = [
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Rea"}}},
        {"throttlingException": {"message": "Slow down."}},
    ]
    exchange = read(asks({"text": "Go."}), stream=events)
    assert exchange.received == [Spoken(Role.ASSISTANT, [Text("Rea")])]
    assert exchange.error == "throttlingException: Slow down."
