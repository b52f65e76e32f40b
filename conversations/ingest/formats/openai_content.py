"""Turn the content of OpenAI messages and items into what is said: text, tool calls and results, images by size."""

from collections.abc import Mapping
from typing import Any

import msgspec

from conversations.ingest.events import Block, Image, Text, Thinking, ToolCall, ToolResult
from conversations.ingest.formats.base import list_of, mapping_of, text_of
from conversations.ingest.formats.claude_content import json_text
from conversations.vocabulary import Role

ROLES = {
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}
_TEXTS = frozenset({"text", "input_text", "output_text", "summary_text", "reasoning_text"})


def parts_of(content: object) -> list[Block]:
    """A message's content, a string or a list of parts. Bytes of images, sounds and files are not kept."""
    if isinstance(content, str):
        return [Text(content)] if content else []
    blocks = [_part(part) for part in list_of(content)]
    return [block for block in blocks if block != Text("")]


def _part(part: object) -> Block:
    block = {"type": "text", "text": part} if isinstance(part, str) else mapping_of(part)
    kind = text_of(block.get("type"))
    if kind in _TEXTS or kind == "refusal":
        return Text(text_of(block.get("refusal" if kind == "refusal" else "text")))
    return _binary_part(block, kind) or Text(json_text(part))


def _binary_part(block: Mapping[str, Any], kind: str) -> Image | None:
    if "image" in kind:
        url = block.get("image_url")
        return binary("image", text_of(url) or text_of(mapping_of(url).get("url")))
    if "audio" in kind:
        return binary("audio", text_of(mapping_of(block.get("input_audio")).get("data")))
    if "file" in kind:
        file = mapping_of(block.get("file")) or block
        return binary("file", text_of(file.get("file_data")))
    return None


def binary(kind: str, data: str) -> Image:
    """A part that is no text: its media type where a data URL says it, and its size where the bytes are in it."""
    head, comma, encoded = data.partition(",")
    if comma and head.startswith("data:"):
        return Image(media_type=head[5:].split(";")[0], bytes=len(encoded) * 3 // 4)
    is_link = "://" in data[:16]
    return Image(media_type=kind, bytes=None if is_link or not data else len(data) * 3 // 4)


def text_in(content: object) -> str:
    """A tool's answer as text: parts joined by a newline, others as "[image]"."""
    if isinstance(content, str):
        return content
    if content is None or content == []:
        return ""
    if not isinstance(content, list):
        return json_text(content)
    return "\n".join(block.text if isinstance(block, Text) else "[image]" for block in parts_of(content))


def arguments_of(written: object) -> Any:
    """A call's arguments are JSON within JSON; as text where they are cut off or no JSON."""
    if not isinstance(written, str):
        return written
    try:
        return msgspec.json.decode(written) if "\\u0000" not in written else written
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return written


# --- items of the Responses API ---------------------------------------------------------------------------------------


def item_blocks(item: Mapping[str, Any]) -> list[Block]:
    """What an item says. Calls of hosted tools bring their result with them."""
    kind = text_of(item.get("type"))
    if kind in ("", "message", "agent_message"):
        return parts_of(item.get("content"))
    if kind == "reasoning":
        return [Thinking(_reasoning(item))]
    if kind.endswith(("_call_output", "_output", "_response")):
        return [_result(item)]
    if kind.endswith("_call") or kind == "mcp_approval_request":
        return _call(item, kind)
    return [Text(json_text({key: value for key, value in item.items() if key not in _OWN}))]


#: An item's own bookkeeping, which may differ where the same is said.
_OWN = frozenset({"id", "status", "encrypted_content", "internal_chat_message_metadata_passthrough"})


def item_role(item: Mapping[str, Any]) -> Role:
    """Who speaks in an item: results are a tool's, a message is its role's, and everything else the model's."""
    kind = text_of(item.get("type"))
    if kind.endswith(("_output", "_response")):
        return Role.TOOL
    return ROLES.get(text_of(item.get("role")), Role.ASSISTANT)


def _reasoning(item: Mapping[str, Any]) -> str:
    parts = [*list_of(item.get("summary")), *list_of(item.get("content"))]
    return "\n".join(filter(None, (text_of(mapping_of(part).get("text")) for part in parts)))


def _call(item: Mapping[str, Any], kind: str) -> list[Block]:
    key = text_of(item.get("call_id")) or text_of(item.get("id"))
    name = text_of(item.get("name")) or kind.removesuffix("_call")
    asked = next((item[part] for part in _ASKED if item.get(part) is not None), None)
    call = ToolCall(name=name, id=key, input=asked if kind == "custom_tool_call" else arguments_of(asked))
    answer = next((item[part] for part in ("output", "outputs", "results", "error") if item.get(part)), None)
    if answer is None:
        return [call]
    return [call, ToolResult(text=_answer_text(answer), id=key, is_error=bool(item.get("error")))]


_ASKED = ("arguments", "input", "action", "queries", "code", "operation")


def _answer_text(answer: object) -> str:
    """Hosted tools answer with objects of their own; what they say stands in `text` or `logs`."""
    if isinstance(answer, str):
        return answer
    entries = [mapping_of(entry) for entry in list_of(answer)]
    said = [text_of(entry.get("text")) or text_of(entry.get("logs")) for entry in entries]
    return "\n".join(said) if said and all(said) else json_text(answer)


def _result(item: Mapping[str, Any]) -> ToolResult:
    output = item.get("output") if "output" in item else item.get("tools", item.get("approve"))
    failed = item.get("status") == "failed" or mapping_of(output).get("success") is False
    inner = mapping_of(output).get("content") if "content" in mapping_of(output) else output
    key = text_of(item.get("call_id")) or text_of(item.get("approval_request_id"))
    return ToolResult(text=text_in(inner), id=key, is_error=failed)
