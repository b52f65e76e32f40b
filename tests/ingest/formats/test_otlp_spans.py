"""Which spans are model calls, and of which conversation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.events import ConversationEvent, RequestEvent
from conversations.ingest.formats.otlp import Source
from tests.ingest.formats.telemetry import ADK, ASKED, SAID, TRACE, chat, of, only, span, spans

READ = [("user", "Refund 8812"), ("assistant", "Done.")]


# --- which spans are model calls --------------------------------------------------------------------------------------

CALLS = [
    ({"gen_ai.operation.name": "chat"}, True),
    ({"gen_ai.operation.name": "generate_content"}, True),
    ({"gen_ai.operation.name": "text_completion"}, True),
    ({"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 9}, False),
    ({"gen_ai.operation.name": "execute_tool"}, False),
    ({"gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 9}, False),
    ({"openinference.span.kind": "LLM"}, True),
    ({"openinference.span.kind": "CHAIN", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 9}, False),
    ({"traceloop.span.kind": "workflow"}, False),
    ({"llm.request.type": "chat"}, True),
    ({"llm.request.type": "embedding"}, False),
    ({"gen_ai.system": "openai", "gen_ai.request.model": "m", "gen_ai.usage.prompt_tokens": 9}, True),
    ({"gen_ai.request.model": "m"}, False),  # Anthropic's count_tokens
    ({"http.request.method": "GET"}, False),
    ({}, False),
]


@pytest.mark.parametrize(("told", "is_call"), CALLS)
def test_model_calls_are_told_from_everything_else(told, is_call):
    reading = spans(span(told=told))

    assert bool(of(reading, RequestEvent)) is is_call
    assert (reading.accepted, dict(reading.ignored)) == ((1, {}) if is_call else (0, {"chat": 1}))


def test_counting_tokens_is_no_call():
    assert not of(spans(span(told={"openinference.span.kind": "LLM"}, name="messages.count_tokens")), RequestEvent)


# --- whose it is ------------------------------------------------------------------------------------------------------

CONVERSATIONS = [
    {"gen_ai.conversation.id": "c1", "session.id": "s1"},
    {"session.id": "c1"},
    {"traceloop.association.properties.session_id": "c1"},
    {"gcp.vertex.agent.session_id": "c1"},
]


@pytest.mark.parametrize("told", CONVERSATIONS)
def test_conversation_is_named_by_the_span(told):
    assert only(span(told={"gen_ai.operation.name": "chat", **SAID, **told})).conversation == "c1"


def nameless(key, **fields):
    return span(key, told={"gen_ai.operation.name": "chat", **SAID}, **fields)


def test_conversation_is_named_by_what_stands_above_wherever_it_comes():
    told = [
        nameless("3", parent="2"),
        span("2", parent="1", name="turn"),
        span("1", name="agent", told={"session.id": "c1", "gen_ai.agent.name": "helper"}),
    ]

    for order in (told, told[::-1]):
        exchange = only(*order)
        assert (exchange.conversation, exchange.agent) == ("c1", "helper")


def test_spans_that_stand_above_each_other_end_the_search():
    assert only(nameless("1", parent="2"), span("2", parent="1")).conversation == TRACE


def test_conversation_is_the_one_that_the_rest_of_the_trace_names():
    exchanges = spans(nameless("1", parent="9"), chat("2", told=SAID)).exchanges

    assert {exchange.conversation for exchange in exchanges} == {"c1"}


def test_conversation_without_a_name_is_its_trace():
    exchanges = spans(nameless("1", parent="9"), nameless("2", parent="9", after=1)).exchanges

    assert {exchange.conversation for exchange in exchanges} == {TRACE}


def test_call_that_is_its_own_trace_is_recognised_by_its_words():
    assert only(nameless("1")).conversation == ""


def test_call_without_words_is_a_conversation_of_its_trace():
    [request] = of(spans(span(told={"gen_ai.operation.name": "chat"})), RequestEvent)

    assert request.conversation == TRACE


def test_resource_names_the_conversation_last():
    source = Source({"session.id": "c9", "service.name": "unknown_service:python"})

    exchange = only(span(told={"gen_ai.operation.name": "chat", **SAID}, source=source))

    assert (exchange.conversation, exchange.agent) == ("c9", "")


# --- failures ---------------------------------------------------------------------------------------------------------


def test_call_that_failed_was_not_answered():
    exchange = only(chat(told={"gen_ai.input.messages": [ASKED]}, error="overloaded_error"))

    assert (exchange.error, exchange.received, exchange.calls) == ("overloaded_error", [], [])


def test_call_without_words_that_failed_says_nothing():
    assert spans(chat(error="timeout")).events == []


# --- order ------------------------------------------------------------------------------------------------------------


@given(st.permutations(range(5)))
def test_order_of_the_spans_says_nothing(order):
    told = [
        span("1", name="agent", told={"session.id": "c1"}),
        nameless("2", parent="1", after=1),
        nameless("3", parent="1", after=2),
        span("4", parent="1", after=3, told={**ADK, "gen_ai.conversation.id": None}),
        span("5", parent="1", after=4, told={"gen_ai.operation.name": "chat"}),
    ]

    assert spans(*(told[place] for place in order)) == spans(*told)


def test_whose_a_conversation_is_needs_to_be_said_once():
    reading = spans(*(chat(str(number), after=number) for number in range(5)))

    assert len(of(reading, ConversationEvent)) == 1
