"""Read what people said of the same compactions, and how far they agree: by criterion, pair, queue and week.

Everything is worked out from at most `MOST` of the newest reviews, in a fixed number of queries.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from typing import Any

from conversations.agreement import Measure, Unit, cohen_kappa, krippendorff_alpha, percent_agreement
from conversations.models import Queue, Review, User, Verdict, Workspace
from conversations.review.precision import week_of
from conversations.vocabulary import Overall

#: Reviews that are read for one page. A page of 5,000 with three criteria takes 0.3 s.
MOST = 5_000
PAIRS_SHOWN = 30
OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class Rated:
    """A review as far as agreement goes."""

    item: int
    reviewer: int
    at: datetime
    overall: str
    criteria: Mapping[str, int]
    calibration: bool


@dataclass(frozen=True, slots=True)
class CriterionAgreement:
    """How far people agree on one criterion, or on the overall verdict, or on single findings."""

    name: str
    percent: Measure
    alpha: Measure


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two people on the items that both judged, by the overall verdict."""

    first: str
    second: str
    percent: Measure
    kappa: Measure


@dataclass(frozen=True, slots=True)
class WeekAgreement:
    """One week's items, by the day of the last review of each."""

    monday: date
    percent: Measure
    alpha: Measure


@dataclass(frozen=True, slots=True)
class Calibrated:
    """One person on calibration items, against what most of the others say."""

    name: str
    same: int
    of: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """All of the agreement page."""

    reviews: int
    is_part: bool  # older reviews are left out
    criteria: list[CriterionAgreement]
    pairs: list[PairAgreement]
    weeks: list[WeekAgreement]
    calibration: list[Calibrated]


def agreement_of(workspace: Workspace, queue: Queue | None = None) -> Agreement:
    """Of one queue, or of all of them together. Four queries."""
    rated = _rated(workspace, queue)
    names = dict(User.objects.filter(pk__in={each.reviewer for each in rated}).values_list("pk", "name"))
    rubric = queue.rubric if queue else _common_rubric(workspace)
    return Agreement(
        reviews=len(rated),
        is_part=len(rated) == MOST,
        criteria=[*_by_criterion(rated, rubric), _on_findings(workspace, queue)],
        pairs=_by_pair(rated, names),
        weeks=_by_week(rated),
        calibration=_calibrated(rated, names),
    )


def _rated(workspace: Workspace, queue: Queue | None) -> list[Rated]:
    rows = Review.objects.filter(
        workspace=workspace, submitted_at__isnull=False, settles=False, item__isnull=False, reviewer__isnull=False
    )
    if queue:
        rows = rows.filter(item__queue=queue)
    fields = ("item_id", "reviewer_id", "submitted_at", "overall", "criteria", "item__calibration")
    return [Rated(*row) for row in rows.order_by("-submitted_at", "-id").values_list(*fields)[:MOST]]


def _common_rubric(workspace: Workspace) -> list[dict[str, Any]]:
    """Criteria that all queues with the same key and scale share; the newest queue's words for them."""
    found: dict[str, dict[str, Any]] = {}
    scales: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
    for rubric in Queue.objects.filter(workspace=workspace).order_by("id").values_list("rubric", flat=True):
        for criterion in rubric:
            found[criterion["key"]] = criterion
            scales[criterion["key"]].add(_values(criterion))
    return [criterion for key, criterion in found.items() if len(scales[key]) == 1]


def _values(criterion: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(step["value"] for step in criterion["scale"])


def _units(rated: Iterable[Rated], said: str) -> list[Unit]:
    """By item: what each reviewer said of the criterion with this key, as far as they did."""
    units: dict[int, dict[Hashable, Hashable]] = defaultdict(dict)
    for each in rated:
        value = each.overall if said == OVERALL else each.criteria.get(said)
        if value not in {"", None}:
            units[each.item][each.reviewer] = value
    return list(units.values())


def _by_criterion(rated: Sequence[Rated], rubric: Iterable[Mapping[str, Any]]) -> list[CriterionAgreement]:
    overall = _units(rated, OVERALL)
    made = [CriterionAgreement("Overall verdict", percent_agreement(overall), krippendorff_alpha(overall, [*Overall]))]
    for criterion in rubric:
        scale = _values(criterion)
        units = [
            {who: value for who, value in unit.items() if value in scale} for unit in _units(rated, criterion["key"])
        ]
        made.append(CriterionAgreement(criterion["name"], percent_agreement(units), krippendorff_alpha(units, scale)))
    return made


def _on_findings(workspace: Workspace, queue: Queue | None) -> CriterionAgreement:
    rows = Verdict.objects.filter(
        workspace=workspace, review__submitted_at__isnull=False, review__settles=False, review__item__isnull=False
    )
    if queue:
        rows = rows.filter(review__item__queue=queue)
    units: dict[Hashable, dict[Hashable, Hashable]] = defaultdict(dict)
    fields = ("review__item_id", "fact_id", "review__reviewer_id", "answer")
    for item, fact, who, answer in rows.order_by("-id").values_list(*fields)[: 10 * MOST]:
        units[item, fact][who] = answer
    said = list(units.values())
    return CriterionAgreement("Single findings", percent_agreement(said), krippendorff_alpha(said))


def _by_pair(rated: Sequence[Rated], names: Mapping[int, str]) -> list[PairAgreement]:
    """Those who judged most together first."""
    met: dict[tuple[int, int], list[tuple[Hashable, Hashable]]] = defaultdict(list)
    for unit in _units(rated, OVERALL):
        for first, second in combinations(sorted(unit, key=str), 2):
            met[first, second].append((unit[first], unit[second]))  # type: ignore[index] # reviewers are numbers
    most = sorted(met.items(), key=lambda pair: -len(pair[1]))[:PAIRS_SHOWN]
    return [
        PairAgreement(
            _name(names, first),
            _name(names, second),
            percent_agreement([{1: one, 2: other} for one, other in said]),
            cohen_kappa(said),
        )
        for (first, second), said in most
    ]


def _name(names: Mapping[int, str], who: int) -> str:
    return names.get(who) or f"person {who}"


def _by_week(rated: Sequence[Rated]) -> list[WeekAgreement]:
    """The newest first; an item stands in the week of its last review."""
    last: dict[int, datetime] = {}
    for each in rated:
        last[each.item] = max(each.at, last.get(each.item, each.at))
    weeks: dict[date, list[Rated]] = defaultdict(list)
    for each in rated:
        weeks[week_of(last[each.item])].append(each)
    made = []
    for monday, rows in sorted(weeks.items(), reverse=True):
        units = _units(rows, OVERALL)
        made.append(WeekAgreement(monday, percent_agreement(units), krippendorff_alpha(units, [*Overall])))
    return [week for week in made if week.percent.units]


def _calibrated(rated: Sequence[Rated], names: Mapping[int, str]) -> list[Calibrated]:
    same: dict[int, list[bool]] = defaultdict(list)
    for unit in _units([each for each in rated if each.calibration], OVERALL):
        for who, said in unit.items():
            others = [value for other, value in unit.items() if other != who]
            if others:
                top = max(others.count(value) for value in others)
                same[who].append(others.count(said) == top)  # type: ignore[index] # as above
    made = [Calibrated(_name(names, who), sum(seen), len(seen)) for who, seen in same.items()]
    return sorted(made, key=lambda each: each.name)
