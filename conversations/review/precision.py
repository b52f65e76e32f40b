"""How often the auditor is right, as far as people have judged its findings, and how much of what they found it missed.

A finding counts once, however many people judged it: the settled record decides, else more than half of them; where
they are split it counts as split and not as right or wrong. Intervals are Wilson's, 95 %.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from conversations.agreement import wilson
from conversations.vocabulary import Answer, Outcome

_LOST = frozenset({Outcome.FORGOTTEN.value, Outcome.ALTERED.value})
#: Of a fact that was there; of an added statement "not lost" means that it was not invented.
_NO_LOSS = frozenset(outcome.value for outcome in Outcome) - _LOST
#: The finding is true. Whether it was worth saying is another question.
_TRUE = frozenset({Answer.AGREE.value, Answer.REWORD.value, Answer.DOES_NOT_MATTER.value})
_WORTH = frozenset({Answer.AGREE.value, Answer.REWORD.value})
#: Ranks that are shown together: (last, name).
_RANKS = ((5, "1–5"), (10, "6–10"), (25, "11–25"))
_FURTHER = "26 and further"


@dataclass(frozen=True, slots=True)
class Judged:
    """One person's word on one finding, with the finding as it was then."""

    compaction: int
    fact_id: str
    outcome: str
    kind: str
    detector: str
    number: int  # its rank; 0 for a statement of the summary without a source
    version: str  # of the auditor
    at: datetime
    answer: str
    settles: bool = False


@dataclass(frozen=True, slots=True)
class Precision:
    """Of the findings of one group that people judged: how many are true, and how many worth a person's time."""

    name: str
    right: int
    worth: int
    of: int  # decided ones
    split: int  # people differ on them, and nobody has settled it

    @property
    def share(self) -> float | None:
        """True ones; None where nothing is decided."""
        return self.right / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of `share`."""
        return wilson(self.right, self.of)

    @property
    def worth_share(self) -> float | None:
        """Those that are worth a person's time."""
        return self.worth / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Found:
    """What people and the auditor found together: of the losses known by now, how many the auditor had listed."""

    listed: int
    missed: int  # marked by a person

    @property
    def share(self) -> float | None:
        """Listed ones; None where no loss is known."""
        return self.listed / (self.listed + self.missed) if self.listed + self.missed else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of `share`."""
        return wilson(self.listed, self.listed + self.missed)


def decided(said: Sequence[Judged]) -> Judged | None:
    """The word that stands for all on the same finding; None where people are split or nobody said anything."""
    settled = [each for each in said if each.settles]
    if settled:
        return settled[-1]
    true = [each for each in said if is_true(each)]
    side = true if 2 * len(true) > len(said) else [each for each in said if not is_true(each)]
    if 2 * len(side) <= len(said):
        return None
    worth = [each for each in side if is_worth(each)]
    return (worth if 2 * len(worth) >= len(side) and worth else [each for each in side if each not in worth])[-1]


def is_true(judged: Judged) -> bool:
    """Whether that person says that the finding is right; that something kept is not lost is what it says itself."""
    return judged.answer in _TRUE or (judged.answer == Answer.NOT_LOST and judged.outcome in _NO_LOSS)


def is_worth(judged: Judged) -> bool:
    """Whether that person says that it is worth showing."""
    return judged.answer in _WORTH


def precision(name: str, judged: Iterable[Judged]) -> Precision:
    """Of all of these together."""
    by_finding: dict[tuple[int, str], list[Judged]] = defaultdict(list)
    for each in judged:
        by_finding[each.compaction, each.fact_id].append(each)
    words = [decided(said) for said in by_finding.values()]
    known = [word for word in words if word]
    right, worth = sum(map(is_true, known)), sum(map(is_worth, known))
    return Precision(name, right, worth, len(known), len(words) - len(known))


def precision_by(group: Callable[[Judged], str], judged: Iterable[Judged]) -> list[Precision]:
    """One for each value of `group`; those with the most judgements first."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        groups[group(each)].append(each)
    made = [precision(name, rows) for name, rows in groups.items()]
    return sorted(made, key=lambda each: (-each.of, each.name))


def rank_of(judged: Judged) -> str:
    """The group of its rank."""
    return next((name for last, name in _RANKS if judged.number <= last), _FURTHER)


def week_of(moment: datetime) -> date:
    """The Monday of its week (UTC)."""
    return moment.date() - timedelta(days=moment.weekday())


def found_losses(judged: Iterable[Judged], missed: int) -> Found:
    """Losses that people confirmed and think worth saying, beside those that they had to find themselves."""
    lost = [each for each in judged if each.outcome in _LOST]
    return Found(precision("", lost).worth, missed)
