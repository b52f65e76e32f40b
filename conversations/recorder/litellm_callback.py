"""LiteLLM: a custom logger that tells of every model call.

    litellm.callbacks = [ObservatoryLogger(agent="support-bot")]
    litellm.completion(..., metadata={"session_id": "ticket-17"})

The conversation is what the metadata of the call names conversation_id, session_id or trace_id.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from .manual import Recorder

_CONVERSATION = ("conversation_id", "session_id", "trace_id")
_PASSED_ON = ("tools", "tool_choice", "max_tokens", "temperature", "context_management")
_COMPLETIONS = frozenset({"completion", "acompletion"})


class ObservatoryLogger(CustomLogger):  # type: ignore[misc] # litellm is the agent's, not ours
    """Arguments as those of `observe`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self._recorder = Recorder(**settings)

    def log_success_event(self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: Any) -> None:
        """A call was answered; LiteLLM calls this in a thread of its own."""
        self._record(kwargs, start_time, response=_plain(response_obj))

    def log_failure_event(self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: Any) -> None:
        """A call failed."""
        error = kwargs.get("exception")
        self._record(kwargs, start_time, error=type(error).__name__ if error else "error")

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: Any
    ) -> None:
        """As `log_success_event`, for `acompletion`."""
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: Any
    ) -> None:
        """As `log_failure_event`, for `acompletion`."""
        self.log_failure_event(kwargs, response_obj, start_time, end_time)

    def _record(
        self, kwargs: dict[str, Any], start: datetime, response: Mapping[str, Any] | None = None, error: str = ""
    ) -> None:
        if kwargs.get("call_type", "completion") not in _COMPLETIONS:
            return
        params = kwargs.get("optional_params") or {}
        request = {"model": kwargs.get("model", ""), "messages": kwargs.get("messages") or []}
        request |= {name: params[name] for name in _PASSED_ON if params.get(name) is not None}
        labels = {"conversation": _conversation(kwargs)}
        self._recorder.record(request, response, error=error, began=start.timestamp(), labels=labels)


def _plain(answer: Any) -> dict[str, Any]:
    """LiteLLM's answers are pydantic models in the shape of chat completions."""
    plain: dict[str, Any] = answer.model_dump() if hasattr(answer, "model_dump") else dict(answer)
    return plain


def _conversation(kwargs: dict[str, Any]) -> str:
    params = kwargs.get("litellm_params") or {}
    metadata = params.get("metadata") or kwargs.get("metadata") or {}
    named = {**metadata, **({"session_id": params["litellm_session_id"]} if params.get("litellm_session_id") else {})}
    return next((str(named[key]) for key in _CONVERSATION if named.get(key)), "")
