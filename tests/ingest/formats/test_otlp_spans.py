import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.events import CompactionEvent, ConversationEvent, RequestEvent, Usage
from conversations.ingest.formats.otlp import Moment, Source
from tests.ingest.formats.telemetry import ASKED, DONE, SAID, START, TRACE, chat, of, span, spans, texts

READ = [("user", "Refund 8812"), ("assistant", "Done.")]


def only(*told):
    """The one exchange that the spans tell of."""
    [exchange] = spans(*told).exchanges
    return exchange


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


# --- names of tokens --------------------------------------------------------------------------------------------------

READ_10, WRITTEN_7 = {"gen_ai.usage.cache_read.input_tokens": 10}, {"gen_ai.usage.cache_write.input_tokens": 7}
USAGES = [
    ({"gen_ai.usage.input_tokens": 40, "gen_ai.usage.output_tokens": 5}, Usage(40, None, None, 5)),
    ({"gen_ai.usage.input_tokens": 40, **READ_10, **WRITTEN_7}, Usage(23, 10, 7, None)),
    ({"gen_ai.usage.input_tokens": 40, "gen_ai.usage.cache_creation.input_tokens": 7}, Usage(33, None, 7, None)),
    ({"gen_ai.usage.input_tokens": 40, "gen_ai.usage.cache_read_input_tokens": 10}, Usage(30, 10, None, None)),
    ({"gen_ai.usage.input_tokens": 40, "gen_ai.usage.cache_creation_input_tokens": 0}, Usage(40, None, 0, None)),
    ({"gen_ai.usage.input_tokens": 3, "gen_ai.usage.cache_read_input_tokens": 12000}, Usage(3, 12000, None, None)),
    ({"gen_ai.usage.prompt_tokens": 40, "gen_ai.usage.completion_tokens": 5}, Usage(40, None, None, 5)),
    ({"llm.usage.prompt_tokens": 40, "llm.usage.completion_tokens": 5}, Usage(40, None, None, 5)),
    ({"llm.token_count.prompt": 40, "llm.token_count.completion": 5}, Usage(40, None, None, 5)),
    ({"llm.token_count.prompt": 40, "llm.token_count.prompt_details.cache_read": 10}, Usage(30, 10, None, None)),
    ({"llm.token_count.prompt": 40, "llm.token_count.prompt_details.cache_write": 7}, Usage(33, None, 7, None)),
    ({"input_tokens": 3, "cache_read_tokens": 12000, "cache_creation_tokens": 1000}, Usage(3, 12000, 1000, None)),
    ({"gen_ai.usage.input_tokens": "40"}, Usage(40)),
    ({"gen_ai.usage.input_tokens": -1, "gen_ai.usage.output_tokens": True}, Usage()),
    ({}, Usage()),
]  # fmt: skip


@pytest.mark.parametrize(("told", "usage"), USAGES)
def test_tokens_are_read_under_all_their_names_and_without_the_caches(told, usage):
    [request] = of(spans(chat(told=told)), RequestEvent)

    assert request.usage == usage


# --- shapes of messages -----------------------------------------------------------------------------------------------

OLD = {"role": "user", "content": "Refund 8812"}
SHAPES = {
    "structured": SAID,
    "json": {name: json.dumps(value) for name, value in SAID.items()},
    "plain text": {"gen_ai.prompt": "Refund 8812", "gen_ai.completion": "Done."},
    "older messages": {"gen_ai.prompt": json.dumps([OLD]), "gen_ai.completion": json.dumps([{"content": "Done."}])},
    "openllmetry": {
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "Refund 8812",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "Done.",
    },
    "openllmetry with blocks": {
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": '[{"type": "text", "text": "Refund 8812"}]',
        "gen_ai.completion.0.content": "Done.",
    },
    "openinference": {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Refund 8812",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.contents.0.message_content.type": "text",
        "llm.output_messages.0.message.contents.0.message_content.text": "Done.",
    },
    "openinference verbatim": {
        "input.value": json.dumps({"messages": [OLD]}),
        "output.value": json.dumps({"id": "msg_1", "content": [{"type": "text", "text": "Done."}]}),
    },
    "openinference verbatim, openai": {
        "input.value": json.dumps({"messages": [OLD], "model": "gpt"}),
        "output.value": json.dumps({"choices": [{"message": {"role": "assistant", "content": "Done."}}]}),
    },
}


