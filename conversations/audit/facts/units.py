"""Cuts a block of text into units that say one thing each: sentences, list items, table rows, code comments.

Every unit is a slice of its text, so that a quote is always verbatim. Headings and lead-ins ("The rules are:") are not
units; they stand in `context`, because an item without its label says little to a person.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from conversations.audit.lines import lines

LONGEST = 380  # characters of one unit: a fact is a fact, not a page
#: What ends in a colon or a question mark and is shorter leads in what follows; an item of so many says something, too.
LONGEST_LEAD_IN = 200
SHORTEST_STATED = 60
#: Of a table with so few columns the rows say all: "Option / Description" tells a person nothing.
NAMED_BY_ROWS = 2


class Form(StrEnum):
    """How a unit stands in its text."""

    SENTENCE = "sentence"
    ITEM = "item"
    ROW = "row"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Unit:
    """`text[start:end]`, with the headings, lead-in and table header that it stands under."""

    start: int
    end: int
    form: Form
    context: tuple[str, ...] = ()
    label: str = ""  # the item's own number or letter: "3", "b"


@dataclass(slots=True)
class _Reader:
    """Where the cutter is: the headings above, the lead-in before, the header of the table."""

    headings: tuple[tuple[int, str], ...] = ()
    lead_in: str = ""
    item: tuple[int, str] | None = None  # indent and words of an item that leads in those indented below it
    header: str = ""
    fenced: bool = False
    opens: dict[int, bool] = field(default_factory=dict)  # start of a fence line → whether code begins there

    def context(self) -> tuple[str, ...]:
        titles = [title for _, title in self.headings[-2:]]
        above = self.item[1] if self.item else ""
        return tuple(part for part in (*titles, self.lead_in, above, self.header.strip()) if part)


_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(\S.*?)\s*#*$")
_BOLD_LINE = re.compile(r"^\s{0,3}\*\*([^*]{2,100})\*\*\s*(?:\([^)]{1,40}\))?:?\s*$")
_ITEM = re.compile(r"^(\s*)(?:[-*+•▪◦–]|(\d{1,3}|[a-zA-Z])[.)])\s+(?=\S)")
_ROW = re.compile(r"^\s*[|│].*[|│]\s*$")
_RULE = re.compile(r"^[\s|│:+=\-─━┼├┤┌┐└┘┬┴]*$")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*([\w+#.-]*)[^\n]*$", re.MULTILINE)
_PROSE = frozenset({"text", "txt", "md", "markdown", "plaintext"})
_CODE_ROW = re.compile(
    r"[;{}()\[\],=]\s*$|^\s*(?:[$#>%@+]|[-+]\S|//|/\*|\*/|import |from |def |func |class |return |const |let |"
    r"var |if |for |else|end\b|<\w|"
    r"\w+\(|git |npm |go |python |[\w.]+ = |/|\./|[├└│])"
)
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]*`”’]{0,3}\s+(?=[\"'(\[*`“A-ZÀ-ÞА-Я0-9])|(?<=[。！？])\s*")
_UNDERLINED = re.compile(r"(?<!\w)_+|_+(?!\w)")  # not within ledger_v1


def plain(text: str) -> str:
    """`text` on one line without markup, for titles and sentences."""
    if "_" in text:
        text = _UNDERLINED.sub("", text)
    return " ".join(text.replace("*", "").replace("`", "").replace("#", "").split())


def mark_end(text: str) -> int:
    """Where the words of a list's item begin, after its bullet, number or letter; 0 for any other text."""
    item = _ITEM.match(text)
    return item.end() if item else 0


def is_listed(text: str, start: int) -> bool:
    """Whether the line in which `start` stands is an item of a list or a row of a table."""
    line_start = text.rfind("\n", 0, start) + 1
    line = text[line_start : line_start + LONGEST].split("\n", 1)[0]
    return bool(_ITEM.match(line) or _ROW.match(line))


def prose(text: str, start: int = 0, end: int | None = None) -> list[Unit]:
    """The units of prose with markdown between `start` and `end`, in order."""
    end = len(text) if end is None else end
    units: list[Unit] = []
    reader = _Reader(opens=_fences(text, start, end))
    paragraph: list[tuple[int, int]] = []
    for line_start, line_end in lines(text[:end], start):
        if _joins(text[line_start:line_end], reader):
            paragraph.append((line_start, line_end))
            continue
        _close(text, paragraph, reader, units)
        _take_line(text, line_start, line_end, reader, units, paragraph)
    _close(text, paragraph, reader, units)
    return units


def _fences(text: str, start: int, end: int) -> dict[int, bool]:
    """Start of each fence line → whether it opens a block of code.

    A fence with a language opens one; a bare fence before such a fence, or the last of all, closes one, because a
    text may begin in the middle of a block. A bare pair holds code only if it looks like code: agents frame reports so.
    """
    found = list(_FENCE.finditer(text, start, end))
    opens: dict[int, bool] = {}
    inside = False
    for number, fence in enumerate(found):
        after = found[number + 1] if number + 1 < len(found) else None
        language = fence[1].lower()
        if language:
            inside = language not in _PROSE
        elif inside:
            inside = False
        else:
            inside = after is not None and not after[1] and _is_code(text[fence.end() : after.start()])
            if not inside and after is not None and not after[1]:
                opens[after.start()] = False
        opens.setdefault(fence.start(), inside)
    return opens


