"""How likely a summary lets its reader know a fact: lexical evidence of its best passages, weighed by a model."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp, log
from operator import mul

from conversations.audit.passages import BEGINNING, PassageIndex, Window, exact_words, triples
from conversations.audit.text import STOP, grams, stems

#: Passages looked at closely: the best window is nearly always around one of the first few by weighted recall.
CANDIDATES = 4
#: A fact is one or two sentences; of a longer text only so much is compared.
MAX_FACT = 1_000
#: The word order is compared over so many words of the fact and of the window.
MAX_ORDER = 60, 120
#: The features, all but `length` a share of the fact from 0 to 1; "weight" is how telling a word is.
NAMES = (
    "best1",  # weight found in the best passage
    "best2",  # … in the best two neighbouring passages, which is the window of the rest
    "best4",  # … in the best four or so
    "whole",  # … anywhere
    "soft",  # … in the window, a word with the same first four letters counting half
    "grams_best",  # character 4-grams found in the window
    "grams_whole",  # … anywhere
    "focus",  # share of the window's own weight that is the fact's
    "order",  # longest run of words in the same order
    "trigrams",  # three words in a row found anywhere
    "exact",  # words written in one way only (names, paths, numbers) found anywhere; 0.5 if it has none
    "numbers",  # numbers found in the window; 0.5 if it has none
    "length",  # log of the number of different words
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the summary has of one fact. `window`: first and last passage; None = not a word of it is there."""

    values: tuple[float, ...]
    window: tuple[int, int] | None = None
    recall: float = 0.0  # share of the fact's weight in that window


class _Fact:
    """The fact's words with their weights."""

    __slots__ = ("every", "exact", "grams", "stems", "total", "weights")

    def __init__(self, text: str, index: PassageIndex) -> None:
        self.every = stems(text, MAX_FACT)
        self.stems = [stem for stem in self.every if stem not in STOP]
        rarity = index.rarity
        self.weights = {stem: rarity[stem] for stem in self.stems}
        self.total = sum(self.weights.values())
        self.grams = grams(" ".join(self.stems))
        self.exact = exact_words(text, MAX_FACT)


def evidence(text: str, index: PassageIndex) -> Evidence:
    """The features of the pair (fact, summary), in the order of `NAMES`."""
    fact = _Fact(text, index)
    if not fact.total or not index.passages:
        return Evidence((0.0,) * len(NAMES))
    scores = _scores(fact, index)
    if not scores:
        return Evidence(_values(fact, index, (0, 0), (0.0, 0.0, 0.0)))
    window, weights = _best(fact, index, scores)
    return Evidence(_values(fact, index, window, weights), window, weights[1] / fact.total)


def _scores(fact: _Fact, index: PassageIndex) -> dict[int, float]:
    """Weight of the fact's words in each passage that has any."""
    scores: defaultdict[int, float] = defaultdict(float)
    postings = index.postings
    for stem, weight in fact.weights.items():
        for number in postings.get(stem, ()):
            scores[number] += weight
    return scores


def _best(
    fact: _Fact, index: PassageIndex, scores: dict[int, float]
) -> tuple[tuple[int, int], tuple[float, float, float]]:
    """The best window of at most two passages, and the best weights of one, two and four."""
    ranked = _ranked(scores)
    window, one = (ranked[0], ranked[0]), scores[ranked[0]]
    two, four = one, 0.0
    places = index.places
    found = [(places[stem], weight) for stem, weight in fact.weights.items() if stem in index.postings]
    for number in ranked:
        around = [scores.get(n, 0.0) for n in range(number - 2, number + 3)]
        if sum(around) + 1e-9 < four and max(around[1], around[3]) + around[2] < two:
            continue  # passages have at most the weight of each together: 3 of 10 candidates need no closer look
        # The lowest five bits: the passages from two before to two behind this one.
        near = [(bits, weight) for where, weight in found if (bits := where >> number & 0b11111)]
        # A pair beyond the first or last passage has the weight of the passage alone, and so never wins.
        for first, wanted in ((number - 1, 0b00110), (number, 0b01100)):
            weight = sum([weight for bits, weight in near if bits & wanted])
            if weight > two + 1e-9:
                window, two = (first, first + 1), weight
        four = max(four, sum([weight for _, weight in near]))
    return window, (one, two, max(four, two))


