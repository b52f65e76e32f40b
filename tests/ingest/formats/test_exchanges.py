import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.events import Problem
from conversations.ingest.exchange import Exchange
from conversations.ingest.formats.exchanges import READERS, read_exchange
from tests.ingest.formats.api import answer, ask, chunks, compacted, completion, read, response, response_usage, said

CHAT = {"model": "gpt-6-sol", "messages": [{"role": "user", "content": "Hello."}]}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "Hello."}]}]}


@pytest.mark.parametrize(
    ("request_body", "response_body", "endpoint", "provider"),
    [
        (ask("Hello."), answer("Hi."), "messages", "anthropic"),
        (ask("Hello."), None, "messages", "anthropic"),
        ({**ask("Hello."), "anthropic_version": "bedrock-2023-05-31"}, answer("Hi."), "messages", "bedrock"),
        ({**ask("Hello."), "anthropic_version": "vertex-2023-10-16"}, None, "messages", "vertex"),
        (ask("Hello."), {"input_tokens": 7}, "count_tokens", "anthropic"),
        ({"custom_id": "a", "params": ask("Hello.")}, None, "batches", "anthropic"),
        ({"model": "gpt-6-sol", "input": "Hello."}, None, "responses", "openai"),
        ({"model": "gpt-6-sol", "previous_response_id": "resp_1"}, None, "responses", "openai"),
        ({"prompt": {"id": "pmpt_1"}}, response(said("Hi.")), "responses", "openai"),
        ({"model": "m", "input": []}, compacted(usage=response_usage(1, 1)), "responses/compact", "openai"),
        (CHAT, completion({"content": "Hi."}), "chat/completions", "openai"),
        ({"messages": [{"role": "developer", "content": "Rules."}]}, None, "chat/completions", "openai"),
        ({"messages": [{"role": "system", "content": "Rules."}]}, None, "chat/completions", "openai"),
        ({"messages": [{"role": "tool", "tool_call_id": "c", "content": "x"}]}, None, "chat/completions", "openai"),
        (CONVERSE, None, "converse", "bedrock"),
    ],
)
def test_the_api_is_known_by_the_shape(request_body, response_body, endpoint, provider):
    exchange = read(request_body, response_body)
    assert (exchange.endpoint, exchange.provider) == (endpoint, provider)


def test_chunks_are_known_by_their_shape():
    assert read(CHAT, stream=chunks({"content": "Hi."})).endpoint == "chat/completions"


@pytest.mark.parametrize(
    ("named", "endpoint"),
    [
        ("messages", "messages"),
        ("/v1/messages?beta=true", "messages"),
        ("/anthropic/v1/messages", "messages"),
        ("/model/anthropic.claude/invoke-with-response-stream", "messages"),
        ("/v1/projects/p/publishers/anthropic/models/count-tokens:rawPredict", "count_tokens"),
        ("/v1/messages/count_tokens", "count_tokens"),
        ("/v1/messages/batches", "batches"),
        ("/v1/messages/batches/msgbatch_1/results", "batches"),
        ("v1/chat/completions", "chat/completions"),
        ("/openai/deployments/gpt/chat/completions?api-version=1", "chat/completions"),
        ("/model/m/converse-stream", "converse"),
    ],
)
def test_an_endpoint_is_known_by_its_name_or_path(named, endpoint):
    assert read(ask("Hello."), endpoint=named).endpoint == endpoint
    assert read(ask("Hello."), path=named).endpoint == endpoint


