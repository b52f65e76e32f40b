"""The blocks of a message as they are shown: text up to a limit; calls, results and thoughts folded to a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import json

from conversations.web.highlight import Html, clean, highlight, places
from conversations.web.marks import BlockMarks
from conversations.web.prose import render

TEXT_SHOWN = 4_000  # characters of prose in a list: about 40 lines; the rest is a click away
FOLDED_SHOWN = 2_000  # of what is folded
ASIDE_SHOWN = 600  # of what the harness wrote, before it is folded
LINE_SHOWN = 160

NO_MARKS = BlockMarks(())

_FOLDED = {"thinking", "tool_call", "tool_result"}
#: What says most about a call, tried in this order before any other string of its input.
_TELLING = ("command", "cmd", "file_path", "path", "pattern", "query", "url", "description", "prompt")


@dataclass(frozen=True, slots=True)
class Shown:
    """One block on the page."""

    kind: str
    label: str  # "Bash", "Bash result", "thought" …
    line: str  # of a folded block
    body: Html
    length: int  # characters of the whole
    more: int  # characters left out
    at: int = 0  # number of the block in its message
    start: int = 0  # where the shown piece begins in the block's text
    folded: bool = False  # to one line, until it is opened
    prose: bool = False
    is_error: bool = False
    opened: bool = False  # what was looked for is inside


def text_of(block: Mapping[str, Any]) -> str:
    """All words of a block; a call's input as indented JSON."""
    if block.get("type") == "tool_call":
        return input_text(block.get("input"))
    return str(block.get("text") or "")


def input_text(value: Any) -> str:
    """A call's input: a lone string as it is, the rest as JSON that a person can read."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.format(json.encode(value), indent=2).decode()


def call_names(messages: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    """Tool names by call id, of the messages on the page, so that a result can say whose it is."""
    return {
        str(block.get("id")): str(block.get("name"))
        for blocks in messages
        for block in blocks
        if block.get("type") == "tool_call"
    }


def shown(
    blocks: Sequence[Mapping[str, Any]],
    *,
    query: str = "",
    names: Mapping[str, str] | None = None,
    prose: bool = False,
    aside: bool = False,
    whole: bool = False,
    marks: Mapping[int, BlockMarks] | None = None,
) -> list[Shown]:
    """The blocks of one message, made ready.

    `prose`: its text is a model's, with headings and lists; people's words are shown as typed. `aside`: nobody said it,
    so that long text is folded, too. `whole` leaves nothing out. `marks`: of facts, by the block's number.
    """
    known = marks or {}
    return [
        _shown((at, block), query, names or {}, known.get(at, NO_MARKS), prose=prose, aside=aside, whole=whole)
        for at, block in enumerate(blocks)
    ]


def _shown(
    numbered: tuple[int, Mapping[str, Any]],
    query: str,
    names: Mapping[str, str],
    facts: BlockMarks,
    *,
    prose: bool,
    aside: bool,
    whole: bool,
) -> Shown:
    at, block = numbered
    kind, text = str(block.get("type")), text_of(block)
    folded = kind in _FOLDED or (aside and len(text) > ASIDE_SHOWN)
    limit = len(text) if whole else FOLDED_SHOWN if folded else TEXT_SHOWN
    # A call is shown as JSON that a person can read; places point into what the auditor read, which is on one line.
    known = () if kind == "tool_call" else facts.marks
    start = _start(text, query, limit, None if kind == "tool_call" else facts.focus)
    piece = text[start : start + limit]
    found = places(piece, query)
    marks = [*found, *(mark._replace(start=mark.start - start, end=mark.end - start) for mark in known)]
    as_prose = kind == "summary" or (prose and kind == "text" and not folded)
    return Shown(
        kind=kind,
        label=clean(_label(block, names)),
        line=clean(_line(block, text)),
        body=render(piece, marks) if as_prose else highlight(piece, marks),
        folded=folded,
        prose=as_prose,
        length=len(text),
        more=len(text) - len(piece),
        is_error=bool(block.get("is_error")),
        at=at,
        start=start,
        opened=folded and (bool(found) or facts.focus is not None),
    )


def _start(text: str, query: str, limit: int, focus: int | None) -> int:
    """Where the shown piece begins: at the top, or shortly before what was looked for when that lies deeper."""
    if len(text) <= limit or not (query or focus is not None):
        return 0
    found = text.lower().find(query.lower()) if query else focus or 0
    return max(0, found - limit // 4) if found >= limit * 3 // 4 else 0


def _label(block: Mapping[str, Any], names: Mapping[str, str]) -> str:
    kind = block.get("type")
    if kind == "tool_call":
        return str(block.get("name") or "tool")
    if kind == "tool_result":
        return f"{names.get(str(block.get('id')), 'tool')} result"
    return {"thinking": "thought", "image": "attachment", "summary": "summary"}.get(str(kind), "text")


def _line(block: Mapping[str, Any], text: str) -> str:
    kind = block.get("type")
    if kind == "image":
        return f"{block.get('media_type') or 'image'}, not stored"
    if kind == "thinking" and not text:
        return "not readable: only its signature was sent"
    telling = _telling(block.get("input")) if kind == "tool_call" else text
    first = next((line.strip() for line in telling[:4_000].splitlines() if line.strip()), "")
    return f"{first[: LINE_SHOWN - 1]}…" if len(first) > LINE_SHOWN else first or "(empty)"


def _telling(value: Any) -> str:
    if not isinstance(value, Mapping):
        return input_text(value)
    found = next((value[name] for name in _TELLING if isinstance(value.get(name), str)), None)
    return found if found is not None else json.encode(value).decode()
