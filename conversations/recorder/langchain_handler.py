"""LangChain and LangGraph: a callback handler that tells of every model call.

    handler = ObservatoryHandler(agent="support-bot")
    graph.invoke(messages, config={"callbacks": [handler], "configurable": {"thread_id": "ticket-17"}})

The thread of LangGraph is the conversation, or what the metadata of the call names conversation_id or session_id.
"""

import time
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGeneration, LLMResult

from .manual import Recorder

_CONVERSATION = ("conversation_id", "thread_id", "session_id")
_SUMMARY = "summarization"  # what LangChain's middleware marks its own call for a summary with
_MOST_RUNNING = 10_000  # calls begun and never ended


class ObservatoryHandler(BaseCallbackHandler):
    """Thread-safe. Arguments as those of `observe`."""

    def __init__(self, **settings: Any) -> None:
        self._recorder = Recorder(**settings)
        self._running: dict[UUID, tuple[float, dict[str, Any], dict[str, str]]] = {}

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A call begins."""
        while len(self._running) >= _MOST_RUNNING:
            self._running.pop(next(iter(self._running)), None)
        params = kwargs.get("invocation_params") or {}
        model = params.get("model") or params.get("model_name") or (metadata or {}).get("ls_model_name") or ""
        request: dict[str, Any] = {"model": model, "messages": convert_to_openai_messages(messages[0])}
        request |= {name: params[name] for name in ("tools", "tool_choice") if params.get(name)}
        self._running[run_id] = (time.time(), request, _labels(metadata or {}))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """It was answered."""
        began, request, labels = self._running.pop(run_id, (0.0, {}, {}))
        generation = response.generations[0][0] if response.generations and response.generations[0] else None
        if request and isinstance(generation, ChatGeneration):
            self._recorder.record(request, _answer(generation.message), began=began, labels=labels)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """It failed."""
        began, request, labels = self._running.pop(run_id, (0.0, {}, {}))
        if request:
            self._recorder.record(request, error=type(error).__name__, began=began, labels=labels)


def _labels(metadata: dict[str, Any]) -> dict[str, str]:
    name = next((str(metadata[key]) for key in _CONVERSATION if metadata.get(key)), "")
    if name and metadata.get("lc_source") == _SUMMARY:  # its messages are not the conversation's
        return {"conversation": f"{name} ({_SUMMARY})", "parent": name}
    return {"conversation": name}


def _answer(message: BaseMessage) -> dict[str, Any]:
    """As a chat completion. LangChain counts the cache's tokens in its input, as that does."""
    meta = message.response_metadata
    reason = meta.get("finish_reason") or meta.get("stop_reason") or "stop"
    answer = {
        "object": "chat.completion",
        "model": meta.get("model_name") or meta.get("model") or "",
        "choices": [{"index": 0, "message": convert_to_openai_messages(message), "finish_reason": reason}],
    }
    if ident := meta.get("id") or message.id:
        answer["id"] = ident
    usage = getattr(message, "usage_metadata", None)
    return {**answer, "usage": _usage(usage)} if usage else answer


def _usage(usage: dict[str, Any]) -> dict[str, Any]:
    details = usage.get("input_token_details") or {}
    return {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "prompt_tokens_details": {
            "cached_tokens": details.get("cache_read") or 0,
            "cache_write_tokens": details.get("cache_creation") or 0,
        },
    }