@pytest.mark.parametrize(
    ("item", "field", "message"),
    [
        ("text", "", "no object"),
        ({}, "request", "missing"),
        ({"request": []}, "request", "no object"),
        ({"request": {"prompt": "Human: hi"}}, "request", "no known API"),
        ({"request": ask("a"), "endpoint": "embeddings"}, "endpoint", "no endpoint"),
        ({"request": ask("a"), "id": 7}, "id", "no id"),
        ({"request": ask("a"), "conversation": ""}, "conversation", "no id"),
        ({"request": ask("a"), "parent": "x" * 201}, "parent", "no id"),
        ({"request": ask("a"), "agent": []}, "agent", "no text"),
        ({"request": ask("a"), "response": "Hi."}, "response", "no object"),
        ({"request": ask("a"), "stream": {}}, "stream", "no list"),
        ({"request": ask("a"), "at": "yesterday"}, "at", "no time"),
        ({"request": ask("a"), "duration_ms": -1}, "duration_ms", "no number"),
        ({"request": {"messages": "Hello."}}, "request.messages", "no list"),
        ({"request": {"requests": [{"custom_id": "a", "params": ask("a")}]}}, "request.requests", "batch as a whole"),
        ({"request": {"input": 7}}, "request.input", "no list"),
    ],
)
def test_a_problem_names_item_field_and_mend(item, field, message):
    problem = read_exchange(item, 3)
    assert isinstance(problem, Problem)
    assert (problem.line, problem.field) == (3, field)
    assert message in problem.message
    assert problem.mend


def test_an_exchange_that_nests_too_deep_is_a_problem():
    inner = []
    for _ in range(5_000):
        inner = [inner]
    deep = {"role": "user", "content": [{"type": "new", "inner": inner}]}
    problem = read_exchange({"request": ask(deep)}, 0)
    assert isinstance(problem, Problem)
    assert problem.code == "too_deep"


# --- whatever comes ---------------------------------------------------------------------------------------------------

_leaf = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False)
_WORDS = (
    "type", "text", "role", "content", "messages", "input", "id", "usage", "iterations", "compaction", "tool_use",
    "tool_result", "user", "assistant", "system", "edits", "context_management", "compact_20260112", "applied_edits",
    "clear_tool_uses_20250919", "cleared_tool_uses", "message_start", "content_block_start", "content_block_delta",
    "delta", "index", "content_block", "message", "message_delta", "output", "choices", "tool_calls", "function",
    "response", "response.completed", "response.output_item.added", "item", "output_index", "reasoning", "summary",
    "toolUse", "output_text", "response.output_text.delta", "contentBlockDelta", "contentBlockStart",
    "input_json_delta",
    "enabled_tools", "threshold", "source", "data", "thread", "params", "result", "model", "error", "toolResult",
    "compaction_delta", "signature", "arguments", "image_url", "stopReason", "messageStop", "start",
)  # fmt: skip
_word = st.sampled_from(_WORDS) | st.text(max_size=5)
_anything = st.recursive(
    _leaf | _word,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_word, inner, max_size=5),
    max_leaves=12,
)
_object = st.dictionaries(_word, _anything, max_size=4)


@given(
    _object,
    st.none() | _object,
    st.lists(_object, max_size=4),
    st.none() | _object,
    st.sampled_from(["", *READERS]),
)
def test_nothing_that_is_json_raises(request_body, response_body, stream, error, endpoint):
    item = {"request": request_body, "response": response_body, "stream": stream, "error": error}
    result = read_exchange({**item, "endpoint": endpoint}, 0)
    assert isinstance(result, Exchange | Problem)
    if isinstance(result, Exchange):
        assert result.id
        assert all(len(spoken.digest()) == 16 for spoken in [*result.sent, *result.received])


@given(_anything)
def test_no_item_raises(item):
    assert isinstance(read_exchange(item, 0), Exchange | Problem)


@given(st.lists(_anything, max_size=4), st.lists(_anything, max_size=4), st.sampled_from(["messages", "converse"]))
def test_no_content_raises(sent, received, endpoint):
    request_body = {"messages": [{"role": "user", "content": sent}, {"role": "assistant", "content": received}]}
    result = read_exchange({"request": request_body, "response": {"content": received}, "endpoint": endpoint}, 0)
    assert isinstance(result, Exchange)
