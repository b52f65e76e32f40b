"""Where facts stand in the texts of a compaction: which places are marked, and how each mark looks and reads."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from conversations.vocabulary import Outcome
from conversations.web.highlight import Mark

#: Marks in one text. More cannot be told apart by a reader, and each is two elements of the page.
MOST_IN_SUMMARY = 120
MOST_IN_BLOCK = 12
MARKED = frozenset({Outcome.KEPT, Outcome.ALTERED, Outcome.FORGOTTEN})


@dataclass(frozen=True, slots=True)
class FactPlaces:
    """One fact with where it was said and where the summary comes nearest, in characters."""

    number: int
    outcome: Outcome
    kind: str
    harmful: bool
    summary: tuple[int, int] | None
    spans: Sequence[Sequence[Any]]  # [message external id, block, start, end], best place first
    word: str = ""  # said of it where the outcome is not told


@dataclass(frozen=True, slots=True)
class AddedPlace:
    """A statement of the summary without a source."""

    pk: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class OwnPlace:
    """A span that the reader marked: a missed fact, or an invented statement where `message` is None."""

    message: str | None  # external id
    block: int
    start: int
    end: int

    @property
    def mark(self) -> Mark:
        """It as it is drawn."""
        word = "invented, you marked" if self.message is None else "missed, you marked"
        return Mark(self.start, self.end, css="mine", word=word)


@dataclass(frozen=True, slots=True)
class BlockMarks:
    """The marks of one block, and where its shown piece should begin when the chosen fact lies deep."""

    marks: Sequence[Mark]
    focus: int | None = None


def summary_marks(
    facts: Iterable[FactPlaces], added: Iterable[AddedPlace], chosen: int | None, own: Iterable[OwnPlace] = ()
) -> list[Mark]:
    """Added statements, then the chosen fact, then what the reader marked, then kept and altered facts, as far as they
    do not overlap.

    The nearest words to a forgotten fact are marked only while it is chosen: they do not say it.
    """
    facts = list(facts)
    first = [_added(place) for place in added]
    first += [_summary_mark(fact, chosen=True) for fact in facts if fact.number == chosen and fact.summary]
    first += [place.mark for place in own if place.message is None]
    known = [fact for fact in facts if fact.summary and fact.number != chosen]
    rest = [_summary_mark(fact) for fact in known if fact.outcome in {Outcome.KEPT, Outcome.ALTERED}]
    return _apart([*first, *rest], MOST_IN_SUMMARY)


def block_marks(
    facts: Iterable[FactPlaces], chosen: int | None, messages: Container[str], own: Iterable[OwnPlace] = ()
) -> dict[tuple[str, int], BlockMarks]:
    """By message and block: where each fact was said, the chosen one first, then what the reader marked, as far as they
    do not overlap.

    Only of the messages that are shown (external ids).
    """
    found: dict[tuple[str, int], list[Mark]] = {}
    focus: dict[tuple[str, int], int] = {}
    mine: dict[tuple[str, int], list[Mark]] = {}
    for place in own:
        if place.message is not None and place.message in messages:
            mine.setdefault((place.message, place.block), []).append(place.mark)
    for fact in sorted(facts, key=lambda fact: fact.number != chosen):
        if fact.outcome not in MARKED and fact.number != chosen:
            continue
        for message, block, start, end in fact.spans:
            if message not in messages:
                continue
            found.setdefault((message, block), []).append(_said(fact, start, end, chosen=fact.number == chosen))
            if fact.number == chosen:
                focus.setdefault((message, block), start)
    return {
        at: BlockMarks(
            _apart(_with_own(found.get(at, []), mine.get(at, []), at in focus), MOST_IN_BLOCK), focus.get(at)
        )
        for at in found | mine
    }


def _with_own(said: list[Mark], own: list[Mark], is_chosen: bool) -> list[Mark]:  # noqa: FBT001 -- in a comprehension
    """What the reader marked stands after the chosen fact, which comes first."""
    return said[:is_chosen] + own + said[is_chosen:]


def _summary_mark(fact: FactPlaces, *, chosen: bool = False) -> Mark:
    start, end = fact.summary or (0, 0)
    near = fact.outcome not in {Outcome.KEPT, Outcome.ALTERED}
    css, word = ("near", "nearest words") if near else (fact.outcome.value, fact.outcome.value)
    return Mark(start, end, css=_css(css, chosen=chosen), word=word, name=str(fact.number))


def _said(fact: FactPlaces, start: int, end: int, *, chosen: bool) -> Mark:
    css = fact.outcome.value if fact.outcome in MARKED else "near"
    return Mark(start, end, css=_css(css, chosen=chosen), word=fact.word or fact.outcome.value, name=str(fact.number))


def _added(place: AddedPlace) -> Mark:
    return Mark(place.start, place.end, css="added", word="added, never said", name=f"added-{place.pk}")


def _css(css: str, *, chosen: bool) -> str:
    return f"{css} chosen" if chosen else css


def _apart(marks: Iterable[Mark], most: int) -> list[Mark]:
    """The first of those that overlap: nested marks cannot be told apart, and multiply the elements of the page."""
    taken: list[Mark] = []
    for mark in marks:
        if mark.start < mark.end and all(mark.end <= other.start or mark.start >= other.end for other in taken):
            taken.append(mark)
            if len(taken) == most:
                break
    return taken
