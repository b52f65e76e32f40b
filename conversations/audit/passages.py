"""The context after a compaction, prepared once so that every fact can be looked up in it cheaply."""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import log

from conversations.audit.entities import Entity, EntityKind, entities, key
from conversations.audit.model import Segment
from conversations.audit.text import (
    STOP,
    WORD,
    Known,
    bag,
    flat,
    grams,
    line_bags,
    sentences,
    signs,
    stems,
)
from conversations.vocabulary import SummaryState

#: Characters that are read of one summary. The longest seen has 40,000.
MAX_SUMMARY = 400_000
#: Characters that are read of what was dropped, and of what was kept, and of one block of it: a tool result of
#: megabytes says nothing more about how common a word is.
MAX_SOURCE = 1_000_000
MAX_BLOCK = 20_000

#: Letters that two words must begin with to count as half the same.
BEGINNING = 4
#: Two lines are about the same when one has this share of the other's weight.
SAME_SUBJECT = 0.4

#: Characters of a line; more of it counts as another one.
LONGEST_LINE = 600

_LINE = re.compile(rf"[^\n]{{1,{LONGEST_LINE}}}")
_EXACT = re.compile(r"[\w./-]{2,200}", re.ASCII)
_WRITTEN = re.compile(r"[0-9A-Z_./-]")


@dataclass(frozen=True, slots=True)
class Passage:
    """One statement of the summary, `summary[start:end]`: its content stems in order and as a set."""

    start: int
    end: int
    stems: tuple[str, ...]
    bag: frozenset[str]


@dataclass(frozen=True, slots=True)
class Window:
    """One or two neighbouring passages: their stems, what these begin with and weigh, and their character 4-grams."""

    stems: tuple[str, ...]
    bag: frozenset[str]
    beginnings: frozenset[str]
    weight: float
    grams: frozenset[Hashable]


@dataclass(frozen=True, slots=True)
class Flat:
    """A text as `text.flat` gives it, with the way back: the word at `at[i]` stands at `spans[i]`.

    `padded`: the words with a space before and behind; `different`: each of them once.
    """

    padded: str
    different: frozenset[str]
    at: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    @property
    def words(self) -> str:
        """The text, flat."""
        return self.padded[1:-1]

    def find(self, needle: str) -> tuple[int, int] | None:
        """Where the flat `needle` stands, whole words only, as a span of the original text."""
        place = self.padded.find(f" {needle} ") if needle and self.different.issuperset(needle.split(" ")) else -1
        if place < 0:
            return None
        first, last = bisect_right(self.at, place) - 1, bisect_right(self.at, place + len(needle) - 1) - 1
        return self.spans[first][0], self.spans[last][1]


def flattened(text: str) -> Flat:
    """`text` flat, with offsets."""
    parts, at, spans, place = [], [], [], 0
    for match in WORD.finditer(text):
        parts.append(match.group().lower())
        at.append(place)
        spans.append(match.span())
        place += len(parts[-1]) + 1
    return Flat(f" {' '.join(parts)} ", frozenset(parts), tuple(at), tuple(spans))


