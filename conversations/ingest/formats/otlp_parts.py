"""GenAI messages as the Messages API writes them, so that one reader finds the same messages in both.

The conventions tell of `{"role", "parts"}`; older drafts and gen_ai.prompt of `{"role", "content", "tool_calls"}`.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from conversations.ingest.formats.base import list_of, mapping_of, text_of
from conversations.ingest.formats.otlp import structured

Message = dict[str, Any]
Block = dict[str, Any]

_SYSTEM = frozenset({"system", "developer"})
_ROLES = {"model": "assistant", "ai": "assistant", "human": "user", "tool": "user", "function": "user"}
_BINARY = frozenset({"blob", "uri", "file", "image", "image_url", "input_image", "media", "audio", "video"})


class Content(Struct, frozen=True):
    """What a call was sent and answered, in blocks. `whole`: nothing of what was sent was left out on the way."""

    system: list[Block] = []
    messages: list[Message] = []
    answer: list[Block] = []
    whole: bool = True

    def __bool__(self) -> bool:
        return bool(self.messages or self.answer)


def content_of(system: object, sent: object, answered: object, *, whole: bool = True) -> Content:
    """The three attributes, each JSON text or the structure. Of several answers the first is the one that counts."""
    messages = messages_of(sent)
    leading = next((at for at, message in enumerate(messages) if message["role"] not in _SYSTEM), len(messages))
    own = [block for message in messages[:leading] for block in message["content"]]
    answers = messages_of(answered, role="assistant")
    return Content(
        system=[*_system(system), *own],
        messages=messages[leading:],
        answer=answers[0]["content"] if answers else [],
        whole=whole,
    )


def messages_of(value: object, role: str = "user") -> list[Message]:
    """A list of messages, one, or plain text; `role` is that of a message that names none."""
    found = structured(value)
    items = found if isinstance(found, list) else [found] if found else []
    if isinstance(value, str) and not all(isinstance(item, dict) for item in items):
        items = [value]  # somebody's words, which happen to be JSON
    return [_message(item, role) for item in items]


def is_cut_off(value: object) -> bool:
    """Whether an attribute that should hold JSON was shortened by the exporter until it is none."""
    found = structured(value)
    return isinstance(found, str) and found.lstrip()[:1] in ("[", "{")


def _system(value: object) -> list[Block]:
    found = structured(value)
    if isinstance(found, str):
        return [_text(found)] if found else []
    items = found if isinstance(found, list) else list_of(mapping_of(found).get("parts")) or [found]
    return list(_blocks(item for item in items if item))


def _message(item: object, role: str) -> Message:
    if isinstance(item, str):
        return {"role": role, "content": [_text(item)]}
    message = mapping_of(item)
    said = text_of(message.get("role")).lower() or role
    parts = message.get("parts") if isinstance(message.get("parts"), list) else _older_parts(message, said)
    return {"role": _ROLES.get(said, said), "content": list(_blocks(list_of(parts)))}


def _older_parts(message: Message, role: str) -> list[object]:
    """Before there were parts: content as text or a list, calls beside it, a result by the message's role."""
    parts = _typed(message.get("content"))
    if role in ("tool", "function"):
        called = message.get("tool_call_id") or message.get("id")
        return [{"type": "tool_call_response", "id": called, "response": message.get("content")}]
    return [*parts, *list_of(message.get("tool_calls"))]


def _typed(content: object) -> list[object]:
    """Parts may stand as JSON text where the words stand; words that are JSON of another kind are words."""
    found = structured(content)
    if isinstance(found, list) and all("type" in mapping_of(part) for part in found):
        return found
    return [content] if content else []


def _blocks(parts: Iterable[object]) -> Iterable[Block]:
    return (block_of(part) for part in parts)


def block_of(part: object) -> Block:
    """One part. What is of no kind known here is passed on as it is: its JSON is kept as text."""
    if isinstance(part, str):
        return _text(part)
    fields = mapping_of(part)
    kind = text_of(fields.get("type"))
    content = fields.get("content")
    if kind == "text" or (not kind and isinstance(content, str)):
        return _text(text_of(fields.get("text")) or text_of(content))
    if kind in ("reasoning", "thinking"):
        return {"type": "thinking", "thinking": text_of(content) or text_of(fields.get("thinking"))}
    if kind in _BINARY:
        return {"type": "image", "source": fields.get("source") or {"media_type": text_of(fields.get("mime_type"))}}
    return _call_or_result(kind, fields)


def _call_or_result(kind: str, fields: Block) -> Block:
    function = mapping_of(fields.get("function"))
    if kind in ("tool_call", "server_tool_call", "tool-call") or function:
        return _call(function or fields, fields)
    if kind in ("tool_call_response", "server_tool_call_response", "tool_result", "tool-result"):
        return _result(fields)
    if kind.startswith("anthropic_"):  # the SDK keeps nothing of these but the type
        return {**fields, "type": kind.removeprefix("anthropic_")}
    return fields


def _call(named: Block, fields: Block) -> Block:
    asked = named.get("arguments", fields.get("server_tool_call"))
    return {"type": "tool_use", "id": text_of(fields.get("id")), "name": named.get("name"), "input": structured(asked)}


def _result(fields: Block) -> Block:
    names = ("response", "result", "content", "server_tool_call_response")  # in drafts: result
    answered = next((fields[name] for name in names if fields.get(name) is not None), None)
    parts = [block_of(part) for part in answered] if isinstance(answered, list) else answered
    called = text_of(fields.get("id")) or text_of(fields.get("tool_use_id"))
    return {"type": "tool_result", "tool_use_id": called, "content": parts}


def _text(text: str) -> Block:
    return {"type": "text", "text": text}
