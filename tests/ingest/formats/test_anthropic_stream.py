import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.events import Text, ToolCall
from conversations.ingest.exchange import Spoken
from conversations.vocabulary import Role
from tests.ingest.formats.api import COMPACT, answer, ask, iteration, read, streamed

REQUEST = ask("Go.", context_management={"edits": [COMPACT]})

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
_text = st.text(min_size=1, max_size=40)
_blocks = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text, "citations": None}, _text),
    st.builds(lambda text: {"type": "thinking", "thinking": text, "signature": "sig"}, _text),
    st.builds(
        lambda key, given: {"type": "tool_use", "id": key, "name": "n", "input": given},
        _text,
        st.dictionaries(st.text(max_size=4), _json, max_size=3),
    ),
    st.builds(lambda text: {"type": "compaction", "content": text}, st.none() | _text),
    st.builds(lambda text: {"type": "compaction", "content": text, "signature": "sig"}, _text),
    st.just({"type": "redacted_thinking", "data": "x"}),
)
_usages = st.just({}) | st.builds(
    lambda read_tokens, written: {
        "iterations": [iteration("compaction", read_tokens, written), iteration("message", 5, 6)]
    },
    st.integers(0, 10**6),
    st.integers(0, 10**5),
)


@given(st.lists(_blocks, max_size=5), _usages, st.integers(1, 7))
def test_streamed_is_as_good_as_not_streamed(blocks, usage, pieces):
    applied = {"type": "clear_tool_uses_20250919", "cleared_tool_uses": 1, "cleared_input_tokens": 2}
    message = answer(*blocks, usage=usage, context_management={"applied_edits": [applied]})
    assert read(REQUEST, stream=streamed(message, pieces)) == read(REQUEST, message)


@given(st.lists(_blocks, min_size=1, max_size=4), st.data())
def test_a_stream_that_was_cut_off_gives_what_came(blocks, data):
    whole = streamed(answer(*blocks))
    cut = data.draw(st.integers(0, len(whole) - 1))
    exchange = read(REQUEST, stream=whole[:cut])
    full = "".join(_texts(read(REQUEST, stream=whole)))
    assert full.startswith("".join(_texts(exchange)))


def _texts(exchange):
    return [block.text for said in exchange.received for block in said.blocks if isinstance(block, Text)]


def test_a_call_cut_off_within_its_input_keeps_it_as_text():
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {"path": "a/long/path"}}
    events = streamed(answer(call), pieces=2)
    (said,) = read(REQUEST, stream=events[:4]).received
    assert said == Spoken(Role.ASSISTANT, [ToolCall("n", "t", '{"path": "a/')])


def test_an_error_in_the_middle_keeps_both():
    events = streamed(answer("Hello there."), pieces=2)[:3]
    failure = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    exchange = read(REQUEST, stream=[*events, failure])
    assert _texts(exchange) == ["Hello "]
    assert exchange.error == "overloaded_error: Overloaded"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda event: {"event": event["type"], "data": event},
        lambda event: {"chunk": {"bytes": base64.b64encode(json.dumps(event).encode()).decode()}},
        lambda event: {"bytes": base64.b64encode(json.dumps(event).encode()).decode()},
    ],
)
def test_events_are_taken_out_of_their_envelopes(wrap):
    message = answer("Hello.", usage={"cache_read_input_tokens": 7})
    assert read(REQUEST, stream=[wrap(event) for event in streamed(message)]) == read(REQUEST, message)


def test_a_broken_envelope_is_passed_over():
    events = [{"chunk": {"bytes": "!!"}}, {"chunk": {"bytes": "AAAA"}}, *streamed(answer("Hello."))]
    assert _texts(read(REQUEST, stream=events)) == ["Hello."]


def test_ids_and_counts_come_from_both_ends_of_the_stream():
    usage = {"input_tokens": 9, "cache_read_input_tokens": 100, "output_tokens": 42}
    events = streamed(answer("Hello.", usage=usage))
    events[-2]["usage"] = {"output_tokens": 42}
    exchange = read(REQUEST, stream=events)
    assert exchange.id == "msg_01"
    assert exchange.calls[0].usage.input_tokens == 9
    assert exchange.calls[0].usage.output_tokens == 42
