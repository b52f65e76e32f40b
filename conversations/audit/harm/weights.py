"""How much a word tells about what was said: rare ones more, counted in the log itself. Pure."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain

from conversations.audit import text
from conversations.audit.model import Line

#: Stems of one statement that are looked at.
MAX_STEMS = 60
#: Of each line so many characters are counted: the beginnings are enough to tell rare words from common ones.
MAX_COUNTED = 2_000
#: What sums of weights in different orders may differ by.
_ROUNDING = 1e-9


class Weights:
    """How much each stem tells: rare ones more, by the lines of the log before the boundary."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._counts = Counter(chain.from_iterable(set(text.stems(line.text, MAX_COUNTED)) for line in lines))
        self._lines = max(1, len(lines))
        self._weights: dict[str, float] = {}
        self._totals: dict[frozenset[str], float] = {}  # of what is asked for again and again

    def of(self, one: str) -> float:
        """Inverse document frequency of a stem, at least a little above zero."""
        if (known := self._weights.get(one)) is None:
            known = self._weights[one] = math.log((1 + self._lines) / (1 + self._counts[one])) + 0.1
        return known

    def heaviest(self, wanted: frozenset[str], part: float) -> list[str]:
        """The fewest stems of `wanted` that together have more than `part` of its weight, heaviest first."""
        left = part * math.fsum(map(self.of, wanted)) + _ROUNDING
        found = []
        for one in sorted(wanted, key=lambda each: (-self.of(each), each)):
            found.append(one)
            if (left := left - self.of(one)) < 0:
                break
        return found

    def share(self, wanted: frozenset[str], said: frozenset[str]) -> float:
        """The part of the weight of `wanted` that was `said`, 0 to 1. `fsum`: the order of a set must not show."""
        if (total := self._totals.get(wanted)) is None:
            total = self._totals[wanted] = math.fsum(map(self.of, wanted))
        return math.fsum(map(self.of, wanted & said)) / total if total else 0.0


def stems(statement: str) -> frozenset[str]:
    """The stems of one statement that carry meaning."""
    return frozenset(text.content_stems(statement, 2_000)[:MAX_STEMS])
