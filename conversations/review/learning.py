"""Learns from verdicts which losses a team finds worth showing, and tries that on conversations it has not seen.

A logistic regression on top of the shipped ranking: the log-odds of the shipped score are given, and each trait of a
finding (its kind, detector, outcome, author) adds to them. Weights are drawn towards 0, which is the shipped ranking,
so that few verdicts change little. How strict a team is over all changes no order: it is fitted and left out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from math import exp

import msgspec

from conversations.agreement import Measure, jackknife
from conversations.audit.learned import adjusted, logit
from conversations.vocabulary import RankingState

#: How far a weight is expected to lie from the shipped ranking, in log-odds: one spread turns a score of .3 into .41.
SPREAD = 0.5
STRICTNESS_SPREAD = 5.0
#: One conversation in so many is held out. Findings of one conversation are alike, so it is never split.
HELD_OUT = 3
#: Judgements to learn from, judgements to tell by, and held-out conversations in which something can be told.
FEWEST_FITTED, FEWEST_HELD, FEWEST_CONVERSATIONS = 100, 50, 6
FIRST = 5  # findings that people look at first
_TURNS = 500  # at most; far fewer are needed
_STILL = 1e-7  # a change of a weight that is none
_SHOWN = 0.005  # weights below it move nothing, and are left out


@dataclass(frozen=True, slots=True)
class Example:
    """One loss on which people have decided, as the auditor ranks it now."""

    conversation: int
    compaction: int
    fact_id: str
    number: int  # as shipped
    rank: float  # as shipped
    traits: tuple[str, ...]
    is_worth: bool  # worth a person's time


class Trial(msgspec.Struct, frozen=True):
    """How the adjustments did on the held-out part; measures are None where nothing could be compared.

    `before`, `after`: of two findings of a compaction, one worth showing and one not, how often the right one stands
    first; `gain`: the difference. `first_before`, `first_after`: worth showing among the first five that were judged.
    """

    fitted: int  # judgements
    held: int
    conversations: int  # held out, in which two findings could be compared
    pairs: int
    before: Measure | None = None
    after: Measure | None = None
    gain: Measure | None = None
    first: int = 0  # judged findings among the first five
    first_before: int = 0
    first_after: int = 0


@dataclass(frozen=True, slots=True)
class Learned:
    """What comes of the verdicts; `weights` is empty unless they are to be used."""

    state: RankingState
    weights: dict[str, float]
    trial: Trial


def learn(examples: Iterable[Example]) -> Learned:
    """Fit on one part, try on the other. What is used is what was tried. The order of the examples does not matter."""
    ordered = sorted(examples, key=lambda each: (each.conversation, each.compaction, each.fact_id))
    held = [each for each in ordered if is_held_out(each.conversation)]
    fitted = [each for each in ordered if not is_held_out(each.conversation)]
    weights = fit(fitted)[1]
    trial = _tried(len(fitted), held, weights)
    state = _state(trial)
    return Learned(state, weights if state is RankingState.USED else {}, trial)


def is_held_out(conversation: int) -> bool:
    """Decided by a hash, so that a conversation never changes sides."""
    return int.from_bytes(blake2b(str(conversation).encode(), digest_size=4).digest()) % HELD_OUT == 0


def _state(trial: Trial) -> RankingState:
    enough = trial.fitted >= FEWEST_FITTED and trial.held >= FEWEST_HELD
    if not enough or trial.conversations < FEWEST_CONVERSATIONS:
        return RankingState.TOO_FEW
    is_better = trial.gain is not None and trial.gain.low is not None and trial.gain.low > 0
    return RankingState.USED if is_better else RankingState.NO_BETTER


# --- fitting ----------------------------------------------------------------------------------------------------------


def fit(examples: Sequence[Example]) -> tuple[float, dict[str, float]]:
    """How strict the team is, and the weight of each trait, to three digits. Deterministic.

    Each turn solves the same equations with a bound on the curvature (Böhning 1992), which cannot overshoot."""
    names = sorted({trait for each in examples for trait in each.traits})
    at = {name: place for place, name in enumerate(names, 1)}  # 0 is the strictness
    rows = [(0, *sorted(at[trait] for trait in set(each.traits))) for each in examples]
    given = [logit(each.rank) for each in examples]
    pull = [1 / STRICTNESS_SPREAD**2] + [1 / SPREAD**2] * len(names)
    factor = _cholesky(_curvature(rows, pull))
    weights = [0.0] * (len(names) + 1)
    for _ in range(_TURNS):
        slope = [-strength * weight for strength, weight in zip(pull, weights, strict=True)]
        for each, row, start in zip(examples, rows, given, strict=True):
            missing = each.is_worth - 1 / (1 + exp(-start - sum(weights[place] for place in row)))
            for place in row:
                slope[place] += missing
        step = _solved(factor, slope)
        weights = [weight + change for weight, change in zip(weights, step, strict=True)]
        if max(map(abs, step)) < _STILL:
            break
    found = {name: round(weights[place], 3) for name, place in at.items()}
    return weights[0], {name: weight for name, weight in found.items() if abs(weight) >= _SHOWN}


def _curvature(rows: Iterable[Sequence[int]], pull: Sequence[float]) -> list[list[float]]:
    """At most: a quarter for each two traits that meet, and the pull towards 0."""
    matrix = [[0.0] * len(pull) for _ in pull]
    for row in rows:
        for one in row:
            for other in row:
                matrix[one][other] += 0.25
    for place, strength in enumerate(pull):
        matrix[place][place] += strength
    return matrix


def _cholesky(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Lower triangle L with L Lᵀ = matrix, which is symmetric and, by the pull, positive."""
    lower: list[list[float]] = []
    for at, row in enumerate(matrix):
        made: list[float] = []
        for column in range(at):
            rest = row[column] - sum(a * b for a, b in zip(made, lower[column], strict=False))
            made.append(rest / lower[column][column])
        made.append((row[at] - sum(value * value for value in made)) ** 0.5)
        lower.append(made)
    return lower


