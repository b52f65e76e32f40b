"""Tells a user's own words from what the user pasted, and both from what the harness put into the turn."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from conversations.audit.lines import lines
from conversations.audit.model import Author, Line
from conversations.vocabulary import Role

#: A turn longer than this holds a document, whatever its form: people do not type so much at once. INFERRED.
LONGEST_OWN = 2_500
#: So many of four lines that read like code or a log make a paste; one may be an example.
FOREIGN = 3
MAX_TURN = 200_000

_TAGGED = re.compile(
    r"<(system-reminder|local-command-caveat|local-command-stdout|local-command-stderr|command-name|command-message|"
    r"bash-stdout|bash-stderr|bash-input|user-prompt-submit-hook|task-notification|environment_context|"
    r"user_instructions|"
    r"permissions instructions|INSTRUCTIONS|ide_opened_file|ide_selection|turn_aborted)\b[^>]*>"
)
#: Marks and sentences that a harness sets into the user's words.
_INTERRUPTED = re.compile(
    r"\[Request interrupted by user[^\]]*\]|\[Image[^\]\n]{0,80}\]"
    r"|If you need specific details from before [^\n]{0,200}read the full transcript at: ?\S*"
)
_ARGUMENTS = re.compile(r"</?command-args>")
_HOOK = re.compile(
    r"^\s*(?:\w+ hook (?:feedback|error|success|additional context)|Caveat: The messages below)", re.IGNORECASE
)
_CODE_LINE = re.compile(
    r"^\s*(?:[{}()\[\];]+\s*$|[+-]{1,3} ?\S.*[;{}()]|@@ |diff --git|(?:import|from|def|class|func|function|"
    r"const|let|var|return|package|"
    r"public|private|if|for|while)\b.*[;:{(]\s*$|\d{4}-\d\d-\d\d[T ]\d\d:|\[?\d\d:\d\d:\d\d|at \S+\(|File \"|"
    r"\S+:\d+:\d+|"
    r"(?:ERROR|WARN|INFO|DEBUG|FAIL|PASS|ok)\b|[$#%] \S|\S+\s*[|│]\s*\S|> )"
)
_PLAN = re.compile(r"^\s{0,3}#{1,4} \S|^\s*(?:[-*•]|\d+[.)]) \S|^\s*[|│].*[|│]\s*$")
_ANNOUNCED = re.compile(
    r"\b(?:implement the following (?:plan|spec\w*)|(?:here(?:'s| is| are)|this is|see|following|below|output|"
    r"log|error|feedback|comments?|"
    r"review|plan|diff|trace|message|result)\b[^.\n]{0,60}):\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """`text[start:end]` of a user turn, and whose words they are."""

    start: int
    end: int
    author: Author


def stretches(line: Line) -> list[Stretch]:
    """The parts of a user turn in order, what the harness put there left out; empty for other roles."""
    if line.role is not Role.USER or line.author not in (Author.USER, Author.PASTED) or _HOOK.match(line.text):
        return []
    return [part for start, end in _spoken(line.text[:MAX_TURN]) for part in _voices(line.text, start, end)]


def _spoken(text: str) -> Iterator[tuple[int, int]]:
    """What lies outside the harness's tags and marks."""
    at = 0
    while at < len(text):
        tag = _TAGGED.search(text, at)
        yield from _pieces(text, at, tag.start() if tag else len(text))
        if tag is None:
            return
        close = text.find(f"</{tag.group(1)}>", tag.end())
        at = len(text) if close < 0 else close + len(tag.group(1)) + 3


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """`start..end` without the marks of an interruption and the tags around a command's arguments."""
    marks = sorted(
        [*_INTERRUPTED.finditer(text, start, end), *_ARGUMENTS.finditer(text, start, end)], key=lambda m: m.start()
    )
    for mark in marks:
        if text[start : mark.start()].strip():
            yield start, mark.start()
        start = max(start, mark.end())
    if text[start:end].strip():
        yield start, end


def _voices(text: str, start: int, end: int) -> Iterator[Stretch]:
    """Own words and pasted ones: a paste begins where a line announces it or reads like code, a log or a document."""
    own_until = _paste_start(text, start, end)
    if own_until > start and text[start:own_until].strip():
        yield Stretch(start, own_until, Author.USER)
    if own_until >= end:
        return
    back = _own_tail(text, own_until, end)
    yield Stretch(own_until, back, Author.PASTED)
    if back < end:
        yield Stretch(back, end, Author.USER)


def _paste_start(text: str, start: int, end: int) -> int:
    """Where the pasted part begins; `end` when all is the user's own."""
    rows = list(lines(text[:end], start))
    foreign = [bool(_CODE_LINE.match(text[a:b])) for a, b in rows]
    structured = sum(1 for a, b in rows if _PLAN.match(text[a:b]))
    for number, (a, b) in enumerate(rows):
        line = text[a:b]
        if _ANNOUNCED.search(line) and number + 1 < len(rows) and end - b > 200:
            return min(b + 1, end)
        if line.lstrip().startswith("```") or (foreign[number] and sum(foreign[number : number + 4]) >= FOREIGN):
            return a
        if structured >= 4 and end - start > 600 and _PLAN.match(line):
            return a
    return end if end - start <= LONGEST_OWN else _first_break(text, start, end)


def _first_break(text: str, start: int, end: int) -> int:
    """After the first paragraph of a turn that is too long to be typed."""
    blank = text.find("\n\n", start, end)
    return blank if 0 < blank - start < 600 else start


def _own_tail(text: str, start: int, end: int) -> int:
    """Where the user speaks again after a paste: plain words behind a closed fence, or a last question."""
    closed = text.rfind("\n```", start, end) if text.startswith("```", start) else -1
    after = text.find("\n", closed + 4, end) if closed > start else -1
    if after > 0 and _is_plain(text[after:end]):
        return after
    blank = text.rfind("\n\n", start, end)
    tail = text[blank:end].strip() if blank > start else ""
    return blank if "?" in tail and len(tail) < 300 and _is_plain(tail) else end


def _is_plain(tail: str) -> bool:
    """Whether no line of it is structured like a document or like code."""
    rows = [row for row in tail.splitlines() if row.strip()]
    return bool(rows) and not any(_PLAN.match(row) or _CODE_LINE.match(row) for row in rows)
