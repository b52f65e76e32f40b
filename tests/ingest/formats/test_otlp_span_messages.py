"""What a model call's span says: tokens and messages, under all names and in all shapes."""

import json

import pytest

from conversations.ingest.events import RequestEvent, Usage
from conversations.ingest.formats.otlp import Moment
from tests.ingest.formats.telemetry import ASKED, DONE, SAID, START, chat, of, only, spans, texts

READ = [("user", "Refund 8812"), ("assistant", "Done.")]


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
