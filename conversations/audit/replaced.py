"""Finds the facts whose value was replaced before the boundary: the same said later with another figure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from conversations.audit.entities import MEASURES, Entity, EntityKind, entities
from conversations.audit.facts.units import mark_end
from conversations.audit.model import Author, Fact, FactKind, FactState
from conversations.audit.text import content_stems

#: Two statements say the same of something when they share this part of all their words beside the figure …
SAME = 0.8
#: … and so many words at least: of fewer, nobody can tell what the figure is of.
FEWEST = 3
#: Longer statements say more than one thing. Characters.
LONGEST = 400

#: What every one of the values has: most statements have none.
_LIKELY = re.compile(r"\d|://|[0-9a-f]{8}-", re.IGNORECASE)
_VALUES = MEASURES | {EntityKind.URL, EntityKind.HASH}
#: Whose figure replaces whose: what the user gave only the user takes back, and a thought replaces nothing.
_REPLACERS = {
    Author.USER: frozenset({Author.USER}),
    Author.ASSISTANT: frozenset({Author.USER, Author.ASSISTANT}),
    Author.THINKING: frozenset({Author.USER, Author.ASSISTANT}),
    Author.SUMMARY: frozenset({Author.USER, Author.ASSISTANT}),
}


@dataclass(frozen=True, slots=True)
class _Figure:
    """One fact with the only figure in it, and the words around it."""

    fact: Fact
    value: Entity
    words: frozenset[str]


def with_replaced(facts: Sequence[Fact]) -> list[Fact]:
    """`facts`, those marked as superseded whose figure a later fact has replaced."""
    figures = [figure for fact in facts if (figure := _figure(fact))]
    by_word: dict[str, list[_Figure]] = {}
    for figure in figures:
        for word in figure.words:
            by_word.setdefault(word, []).append(figure)
    gone = {figure.fact.id for figure in figures if any(_replaces(new, figure) for new in _near(figure, by_word))}
    return [replace(fact, state=FactState.SUPERSEDED) if fact.id in gone else fact for fact in facts]


def _near(figure: _Figure, by_word: dict[str, list[_Figure]]) -> Iterator[_Figure]:
    """Figures that share the rarest word, which one that says the same has or lacks by a hair."""
    rarest = sorted(figure.words, key=lambda word: (len(by_word[word]), word))[:FEWEST]
    for word in rarest:
        yield from by_word[word]


def _figure(fact: Fact) -> _Figure | None:
    """The fact as a statement about one figure; None where it has none, several, or says something else as well."""
    if fact.author not in _REPLACERS or len(fact.quote) > LONGEST or fact.kind is FactKind.OPTION:
        return None
    if not _LIKELY.search(fact.quote):
        return None
    begin = mark_end(fact.quote)
    found = [e for e in entities(fact.quote, quoted=False) if e.kind in _VALUES and e.start >= begin]
    if len(found) != 1:
        return None
    value = found[0]
    rest = f"{fact.quote[begin : value.start]} {fact.quote[value.end :]}"
    words = frozenset(content_stems(rest)) | ({value.unit} if value.unit else set())
    return _Figure(fact, value, words) if len(words) >= FEWEST else None


def _replaces(new: _Figure, old: _Figure) -> bool:
    """Whether one was said later of the same thing with another figure, elsewhere than in the same list."""
    if new.value.kind is not old.value.kind or new.value.value == old.value.value:
        return False
    if new.fact.first <= old.fact.last or new.fact.author not in _REPLACERS[old.fact.author]:
        return False
    return len(new.words & old.words) >= SAME * len(new.words | old.words)
