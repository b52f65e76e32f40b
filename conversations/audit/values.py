"""Exact values of a fact against those of the summary: there, or in their place another value that was never said."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from conversations.audit.entities import MEASURES, Entity, EntityKind, entities, same, suffix_of
from conversations.audit.model import Detail, Judgement
from conversations.audit.passages import PassageIndex
from conversations.audit.text import bag, content_stems
from conversations.vocabulary import Outcome

#: Words on either side of a number that say what it counts.
NEIGHBOURS = 3
#: A number is compared with another only where so much of the rest of the fact stands beside that one …
SAME_TOPIC = 0.7
#: … or so much of it, and two of the words next to the number are the same.
SAME_PLACE = 0.35
_FIGURE_OR_FOLDER = re.compile(r"[0-9/\\]")
#: Figures that stand for themselves; a bare small number may be a list mark, a level or a label.
_BARE = frozenset({EntityKind.NUMBER})
_LABELS = bag(
    "test step phase item task option level line section chapter issue finding point number figure scenario case part "
    "round stage question rule page"
)


def things(text: str, index: PassageIndex) -> list[Entity]:
    """The exact things of a text that are worth looking up: no quotations, no bare number of one digit."""
    found = entities(text, index.cwd, quoted=False)
    return [e for e in found if not (e.kind in _BARE and not e.unit and len(e.value) == 1)]


def lookup(entity: Entity, index: PassageIndex) -> Entity | None:
    """The same thing in the summary, if it is there."""
    return next((e for e in index.alike(entity) if same(entity, e)), None)


def distorted(text: str, span: tuple[int, int], index: PassageIndex) -> Judgement | None:
    """Find a value of the fact `text` in the place of which the summary has another one that nobody ever said.

    `span` is the passage of the summary nearest to the fact.
    """
    if not _FIGURE_OR_FOLDER.search(text):
        return None
    share = index.share(text, span)
    theirs = _measures_told(span, index) if share >= SAME_PLACE else []
    if not theirs and not any(name in text for name in index.files):
        return None  # three of four facts end here: to find the things of a text costs as much as all the rest
    mine = things(text, index)
    return _moved_path(text, mine, index) or _wrong_measure(text, mine, share, theirs, index)


def _measures_told(span: tuple[int, int], index: PassageIndex) -> list[Entity]:
    """The figures in a passage of the summary."""
    return [e for e in _within(index.entities, *span) if e.kind in MEASURES and not _is_label(index.summary, e)]


def _moved_path(text: str, mine: Sequence[Entity], index: PassageIndex) -> Judgement | None:
    """A file that the summary names, with a folder, where no file of that name ever was."""
    for path in (e for e in mine if e.kind is EntityKind.PATH and "/" in e.value and not lookup(e, index)):
        for other in index.alike(path):
            if "/" in other.value and _related(path.value, other.value) and not _ever(other.value.lower(), index):
                return _altered(text, path, other, index)
    return None


def _related(path: str, other: str) -> bool:
    """Whether two paths of one file name share another folder's name, so that one may stand for the other."""
    return bool(set(path.split("/")[:-1]) & set(other.split("/")[:-1])) and not suffix_of(path, other)


def _wrong_measure(
    text: str, found: Sequence[Entity], share: float, theirs: Sequence[Entity], index: PassageIndex
) -> Judgement | None:
    """Compare the only figure of its sort in the fact with the only one of that sort in the passage, `theirs`.

    `share`: how much of what the fact is about stands in the passage.
    """
    mine = [e for e in found if e.kind in MEASURES and not _is_label(text, e)] if theirs else []
    wanted = 1 if share >= SAME_TOPIC else 2
    for entity in (e for e in mine if not lookup(e, index)):
        rivals = [e for e in theirs if _comparable(entity, e)]
        if len(rivals) == 1 and sum(_comparable(entity, e) for e in mine) == 1:
            other = rivals[0]
            alike = len(_beside(text, entity) & _beside(index.summary, other))
            if alike >= wanted and not _ever(_digits(other, index), index):
                return _altered(text, entity, other, index)
    return None


def _is_label(text: str, entity: Entity) -> bool:
    """Whether a number names a thing ("Test 4.2", "step 3") instead of counting."""
    before = content_stems(text[max(0, entity.start - 20) : entity.start])
    return entity.kind in _BARE and bool(before) and before[-1] in _LABELS


def _comparable(a: Entity, b: Entity) -> bool:
    """Whether two measures count the same: one kind, and for plain numbers one unit that is named."""
    return a.kind is b.kind and a.unit == b.unit and (a.kind not in _BARE or bool(a.unit))


def _within(found: Sequence[Entity], start: int, end: int) -> Iterator[Entity]:
    first = bisect_left(found, start, key=lambda e: e.start)
    for entity in found[first:]:
        if entity.start >= end:
            return
        yield entity


def _beside(text: str, entity: Entity) -> set[str]:
    """The content words next to an entity."""
    before = content_stems(text[max(0, entity.start - 80) : entity.start])[-NEIGHBOURS:]
    after = content_stems(text[entity.end : entity.end + 80])[:NEIGHBOURS]
    return {word for word in (*before, *after) if not word.isdigit()}


def _digits(entity: Entity, index: PassageIndex) -> str:
    """A number as the summary writes it, without what it counts."""
    written = index.summary[entity.start : entity.end].lower()
    return "".join(_leading_figure(written)) or written


def _leading_figure(written: str) -> Iterable[str]:
    for sign in written.lstrip("$€£v"):
        if not (sign.isdigit() or sign in ".,_-:/"):
            return
        yield sign


def _ever(needle: str, index: PassageIndex) -> bool:
    """Whether something stands in what was dropped; separators of thousands do not matter."""
    return needle in index.seen or needle.replace(",", "") in index.seen


def _altered(text: str, mine: Entity, other: Entity, index: PassageIndex) -> Judgement:
    here, there = text[mine.start : mine.end], index.summary[other.start : other.end]
    reason = f"It was “{here}”; the summary says “{there}”, which was never said before."
    return Judgement(Outcome.ALTERED, Detail.DISTORTED, 0.2, other.start, other.end, "distorted_value", reason)
