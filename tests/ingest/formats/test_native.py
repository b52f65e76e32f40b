import gzip
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.errors import BadInput, TooLarge
from conversations.ingest.events import CompactionEvent, Event, MessageEvent, Problem, RequestEvent, Text, ToolCall
from conversations.ingest.formats.native import decode_batch
from conversations.ingest.formats.native_checks import Limits
from tests.ingest.formats.test_lines import ANY_JSON


def message(key="m1", **fields):
    return {"type": "message", "id": key, "conversation": "c1", "role": "user", "content": "Hi"} | fields


def request(**fields):
    return {"type": "request", "id": "r1", "conversation": "c1"} | fields


def compaction(**fields):
    return {"type": "compaction", "id": "x1", "conversation": "c1"} | fields


def body(*events, shape="batch"):
    if shape == "lines":
        return b"\n".join(json.dumps(event).encode() for event in events) + b"\n"
    return json.dumps({"events": events} if shape == "batch" else events).encode()


def results(raw, **limits):
    items = decode_batch(raw, Limits(**limits))
    assert [item.index for item in items] == list(range(len(items)))
    return [item.result for item in items]


@pytest.mark.parametrize("shape", ["batch", "list", "lines"])
def test_batch_is_read_in_every_shape(shape):
    events = [message(), request(), compaction()]

    assert [type(event) for event in results(body(*events, shape=shape))] == [
        MessageEvent,
        RequestEvent,
        CompactionEvent,
    ]


def test_single_event_over_several_lines_is_a_batch_of_one():
    [event] = results(json.dumps(message(), indent=2).encode())

    assert event == MessageEvent(id="m1", conversation="c1", role="user", content="Hi")


@pytest.mark.parametrize("raw", [b'{"events": []}', b"[]"])
def test_empty_batch_holds_nothing(raw):
    assert results(raw) == []


def test_unknown_fields_are_ignored():
    [event] = results(body(message(mood="fine")))

    assert isinstance(event, MessageEvent)


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-11-22T13:55:22Z", datetime(2026, 11, 22, 13, 55, 22, tzinfo=UTC)),
        ("2026-11-22T13:55:22", datetime(2026, 11, 22, 13, 55, 22, tzinfo=UTC)),
        ("2026-11-22T14:55:22+01:00", datetime(2026, 11, 22, 13, 55, 22, tzinfo=UTC)),
    ],
)
def test_time_without_a_zone_is_utc(written, at):
    [event] = results(body(message(at=written)))

    assert event.at == at
    assert event.at.utcoffset() in (timedelta(0), timedelta(hours=1))


CALL = {"type": "tool_call", "name": "x", "input": {"a": [[[[1]]]]}}


@pytest.mark.parametrize(
    ("event", "code", "at", "said", "mend"),
    [
        ({"type": "message", "id": "m1"}, "bad_field", "conversation", "missing required field", 'Add "conversation".'),
        (message(role="boss"), "bad_field", "role", "'boss'", "user, assistant, system, tool"),
        (message(origin="moon"), "bad_field", "origin", "'moon'", "spoken, queued"),
        (message(at="yesterday"), "bad_field", "at", "datetime", "2026-11-22T13:55:22.590Z"),
        (message(content=[{"type": "text", "text": 5}]), "bad_field", "content[0].text", "Expected `str`", "schema"),
        (message(content=[{"type": "txt"}]), "bad_field", "content[0].type", "'txt'", "tool_result"),
        (message(content=[{"type": "tool_call"}]), "bad_field", "content[0].name", "missing", 'Add "name"'),
        (message(content=[{"type": "image", "bytes": -1}]), "bad_field", "content[0].bytes", "between", "unknown"),
        (message(content=[CALL]), "too_deep", "", "deeper than 4", "Flatten"),
        (message(""), "bad_field", "id", "is empty", "Give the id"),
        (message(conversation="  "), "bad_field", "conversation", "is empty", "Give the id"),
        (message("x" * 513), "bad_field", "id", "513 characters", "Shorten"),
        (message("a\0b"), "bad_field", "id", "cannot be stored", "plain text"),
        (message("a\ud83d"), "bad_field", "id", "cannot be stored", "plain text"),
        (message(sequence=2**63), "bad_field", "sequence", "too large", "2^63"),
        (message(agent="x" * 201), "bad_field", "agent", "201 characters", "Shorten"),
        ({"type": "letter"}, "unknown_type", "type", "'letter'", "message, request"),
        ({"id": "m1"}, "unknown_type", "type", "missing", 'Add "type"'),
        ("text", "bad_field", "", "Expected `object`", "schema"),
        (request(usage={"input_tokens": -1}), "bad_field", "usage.input_tokens", "-1", "Leave it out"),
        (request(purpose="fun"), "bad_field", "purpose", "fun", "turn"),
        (compaction(kept=["a", ""]), "bad_field", "kept[1]", "empty", "id"),
        (compaction(cost={"output_tokens": 2**40}), "bad_field", "cost.output_tokens", "2,147,483,647", "Leave it out"),
        (compaction(raw={"a": [[[[1]]]]}), "too_deep", "", "deeper", "Flatten"),
        ({"type": "conversation", "conversation": "c", "context_window": -5}, "bad_field", "context_window", "-5", ""),
    ],
)  # fmt: skip
def test_wrong_event_is_told_with_field_and_mend_and_spares_the_others(event, code, at, said, mend):
    first, problem, last = results(body(message("a"), event, message("b")), depth=4)

    assert (first.id, last.id) == ("a", "b")
    assert (problem.code, problem.field, problem.line) == (code, at, 1)
    assert said in problem.message
    assert mend in problem.mend
    assert problem.raw


