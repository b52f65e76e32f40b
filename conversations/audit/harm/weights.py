"""How much a word tells about what was said: rare ones more, counted in the log itself. Pure."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from conversations.audit.model import Line
from conversations.audit.text import content_stems, stem

#: Stems of one statement that are looked at.
MAX_STEMS = 60
#: Of each line so many characters are counted: the beginnings are enough to tell rare words from common ones.
MAX_COUNTED = 2_000

#: As `text.words` takes words apart, in one pass of the regex engine: 5 times faster over a whole log.
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")


def _runs(text: str) -> set[str]:
    return {run.lower() for run in set(_RUN.findall(text[:MAX_COUNTED]))}


class Weights:
    """How much each stem tells: rare ones more, by the lines of the log before the boundary."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._counts = Counter(each for line in lines for each in {stem(run) for run in _runs(line.text)})
        self._lines = max(1, len(lines))
        self._weights: dict[str, float] = {}
        self._totals: dict[frozenset[str], float] = {}  # of what is asked for again and again

    def of(self, one: str) -> float:
        """Inverse document frequency of a stem, at least a little above zero."""
        if (known := self._weights.get(one)) is None:
            known = self._weights[one] = math.log((1 + self._lines) / (1 + self._counts[one])) + 0.1
        return known

    def share(self, wanted: frozenset[str], said: frozenset[str]) -> float:
        """The part of the weight of `wanted` that was `said`, 0 to 1. `fsum`: the order of a set must not show."""
        if (total := self._totals.get(wanted)) is None:
            total = self._totals[wanted] = math.fsum(map(self.of, wanted))
        return math.fsum(map(self.of, wanted & said)) / total if total else 0.0


def stems(text: str) -> frozenset[str]:
    """The stems of one statement that carry meaning."""
    return frozenset(content_stems(text, 2_000)[:MAX_STEMS])
