"""Decide whether people agree on a compaction, and what that makes of a queue's item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from conversations.vocabulary import Answer, ItemState

T = TypeVar("T")

#: Steps of a criterion's scale between two people that call for a second look: neighbours are a matter of taste.
FAR_APART = 2
_STANDS = frozenset({Answer.AGREE, Answer.REWORD})
_FALLS = frozenset({Answer.NOT_LOST, Answer.WRONG_FACT})


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person handed in."""

    overall: str  # of `Overall`
    criteria: Mapping[str, int]  # value by the criterion's key
    answers: Mapping[str, str]  # of `Answer`, by the fact's id


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that people answered differently. `weighty` ones call for a second look."""

    about: Literal["overall", "criterion", "finding"]
    key: str  # of the criterion, or id of the fact; empty for the overall verdict
    weighty: bool


def differences(opinions: Sequence[Opinion]) -> list[Difference]:
    """What they answered differently; what only one of them answered is no difference.

    Another overall verdict is weighty; values of a criterion are from two steps apart; answers on a finding are where
    one says that it stands (agree, reword) and another that it does not (not lost, wrong fact)."""
    found = [Difference("overall", "", weighty=True)] if len({each.overall for each in opinions}) > 1 else []
    for key, values in _together([each.criteria for each in opinions]).items():
        if len(set(values)) > 1:
            found.append(Difference("criterion", key, weighty=max(values) - min(values) >= FAR_APART))
    for fact_id, answers in _together([each.answers for each in opinions]).items():
        if len(set(answers)) > 1:
            weighty = not _STANDS.isdisjoint(answers) and not _FALLS.isdisjoint(answers)
            found.append(Difference("finding", fact_id, weighty=weighty))
    return found


def _together(given: Sequence[Mapping[str, T]]) -> dict[str, list[T]]:
    keys = dict.fromkeys(key for each in given for key in each)
    return {key: [each[key] for each in given if key in each] for key in keys}


def state_of(opinions: Sequence[Opinion], *, asked: int, settled: bool) -> ItemState:
    """How far an item is on which `asked` people are to say something and these have."""
    if settled:
        return ItemState.SETTLED
    if len(opinions) < asked:
        return ItemState.WAITING
    return ItemState.DISAGREED if any(each.weighty for each in differences(opinions)) else ItemState.DONE
