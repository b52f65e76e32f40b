import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.events import CompactionEvent, ConversationEvent, MessageEvent, RequestEvent, Usage
from conversations.ingest.formats.otlp import Moment, Source
from tests.ingest.formats.telemetry import SAID, START, of, record, records, span, spans, texts

DETAILS = "gen_ai.client.inference.operation.details"
GEMINI = Source({"service.name": "gemini-cli", "service.version": "0.61.0"})
SESSION = {"session__id": "s1"}


# --- the conventions' event -------------------------------------------------------------------------------------------


def test_event_of_the_conventions_is_an_exchange_of_its_span():
    told = record(DETAILS, span="a1", **SAID, **{"gen_ai.conversation.id": "c1", "gen_ai.usage.input_tokens": 40})

    [exchange] = records(told).exchanges

    assert (exchange.id, exchange.conversation, exchange.at) == ("a1", "c1", START)
    assert texts([*exchange.sent, *exchange.received]) == [("user", "Refund 8812"), ("assistant", "Done.")]
    assert exchange.calls[0].usage.input_tokens == 40


def test_event_may_tell_it_in_its_body():
    [exchange] = records(record(DETAILS, body={**SAID, "gen_ai.conversation.id": "c1"}, trace="t1")).exchanges

    assert (exchange.conversation, len(exchange.sent)) == ("t1", 1)


def test_event_without_words_is_the_same_request_as_its_span():
    [told] = of(records(record(DETAILS, span="a1", **{"gen_ai.conversation.id": "c1"})), RequestEvent)
    [same] = of(spans(span("a1", told={"gen_ai.operation.name": "chat", "gen_ai.conversation.id": "c1"})), RequestEvent)

    assert (told.id, told.conversation) == (same.id, same.conversation)


CALL = {"id": "t1", "type": "function", "function": {"name": "get", "arguments": {"id": 1}}}


def one_by_one(**fields):
    """As OpenLLMetry tells it, a choice for each block."""
    bodies = [
        ("gen_ai.system.message", {"content": "Be kind."}),
        ("gen_ai.user.message", {"content": "Refund 8812"}),
        ("gen_ai.assistant.message", {"content": "I look."}),
        ("gen_ai.user.message", {"content": [{"type": "tool_result", "tool_use_id": "t0", "content": "paid"}]}),
        ("gen_ai.choice", {"message": {"content": "Done."}}),
        ("gen_ai.choice", {"message": {"content": None}, "tool_calls": [CALL]}),
    ]
    return [record(name, after=n, body=body, span="a1", trace="t1", **fields) for n, (name, body) in enumerate(bodies)]


def test_messages_told_one_an_event_are_one_call_of_which_the_new_ones_are_taken():
    reading = records(*one_by_one())

    [exchange] = reading.exchanges
    assert (exchange.id, exchange.conversation, exchange.whole, exchange.at) == ("a1", "t1", False, START)
    assert [block.text for block in exchange.system] == ["Be kind."]
    assert texts(exchange.sent) == [("tool", "paid")]
    assert texts(exchange.received) == [("assistant", "Done.", None)]
    assert exchange.received[0].blocks[1].input == {"id": 1}
    assert reading.accepted == 6


def test_messages_that_were_not_answered_are_waited_for():
    reading = records(*one_by_one()[:4])

    assert (reading.exchanges, reading.ignored.total()) == ([], 4)


def test_events_of_a_span_tell_the_whole_context():
    moments = [Moment(told.name, told.at, {"gen_ai.event.content": json.dumps(told.body)}) for told in one_by_one()]

    [exchange] = spans(span("a1", told={"gen_ai.operation.name": "chat"}, moments=moments)).exchanges

    assert exchange.whole
    assert [str(said.role) for said in exchange.sent] == ["user", "assistant", "tool"]
    assert texts(exchange.received) == [("assistant", "Done.", None)]


# --- Claude Code ------------------------------------------------------------------------------------------------------

TURN = {**SESSION, "prompt__id": "p1"}
TOKENS = {"input_tokens": 3, "output_tokens": 42, "cache_read_tokens": 12_000, "cache_creation_tokens": 1_000}


