"""A summary's light structure: headings, lists, code and emphasis of Markdown, as parts that point into the text.

Not a Markdown renderer: links, images and HTML stay the text they are, because what is shown was written by a model
about text from anywhere, and because a reader must see what the next model will read.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from conversations.web.highlight import Html, Mark, highlight, safe

Kind = Literal["paragraph", "heading", "item", "code"]

_FENCE = re.compile(r"\s*(```|~~~)")
_HEADING = re.compile(r"(#{1,6})\s+(?=\S)")
_ITEM = re.compile(r"(\s*)([-*•+]|\d{1,3}[.)])\s+(?=\S)")
_INLINE = re.compile(r"\*\*(?=\S)(?P<strong>[^*\n]{1,300})(?<=\S)\*\*|`(?P<code>[^`\n]{1,300})`")
_INDENT = 2  # spaces a level of a list, at least
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph, heading, list item or code block: its words are text[start:end]."""

    kind: Kind
    start: int
    end: int
    level: int = 0  # of a heading, 1 to 6; depth of an item, 0 to 3
    sign: str = ""  # of an item: its bullet or number


def parts(text: str) -> list[Part]:
    """The text in parts, in order. Nothing is lost but blank lines, fences and the signs of headings and items."""
    found: list[Part] = []
    for part in _lines(text):
        last = found[-1] if found else None
        if last and last.kind == part.kind == "paragraph" and text[last.end : part.start].count("\n") == 1:
            found[-1] = Part("paragraph", last.start, part.end)
        else:
            found.append(part)
    return found


def _lines(text: str) -> Iterator[Part]:
    at, fence_start = 0, -1
    for line in text.splitlines(keepends=True):
        end = at + len(line.rstrip("\r\n"))
        if _FENCE.match(line):
            if fence_start >= 0:
                yield Part("code", fence_start, max(fence_start, at - 1))
            fence_start = -1 if fence_start >= 0 else at + len(line)
        elif fence_start < 0 and line.strip():
            yield _part(text, at, end)
        at += len(line)
    if fence_start >= 0 and fence_start < len(text):
        yield Part("code", fence_start, len(text))


def _part(text: str, start: int, end: int) -> Part:
    if heading := _HEADING.match(text, start, end):
        return Part("heading", heading.end(), end, level=len(heading[1]))
    if item := _ITEM.match(text, start, end):
        depth = min(len(item[1].expandtabs(4)) // _INDENT, _DEEPEST)
        sign = item[2] if item[2][0].isdigit() else "•"
        return Part("item", item.end(), end, level=depth, sign=sign)
    return Part("paragraph", start, end)


def emphasis(text: str, start: int, end: int) -> list[Mark]:
    """Bold words and inline code between two places; their signs are left out."""
    marks = []
    for match in _INLINE.finditer(text, start, end):
        tag = "strong" if match["strong"] is not None else "code"
        inner, stop = match.span(tag)
        marks += [Mark(match.start(), inner, tag=""), Mark(inner, stop, tag=tag), Mark(stop, match.end(), tag="")]
    return marks


def _marked(text: str, part: Part, over: Sequence[Mark]) -> str:
    return highlight(text, [*over, *emphasis(text, part.start, part.end)], start=part.start, end=part.end)


def _emphasised(text: str, part: Part) -> str:
    """The same without marks, in a quarter of the time: on nearly every line of a summary there is none."""
    html, at = [], part.start
    for match in _INLINE.finditer(text, part.start, part.end):
        tag = "strong" if match["strong"] is not None else "code"
        html.append(f"{safe(text[at : match.start()])}<{tag}>{safe(match[tag])}</{tag}>")
        at = match.end()
    return "".join([*html, safe(text[at : part.end])])


def render(text: str, marks: Iterable[Mark] = ()) -> Html:
    """The text as prose with the marked places marked."""
    waiting, over, html = deque(sorted(marks, key=lambda mark: mark.start)), list[Mark](), []
    for part in parts(text):
        while waiting and waiting[0].start < part.end:
            over.append(waiting.popleft())
        over = [mark for mark in over if mark.end > part.start]
        html.append(_rendered(text, part, over))
    return Html("".join(html))


def _rendered(text: str, part: Part, over: Sequence[Mark]) -> str:
    if part.kind == "code":
        return f"<pre>{highlight(text, over, start=part.start, end=part.end)}</pre>"
    words = _marked(text, part, over) if over else _emphasised(text, part)
    if part.kind == "heading":
        return f'<p class="heading level-{part.level}">{words}</p>'
    if part.kind == "item":
        return (
            f'<div class="item depth-{part.level}"><span class="item-sign">{part.sign}</span><span>{words}</span></div>'
        )
    return f"<p>{words}</p>"
