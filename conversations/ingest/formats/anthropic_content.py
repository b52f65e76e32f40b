"""Turn the content of a Messages API message into what is said in it: no cache marks, signatures or bookkeeping."""

import re
from collections.abc import Mapping
from typing import Any

from conversations.ingest.events import Block, Summary
from conversations.ingest.exchange import Spoken
from conversations.ingest.formats.base import list_of, mapping_of, text_of
from conversations.ingest.formats.claude_content import blocks_of, spoken_text
from conversations.ingest.formats.spoken import spoken_of
from conversations.vocabulary import Role

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
#: The API's own notes between the blocks: nobody says them, and the model does not answer to them.
_BOOKKEEPING = frozenset({"fallback", "mcp_tool_listing", "tool_addition", "tool_removal"})
#: What a client may add, drop or change in a block that says the same.
_VOLATILE = frozenset(
    {"cache_control", "signature", "encrypted_content", "encrypted_index", "citations", "caller", "page_age"}
)


def said_in(message: Mapping[str, Any]) -> list[Spoken]:
    """One message of a request or the answer, in parts."""
    role = _ROLES.get(text_of(message.get("role")), Role.USER)
    return spoken_of(role, content_blocks(message.get("content")))


def content_blocks(content: object) -> list[Block]:
    """The blocks of a message or a system prompt."""
    if isinstance(content, str):
        return blocks_of(content, _keep)
    items = [content] if isinstance(content, dict) else list_of(content)
    blocks = blocks_of([_tidy(item) for item in items if not _is_silent(item)], _keep)
    return [unwrapped(block.text) if isinstance(block, Summary) else block for block in blocks]


def _keep(_: str) -> None:
    """A type of block that is not known keeps its JSON as text: there is no more to say about it."""


def summary_of(block: Mapping[str, Any]) -> str:
    """The text of a compaction block; "" of one whose compaction failed."""
    return unwrapped(spoken_text(block.get("content"))).text


#: The API's own prompt asks for these tags, and some models think aloud before them.
_OPENING = re.compile(r"\s*(?:<analysis>.*?</analysis>\s*)?<summary>\s*", re.DOTALL)
_CLOSING = "</summary>"


def unwrapped(text: str) -> Summary:
    """A summary without the tags around it: prefix + text + suffix are the text given."""
    opening = _OPENING.match(text)
    if opening is None or not text.rstrip().endswith(_CLOSING):
        return Summary(text)
    start = opening.end()
    end = max(start, len(text[: text.rindex(_CLOSING)].rstrip()))
    return Summary(text=text[start:end], prefix=text[:start], suffix=text[end:])


def _is_silent(item: object) -> bool:
    block = mapping_of(item)
    kind = text_of(block.get("type"))
    if kind == "text":
        return not block.get("text")
    return kind in _BOOKKEEPING if kind != "compaction" else not summary_of(block)


def _tidy(item: object) -> object:
    """The block without what changes although nothing new is said. A tool call's input is left as it is."""
    block = mapping_of(item)
    kind = text_of(block.get("type"))
    if kind == "compaction":
        return {"type": kind, "content": spoken_text(block.get("content"))}
    if kind == "document":
        return _document(block)
    if kind.endswith("_use"):
        return block
    if kind == "search_result":
        return {"type": "text", "text": _search_result(block)}
    if kind.endswith("tool_result"):
        return {**block, "content": _tidy_result(block.get("content")), "is_error": _is_error(block)}
    return _without_volatile(item)


def _document(block: dict[str, Any]) -> dict[str, Any]:
    """A document whose text stands in the request is read by the model like any other text."""
    source = mapping_of(block.get("source"))
    if source.get("type") == "text":
        said = text_of(source.get("data"))
    elif source.get("type") == "content":
        said = spoken_text(source.get("content"))
    else:
        return block
    return {"type": "text", "text": "\n".join(filter(None, (text_of(block.get("title")), said)))}


def _search_result(block: Mapping[str, Any]) -> str:
    lines = (text_of(block.get("title")), text_of(block.get("source")), spoken_text(block.get("content")))
    return "\n".join(filter(None, lines))


def _tidy_result(content: object) -> object:
    """A tool's answer. A client's own parts are text and images; a server tool's are objects with more in them."""
    if isinstance(content, list):
        return [_tidy_result(part) for part in content]
    part = mapping_of(content)
    kind = part.get("type")
    if kind == "web_search_result":
        return "\n".join(filter(None, (text_of(part.get("title")), text_of(part.get("url")))))
    if kind in ("search_result", "document"):
        tidied = _tidy(part)
        return tidied if mapping_of(tidied).get("type") == "text" else {"type": "document"}
    return _without_volatile(content)


def _is_error(block: Mapping[str, Any]) -> bool:
    """A server tool says so in its content."""
    return block.get("is_error") is True or text_of(mapping_of(block.get("content")).get("type")).endswith("_error")


def _without_volatile(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_volatile(inner) for key, inner in value.items() if key not in _VOLATILE}
    return [_without_volatile(inner) for inner in value] if isinstance(value, list) else value
