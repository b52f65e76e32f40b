"""Put streamed OpenAI answers together: the Responses API's typed events, and the chunks of chat completions."""

from collections.abc import Iterable, Mapping
from typing import Any

from conversations.ingest.formats.base import list_of, mapping_of, text_of
from conversations.ingest.formats.exchange_item import error_text

_DELTAS = {
    "response.output_text.delta": "output_text",
    "response.refusal.delta": "refusal",
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
}
_FIELDS = {"output_text": "text", "refusal": "refusal"}


def response_of(events: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], str]:
    """The response as its last event has it, and the error that ended the stream. Where the stream was cut off, or the
    last event leaves the output out, the items are those that the stream brought."""
    response: dict[str, Any] = {}
    items: dict[int, dict[str, Any]] = {}
    error = ""
    for event in events:
        kind = text_of(event.get("type"))
        if isinstance(event.get("response"), dict):
            response = {**response, **event["response"]}
        elif kind == "error":
            error = error_text(event)
        elif kind in ("response.output_item.added", "response.output_item.done"):
            items[_index(event, items)] = {**mapping_of(event.get("item"))}
        elif kind in _DELTAS:
            _add(items.setdefault(_index(event, items), {"type": "message", "role": "assistant"}), event, _DELTAS[kind])
    output = list_of(response.get("output")) or [_closed(items[index]) for index in sorted(items)]
    return ({**response, "output": output} if response or output else {}), error


def _index(event: Mapping[str, Any], items: Mapping[int, object]) -> int:
    index = event.get("output_index")
    return index if isinstance(index, int) else len(items)


def _add(item: dict[str, Any], event: Mapping[str, Any], part: str) -> None:
    delta = text_of(event.get("delta"))
    if part not in _FIELDS:
        item[part] = text_of(item.get(part)) + delta
        return
    said = item.setdefault("said", {})
    key = (event.get("content_index") if isinstance(event.get("content_index"), int) else 0, part)
    said[key] = said.get(key, "") + delta


def _closed(item: dict[str, Any]) -> dict[str, Any]:
    """An item that never was done has its text only in deltas."""
    said = item.pop("said", {})
    if said and not item.get("content"):
        item["content"] = [{"type": part, _FIELDS[part]: text} for (_, part), text in sorted(said.items())]
    return item


def completion_of(chunks: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], str]:
    """The chat completion with its first choice, and the error that ended the stream."""
    completion: dict[str, Any] = {}
    message: dict[str, Any] = {"role": "assistant"}
    calls: dict[int, dict[str, Any]] = {}
    finish, error = None, ""
    for chunk in chunks:
        if chunk.get("error"):
            error = error_text(chunk)
        completion |= {key: chunk[key] for key in ("id", "model", "usage") if chunk.get(key)}
        for choice in map(mapping_of, list_of(chunk.get("choices"))):
            if choice.get("index") in (0, None):
                _merge(message, calls, mapping_of(choice.get("delta")))
                finish = choice.get("finish_reason") or finish
    if calls:
        message["tool_calls"] = [calls[index] for index in sorted(calls)]
    if not completion and len(message) == 1:
        return {}, error
    return {**completion, "choices": [{"index": 0, "message": message, "finish_reason": finish}]}, error


def _merge(message: dict[str, Any], calls: dict[int, dict[str, Any]], delta: Mapping[str, Any]) -> None:
    for name in ("content", "refusal", "reasoning_content", "reasoning"):
        if isinstance(delta.get(name), str):
            message[name] = text_of(message.get(name)) + delta[name]
    if isinstance(delta.get("function_call"), dict):
        message["function_call"] = _grown(mapping_of(message.get("function_call")), mapping_of(delta["function_call"]))
    for call in map(mapping_of, list_of(delta.get("tool_calls"))):
        index = call.get("index")
        place = index if isinstance(index, int) else len(calls)
        known = calls.setdefault(place, {"type": "function"})
        known |= {key: call[key] for key in ("id", "type") if call.get(key)}
        for part in ("function", "custom"):
            if isinstance(call.get(part), dict):
                known[part] = _grown(mapping_of(known.get(part)), call[part])


def _grown(known: Mapping[str, Any], piece: Mapping[str, Any]) -> dict[str, Any]:
    """A call's name comes whole, its arguments in pieces."""
    written = {part: text_of(known.get(part)) + text_of(piece[part]) for part in _PIECES if part in piece}
    return {**known, **written, "name": text_of(piece.get("name")) or text_of(known.get("name"))}


_PIECES = ("arguments", "input")
