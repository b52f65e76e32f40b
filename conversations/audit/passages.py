"""The context after a compaction, prepared once so that every fact can be looked up in it cheaply."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import log

from conversations.audit.entities import Entity, EntityKind, entities
from conversations.audit.model import Segment
from conversations.audit.text import STOP, Sentence, flat, grams, sentences, words
from conversations.vocabulary import SummaryState

#: Characters that are read of one text. The longest summary seen has 40,000; what is kept or dropped may be any size.
MAX_SUMMARY = 400_000
MAX_SOURCE = 1_000_000
#: Of one dropped block only so much: a tool result of megabytes says nothing more about how common a word is.
MAX_BLOCK = 20_000


@dataclass(frozen=True, slots=True)
class Passage:
    """One statement of the summary with its content stems in order."""

    sentence: Sentence
    stems: tuple[str, ...]
    bag: frozenset[str]


@dataclass(frozen=True, slots=True)
class Flat:
    """A text as `text.flat` gives it, with the way back: word i stands at `spans[i]`, and at `at[i]` of `words`."""

    words: str
    at: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    def find(self, needle: str) -> tuple[int, int] | None:
        """Where the flat `needle` stands, whole words only, as a span of the original text."""
        place = f" {self.words} ".find(f" {needle} ") if needle else -1
        if place < 0:
            return None
        first, last = bisect_right(self.at, place) - 1, bisect_right(self.at, place + len(needle) - 1) - 1
        return self.spans[first][0], self.spans[last][1]


def flattened(text: str) -> Flat:
    """`text` flat, with offsets."""
    parts, at, spans, place = [], [], [], 0
    for word in raw_words(text):
        piece = text[word[0] : word[1]].lower()
        parts.append(piece)
        at.append(place)
        spans.append(word)
        place += len(piece) + 1
    return Flat(" ".join(parts), tuple(at), tuple(spans))


class Rarity:
    """How telling a stem is: inverse document frequency over the sentences of the material at hand."""

    def __init__(self, bags: Iterable[frozenset[str]]) -> None:
        self._counts: Counter[str] = Counter()
        self._total = 0
        for bag in bags:
            self._counts.update(bag)
            self._total += 1

    def __call__(self, stem: str) -> float:
        """Between about 0.1 (everywhere) and log(2 + 2n) (never seen)."""
        return log(1 + (self._total + 1) / (self._counts[stem] + 0.5))


class PassageIndex:
    """The summary as passages, and what else is in the context after: looked up by words, by entity, verbatim.

    `kept`: texts that stand in the context verbatim. `sources`: the dropped texts: they say how common a word is, and
    whether a value was ever seen before. `readable`: False when there is a summary that cannot be read.
    """

    def __init__(
        self,
        summary: str,
        kept: Sequence[str] = (),
        sources: Sequence[str] = (),
        *,
        cwd: str = "",
        readable: bool = True,
        rarity: Rarity | None = None,
    ) -> None:
        self.summary, self.cwd, self.readable = summary[:MAX_SUMMARY], cwd, readable
        self._kept, self._sources = kept, sources
        self.passages = bags(self.summary)
        self.postings: dict[str, list[int]] = {}
        for number, passage in enumerate(self.passages):
            for stem in passage.bag:
                self.postings.setdefault(stem, []).append(number)
        self.rarity = rarity or Rarity(p.bag for text in (self.summary, *self._bounded()) for p in bags(text))

    @classmethod
    def of(cls, segment: Segment) -> "PassageIndex":
        """The context after one compaction."""
        kept = [line.text for lines in (segment.kept, segment.restored) for line in lines]
        readable = segment.summary_state in (SummaryState.TEXT, SummaryState.ABSENT)
        return cls(segment.summary, kept, [x.text for x in segment.dropped], cwd=segment.cwd, readable=readable)

    def _bounded(self) -> Iterable[str]:
        left = MAX_SOURCE
        for text in self._sources:
            piece = text[: min(MAX_BLOCK, left)]
            left -= len(piece)
            yield piece

    @cached_property
    def flat(self) -> Flat:
        """The summary, for verbatim look-up."""
        return flattened(self.summary)

    @cached_property
    def kept_flat(self) -> str:
        """What is kept verbatim, flat; texts apart by a sign that no flat text holds."""
        left, parts = MAX_SOURCE, []
        for text in self._kept:
            parts.append(flat(text[:left]))
            left -= min(left, len(text))
        return " \n ".join(["", *parts, ""])

    @cached_property
    def lowered(self) -> str:
        """The summary in lower case."""
        return self.summary.lower()

    @cached_property
    def seen(self) -> str:
        """What was dropped, in lower case: for asking whether a value was ever there."""
        return "\n".join(self._bounded()).lower()

    @cached_property
    def entities(self) -> list[Entity]:
        """The entities of the summary by place."""
        return entities(self.summary, self.cwd)

    @cached_property
    def by_value(self) -> dict[tuple[EntityKind, str], list[Entity]]:
        """The summary's entities by kind and look-up key."""
        out: dict[tuple[EntityKind, str], list[Entity]] = {}
        for entity in self.entities:
            out.setdefault((entity.kind, key(entity)), []).append(entity)
        return out

    @cached_property
    def grams(self) -> set[str]:
        """The character 4-grams of the summary's content stems."""
        return {gram for p in self.passages for gram in p_grams(p)}

    @cached_property
    def bigrams(self) -> set[tuple[str, str]]:
        """Neighbouring content stems of the summary, within a passage."""
        return {pair for p in self.passages for pair in pairwise(p.stems)}

    @cached_property
    def passage_grams(self) -> dict[int, set[str]]:
        """Filled as passages are asked for."""
        return {}

    def grams_of(self, number: int) -> set[str]:
        """The character 4-grams of one passage, computed once."""
        if number not in self.passage_grams:
            self.passage_grams[number] = p_grams(self.passages[number])
        return self.passage_grams[number]


def key(entity: Entity) -> str:
    """What two spellings of the same entity have in common: a path's last part, a hash's first seven signs."""
    if entity.kind is EntityKind.PATH:
        return entity.value.rpartition("/")[2]
    return entity.value[:7] if entity.kind is EntityKind.HASH else entity.value


def p_grams(passage: Passage) -> set[str]:
    """Character 4-grams of a passage's content stems."""
    return grams(" ".join(passage.stems))


def bags(text: str) -> list[Passage]:
    """The passages of a text."""
    out = []
    for sentence in sentences(text):
        piece = text[sentence.start : sentence.end]
        stems = tuple(word.stem for word in words(piece) if word.stem not in STOP)
        out.append(Passage(sentence, stems, frozenset(stems)))
    return out


def raw_words(text: str) -> Iterable[tuple[int, int]]:
    """Spans of the words of `text`, camelCase left whole."""
    from conversations.audit.text import WORD

    return (match.span() for match in WORD.finditer(text))