class Rarity(dict[str, float]):
    """How telling a stem is: inverse document frequency over the lines of the material at hand.

    From about 0.7 (in every line) up to log(2n) (in none of n). A dictionary that fills itself: each stem is asked for
    some 50 times, and a look-up takes a tenth of the logarithm.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        #: The content stems of each line that is not empty, at most LONGEST_LINE characters of it.
        self.bags = [bag for text in texts for bag in line_bags(text, LONGEST_LINE)]
        self._counts = Counter(chain.from_iterable(self.bags))

    def __missing__(self, stem: str) -> float:
        self[stem] = weight = log(1 + (len(self.bags) + 1) / (self._counts.get(stem, 0) + 0.5))
        return weight

    def __call__(self, stem: str) -> float:
        """The same as looking it up."""
        return self[stem]


class _Places(dict[str, int]):
    """The passages that have a stem as the bits of a number, so that a window is looked up in one step.

    Passage n is bit n + `AROUND`: `places[stem] >> n` begins with what stands up to `AROUND` passages before n.
    """

    AROUND = 2

    def __init__(self, postings: Mapping[str, Sequence[int]]) -> None:
        self._postings = postings

    def __missing__(self, stem: str) -> int:
        self[stem] = bits = sum(1 << number + self.AROUND for number in self._postings.get(stem, ()))
        return bits


class PassageIndex:
    """The summary as passages, and what else stands in the context after: looked up by words, by entity, verbatim.

    `kept`: texts that stand there verbatim. `sources`: what was dropped, which tells how common a word is and whether a
    value was ever seen; `positions`: where each stood. `readable`: False when there is a summary that cannot be read.
    """

    def __init__(
        self,
        summary: str,
        kept: Sequence[str] = (),
        sources: Sequence[str] = (),
        *,
        positions: Sequence[int] = (),
        cwd: str = "",
        readable: bool = True,
        rarity: Rarity | None = None,
    ) -> None:
        self.summary, self.cwd, self.readable = summary[:MAX_SUMMARY], cwd, readable
        self._kept, self.sources, self._positions = kept, sources, positions
        self.passages: list[Passage] = []
        self.trigrams: set[tuple[str, str, str]] = set()
        self.postings: dict[str, list[int]] = {}
        self.places = _Places(self.postings)
        self._windows: dict[tuple[int, int], Window] = {}
        for sentence in sentences(self.summary):
            self._add(sentence.start, sentence.end)
        self._counted = rarity is None
        self.rarity = Rarity((self.summary, *bounded(sources))) if rarity is None else rarity

    @classmethod
    def of(cls, segment: Segment) -> "PassageIndex":
        """The context after one compaction. A truncation leaves no summary: then only what is kept stands there."""
        kept = [line.text for lines in (segment.kept, segment.restored) for line in lines]
        readable = segment.summary_state in (SummaryState.TEXT, SummaryState.ABSENT)
        sources, positions = [x.text for x in segment.dropped], [x.position for x in segment.dropped]
        return cls(segment.summary, kept, sources, positions=positions, cwd=segment.cwd, readable=readable)

    def _add(self, start: int, end: int) -> None:
        every = stems(self.summary[start:end])
        telling = tuple(stem for stem in every if stem not in STOP)
        for stem in (passage := Passage(start, end, telling, frozenset(telling))).bag:
            self.postings.setdefault(stem, []).append(len(self.passages))
        self.passages.append(passage)
        self.trigrams.update(triples(every))

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where the passages `first` to `last` stand in the summary."""
        return self.passages[first].start, self.passages[last].end

    @cached_property
    def flat(self) -> Flat:
        """The summary, for verbatim look-up."""
        return flattened(self.summary)

    @cached_property
    def kept_flat(self) -> str:
        """What is kept verbatim, flat; a sign that no flat text holds stands between texts."""
        return " \n ".join(["", *(flat(text) for text in bounded(self._kept, MAX_SOURCE)), ""])

    @cached_property
    def _kept_words(self) -> frozenset[str]:
        return frozenset(self.kept_flat.split(" "))

    def keeps(self, words: str) -> bool:
        """Whether the flat `words` stand in what is kept. Most have a word that is nowhere in it: quick to tell."""
        return self._kept_words.issuperset(words.split(" ")) and f" {words} " in self.kept_flat

    @cached_property
    def seen(self) -> str:
        """What was dropped, in lower case: for asking whether a value was ever there."""
        return "\n".join(bounded(self.sources)).lower()

    def share(self, text: str, span: tuple[int, int]) -> float:
        """How much of what `text` is about, its numbers left out, stands in a span of the summary: 0 to 1."""
        weights = {stem: self.rarity(stem) for stem in bag(text) if not stem.isdigit()}
        there = bag(self.summary[slice(*span)])
        return sum(weight for stem, weight in weights.items() if stem in there) / (sum(weights.values()) or 1.0)

    def about(self, text: str, enough: float) -> list[tuple[int, int]]:
        """The spans of the passages that carry at least the share `enough` of what `text` is about."""
        weights = {stem: self.rarity(stem) for stem in bag(text) if not stem.isdigit()}
        least, found = enough * sum(weights.values()), dict[int, float]()
        for stem, weight in weights.items():
            for number in self.postings.get(stem, ()):
                found[number] = found.get(number, 0.0) + weight
        return [self.span(number, number) for number in sorted(found) if found[number] >= least]

    def said_later(self, position: int, fact: str, word: str) -> bool:
        """Tell whether a line dropped after `position` has `word` and much of what `fact` is about.

        Then a summary that says so has it from there.
        """
        return bool(word) and any(self.lines_about(fact, position, word))

    def lines_about(self, fact: str, position: int, word: str = "") -> Iterator[str]:
        """The lines dropped after `position` that carry much of what `fact` is about, and have `word`."""
        weights = {stem: self.rarity[stem] for stem in bag(fact)}
        enough, wanted = SAME_SUBJECT * sum(weights.values()), word.lower()
        carried: defaultdict[int, float] = defaultdict(float)
        for stem, weight in weights.items():
            for number in self._lines_with.get(stem, ()):
                carried[number] += weight
        for number in sorted(number for number, weight in carried.items() if weight >= enough):
            at, line = self._lines[number]
            if (at is None or at > position) and wanted in line.lower():
                yield line

    @cached_property
    def _lines(self) -> list[tuple[int | None, str]]:
        """What was dropped line by line, each with its position."""
        positions: Sequence[int | None] = self._positions or [None] * len(self.sources)
        told = zip(positions, bounded(self.sources), strict=True)
        return [(position, line) for position, text in told for line in _LINE.findall(text)]

    @cached_property
    def _lines_with(self) -> dict[str, list[int]]:
        """The numbers of the lines that have a stem; made when a fact asks, for 1 of 200 does."""
        found: dict[str, list[int]] = {}
        for number, line in enumerate(self._line_bags()):
            for stem in line:
                found.setdefault(stem, []).append(number)
        return found

    def _line_bags(self) -> Iterable[set[str]]:
        """The content stems of each of `_lines`: those by which our own rarity was counted, where it is our own."""
        if self._counted:
            return self.rarity.bags[len(self.rarity.bags) - len(self._lines) :]
        return [bag(line) for _, line in self._lines]

    def later(self, position: int) -> Iterator[str]:
        """What was dropped after `position`, in order; everything where positions are not known."""
        for number, text in enumerate(bounded(self.sources)):
            if not self._positions or self._positions[number] > position:
                yield text

    @cached_property
    def entities(self) -> list[Entity]:
        """The entities of the summary by place."""
        return entities(self.summary, self.cwd)

    @cached_property
    def by_key(self) -> dict[tuple[EntityKind, str], list[Entity]]:
        """The summary's entities by kind and look-up key."""
        found: dict[tuple[EntityKind, str], list[Entity]] = {}
        for entity in self.entities:
            found.setdefault((entity.kind, key(entity)), []).append(entity)
        return found

    @cached_property
    def files(self) -> frozenset[str]:
        """The names of the files that the summary tells with a folder."""
        return frozenset(name for (kind, name), found in self.by_key.items()
                         if kind is EntityKind.PATH and any("/" in entity.value for entity in found))  # fmt: skip

    def alike(self, entity: Entity) -> list[Entity]:
        """The summary's entities that may be the same as `entity`: one kind and one look-up key."""
        return self.by_key.get((entity.kind, key(entity)), [])

    @cached_property
    def exact(self) -> set[str]:
        """The summary's words that are written in one way only."""
        return exact_words(self.summary)

    @cached_property
    def grams(self) -> set[Hashable]:
        """The character 4-grams of the summary's content stems."""
        return set().union(*(self.grams_of(number) for number in range(len(self.passages))))

    @cached_property
    def _grams(self) -> dict[int, set[Hashable]]:
        return {}

    def window(self, first: int, last: int) -> Window:
        """The passages `first` to `last` as one; computed once, since many facts have the same nearest window."""
        if (first, last) not in self._windows:
            passages = self.passages[first : last + 1]
            stems = tuple(stem for passage in passages for stem in passage.stems)
            bag = frozenset().union(*(passage.bag for passage in passages))
            beginnings = frozenset(stem[:BEGINNING] for stem in bag if len(stem) >= BEGINNING)
            near = frozenset(self.grams_of(first) | self.grams_of(last))
            weight = sum(map(self.rarity.__getitem__, bag))
            self._windows[first, last] = Window(stems, bag, beginnings, weight, near)
        return self._windows[first, last]

    def grams_of(self, number: int) -> set[Hashable]:
        """The character 4-grams of one passage's content stems; computed once."""
        if number not in self._grams:
            self._grams[number] = grams(" ".join(self.passages[number].stems))
        return self._grams[number]


def bounded(texts: Sequence[str], block: int = MAX_BLOCK) -> Iterator[str]:
    """The beginnings of `texts`, at most `block` characters of each and MAX_SOURCE in all."""
    left = MAX_SOURCE
    for text in texts:
        piece = text[: min(block, left)]
        left -= len(piece)
        yield piece


def exact_words(text: str, limit: int | None = None) -> set[str]:
    """Words that stand for one thing only (names, code, paths, numbers), in lower case, "./-_" trimmed."""
    runs = (text if limit is None else text[:limit]).encode("ascii", "replace").translate(_EXACT_SIGNS).decode().split()
    return set(chain.from_iterable(map(_WRITTEN_ONE_WAY.__getitem__, runs)))


def _written_one_way(run: str) -> Iterator[str]:
    for written in _EXACT.findall(run):
        word = written.strip("./-_")
        if _WRITTEN.search(word):
            yield word.lower()


_EXACT_SIGNS = signs("_./-")
_WRITTEN_ONE_WAY = Known(_written_one_way)


def triples(words: Sequence[str]) -> set[tuple[str, str, str]]:
    """Every three words in a row."""
    return set(zip(words, words[1:], words[2:], strict=False))
