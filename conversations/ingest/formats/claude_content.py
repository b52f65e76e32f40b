"""Turn the content of one Claude message (Messages API blocks) into canonical blocks, text kept word for word."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from conversations.ingest.events import Block, Image, Summary, Text, Thinking, ToolCall, ToolResult
from conversations.ingest.formats.base import list_of, mapping_of, text_of

_BINARY = frozenset({"image", "document", "container_upload"})
_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})


def blocks_of(content: object, unknown: Callable[[str], None]) -> list[Block]:
    """The blocks of a message; `unknown` is told the types that are not understood (their JSON is kept as text)."""
    if isinstance(content, str):
        return [Text(content)] if content else []
    items = content if isinstance(content, list) else [content] if content else []
    return [_block(item, unknown) for item in items]


def _block(item: object, unknown: Callable[[str], None]) -> Block:
    block = mapping_of(item)
    kind = text_of(block.get("type"))
    if kind == "text":
        return Text(text_of(block.get("text")))
    if kind == "thinking":
        return Thinking(text_of(block.get("thinking")))
    if kind in _CALLS:
        return ToolCall(name=text_of(block.get("name")), id=text_of(block.get("id")), input=block.get("input"))
    if kind.endswith("tool_result"):  # tool_result, web_search_tool_result, mcp_tool_result …
        return _tool_result(block)
    return _rarer_block(kind, block, item, unknown)


def _rarer_block(kind: str, block: Mapping[str, Any], item: object, unknown: Callable[[str], None]) -> Block:
    if kind in _BINARY:
        return _image(block)
    if kind == "redacted_thinking":
        return Thinking()
    if kind == "compaction":
        return Summary(text_of(block.get("content")))
    if isinstance(item, str):
        return Text(item)
    unknown(f"block/{kind or type(item).__name__}")
    return Text(json_text(item))


def _tool_result(block: Mapping[str, Any]) -> ToolResult:
    return ToolResult(
        text=result_text(block.get("content")),
        id=text_of(block.get("tool_use_id")),
        is_error=block.get("is_error") is True,
    )


def result_text(content: object) -> str:
    """A tool's answer as text: parts joined by a newline, binary parts as "[image]"."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = content if isinstance(content, list) else [content]
    return "\n".join(map(_result_part, parts))


def _result_part(part: object) -> str:
    if isinstance(part, str):
        return part
    kind = text_of(mapping_of(part).get("type"))
    if kind in ("text", "input_text", "output_text"):
        return text_of(mapping_of(part).get("text"))
    if kind in _BINARY or kind == "input_image":
        return f"[{kind.removeprefix('input_')}]"
    return json_text(part)


def _image(block: Mapping[str, Any]) -> Image:
    source = mapping_of(block.get("source"))
    data = source.get("data")
    size = len(data) * 3 // 4 if isinstance(data, str) and source.get("type") == "base64" else None
    return Image(media_type=text_of(source.get("media_type")) or text_of(block.get("type")), bytes=size)


def json_text(value: object) -> str:
    """Any JSON value as compact JSON text."""
    return msgspec.json.encode(value).decode()


def spoken_text(content: object) -> str:
    """The text blocks of a message joined by newlines."""
    if isinstance(content, str):
        return content
    blocks = map(mapping_of, list_of(content))
    return "\n".join(text_of(block.get("text")) for block in blocks if block.get("type") == "text")