@pytest.mark.parametrize("told", SHAPES.values(), ids=SHAPES)
def test_messages_are_read_in_every_shape(told):
    exchange = only(chat(told=told))

    assert texts([*exchange.sent, *exchange.received]) == READ
    assert (exchange.id, exchange.conversation, exchange.whole) == ("1", "c1", True)
    assert (exchange.at, exchange.duration_ms) == (START, 1000)
    assert (exchange.agent, exchange.agent_version) == ("refunds", "3")


def test_messages_may_stand_in_an_event_of_the_span():
    moments = [
        Moment("gen_ai.content.prompt", START, {"gen_ai.prompt": json.dumps([ASKED])}),
        Moment("gen_ai.content.completion", START, {"gen_ai.completion": json.dumps([DONE])}),
    ]

    exchange = only(chat(moments=moments))

    assert texts([*exchange.sent, *exchange.received]) == READ


def message(role, *parts):
    return {"role": role, "parts": list(parts)}


def call(key, arguments):
    return {"type": "tool_call", "id": key, "name": "get", "arguments": arguments}


def test_tools_thinking_images_and_the_system_prompt_are_read():
    words = {"type": "text", "content": "open"}
    told = {
        "gen_ai.system_instructions": [{"type": "text", "content": "Be kind."}],
        "gen_ai.input.messages": [
            message("system", {"type": "text", "content": "In English."}),
            message("user", {"type": "blob", "mime_type": "image/png", "content": "AAAA"}),
            message("assistant", {"type": "reasoning", "content": "Hm."}, call("t1", '{"id": 1}')),
            message("tool", {"type": "tool_call_response", "id": "t1", "response": "paid"}),
            message("assistant", call("t2", {"id": 2})),
            message("tool", {"type": "tool_call_response", "id": "t2", "result": [words]}),
        ],
        "gen_ai.output.messages": [DONE, message("assistant", words)],
    }

    exchange = only(chat(told=told))

    assert [block.text for block in exchange.system] == ["Be kind.", "In English."]
    assert [(str(said.role), type(said.blocks[-1]).__name__) for said in exchange.sent] == [
        ("user", "Image"),
        ("assistant", "ToolCall"),
        ("tool", "ToolResult"),
        ("assistant", "ToolCall"),
        ("tool", "ToolResult"),
    ]
    assert [said.blocks[-1].input for said in exchange.sent if str(said.role) == "assistant"] == [{"id": 1}, {"id": 2}]
    assert [said.blocks[0].text for said in exchange.sent if str(said.role) == "tool"] == ["paid", "open"]
    assert texts(exchange.received) == [("assistant", "Done.")]


def test_older_calls_and_results_are_read():
    called = {"id": "t1", "type": "function", "function": {"name": "get", "arguments": '{"id": 1}'}}
    told = {
        "gen_ai.prompt": [
            OLD,
            {"role": "assistant", "content": None, "tool_calls": [called]},
            {"role": "tool", "tool_call_id": "t1", "content": "paid"},
        ],
        "gen_ai.completion": [{"role": "assistant", "content": "Done."}],
    }

    _, called, result = only(chat(told=told)).sent

    assert (called.blocks[0].name, called.blocks[0].input) == ("get", {"id": 1})
    assert (result.blocks[0].id, result.blocks[0].text) == ("t1", "paid")


def test_words_that_are_json_stay_words():
    told = {"gen_ai.input.messages": [{"role": "user", "content": '[{"a": 1}]'}], "gen_ai.output.messages": [DONE]}

    assert texts(only(chat(told=told)).sent) == [("user", '[{"a": 1}]')]


# --- what exporters leave out -----------------------------------------------------------------------------------------


def test_content_that_was_cut_off_in_the_middle_is_told_and_the_call_stays():
    half = '[{"role": "user", "parts": [{"ty'
    reading = spans(chat(told={"gen_ai.input.messages": half, "gen_ai.usage.input_tokens": 9}))

    assert [problem.code for problem in reading.problems] == ["cut_off"]
    assert not reading.exchanges
    assert [request.usage.input_tokens for request in of(reading, RequestEvent)] == [9]


