"""The stretches of many texts that come nearest to a sentence, found in one pass for many sentences. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from conversations.audit.passages import LONGEST_LINE, Rarity
from conversations.audit.text import bag, line_bags

#: A stretch is looked at when its middle line has this share of the sentence's weight …
NEAR = 0.35
#: … and of those only the nearest, for a closer look costs a hundred times as much.
CLOSEST = 8
#: Lines on either side that belong to a stretch: a rule and its reason often stand in two.
AROUND = 1


@dataclass(frozen=True, slots=True)
class _Hit:
    """A line that has words of some sentence."""

    text: int
    line: int
    words: frozenset[str]


class Stretches:
    """Looks up sentences in texts. `wanted`: every sentence that will be asked for."""

    def __init__(self, texts: Sequence[str], wanted: Sequence[str], rarity: Rarity) -> None:
        self._texts, self._rarity = texts, rarity
        self._wanted = frozenset().union(*map(bag, wanted))

    def nearest(self, sentence: str) -> list[str]:
        """The stretches that carry most of the sentence, the nearest first; of equal ones the latest."""
        weights = {stem: self._rarity[stem] for stem in bag(sentence)}
        least = NEAR * sum(weights.values())
        scored = [(_carried(hit, weights), number) for number, hit in enumerate(self._hits)]
        best = sorted((pair for pair in scored if pair[0] >= least > 0), reverse=True)
        found = dict.fromkeys(self._stretch(self._hits[number]) for _, number in islice(best, 4 * CLOSEST))
        return list(found)[:CLOSEST]

    @cached_property
    def _hits(self) -> list[_Hit]:
        return [
            _Hit(number, line, frozenset(shared))
            for number, text in enumerate(self._texts)
            for line, words in enumerate(line_bags(text, LONGEST_LINE))
            if (shared := words & self._wanted)
        ]

    def _stretch(self, hit: _Hit) -> str:
        lines = _lines(self._texts[hit.text])
        return "\n".join(lines[max(0, hit.line - AROUND) : hit.line + AROUND + 1])


def _carried(hit: _Hit, weights: Mapping[str, float]) -> float:
    return sum(weight for stem, weight in weights.items() if stem in hit.words)


def _lines(text: str) -> list[str]:
    """The lines as `line_bags` numbers them."""
    return [line[at : at + LONGEST_LINE] for line in text.split("\n") for at in range(0, len(line), LONGEST_LINE)]
