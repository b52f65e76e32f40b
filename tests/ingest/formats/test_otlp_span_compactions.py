"""What spans say of compactions."""

from datetime import timedelta

import pytest

from conversations.ingest.events import CompactionEvent, RequestEvent, Usage
from conversations.ingest.formats.otlp import Moment
from tests.ingest.formats.telemetry import ADK, ASKED, DONE, SAID, START, chat, of, only, span, spans, texts

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