def test_claude_codes_request_stands_where_it_was_sent():
    told = record(
        "claude_code.api_request", after=9, **TURN, **TOKENS, model="opus", request_id="r1", duration_ms="500"
    )

    [request] = of(records(told), RequestEvent)

    assert (request.id, request.conversation, request.model, request.purpose) == ("r1", "s1", "opus", "turn")
    assert request.usage == Usage(3, 12_000, 1_000, 42)
    assert (request.at - START).total_seconds() == 8.5


@pytest.mark.parametrize("numbers", [TOKENS, {name: str(value) for name, value in TOKENS.items()}])
def test_numbers_come_as_text_too(numbers):
    told = record("claude_code.api_request", **TURN, **numbers, query_source="compact")

    [request] = of(records(told), RequestEvent)

    assert (request.usage, request.purpose) == (Usage(3, 12_000, 1_000, 42), "compaction")


COMPACTIONS = [
    ({"success": "true", "trigger": "manual"}, "absent", "manual", ""),
    ({"success": True, "trigger": "auto"}, "absent", "auto", ""),
    ({"success": "false", "trigger": "auto", "error": "Aborted"}, "failed", "auto", "Aborted"),
    ({"trigger": "snip"}, "absent", "unknown", ""),
]


@pytest.mark.parametrize(("told", "state", "trigger", "error"), COMPACTIONS)
def test_claude_codes_compaction_tells_how_it_went(told, state, trigger, error):
    reading = records(
        record("claude_code.compaction", **TURN, pre_tokens="900", post_tokens="90", duration_ms="7", **told)
    )

    [compaction] = of(reading, CompactionEvent)
    [conversation] = of(reading, ConversationEvent)
    assert (compaction.summary_state, compaction.trigger, compaction.error) == (state, trigger, error)
    assert (compaction.tokens_before, compaction.tokens_after, compaction.duration_ms) == (900, 90, 7)
    assert (conversation.complete, conversation.agent) == (False, "refunds")


def test_claude_codes_span_and_record_of_a_compaction_are_one():
    told = record("claude_code.compaction", span="turn", trace="t", **TURN, pre_tokens="900", success="true")
    attributes = {"session.id": "s1", "pre_compact_tokens": 900, "post_compact_tokens": 90, "success": True}
    same = span("k", parent="turn", name="claude_code.compaction", told=attributes)

    assert of(records(told), CompactionEvent)[0].id == of(spans(same), CompactionEvent)[0].id


def test_two_compactions_of_one_turn_are_two():
    told = [record("claude_code.compaction", after=n, span="turn", **TURN, pre_tokens=str(n)) for n in (800, 900)]

    assert len({compaction.id for compaction in of(records(*told), CompactionEvent)}) == 2


def test_claude_codes_summary_is_read_where_it_is_told():
    answer = "<analysis>Long.</analysis>\n\n<summary>\nThe order 8812.\n</summary>"
    told = [
        record("claude_code.assistant_response", after=1, **TURN, response=answer, query_source="compact"),
        record("claude_code.compaction", after=2, **TURN, pre_tokens="900", success="true"),
    ]

    reading = records(*told)

    [compaction] = of(reading, CompactionEvent)
    assert (compaction.summary, compaction.summary_state) == ("The order 8812.", "text")
    assert not of(reading, MessageEvent)


def test_summary_of_another_turn_is_not_taken():
    told = [
        record("claude_code.assistant_response", **SESSION, prompt__id="p0", response="Old.", query_source="compact"),
        record("claude_code.compaction", after=2, **TURN, pre_tokens="900", success="true"),
    ]

    assert of(records(*told), CompactionEvent)[0].summary is None


SPOKEN = [
    ("claude_code.user_prompt", {"prompt": "Refund 8812", "message.uuid": "u1"}, "u1", "user"),
    ("claude_code.assistant_response", {"response": "Done.", "message.uuid": "u2"}, "u2", "assistant"),
    ("codex.user_prompt", {"prompt": "Refund 8812"}, None, "user"),
    ("gemini_cli.user_prompt", {"prompt": "Refund 8812"}, None, "user"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "told", "key", "role"), SPOKEN)
def test_prompts_and_answers_are_messages_where_they_are_told(name, told, key, role):
    [message] = of(records(record(name, **SESSION, **told)), MessageEvent)

    assert (message.role, message.content[0].text) == (role, told.get("prompt") or told["response"])
    assert key is None or message.id == key


@pytest.mark.parametrize("name", ["claude_code.user_prompt", "claude_code.assistant_response"])
def test_redacted_words_are_no_message(name):
    reading = records(record(name, **TURN, prompt="<REDACTED>", response="<REDACTED>"))

    assert (reading.events, dict(reading.ignored)) == ([], {name: 1})