def test_of_content_that_lost_its_beginning_only_what_is_new_is_taken():
    told = {
        "anthropic.content.truncated": True,
        "gen_ai.input.messages": [
            {"role": "user", "parts": []},
            {"role": "assistant", "parts": [{"type": "text", "content": "…"}]},
            ASKED,
        ],
        "gen_ai.output.messages": [DONE],
    }

    exchange = only(chat(told=told))

    assert not exchange.whole
    assert texts([*exchange.sent, *exchange.received]) == READ


def test_numbers_with_a_hole_are_no_whole_context():
    told = {"llm.input_messages.4.message.role": "user", "llm.input_messages.4.message.content": "Refund 8812"}

    assert not only(chat(told={**told, "llm.output_messages.0.message.content": "Done."})).whole


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


# --- compactions ------------------------------------------------------------------------------------------------------

GONE = {"type": "anthropic_compaction"}
SUMMED = {"anthropic.usage.compaction.input_tokens": 1800, "anthropic.usage.compaction.output_tokens": 35}
THRESHOLD, ON_DEMAND = {"anthropic.beta": ["compact-2026-01-12"]}, {"anthropic.beta": ["compact-2026-09-04"]}
STOPPED = {"anthropic.message.stop_reason": "compaction"}


def answered(*parts):
    return {"gen_ai.input.messages": [ASKED], "gen_ai.output.messages": [{"role": "assistant", "parts": list(parts)}]}


TEXTLESS = [
    ({**answered(GONE, DONE["parts"][0]), **SUMMED, **THRESHOLD}, "threshold", "absent"),
    ({**answered(GONE, DONE["parts"][0]), **SUMMED}, "threshold", "absent"),
    ({**answered(GONE), **SUMMED, **STOPPED, **ON_DEMAND}, "on_demand", "absent"),
    ({**answered(GONE), **SUMMED, **STOPPED, **THRESHOLD}, "threshold", "absent"),
    ({**answered(GONE), **SUMMED, **STOPPED}, "on_demand", "absent"),
    ({**answered(DONE["parts"][0]), **SUMMED, **ON_DEMAND}, "on_demand", "failed"),
    ({**answered({"type": "compaction", "content": "The order."}, DONE["parts"][0])}, "threshold", "text"),
    ({**answered({"type": "compaction", "content": "The order.", "signature": "x"})}, "on_demand", "text"),
]


@pytest.mark.parametrize(("told", "kind", "state"), TEXTLESS)
def test_compaction_in_an_answer_is_announced_as_far_as_it_is_told(told, kind, state):
    [announced] = only(chat(told=told)).announced

    assert (announced.kind, announced.summary_state, announced.in_request) == (kind, state, False)


def test_summarising_call_is_counted_beside_the_answer():
    told = {
        **answered(GONE, DONE["parts"][0]),
        **SUMMED,
        "gen_ai.usage.input_tokens": 40,
        "gen_ai.usage.output_tokens": 5,
    }

    calls = only(chat(told=told)).calls

    assert [(call.purpose, call.usage.input_tokens, call.usage.output_tokens) for call in calls] == [
        ("compaction", 1800, 35),
        ("turn", 40, 5),
    ]


def test_what_stands_before_a_summary_in_the_request_was_not_read():
    told = {
        "gen_ai.input.messages": [ASKED, {"role": "assistant", "parts": [GONE, DONE["parts"][0]]}, ASKED],
        "gen_ai.output.messages": [DONE],
    }

    exchange = only(chat(told=told))

    assert texts(exchange.sent) == [("assistant", "Done."), ("user", "Refund 8812")]
    assert exchange.compacted
    assert exchange.announced == []


def test_summary_in_the_request_is_seen_with_its_place():
    told = {
        "gen_ai.input.messages": [
            ASKED,
            {"role": "assistant", "parts": [{"type": "compaction", "content": "The order."}]},
        ],
        "gen_ai.output.messages": [DONE],
    }

    [announced] = only(chat(told=told)).announced

    assert (announced.in_request, announced.before, announced.summary) == (True, 1, "The order.")


@pytest.mark.parametrize(("said", "compacted"), [(True, True), ("true", True), (None, None)])
def test_span_may_say_that_its_context_is_compacted(said, compacted):
    assert only(chat(told={**SAID, "gen_ai.conversation.compacted": said})).compacted is compacted