def _solved(lower: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """x with L Lᵀ x = right."""
    half: list[float] = []
    for row, value in zip(lower, right, strict=True):
        half.append((value - sum(a * b for a, b in zip(row, half, strict=False))) / row[len(half)])
    found = [0.0] * len(half)
    for at in reversed(range(len(half))):
        later = sum(lower[below][at] * found[below] for below in range(at + 1, len(half)))
        found[at] = (half[at] - later) / lower[at][at]
    return found


# --- trying -----------------------------------------------------------------------------------------------------------


def _tried(fitted: int, held: Sequence[Example], weights: Mapping[str, float]) -> Trial:
    """On examples in order of conversation and compaction."""
    found = [_Conversation.of(list(rows), weights) for _, rows in groupby(held, key=lambda each: each.conversation)]
    told = [each for each in found if each.pairs]
    trial = {"fitted": fitted, "held": len(held), "conversations": len(told), "pairs": sum(e.pairs for e in told)}
    return Trial(
        **trial,
        before=_measure([(each.before, each.pairs) for each in told]),
        after=_measure([(each.after, each.pairs) for each in told]),
        gain=_measure([(each.after - each.before, each.pairs) for each in told]),
        first=sum(each.first for each in found),
        first_before=sum(each.first_before for each in found),
        first_after=sum(each.first_after for each in found),
    )


@dataclass(frozen=True, slots=True)
class _Conversation:
    """What is counted of one held-out conversation."""

    pairs: int
    before: float  # pairs in the right order
    after: float
    first: int
    first_before: int
    first_after: int

    @classmethod
    def of(cls, examples: Sequence[Example], weights: Mapping[str, float]) -> "_Conversation":
        pairs, first = 0, 0
        right, worth = [0.0, 0.0], [0, 0]
        for _, rows in groupby(examples, key=lambda each: each.compaction):
            compaction = list(rows)
            for which, used in enumerate(({}, weights)):
                order = _ordered(compaction, used)
                right[which] += _right_pairs(order)
                worth[which] += sum(order[:FIRST])
            pairs += sum(order) * (len(order) - sum(order))
            first += len(order[:FIRST])
        return cls(pairs, right[0], right[1], first, worth[0], worth[1])


def _ordered(examples: Iterable[Example], weights: Mapping[str, float]) -> list[bool]:
    """Whether each is worth showing, best ranked first; equals as shipped."""
    scored = [(adjusted(each.rank, sum(weights.get(trait, 0.0) for trait in each.traits)), each) for each in examples]
    return [each.is_worth for _, each in sorted(scored, key=lambda pair: (-pair[0], pair[1].number))]


def _right_pairs(order: Iterable[bool]) -> int:
    """Pairs in which what is worth showing stands before what is not."""
    right = worth = 0
    for is_worth in order:
        worth += is_worth
        right += 0 if is_worth else worth
    return right


def _measure(counted: Collection[tuple[float, int]]) -> Measure | None:
    """The share over all conversations, with the jackknife's interval: each is left out once."""
    total, of = sum(value for value, _ in counted), sum(number for _, number in counted)
    if not of:
        return None
    left = [(total - value) / (of - number) if of > number else None for value, number in counted]
    return Measure(total / of, *jackknife(total / of, left), len(counted))