# --- Codex ------------------------------------------------------------------------------------------------------------

COUNTS = {"input_token_count": 100, "output_token_count": 9, "cached_token_count": 40, "cache_write_token_count": 10}


@pytest.mark.parametrize("name", ["codex.sse_event", "codex.websocket_event"])
def test_codexs_answer_is_a_request_without_the_cache_in_its_input(name):
    told = {"conversation__id": "c1", "event__kind": "response.completed", "model": "gpt", **COUNTS}

    [request] = of(records(record(name, **told)), RequestEvent)

    assert (request.conversation, request.model, request.usage) == ("c1", "gpt", Usage(50, 40, 10, 9))


def test_other_events_of_codexs_stream_are_passed_over():
    reading = records(record("codex.sse_event", conversation__id="c1", event__kind="response.output_text.delta"))

    assert (reading.events, reading.ignored["codex.sse_event"]) == ([], 1)


def test_codex_tells_its_window():
    told = records(record("codex.conversation_starts", conversation__id="c1", context_window=258_400))

    assert [event.context_window for event in of(told, ConversationEvent)][-1] == 258_400


# --- Gemini CLI -------------------------------------------------------------------------------------------------------

RESPONSE = {
    "model": "gemini-2.5-pro",
    "duration_ms": 1000,
    "input_token_count": 12_000,
    "output_token_count": 350,
    "cached_content_token_count": 8_000,
    "thoughts_token_count": 420,
}


def test_geminis_answer_is_told_twice_and_counted_once():
    stamp = {**SESSION, "event__timestamp": "2026-11-22T14:00:05.250Z"}
    told = [
        record("gemini_cli.api_response", after=5, source=GEMINI, span="turn", **stamp, **RESPONSE),
        record(DETAILS, after=5, source=GEMINI, span="turn", **stamp, **{"gen_ai.usage.input_tokens": 12_000}),
    ]

    [request] = of(records(*told), RequestEvent)

    assert request.usage == Usage(4_000, 8_000, None, 770)


def test_geminis_words_make_the_same_call_an_exchange():
    stamp = {**SESSION, "event__timestamp": "2026-11-22T14:00:05.250Z"}
    told = [
        record("gemini_cli.api_response", after=5, source=GEMINI, **stamp, **RESPONSE),
        record(DETAILS, after=5, source=GEMINI, **stamp, **SAID),
    ]

    reading = records(*told)

    assert [exchange.id for exchange in reading.exchanges] == [request.id for request in of(reading, RequestEvent)]


@pytest.mark.parametrize(("after", "state"), [(90, "absent"), (900, "failed"), (950, "failed"), (None, "absent")])
def test_geminis_compression_failed_if_nothing_became_smaller(after, state):
    told = record("gemini_cli.chat_compression", source=GEMINI, **SESSION, tokens_before=900, tokens_after=after)

    [compaction] = of(records(told), CompactionEvent)

    assert (compaction.summary_state, compaction.tokens_before, compaction.tokens_after) == (state, 900, after)


# --- all of them ------------------------------------------------------------------------------------------------------


def test_record_of_no_conversation_is_passed_over():
    assert dict(records(record("claude_code.api_request", **TOKENS)).ignored) == {"claude_code.api_request": 1}


def test_framework_may_tell_of_a_compaction_in_a_record():
    told = record("agent.compacted", **SESSION, compaction__strategy="truncate", compaction__tokens_before=900)

    [compaction] = of(records(told), CompactionEvent)

    assert (compaction.kind, compaction.tokens_before) == ("truncation", 900)


@given(st.permutations(range(4)))
def test_order_of_the_records_says_nothing_and_repeats_have_the_same_ids(order):
    told = [
        record("claude_code.user_prompt", after=0, **TURN, prompt="Refund 8812"),
        record("claude_code.api_request", after=1, **TURN, **TOKENS),
        record("claude_code.compaction", after=2, **TURN, pre_tokens="900"),
        record("claude_code.api_request", after=3, **TURN, **TOKENS),
    ]

    reading = records(*(told[place] for place in order))

    assert reading == records(*told)
    assert {each.id for each in records(*told, *told).events} == {each.id for each in reading.events}
    assert len({each.id for each in of(reading, RequestEvent)}) == 2
