"""How likely a summary lets its reader know a fact: lexical evidence from its best passages, weighed by fitted coefficients."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import exp, log

from conversations.audit.passages import PassageIndex
from conversations.audit.text import content_stems, grams

#: Passages looked at closely: the best one is nearly always among the first few by weighted recall.
CANDIDATES = 4
#: A fact is one or two sentences; of a longer text only so much is compared.
MAX_FACT = 2_000

NAMES = (
    "best1", "best2", "best4", "whole", "plain_best", "plain_whole", "grams_best", "grams_whole", "bigrams", "rare3",
    "focus", "order", "length", "passages", "missing_rare", "numbers",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the summary has of one fact. `passages`: first and last number of the best window; None = not a word of it."""

    values: tuple[float, ...]
    passages: tuple[int, int] | None
    recall: float  # weighted share of the fact's words in that window

    def named(self) -> dict[str, float]:
        """The features by name."""
        return dict(zip(NAMES, self.values, strict=True))


def evidence(text: str, index: PassageIndex) -> Evidence:
    """The features of the pair (fact, summary), every one a share between 0 and 1 or a logarithm."""
    stems = content_stems(text, MAX_FACT)
    weights = {stem: index.rarity(stem) for stem in stems}
    total = sum(weights.values())
    if not total or not index.passages:
        return Evidence((0.0,) * len(NAMES), None, 0.0)
    scores = _scores(weights, index)
    one, window, two, four = _windows(scores, weights, index)
    found = {stem for stem in weights if stem in index.postings}
    best = frozenset().union(*(index.passages[i].bag for i in range(window[0], window[1] + 1)))
    fact_grams = grams(" ".join(stems))
    window_grams = set().union(*(index.grams_of(i) for i in range(window[0], window[1] + 1)))
    rare = sorted(weights, key=weights.__getitem__, reverse=True)[:3]
    pairs = set(pairwise(stems))
    digits = [s for s in weights if s.isdigit()]
    values = (
        scores.get(one, 0.0) / total,
        two / total,
        four / total,
        sum(weights[s] for s in found) / total,
        len(best & weights.keys()) / len(weights),
        len(found) / len(weights),
        len(fact_grams & window_grams) / len(fact_grams),
        len(fact_grams & index.grams) / len(fact_grams),
        len(pairs & index.bigrams) / len(pairs) if pairs else 0.0,
        sum(weights[s] for s in rare if s in best) / sum(weights[s] for s in rare),
        _focus(weights, best, index),
        _order(stems, window, index),
        log(1 + len(weights)),
        log(1 + len(index.passages)),
        float(rare[0] not in found),
        sum(s in best for s in digits) / len(digits) if digits else 0.5,
    )
    return Evidence(values, window if scores else None, values[1])


def _scores(weights: dict[str, float], index: PassageIndex) -> dict[int, float]:
    """Weight of the fact's words in each passage that has any."""
    scores: dict[int, float] = {}
    for stem, weight in weights.items():
        for number in index.postings.get(stem, ()):
            scores[number] = scores.get(number, 0.0) + weight
    return scores


def _windows(
    scores: dict[int, float], weights: dict[str, float], index: PassageIndex
) -> tuple[int, tuple[int, int], float, float]:
    """The best passage, the best window of two, its weight, and the weight of the best window of four."""
    ranked = sorted(scores, key=lambda n: (-scores[n], n))[:CANDIDATES] or [0]
    one, best, two, four = ranked[0], (ranked[0], ranked[0]), scores.get(ranked[0], 0.0), 0.0
    for number in ranked:
        for first in (number - 1, number):
            weight = _weight(first, first + 1, weights, index)
            if weight > two + 1e-9:
                best, two = (max(first, 0), min(first + 1, len(index.passages) - 1)), weight
        four = max(four, _weight(number - 2, number + 2, weights, index))
    return one, best, two, max(four, two)


def _weight(first: int, last: int, weights: dict[str, float], index: PassageIndex) -> float:
    bag = frozenset().union(*(p.bag for p in index.passages[max(first, 0) : last + 1]))
    return sum(weight for stem, weight in weights.items() if stem in bag)


def _focus(weights: dict[str, float], best: frozenset[str], index: PassageIndex) -> float:
    """Share of the best window's own weight that the fact accounts for: high when the window says just this."""
    return sum(weights[s] for s in best if s in weights) / (sum(index.rarity(s) for s in best) or 1.0)


def _order(stems: list[str], window: tuple[int, int], index: PassageIndex) -> float:
    """Longest run of the fact's words that stand in the window in the same order, as a share of the fact."""
    other = [s for i in range(window[0], window[1] + 1) for s in index.passages[i].stems][:120]
    row = [0] * (len(other) + 1)
    for stem in stems[:60]:
        before = 0
        for j, word in enumerate(other, 1):
            before, row[j] = row[j], before + 1 if word == stem else max(row[j], row[j - 1])
    return row[-1] / min(len(stems), 60)


# --- the fitted model ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model over `NAMES`. Origin, licence and measured quality of the coefficients stand beside them."""

    bias: float
    weights: tuple[float, ...]

    def probability(self, values: Sequence[float]) -> float:
        """P(the summary lets its reader know the fact)."""
        score = self.bias + sum(w * v for w, v in zip(self.weights, values, strict=True))
        return 1 / (1 + exp(-max(-30.0, min(30.0, score))))


@cache
def fitted() -> Model:
    """The coefficients that ship with the auditor."""
    stored = json.loads(files(__package__).joinpath("presence.json").read_text())
    return Model(stored["bias"], tuple(stored["weights"][name] for name in NAMES))