def test_broken_line_is_told_by_its_number_and_spares_the_others():
    raw = body(message("a"), shape="lines") + b'{"type": "mess\n' + body(message("b"), shape="lines")

    first, problem, last = results(raw)

    assert (first.id, last.id) == ("a", "b")
    assert (problem.code, problem.line, problem.raw) == ("bad_json", 2, '{"type": "mess')


def test_line_that_nests_too_deep_is_refused_alone():
    start = json.dumps(message(content=[CALL | {"input": "deep"}])).encode()
    bomb = start.replace(b'"deep"', b"[" * 100_000 + b"]" * 100_000) + b"\n"

    first, problem, last = results(body(message(), shape="lines") + bomb + body(message("m2"), shape="lines"))

    assert (first.id, problem.code, problem.line, last.id) == ("m1", "too_deep", 2, "m2")


@pytest.mark.parametrize("shape", ["batch", "list", "lines"])
def test_characters_that_cannot_be_stored_are_replaced_in_texts(shape):
    events = results(body(message(content="nul \0, half \ud83d"), message("m2"), shape=shape))

    assert [event.content for event in events] == ["nul \ufffd, half \ufffd", "Hi"]


@pytest.mark.parametrize("shape", ["batch", "list", "lines"])
def test_numbers_that_are_none_become_null(shape):
    [event] = results(body(message(content=[CALL | {"input": {"a": float("nan")}}]), shape=shape))

    assert event.content == [ToolCall(name="x", input={"a": None})]


def test_event_over_the_limit_is_refused_alone():
    small, problem = results(body(message(), message("m2", content="x" * 300)), event_bytes=200)

    assert small.id == "m1"
    assert (problem.code, problem.line) == ("too_large", 1)


@pytest.mark.parametrize("shape", ["batch", "list", "lines"])
@pytest.mark.parametrize("broken", [{}, {"role": "boss"}], ids=["the fast way", "the careful way"])
def test_too_many_events_are_refused_as_a_whole(shape, broken):
    with pytest.raises(TooLarge, match="3 events; at most 2"):
        results(body(message(), message("m2"), message("m3", **broken), shape=shape), events=2)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", BadInput),
        (b"hello", BadInput),
        (b'"text"', BadInput),
        (gzip.compress(b"{}", mtime=0), BadInput),
        (b'{"events": 5}', BadInput),
        (b'{"events": null}', BadInput),
        (b'{"events": [{"type": "mess', BadInput),
        (b'[{"type": "message"}', BadInput),
        (b'{"events": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", TooLarge),
        (b"[" * 100_000, TooLarge),
        (b"[NaN, " + b"[" * 100_000 + b"]" * 100_000 + b"]", TooLarge),
    ],
)
def test_what_is_no_batch_is_refused_with_a_way_to_mend_it(raw, error):
    with pytest.raises(error) as caught:
        decode_batch(raw)

    assert caught.value.mend


@given(st.binary() | ANY_JSON.map(json.dumps).map(str.encode) | st.lists(ANY_JSON).map(lambda events: body(*events)))
@settings(max_examples=200, deadline=None)
def test_any_body_ends_in_events_problems_or_a_refusal(raw):
    try:
        items = decode_batch(raw)
    except BadInput:
        return
    assert all(isinstance(item.result, Event | Problem) for item in items)


EVENT_FIELDS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["message", "request", "compaction", "conversation"]),
        "id": st.text(),
        "conversation": st.text(),
    },
    optional=dict.fromkeys(("role", "content", "usage", "kept", "cleared", "raw", "at", "sequence", "model"), ANY_JSON),
)


@given(st.lists(EVENT_FIELDS, max_size=5), st.sampled_from(["batch", "list", "lines"]))
@settings(max_examples=80, deadline=None)
def test_what_is_accepted_can_be_stored_and_read_again(events, shape):
    raw = body(*events, shape=shape) if events else b"[]"
    accepted = [result for result in results(raw) if not isinstance(result, Problem)]

    assert results(msgspec.json.encode(accepted)) == accepted


def test_text_content_is_one_block():
    [event] = results(body(message()))

    assert event.blocks() == [Text("Hi")]
