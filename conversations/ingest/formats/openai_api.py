"""Read one exchange with OpenAI's APIs or those that speak like them: responses, their compaction, chat completions."""

from collections.abc import Iterable, Mapping
from typing import Any

from conversations.ingest.events import Block, Text, Thinking, ToolCall, ToolResult
from conversations.ingest.exchange import Call, Exchange, Spoken
from conversations.ingest.formats.base import REASON_CHARACTERS, key_of, list_of, mapping_of, name_of, text_of
from conversations.ingest.formats.exchange_item import Item, error_text
from conversations.ingest.formats.openai_compaction import Context, compactions_in, context_of
from conversations.ingest.formats.openai_content import ROLES, arguments_of, parts_of, text_in
from conversations.ingest.formats.openai_stream import completion_of, response_of
from conversations.ingest.formats.openai_usage import usage_of
from conversations.ingest.formats.spoken import spoken_of
from conversations.vocabulary import Role

COMPACT = "responses/compact"


def read_responses(item: Item, endpoint: str) -> Exchange:
    """An exchange with the Responses API. `endpoint` is responses or responses/compact."""
    request = item.request
    answer, failed = response_of(item.stream) if item.stream else (item.response, "")
    if "output" not in answer and isinstance(answer.get("error"), dict):
        answer, failed = {}, failed or error_text(answer)
    error = item.error or failed or _failure(answer)
    system, context = _system_and_context(request)
    model = name_of(answer.get("model")) or name_of(request.get("model")) or item.model
    previous, conversation = key_of(request.get("previous_response_id")), _conversation(request)
    compacting = endpoint == COMPACT
    return Exchange(
        **_common(item, answer, endpoint, model, error),
        conversation=item.conversation or conversation,
        system=system,
        sent=context.said,
        previous=previous,
        whole=not (previous or conversation or context.has_references),
        received=[] if compacting else context_of(list_of(answer.get("output"))).said,
        calls=_calls(answer, model, "compaction" if compacting else "turn"),
        stop_reason=_stop_reason(answer),
        announced=compactions_in(request, answer, context, model, on_demand=compacting),
    )


def _common(item: Item, answer: Mapping[str, Any], endpoint: str, model: str, error: str) -> dict[str, Any]:
    return {
        "id": item.identity(answer.get("id")),
        "parent": item.parent,
        "agent": item.agent,
        "agent_version": item.agent_version,
        "title": item.title,
        "tags": item.tags,
        "at": item.at,
        "duration_ms": item.duration_ms,
        "provider": item.provider or "openai",
        "endpoint": endpoint,
        "model": model,
        "error": error,
    }


def _system_and_context(request: Mapping[str, Any]) -> tuple[list[Block], Context]:
    given = request.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else list_of(given)
    instructions = parts_of(request.get("instructions"))
    leading = 0
    while leading < len(items) and _is_system(mapping_of(items[leading])):
        instructions += parts_of(items[leading].get("content"))
        leading += 1
    return instructions, context_of(items[leading:])


def _is_system(item: Mapping[str, Any]) -> bool:
    return ROLES.get(text_of(item.get("role"))) is Role.SYSTEM and item.get("type", "message") == "message"


def _conversation(request: Mapping[str, Any]) -> str:
    """The conversation that the server keeps: then a request holds only what is new."""
    kept = request.get("conversation")
    return key_of(kept) or key_of(mapping_of(kept).get("id"))


def _failure(answer: Mapping[str, Any]) -> str:
    return error_text(answer["error"]) if isinstance(answer.get("error"), dict) else ""


def _stop_reason(answer: Mapping[str, Any]) -> str:
    reason = text_of(mapping_of(answer.get("incomplete_details")).get("reason"))
    return name_of(reason or answer.get("status"), REASON_CHARACTERS)


def _calls(answer: Mapping[str, Any], model: str, purpose: str = "turn") -> list[Call]:
    usage = mapping_of(answer.get("usage"))
    return [Call(usage=usage_of(usage, answer.get("service_tier")), model=model, purpose=purpose)] if usage else []


# --- chat completions -------------------------------------------------------------------------------------------------


def read_chat(item: Item, endpoint: str) -> Exchange:
    """An exchange with a chat completions API; of several choices the first is the answer."""
    answer, failed = completion_of(item.stream) if item.stream else (item.response, "")
    failed = item.error or failed or _failure(answer)
    choices = [mapping_of(choice) for choice in list_of(answer.get("choices"))]
    choice = choices[0] if choices else {}
    messages = [mapping_of(message) for message in list_of(item.request.get("messages"))]
    leading = next((place for place, message in enumerate(messages) if not _is_system(message)), len(messages))
    model = name_of(answer.get("model")) or name_of(item.request.get("model")) or item.model
    return Exchange(
        **_common(item, answer, endpoint, model, failed),
        conversation=item.conversation,
        system=[block for message in messages[:leading] for block in parts_of(message.get("content"))],
        sent=_said(messages[leading:]),
        received=_said([{**mapping_of(choice.get("message")), "role": "assistant"}]),
        calls=_calls(answer, model),
        stop_reason=name_of(choice.get("finish_reason"), REASON_CHARACTERS),
    )


def _said(messages: Iterable[Mapping[str, Any]]) -> list[Spoken]:
    return [said for message in messages for said in spoken_of(_role(message), _blocks(message))]


def _role(message: Mapping[str, Any]) -> Role:
    return ROLES.get(text_of(message.get("role")), Role.USER)


def _blocks(message: Mapping[str, Any]) -> list[Block]:
    if _role(message) is Role.TOOL:
        key = text_of(message.get("tool_call_id")) or text_of(message.get("name"))
        return [ToolResult(text=text_in(message.get("content")), id=key)]
    thought = text_of(message.get("reasoning_content")) or text_of(message.get("reasoning"))
    blocks: list[Block] = [Thinking(thought)] if thought else []
    blocks += parts_of(message.get("content"))
    spoken_aloud = text_of(mapping_of(message.get("audio")).get("transcript"))
    blocks += [Text(text) for text in (text_of(message.get("refusal")), spoken_aloud) if text]
    calls = [mapping_of(call) for call in list_of(message.get("tool_calls"))]
    blocks += [_call(call) for call in calls]
    if isinstance(message.get("function_call"), dict):
        blocks.append(_call({"function": message["function_call"]}))
    return blocks


def _call(call: Mapping[str, Any]) -> ToolCall:
    asked = mapping_of(call.get("function")) or mapping_of(call.get("custom"))
    written = asked.get("input") if "custom" in call else arguments_of(asked.get("arguments"))
    return ToolCall(name=text_of(asked.get("name")), id=text_of(call.get("id")), input=written)