def _ranked(scores: dict[int, float]) -> list[int]:
    """The few passages with the highest scores, the highest first; of equal ones the first."""
    least = sorted(scores.values())[-CANDIDATES:][0]
    return [n for _, n in sorted([(-score, n) for n, score in scores.items() if score >= least])[:CANDIDATES]]


def _values(
    fact: _Fact, index: PassageIndex, window: tuple[int, int], weights: tuple[float, float, float]
) -> tuple[float, ...]:
    near, total = index.window(*window), fact.total
    in_window, soft, anywhere = _shared(fact, near, index)
    numbers = [stem for stem in fact.weights if stem.isdigit()]
    runs = triples(fact.every)
    one, two, four = weights
    return (
        one / total,
        two / total,
        four / total,
        anywhere / total,
        soft / total,
        len(fact.grams & near.grams) / len(fact.grams),
        len(fact.grams & index.grams) / len(fact.grams),
        in_window / (near.weight or 1.0),
        _order(fact.stems, near),
        len(runs & index.trigrams) / max(1, len(runs)),
        len(fact.exact & index.exact) / len(fact.exact) if fact.exact else 0.5,
        sum(stem in near.bag for stem in numbers) / len(numbers) if numbers else 0.5,
        log(1 + len(fact.weights)),
    )


def _shared(fact: _Fact, near: Window, index: PassageIndex) -> tuple[float, float, float]:
    """Weight in the window; there, half of it for a word that only begins like one ("config", "configuration");
    anywhere in the summary. In one pass: 20 words of 1,000 facts."""
    in_window = soft = anywhere = 0.0
    bag, beginnings, postings = near.bag, near.beginnings, index.postings
    for stem, weight in fact.weights.items():
        if stem in bag:
            in_window += weight
            soft += weight
            anywhere += weight
            continue
        if stem in postings:
            anywhere += weight
        if stem[:BEGINNING] in beginnings:
            soft += weight / 2
    return in_window, soft, anywhere


def _order(words: list[str], near: Window) -> float:
    """Length of the longest common subsequence of fact and window, as a share of the fact."""
    mine = words[: MAX_ORDER[0]]
    return common_subsequence(mine, near.stems[: MAX_ORDER[1]]) / len(mine)


def common_subsequence(mine: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence: one row of the usual table as the bits of a number."""
    places: dict[str, int] = {}
    for number, stem in enumerate(mine):
        places[stem] = places.get(stem, 0) | 1 << number
    every = (1 << len(mine)) - 1
    row = every
    for at in filter(None, map(places.get, other)):
        if matches := row & at:
            row = (row + matches) | (row - matches)
    return len(mine) - (row & every).bit_count()


# --- the fitted model ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model over `NAMES`. What the coefficients were fitted on stands beside them in presence.json."""

    bias: float
    weights: tuple[float, ...]

    def probability(self, values: Sequence[float]) -> float:
        """P(the summary lets its reader know the fact)."""
        score = self.bias + sum(map(mul, self.weights, values))
        return 1 / (1 + exp(-max(-30.0, min(30.0, score))))


@cache
def fitted() -> Model:
    """The coefficients that ship with the auditor."""
    stored = json.loads(files(__package__).joinpath("presence.json").read_text())
    return Model(stored["bias"], tuple(stored["weights"][name] for name in NAMES))


def probability(text: str, index: PassageIndex) -> float:
    """P(the summary lets its reader know `text`)."""
    return fitted().probability(evidence(text, index).values)
