"""Where things are: the hits of a search, one fact for the hits of one search in one place."""

import re
from collections.abc import Iterator

from conversations.audit.calls import Call
from conversations.audit.facts.draft import Draft
from conversations.audit.lines import lines
from conversations.audit.model import FactKind, Line

MOST_HITS = 12  # a search with more finds a word, not a place
_LONGEST = 380
_HIT = re.compile(r"^(?:[\w@./\\ -]+\.\w{1,6}(?::\d+)?(?::|$)|\d{1,6}:|/[\w@./-]+$|\.{0,2}/?[\w@.-]+/[\w@./-]+$)")
_AROUND = re.compile(r"^[\w@./\\ -]+-\d+-|^\d{1,6}-")  # lines that a search shows around its hits


def from_search(line: Line, call: Call) -> Iterator[Draft]:
    """The hits, packed into one fact while they are few; none when there are many."""
    hits = [
        (a, b) for a, b in lines(line.text[:20_000]) if _HIT.match(line.text[a:b]) and not _AROUND.match(line.text[a:b])
    ]
    about = _about(call)
    if not hits:
        if 0 < len(line.text) < 200 and re.search(
            r"\bno (?:matches|files|results)|not found", line.text, re.IGNORECASE
        ):
            yield Draft(FactKind.ERROR, line, 0, len(line.text), about, cues=("nothing found",), form="row")
        return
    if len(hits) <= MOST_HITS:
        yield from _packed(line, hits, about)


def _packed(line: Line, hits: list[tuple[int, int]], about: str) -> Iterator[Draft]:
    """Neighbouring hits together, up to what a person takes in at once."""
    start, end = hits[0]
    for a, b in hits[1:]:
        if b - start > _LONGEST:
            yield _found(line, start, end, about)
            start = a
        end = b
    yield _found(line, start, end, about)


def _found(line: Line, start: int, end: int, about: str) -> Draft:
    return Draft(FactKind.FINDING, line, start, min(end, start + _LONGEST), about, cues=("where it is",), form="row")


def _about(call: Call) -> str:
    what = call.input.get("pattern") or call.input.get("query") or call.command
    where = call.path.rsplit("/", 1)[-1]
    return f"Where {str(what)[:80]} is" + (f" in {where}" if where else "")
