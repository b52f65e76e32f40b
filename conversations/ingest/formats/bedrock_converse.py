"""Read one exchange with Bedrock's Converse API, which says the same in words of its own, by putting it into the
Messages API's."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import structs

from conversations.ingest.exchange import Exchange
from conversations.ingest.formats.anthropic_api import read_messages
from conversations.ingest.formats.anthropic_stream import input_of
from conversations.ingest.formats.base import list_of, mapping_of, text_of
from conversations.ingest.formats.exchange_item import Item, error_text

_USAGE = {
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "cacheReadInputTokens": "cache_read_input_tokens",
    "cacheWriteInputTokens": "cache_creation_input_tokens",
}


def read_converse(item: Item, endpoint: str) -> Exchange:
    """The exchange; `additionalModelRequestFields` and `additionalModelResponseFields` are the model's own fields."""
    answer, failed = _streamed(item.stream) if item.stream else (item.response, "")
    own = structs.replace(
        item,
        provider=item.provider or "bedrock",
        model=item.model or text_of(item.request.get("modelId")),
        request=_request(item.request),
        response=_answer(answer) if answer else {},
        stream=[],
        error=item.error or failed,
        id=item.identity(None),
    )
    return read_messages(own, endpoint)


def _request(request: Mapping[str, Any]) -> dict[str, Any]:
    own = mapping_of(request.get("additionalModelRequestFields"))
    messages = [mapping_of(message) for message in list_of(request.get("messages"))]
    return {**own, "system": _content(request.get("system")), "messages": [_message(message) for message in messages]}


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": message.get("role"), "content": _content(message.get("content"))}


def _answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    own = mapping_of(answer.get("additionalModelResponseFields"))
    message = mapping_of(mapping_of(answer.get("output")).get("message"))
    counts = mapping_of(answer.get("usage"))
    usage = {ours: counts[theirs] for theirs, ours in _USAGE.items() if theirs in counts}
    return {**own, "content": _content(message.get("content")), "stop_reason": answer.get("stopReason"), "usage": usage}


def _content(content: object) -> list[dict[str, Any]]:
    blocks = [_block(mapping_of(block)) for block in list_of(content)]
    return [block for block in blocks if block]


def _block(block: Mapping[str, Any]) -> dict[str, Any]:
    """What the block is stands in its one key; cache points and the like say nothing."""
    if isinstance(block.get("text"), str):
        return {"type": "text", "text": block["text"]}
    if "toolUse" in block:
        use = mapping_of(block["toolUse"])
        return {"type": "tool_use", "id": use.get("toolUseId"), "name": use.get("name"), "input": use.get("input")}
    if "toolResult" in block:
        return _tool_result(mapping_of(block["toolResult"]))
    if "reasoningContent" in block:
        said = mapping_of(mapping_of(block["reasoningContent"]).get("reasoningText"))
        return {"type": "thinking", "thinking": text_of(said.get("text"))}
    for kind in ("image", "document", "video"):
        if kind in block:
            return _binary(kind, mapping_of(block[kind]))
    return {}


def _tool_result(result: Mapping[str, Any]) -> dict[str, Any]:
    parts = [mapping_of(part) for part in list_of(result.get("content"))]
    content = [part["json"] if "json" in part else _block(part) for part in parts]
    failed = result.get("status") == "error"
    return {"type": "tool_result", "tool_use_id": result.get("toolUseId"), "content": content, "is_error": failed}


def _binary(kind: str, part: Mapping[str, Any]) -> dict[str, Any]:
    source = mapping_of(part.get("source"))
    form = text_of(part.get("format"))
    encoded = source.get("bytes") if isinstance(source.get("bytes"), str) else None
    kept = {"type": "base64", "data": encoded} if encoded else {}
    return {"type": "document" if kind == "document" else "image", "source": {**kept, "media_type": f"{kind}/{form}"}}


# --- streams ----------------------------------------------------------------------------------------------------------


def _streamed(events: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], str]:
    """The answer that the events make, and the exception that ended them."""
    blocks: dict[int, dict[str, Any]] = {}
    answer: dict[str, Any] = {}
    error = ""
    for event in events:
        for kind, body in event.items():
            if kind in ("contentBlockStart", "contentBlockDelta"):
                _grow(blocks, mapping_of(body))
            elif kind == "messageStop":
                answer |= {name: body[name] for name in mapping_of(body)}
            elif kind == "metadata":
                answer["usage"] = mapping_of(mapping_of(body).get("usage"))
            elif kind.endswith("Exception"):
                error = f"{kind}: {error_text(body)}"
    content = [_finished(blocks[index]) for index in sorted(blocks)]
    return {**answer, "output": {"message": {"role": "assistant", "content": content}}}, error


def _grow(blocks: dict[int, dict[str, Any]], body: Mapping[str, Any]) -> None:
    index = body.get("contentBlockIndex")
    block = blocks.setdefault(index if isinstance(index, int) else len(blocks), {})
    started = mapping_of(mapping_of(body.get("start")).get("toolUse"))
    if started:
        block["toolUse"] = {**started, "input": ""}
    delta = mapping_of(body.get("delta"))
    if isinstance(delta.get("text"), str):
        block["text"] = text_of(block.get("text")) + delta["text"]
    if "toolUse" in delta:
        use = block.setdefault("toolUse", {"input": ""})
        use["input"] += text_of(mapping_of(delta["toolUse"]).get("input"))
    if "reasoningContent" in delta:
        said = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
        said["text"] += text_of(mapping_of(delta["reasoningContent"]).get("text"))


def _finished(block: dict[str, Any]) -> dict[str, Any]:
    use = block.get("toolUse")
    return {"toolUse": {**use, "input": input_of(use["input"])}} if use else block
