"""Messages told in one attribute for each field: `llm.input_messages.0.message.role` (OpenInference),
`gen_ai.prompt.0.content` and `gen_ai.completion.0.tool_calls.0.name` (OpenLLMetry before it followed the conventions).
"""

from collections.abc import Mapping
from typing import Any

from conversations.ingest.formats.base import mapping_of, text_of

Tree = dict[str, Any]


def listed(attributes: Mapping[str, Any], prefix: str) -> list[Tree]:
    """The items below `prefix.0`, `prefix.1`, … in order, each as a tree of what stands below it."""
    tree: Tree = {}
    for name, value in attributes.items():
        if name.startswith(f"{prefix}.") and name[len(prefix) + 1 : len(prefix) + 2].isdecimal():
            _put(tree, name[len(prefix) + 1 :].split("."), value)
    return _in_order(tree)


def is_gapless(attributes: Mapping[str, Any], prefix: str) -> bool:
    """Whether the numbers below `prefix` run from 0 without a hole: exporters drop the oldest attributes first."""
    starts = {name[len(prefix) + 1 :].partition(".")[0] for name in attributes if name.startswith(f"{prefix}.")}
    return {start for start in starts if start.isdecimal()} == {str(number) for number in range(len(starts))}


def _put(tree: Tree, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        below = tree.get(step)
        if not isinstance(below, dict):
            below = tree[step] = {}
        tree = below
    tree.setdefault(path[-1], value)


def _in_order(tree: object) -> list[Tree]:
    numbered = [(int(key), item) for key, item in mapping_of(tree).items() if key.isdecimal()]
    return [mapping_of(item) for _, item in sorted(numbered, key=lambda pair: pair[0])]


# --- OpenInference ----------------------------------------------------------------------------------------------------


def openinference_messages(attributes: Mapping[str, Any], prefix: str) -> list[Tree]:
    """As the conventions' messages with parts."""
    return [_openinference(mapping_of(item.get("message"))) for item in listed(attributes, prefix)]


def _openinference(message: Tree) -> Tree:
    content = message.get("content")
    if called := message.get("tool_call_id"):
        parts: list[Tree] = [{"type": "tool_call_response", "id": called, "response": content}]
    elif isinstance(content, str):
        parts = [{"type": "text", "content": content}]
    else:
        parts = []
    contents = [_part(item) for item in _in_order(message.get("contents"))]
    calls = [] if any(part["type"] == "tool_call" for part in contents) else _in_order(message.get("tool_calls"))
    return {"role": message.get("role"), "parts": [*parts, *contents, *(_call(mapping_of(item)) for item in calls)]}


def _part(item: Tree) -> Tree:
    content = mapping_of(item.get("message_content"))
    if "tool_call" in item:
        return _call(item)
    kind = text_of(content.get("type"))
    return {"type": kind or "text", "content": text_of(content.get("text"))}


def _call(item: Tree) -> Tree:
    call = mapping_of(item.get("tool_call"))
    function = mapping_of(call.get("function"))
    return {
        "type": "tool_call",
        "id": call.get("id"),
        "name": function.get("name"),
        "arguments": function.get("arguments"),
    }


# --- OpenLLMetry ------------------------------------------------------------------------------------------------------


def openllmetry_messages(attributes: Mapping[str, Any], prefix: str) -> list[Tree]:
    """As messages of older drafts: content, and calls beside it."""
    return [_openllmetry(item) for item in listed(attributes, prefix)]


def _openllmetry(item: Tree) -> Tree:
    calls = [{"type": "tool_call", **call} for call in _in_order(item.get("tool_calls"))]
    return {**item, "tool_calls": calls}