def _is_code(body: str) -> bool:
    """Whether most lines of a block without a language end or begin as code does."""
    rows = [row for row in body[:4_000].split("\n") if row.strip()]
    return sum(bool(_CODE_ROW.search(row)) for row in rows) * 3 >= len(rows)


def _joins(line: str, reader: _Reader) -> bool:
    """Whether a line merely continues the paragraph before it."""
    if reader.fenced or not line.strip() or line.lstrip().startswith(("```", "~~~", "#", "|", "│")):
        return False
    return not (_ITEM.match(line) or _BOLD_LINE.match(line) or _RULE.match(line))


def _take_line(
    text: str, start: int, end: int, reader: _Reader, units: list[Unit], paragraph: list[tuple[int, int]]
) -> None:
    """Reads a line that is not plain prose: a fence, a heading, an item, a table row."""
    line = text[start:end]
    if line.lstrip().startswith(("```", "~~~")):
        reader.fenced = reader.opens.get(start, False)
    elif reader.fenced:
        _add(text, start, end, Form.CODE, reader, units)
    elif not line.strip() or _RULE.match(line):
        reader.header = reader.header if line.strip() else ""
    elif title := _HEADING.match(line):
        _enter(reader, len(title[1]), plain(title[2]))
    elif title := _BOLD_LINE.match(line):
        _enter(reader, 7, plain(title[1]))
    elif _ROW.match(line):
        _take_row(text, start, end, reader, units)
    else:
        paragraph.append((start, end))


def _enter(reader: _Reader, level: int, title: str) -> None:
    """Opens a section: it closes those of its own level and deeper."""
    kept = tuple(pair for pair in reader.headings if pair[0] < level)
    reader.headings = (*kept, (level, title[:120]))
    reader.lead_in, reader.item, reader.header = "", None, ""


def _take_row(text: str, start: int, end: int, reader: _Reader, units: list[Unit]) -> None:
    """The first row of a table is its header, which the others stand under."""
    if reader.header:
        _add(text, start, end, Form.ROW, reader, units)
        return
    cells = [cell for cell in (plain(c) for c in re.split(r"[|│]", text[start:end])) if cell]
    reader.header = " / ".join(cells)[:120] if len(cells) > NAMED_BY_ROWS else " "


def _close(text: str, paragraph: list[tuple[int, int]], reader: _Reader, units: list[Unit]) -> None:
    """Turns the lines gathered so far into units, or into the lead-in of what follows."""
    if not paragraph:
        return
    start, end = paragraph[0][0], paragraph[-1][1]
    paragraph.clear()
    body = text[start:end].rstrip()
    item = _ITEM.match(body)  # on the slice: "^" means the beginning of the string, not of the search
    _leave(reader, item)
    introduces = len(body) < LONGEST_LEAD_IN and body.endswith((":", "："))
    if not introduces or (item and len(body) >= SHORTEST_STATED):
        form, label = (Form.ITEM, item[2] or "") if item else (Form.SENTENCE, "")
        for sentence_start, sentence_end in sentences(text, start, end):
            _add(text, sentence_start, sentence_end, form, reader, units, label)
    if item and introduces and reader.item is None:
        reader.item = len(item[1]), plain(body[item.end() :])
    elif not item and (introduces or _asks(body)):
        reader.lead_in = plain(body)


def _asks(body: str) -> bool:
    """Whether it is a question, below which the options stand that answer it."""
    return len(body) < LONGEST_LEAD_IN and body.rstrip("*_").endswith("?")


def _leave(reader: _Reader, item: re.Match[str] | None) -> None:
    """Prose ends what led in a list before it; an item leads in what is indented below it, not its neighbours."""
    if item is None:
        reader.lead_in = ""
    if reader.item and (item is None or len(item[1]) <= reader.item[0]):
        reader.item = None


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Slices of `text[start:end]`: whole where short enough, else sentence by sentence."""
    if end - start <= LONGEST // 2:
        yield start, end
        return
    yield from each_sentence(text, start, end)


def each_sentence(text: str, start: int, end: int, least: int = 40) -> Iterator[tuple[int, int]]:
    """Slices of `text[start:end]`, one for each sentence; one of fewer than `least` characters goes with the next."""
    at = start
    for stop in _SENTENCE_END.finditer(text, start, end):
        if stop.start() - at >= least:
            yield at, stop.start()
            at = stop.end()
    if at < end:
        yield at, end


def _add(text: str, start: int, end: int, form: Form, reader: _Reader, units: list[Unit], label: str = "") -> None:
    """Appends `text[start:end]` without its outer blanks, cut at a word where it is too long."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end - start > LONGEST:
        space = text.rfind(" ", start + LONGEST // 2, start + LONGEST)
        end = space if space > 0 else start + LONGEST
    if end - start >= 12:
        units.append(Unit(start, end, form, reader.context(), label))
