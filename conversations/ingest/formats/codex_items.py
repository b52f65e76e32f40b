"""Turn one Codex response item into a canonical message: who speaks, how it came into the context, its blocks."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from conversations.ingest.events import Block, Image, Summary, Text, Thinking, ToolCall, ToolResult
from conversations.ingest.formats.base import list_of, mapping_of, text_of
from conversations.ingest.formats.claude_content import json_text, result_text
from conversations.vocabulary import Origin, Role

Item = Mapping[str, Any]

_CALLS = frozenset(
    {
        "function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call",
        "image_generation_call", "mcp_call", "mcp_tool_call", "computer_call", "code_interpreter_call",
        "file_search_call",
    }
)  # fmt: skip
_OUTPUTS = frozenset(
    {
        "function_call_output", "custom_tool_call_output", "local_shell_call_output", "tool_search_output",
        "mcp_tool_call_output", "computer_call_output",
    }
)  # fmt: skip
#: A summary that only the vendor can read.
OPAQUE = frozenset({"compaction", "compaction_summary", "context_compaction"})
#: Items that are no message: ghost commits are snapshots of the working tree, triggers ask for a compaction.
SILENT = frozenset({"ghost_snapshot", "compaction_trigger", "other"}) | OPAQUE
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM, "developer": Role.SYSTEM}

#: Before 0.169 a user item that the harness wrote is only told by how its text opens.
_HARNESS_OPENINGS = (
    "<environment_context>", "<user_instructions>", "# AGENTS.md instructions", "<turn_aborted>", "<skill>",
    "<user_shell_command>", "<subagent_notification>", "<permissions instructions>", "<collaboration_mode>",
)  # fmt: skip


class Spoken(Struct, frozen=True):
    """A response item as a message."""

    role: Role
    origin: Origin
    blocks: list[Block]


def message_of(item: Item) -> Spoken | None:
    """The item as a message; None for the types that are none and for those not understood."""
    kind = text_of(item.get("type"))
    if kind in ("message", "agent_message"):
        return _message(item)
    if kind == "reasoning":
        return Spoken(Role.ASSISTANT, Origin.SPOKEN, [Thinking(_reasoning(item))])
    if kind in _CALLS:
        return Spoken(Role.ASSISTANT, Origin.SPOKEN, [_call(item)])
    if kind in _OUTPUTS:
        return Spoken(Role.TOOL, Origin.SPOKEN, [_output(item)])
    return None


def _message(item: Item) -> Spoken:
    role = _ROLES.get(text_of(item.get("role")), Role.ASSISTANT)
    harness = role is Role.SYSTEM or (role is Role.USER and is_harness(item))
    return Spoken(role, Origin.HARNESS if harness else Origin.SPOKEN, content_blocks(item.get("content")))


def is_harness(item: Item) -> bool:
    """Whether a user item was written by the harness: it says so from 0.169 on, before by its opening words."""
    kinds = list_of(mapping_of(item.get("internal_chat_message_metadata_passthrough")).get("content_item_kinds"))
    named = [kind for kind in kinds if isinstance(kind, str) and kind != "unknown"]
    if named:
        return not any(kind.startswith("user.") for kind in named)
    return item_text(item).lstrip().startswith(_HARNESS_OPENINGS)


def content_blocks(content: object) -> list[Block]:
    """Text and image parts."""
    if isinstance(content, str):
        return [Text(content)]
    return [_part(mapping_of(part)) for part in list_of(content)]


def _part(part: Item) -> Block:
    kind = text_of(part.get("type"))
    if kind in ("input_text", "output_text", "text", "Text", "refusal"):
        return Text(text_of(part.get("text")) or text_of(part.get("refusal")))
    if "image" in kind:
        return _image(text_of(part.get("image_url")))
    return Text(json_text(part))


def _image(url: str) -> Image:
    head, _, data = url.partition(",")
    if head.startswith("data:"):
        return Image(media_type=head[5:].split(";")[0], bytes=len(data) * 3 // 4)
    return Image(media_type="image")


def _reasoning(item: Item) -> str:
    parts = [*list_of(item.get("summary")), *list_of(item.get("content"))]
    return "\n".join(filter(None, (text_of(mapping_of(part).get("text")) for part in parts)))


def _call(item: Item) -> ToolCall:
    kind = text_of(item.get("type"))
    name = text_of(item.get("name")) or kind.removesuffix("_call")
    arguments = next((item[key] for key in ("arguments", "input", "action") if item.get(key) is not None), None)
    return ToolCall(name=name, id=call_id(item), input=_parsed(arguments) if kind == "function_call" else arguments)


def call_id(item: Item) -> str:
    """What joins a call and its output."""
    return text_of(item.get("call_id")) or text_of(item.get("id"))


def _parsed(arguments: object) -> Any:
    """Function arguments are JSON within JSON; as text where they are cut or no JSON."""
    if not isinstance(arguments, str):
        return arguments
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.MsgspecError, RecursionError):
        return arguments
    return value if "\\u0000" not in arguments else arguments


def _output(item: Item) -> ToolResult:
    output = item.get("output")
    if output is None and "tools" in item:
        names = (text_of(mapping_of(tool).get("name")) for tool in list_of(item.get("tools")))
        return ToolResult(text="\n".join(filter(None, names)), id=call_id(item))
    failed = item.get("status") == "failed" or mapping_of(output).get("success") is False
    inner = mapping_of(output).get("content") if "content" in mapping_of(output) else output
    return ToolResult(text=result_text(inner), id=call_id(item), is_error=failed)


def item_text(item: Item) -> str:
    """The text parts of an item's content joined by newlines."""
    content = item.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(text_of(mapping_of(part).get("text")) for part in list_of(content))


def fingerprint(item: Item) -> str:
    """What is equal for two items that say the same, whatever their ids and metadata."""
    said = f"{item.get('type')}\0{item.get('role')}\0{item_text(item)}"
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


_SUMMARY_PREFIX = "Another language model started to solve this problem and produced a summary of its thinking process."
_SUMMARY_COLON = "summary produced by the other language model,"


def unwrap(text: str) -> Summary:
    """A readable summary without the sentence that introduces it to the next model."""
    if not text.startswith(_SUMMARY_PREFIX):
        return Summary(text)
    colon = text.find(":", max(text.find(_SUMMARY_COLON), 0))
    start = colon + 1 if colon >= 0 else 0
    while start < len(text) and text[start].isspace():
        start += 1
    return Summary(text=text[start:], prefix=text[:start])
