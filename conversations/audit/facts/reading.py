"""What was found out from code and documents that were read: the place, with the agent's reading of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile

from conversations.audit.calls import Call, command_kinds
from conversations.audit.facts import cues, spoken
from conversations.audit.facts.draft import Draft, draft_of
from conversations.audit.facts.rules import rule_kind
from conversations.audit.facts.units import Form, Unit, prose
from conversations.audit.lines import lines
from conversations.audit.model import FactKind, Line
from conversations.audit.text import content_stems

LONGEST_CHUNK = 360  # characters: what the judge and a person take in at once
MOST_CHUNKS = 400  # of one result
LONGEST_LOOK = 6_000  # characters of a shell command's output; more is a log
MOST_COMMENTS = 5  # of one result
MOST_ROWS = 60  # of one document
MOST_READINGS = 40  # of one result
#: A reading rests on a place in the source when they share this many telling words. Two is topic, four is content.
SHARED = 4

#: The cue of a place that stands with the agent's reading of it.
READ = "read, then said"

_DOCUMENT = re.compile(r"\.(?:md|mdx|rst|txt|adoc|org)$", re.IGNORECASE)
_GUTTER = re.compile(r"^\s*\d{1,6}(?:→|\t|[:-](?=\s|$))\s?|^[\w@./-]+\.\w{1,6}[:-]\d+[:-]")
#: Lines that end a chunk: empty ones, what grep writes between files, closing brackets.
_BLANK = frozenset(["", "--", "}", "})", ");"])
_COMMENT = re.compile(r"^\s*(?://+|#+(?![!\[])|/?\*+|--(?!-)|<!--|;;|\"\"\")\s*(\S.*)?$")
_DEFINITION = re.compile(
    r"^\s*(?:export\s+|public\s+|private\s+|static\s+|async\s+|pub\s+)*(?:func|def|class|function|interface|"
    r"type|struct|enum|trait|impl|"
    r"const|let|fn|module|describe|it|test)\b\s*\S"
)
_BRANCH = re.compile(r"\b(?:if|else|switch|case|return|throw|raise|except|catch|guard|assert)\b")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A few lines of code that stand together: `text[start:end]`."""

    start: int
    end: int
    stems: frozenset[str]
    comment: bool
    definition: bool


def from_document(line: Line, call: Call) -> Iterator[Draft]:
    """The statements of a document that the agent read."""
    for taken, unit in enumerate(prose(without_gutter(line.text))):
        if taken >= MOST_ROWS:
            return
        said = line.text[unit.start : unit.end]
        if unit.form is Form.CODE or said.lstrip().startswith(("<", "import ", "{")):
            continue
        kind = rule_kind(said) or (FactKind.STATE if cues.OPEN.search(said) else FactKind.FINDING)
        yield draft_of(kind, line, unit, "document", about=_about(call, unit))


def is_document(call: Call) -> bool:
    """Whether the call read prose."""
    return bool(_DOCUMENT.search(call.path or call.command.split("\n")[0].split("|")[0].strip()))


def is_look(call: Call) -> bool:
    """Whether a shell command only looks at something: what a test run prints is no source."""
    return not command_kinds(call.command) and call.result is not None and len(call.result.text) <= LONGEST_LOOK


def without_gutter(text: str) -> str:
    """`text` with line numbers blanked, every other character in its place."""
    return "\n".join(" " * (end := _gutter(row)) + row[end:] for row in text.split("\n"))


def _gutter(row: str) -> int:
    """Where the words of a line begin behind its number; 0 where it has none."""
    number = _GUTTER.match(row)
    return number.end() if number else 0


def _about(call: Call, unit: Unit) -> str:
    name = (call.path or call.command.split("\n")[0]).rsplit("/", 1)[-1]
    return ": ".join(part for part in (name, *unit.context[-1:]) if part)


