"""How likely a summary lets its reader know a fact: lexical evidence of its best passages, weighed by a model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp, log

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

    def __init__(self, text: str, index: PassageIndex) -> None:
        self.every = stems(text, MAX_FACT)
        self.stems = [stem for stem in self.every if stem not in STOP]
        self.weights = {stem: index.rarity(stem) for stem in self.stems}
        self.total = sum(self.weights.values())
        self.grams = grams(" ".join(self.stems))
        self.exact = exact_words(text, MAX_FACT)

    def weight_in(self, bag: frozenset[str]) -> float:
        return sum(weight for stem, weight in self.weights.items() if stem in bag)


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
    scores: dict[int, float] = {}
    for stem, weight in fact.weights.items():
        for number in index.postings.get(stem, ()):
            scores[number] = scores.get(number, 0.0) + weight
    return scores


def _best(
    fact: _Fact, index: PassageIndex, scores: dict[int, float]
) -> tuple[tuple[int, int], tuple[float, float, float]]:
    """The best window of at most two passages, and the best weights of one, two and four."""
    ranked = sorted(scores, key=lambda n: (-scores[n], n))[:CANDIDATES]
    window, two, four = (ranked[0], ranked[0]), scores[ranked[0]], 0.0
    last = len(index.passages) - 1
    found = [(index.places(stem), weight) for stem, weight in fact.weights.items() if stem in index.postings]
    for number in ranked:
        for pair in ((number - 1, number), (number, number + 1)):
            if pair[0] >= 0 and pair[1] <= last:
                weight = _weight(found, *pair)
                if weight > two + 1e-9:
                    window, two = pair, weight
        four = max(four, _weight(found, max(0, number - 2), min(last, number + 2)))
    return window, (scores[ranked[0]], two, max(four, two))


def _weight(found: Sequence[tuple[int, float]], first: int, last: int) -> float:
    """Weight of the words that stand in the passages `first` to `last`; each word comes with its places."""
    wanted = ((1 << (last - first + 1)) - 1) << first
    return sum(weight for places, weight in found if places & wanted)


def _values(
    fact: _Fact, index: PassageIndex, window: tuple[int, int], weights: tuple[float, float, float]
) -> tuple[float, ...]:
    near = index.window(*window)
    numbers = [stem for stem in fact.weights if stem.isdigit()]
    runs = triples(fact.every)
    return (
        *(weight / fact.total for weight in weights),
        sum(weight for stem, weight in fact.weights.items() if stem in index.postings) / fact.total,
        _soft(fact, near) / fact.total,
        len(fact.grams & near.grams) / len(fact.grams),
        len(fact.grams & index.grams) / len(fact.grams),
        fact.weight_in(near.bag) / (near.weight or 1.0),
        _order(fact.stems, window, index),
        len(runs & index.trigrams) / max(1, len(runs)),
        len(fact.exact & index.exact) / len(fact.exact) if fact.exact else 0.5,
        sum(stem in near.bag for stem in numbers) / len(numbers) if numbers else 0.5,
        log(1 + len(fact.weights)),
    )


def _soft(fact: _Fact, near: Window) -> float:
    """Weight in the window, half of it for a word that only begins like one there ("config", "configuration")."""
    return sum(
        weight if stem in near.bag else weight / 2
        for stem, weight in fact.weights.items()
        if stem in near.bag or stem[:BEGINNING] in near.beginnings
    )


def _order(words: list[str], window: tuple[int, int], index: PassageIndex) -> float:
    """Length of the longest common subsequence of fact and window, as a share of the fact."""
    mine = words[: MAX_ORDER[0]]
    other = [stem for passage in index.passages[window[0] : window[1] + 1] for stem in passage.stems][: MAX_ORDER[1]]
    return common_subsequence(mine, other) / len(mine)


def common_subsequence(mine: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence: one row of the usual table as the bits of a number."""
    places: dict[str, int] = {}
    for number, stem in enumerate(mine):
        places[stem] = places.get(stem, 0) | 1 << number
    every = (1 << len(mine)) - 1
    row = every
    for stem in other:
        if matches := row & places.get(stem, 0):
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
        score = self.bias + sum(weight * value for weight, value in zip(self.weights, values, strict=True))
        return 1 / (1 + exp(-max(-30.0, min(30.0, score))))


@cache
def fitted() -> Model:
    """The coefficients that ship with the auditor."""
    stored = json.loads(files(__package__).joinpath("presence.json").read_text())
    return Model(stored["bias"], tuple(stored["weights"][name] for name in NAMES))


def probability(text: str, index: PassageIndex) -> float:
    """P(the summary lets its reader know `text`)."""
    return fitted().probability(evidence(text, index).values)
