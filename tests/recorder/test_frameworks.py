"""LangChain's real classes; LiteLLM's callback with what LiteLLM 1.106 passes to it, for the package has 40 MB."""

import sys
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from uuid import uuid4

import pytest
from langchain_core.language_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModelError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from conversations.ingest.formats.exchanges import read_exchange
from conversations.recorder import Recorder, conversation, flush
from conversations.recorder.langchain_handler import ObservatoryHandler
from tests.recorder.conftest import QUICK
from tests.recorder.waiting import awaited

BEGAN = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def settings(collector):
    return {"agent": "support-bot", "url": collector.url, "key": "obs_key", "limits": QUICK}


def arrived(collector):
    """What came, and that the server reads it."""
    assert flush(10)
    return [(exchange, read_exchange(exchange, 0)) for exchange in collector.exchanges]


# --- LangChain --------------------------------------------------------------------------------------------------------


def answering(**fields):
    return GenericFakeChatModel(messages=iter([AIMessage("I looked.", **fields)]))


def test_langchain_calls_arrive_as_chat_completions(settings, collector):
    usage = {"input_tokens": 900, "output_tokens": 20, "total_tokens": 920, "input_token_details": {"cache_read": 800}}
    meta = {"model_name": "claude-sonnet-5-5", "stop_reason": "end_turn", "id": "msg_7"}
    call = {"name": "lookup", "args": {"ticket": 1}, "id": "call_1"}
    said = [
        SystemMessage("Be brief."),
        HumanMessage("Look ticket 1 up."),
        AIMessage("", tool_calls=[call]),
        ToolMessage("printer on fire", tool_call_id="call_1"),
    ]
    config = {"callbacks": [ObservatoryHandler(**settings)], "metadata": {"thread_id": "ticket-17"}}
    answering(usage_metadata=usage, response_metadata=meta).invoke(said, config)
    [(exchange, read)] = arrived(collector)
    assert [message["role"] for message in exchange["request"]["messages"]] == ["system", "user", "assistant", "tool"]
    assert (read.conversation, read.agent, read.id, read.model) == (
        "ticket-17",
        "support-bot",
        "msg_7",
        "claude-sonnet-5-5",
    )
    assert len(read.sent) == 3
    assert read.received[0].blocks[0].text == "I looked."
    [call] = read.calls
    assert (call.usage.input_tokens, call.usage.cache_read_tokens, call.usage.output_tokens) == (100, 800, 20)


def test_the_call_for_a_summary_is_a_conversation_of_its_own(settings, collector):
    metadata = {"thread_id": "ticket-17", "lc_source": "summarization"}
    answering().invoke("Summarize.", {"callbacks": [ObservatoryHandler(**settings)], "metadata": metadata})
    [(_, read)] = arrived(collector)
    assert (read.conversation, read.parent) == ("ticket-17 (summarization)", "ticket-17")


def test_a_langchain_call_that_fails_is_recorded_and_raises(settings, collector):
    model = FakeListChatModel(responses=["x"], error_on_chunk_number=0)
    with pytest.raises(FakeListChatModelError):
        list(model.stream("Hi.", {"callbacks": [ObservatoryHandler(**settings)]}))
    [(exchange, read)] = arrived(collector)
    assert exchange["response"] is None
    assert read.error


def test_langchain_async_and_streams_arrive(settings, collector):
    config = {"callbacks": [ObservatoryHandler(**settings)], "metadata": {"session_id": "s-1"}}
    awaited(answering().ainvoke("Hi.", config))
    assert "".join(chunk.content for chunk in answering().stream("Hi.", config)) == "I looked."
    told = [(read.conversation, read.received[0].blocks[0].text) for _, read in arrived(collector)]
    assert told == [("s-1", "I looked.")] * 2


def test_an_end_without_a_beginning_is_no_trouble(settings, collector):
    handler = ObservatoryHandler(**settings)
    handler.on_llm_end(SimpleNamespace(generations=[]), run_id=uuid4())
    handler.on_llm_error(ValueError(), run_id=uuid4())
    assert arrived(collector) == []


def test_calls_that_never_end_are_forgotten(settings, monkeypatch):
    monkeypatch.setattr("conversations.recorder.langchain_handler._MOST_RUNNING", 3)
    handler = ObservatoryHandler(**settings)
    for _ in range(10):
        handler.on_chat_model_start({}, [[HumanMessage("Hi.")]], run_id=uuid4())
    assert len(handler._running) == 3


# --- LiteLLM ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def logger(settings, monkeypatch):
    module = ModuleType("litellm.integrations.custom_logger")
    module.CustomLogger = type("CustomLogger", (), {})
    for name in ("litellm", "litellm.integrations"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, "conversations.recorder.litellm_callback", raising=False)
    from conversations.recorder.litellm_callback import ObservatoryLogger  # noqa: PLC0415 -- needs the module above

    return ObservatoryLogger(**settings)


def called(**more):
    return {
        "model": "claude-sonnet-5-5",
        "call_type": "completion",
        "messages": [{"role": "user", "content": "Hi."}],
        "optional_params": {"max_tokens": 9, "stream": False},
        "litellm_params": {"metadata": {"session_id": "ticket-17"}, "api_key": "secret-1"},
        **more,
    }


def answered():
    message = {"role": "assistant", "content": "Hello.", "tool_calls": None}
    choices = [{"index": 0, "finish_reason": "stop", "message": message}]
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "model": "m", "choices": choices, "usage": usage}
    return SimpleNamespace(model_dump=lambda: body)


def test_litellm_calls_arrive(logger, collector):
    logger.log_success_event(called(), answered(), BEGAN, None)
    awaited(logger.async_log_success_event(called(call_type="acompletion"), answered(), BEGAN, None))
    logger.log_success_event(called(call_type="embedding"), answered(), BEGAN, None)
    first, second = arrived(collector)
    exchange, read = first
    assert exchange["request"] == {"model": "claude-sonnet-5-5", "messages": called()["messages"], "max_tokens": 9}
    assert (read.conversation, read.at, read.stop_reason) == ("ticket-17", BEGAN, "stop")
    assert read.calls[0].usage.input_tokens == 10
    assert second[1].conversation == "ticket-17"
    assert b"secret-1" not in collector.requests[0].body


def test_litellm_failures_arrive(logger, collector):
    logger.log_failure_event(called(exception=TimeoutError("late")), None, BEGAN, None)
    awaited(logger.async_log_failure_event(called(), None, BEGAN, None))
    assert [read.error for _, read in arrived(collector)] == ["TimeoutError", "error"]


def test_litellm_sessions_have_a_parameter_of_their_own(logger, collector):
    logger.log_success_event(called(litellm_params={"litellm_session_id": "s-9"}), answered(), BEGAN, None)
    assert arrived(collector)[0][1].conversation == "s-9"


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_calls_may_be_told_by_hand(settings, collector):
    recorder = Recorder(conversation="c-1", **settings)
    request = {"model": "m", "messages": [{"role": "user", "content": "Hi."}]}
    with conversation("c-2"):
        recorder.record(request, {"id": "1", "choices": []}, began=BEGAN.timestamp())
        recorder.record(request, error="overloaded", labels={"conversation": "c-3", "title": "Third"})
    assert [read.conversation for _, read in arrived(collector)] == ["c-2", "c-3"]


def test_without_an_address_nothing_is_told(caplog):
    Recorder().record({"messages": []})
    assert "nothing is recorded" in caplog.text


def test_what_is_no_json_is_logged_and_not_raised(settings, caplog):
    circle = {}
    circle["self"] = circle
    Recorder(**settings).record(circle)
    assert "could not be recorded" in caplog.text