def from_code(line: Line, call: Call, said: list[Line]) -> Iterator[Draft]:
    """Places in code that the agent read: those its next words rest on, then comments that explain."""
    pieces = chunks(line.text)
    used: set[int] = set()
    for reading in islice(_readings(said), MOST_READINGS):
        number = _best(pieces, frozenset(content_stems(reading)))
        if number is not None and number not in used:
            used.add(number)
            yield _place(line, call, pieces[number], reading)
    explained = [n for n, piece in enumerate(pieces) if n not in used and _explains(line.text, piece)]
    for number in explained[:MOST_COMMENTS]:
        yield _place(line, call, pieces[number], "")


def _readings(said: list[Line]) -> Iterator[str]:
    """What the agent made of it, sentence by sentence: no announcement of what it does next, no musing."""
    for words in said:
        for unit in prose(words.text):
            told = None if unit.form is Form.CODE else spoken.telling(words, unit)
            if told is not None:
                yield words.text[told.start : told.end]


def is_place(draft: Draft) -> bool:
    """Whether it is a place in a tool's result, with what the agent said of it."""
    return READ in draft.cues


def shared(draft: Draft) -> int:
    """How many telling words a place shares with the agent's reading of it."""
    return len(set(content_stems(draft.quote)) & set(content_stems(draft.reading)))


def chunks(text: str) -> list[Chunk]:
    """The text in chunks: a run of lines up to a blank line, a change of file, or LONGEST_CHUNK characters."""
    found: list[Chunk] = []
    start = end = -1
    explained = None  # whether the chunk begins with a comment
    for a, b in lines(text):
        row = text[a:b]
        body = row[_gutter(row) :]
        blank = body.strip() in _BLANK
        comment = _COMMENT.match(body)
        starts_over = comment and not explained
        if start >= 0 and (blank or starts_over or b - start > LONGEST_CHUNK):
            found.append(_chunk(text, start, end))
            start = -1
        if not blank:
            start, end, explained = (a, b, comment) if start < 0 else (start, b, explained)
        if len(found) >= MOST_CHUNKS:
            return found
    if start >= 0:
        found.append(_chunk(text, start, end))
    return found


def _chunk(text: str, start: int, end: int) -> Chunk:
    end = min(end, start + LONGEST_CHUNK)
    first = text[start:end].split("\n", 1)[0]
    first = first[_gutter(first) :]
    start += len(text[start:end]) - len(text[start:end].lstrip())
    stems = frozenset(content_stems(text[start:end]))
    return Chunk(start, end, stems, bool(_COMMENT.match(first)), bool(_DEFINITION.match(first)))


def _best(pieces: list[Chunk], stems: frozenset[str]) -> int | None:
    """The chunk that shares most words with a reading, where that is enough to rest on."""
    if len(stems) < SHARED:
        return None
    best = max(range(len(pieces)), key=lambda n: len(pieces[n].stems & stems), default=None)
    return best if best is not None and len(pieces[best].stems & stems) >= SHARED else None


def _explains(text: str, piece: Chunk) -> bool:
    """Whether a chunk is a comment that gives a reason, a limit or a rule."""
    if not piece.comment or len(piece.stems) < 5:
        return False
    said = text[piece.start : piece.end]
    return bool(
        cues.REASON.search(said)
        or cues.NEGATIVE.search(said)
        or cues.RISK.search(said)
        or cues.REQUIREMENT.search(said)
    )


def comment_of(code: str) -> str:
    """The words of the comment at the beginning of `code`, without its marks."""
    rows = (_COMMENT.match(row) for row in without_gutter(code).split("\n"))
    return " ".join(row[1].rstrip("*/-> ") for row in takewhile(bool, rows) if row and row[1])


def _place(line: Line, call: Call, piece: Chunk, reading: str) -> Draft:
    name = call.path.rsplit("/", 1)[-1] or call.command[:60]
    cue, said = (READ, reading) if reading else ("comment", comment_of(line.text[piece.start : piece.end]))
    return Draft(FactKind.FINDING, line, piece.start, piece.end, name, said, cues=(cue,), form=Form.CODE.value)