METADATA = [
    ({**SUMMED, **THRESHOLD, "gen_ai.usage.output_tokens": 5}, "threshold", "absent", ["compaction", "turn"]),
    ({**SUMMED, **ON_DEMAND, **STOPPED}, "on_demand", "absent", ["compaction"]),
    ({**SUMMED, **ON_DEMAND, "anthropic.message.stop_reason": "max_tokens"}, "on_demand", "failed", ["compaction"]),
]


@pytest.mark.parametrize(("told", "kind", "state", "purposes"), METADATA)
def test_compaction_without_words_is_told_before_the_answer(told, kind, state, purposes):
    reading = spans(chat(told=told))

    [compaction] = of(reading, CompactionEvent)
    requests = of(reading, RequestEvent)
    assert (compaction.kind, compaction.summary_state, compaction.complete) == (kind, state, False)
    assert [request.purpose for request in requests] == purposes
    assert all(request.at > compaction.at for request in requests if request.purpose == "turn")


def test_call_that_only_summed_up_is_no_turn_of_no_tokens():
    zero = {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0}
    told = {"gen_ai.response.finish_reasons": ["compaction"], **zero}

    [request] = of(spans(chat(told=told)), RequestEvent)
    [call] = only(chat(told={**told, "gen_ai.input.messages": [ASKED]})).calls

    assert (request.purpose, request.usage) == ("compaction", Usage())
    assert (call.purpose, call.usage) == ("compaction", Usage())


ADK = {
    "gen_ai.operation.name": "compact_events",
    "gen_ai.conversation.id": "c1",
    "gen_ai.compaction.trigger": "token_threshold",
    "gen_ai.compaction.token_threshold": 30_000,
    "gen_ai.compaction.event_count": 12,
}


def test_span_of_adk_is_a_compaction_with_an_unknown_summary():
    reading = spans(span("k", told=ADK, name="compact_events token_threshold"))

    [compaction] = of(reading, CompactionEvent)
    assert (compaction.id, compaction.kind, compaction.trigger) == ("k", "client", "threshold")
    assert (compaction.summary_state, compaction.trigger_tokens, compaction.duration_ms) == ("absent", 30_000, 1000)
    assert compaction.raw["event_count"] == 12


def test_call_below_a_compaction_is_no_turn_and_tells_the_summary():
    told = [
        chat("s", parent="k", told={**SAID, "gen_ai.usage.input_tokens": 900}),
        span("k", told=ADK, name="compact_events token_threshold"),
    ]

    reading = spans(*told)

    [compaction] = of(reading, CompactionEvent)
    assert (compaction.summary_state, compaction.summary) == ("text", "Done.")
    assert not reading.exchanges
    assert [request.purpose for request in of(reading, RequestEvent)] == ["compaction"]


STRATEGIES = [
    ({"compaction.strategy": "summarize"}, "client", "unknown"),
    ({"compaction.strategy": "sliding_window", "compaction.trigger": "auto"}, "truncation", "auto"),
    ({"compaction.strategy": "truncate", "compaction.trigger": "manual"}, "truncation", "manual"),
    ({"compaction.strategy": "clear_tool_results"}, "tool_clear", "unknown"),
    ({"compaction.tokens_before": 900}, "client", "unknown"),
]


@pytest.mark.parametrize(("told", "kind", "trigger"), STRATEGIES)
@pytest.mark.parametrize("in_event", [False, True])
def test_frameworks_tell_of_compactions_in_spans_and_in_their_events(told, kind, trigger, in_event):
    told = {**told, "compaction.tokens_after": 90, "compaction.messages_before": 40}
    moment = Moment("compaction", START + timedelta(seconds=2), told)
    own = span("k", moments=[moment]) if in_event else span("k", told=told)

    [compaction] = of(spans(own, chat("1", told=SAID)), CompactionEvent)

    assert (compaction.kind, compaction.trigger, compaction.tokens_after) == (kind, trigger, 90)
    assert (compaction.conversation, compaction.raw["messages_before"]) == ("c1", 40)


def test_compaction_that_failed_replaced_nothing():
    [compaction] = of(spans(span("k", told=ADK, error="timeout")), CompactionEvent)

    assert (compaction.summary_state, compaction.error) == ("failed", "timeout")


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
