"""How far people agree: percent, Cohen's κ and Krippendorff's α, each with an interval and the numbers behind it.

All three are functions of how often two values met on the same unit. Intervals are the jackknife's (Quenouille 1956,
Tukey 1958): each unit is left out once, which needs no random numbers and one subtraction a unit.
Sources: Cohen 1960; Krippendorff, Content Analysis (2004), ch. 11; Hayes and Krippendorff 2007.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from math import sqrt

#: What raters said of one thing: value by rater.
Unit = Mapping[Hashable, Hashable]
#: Weight by pair of values that met.
Meetings = Mapping[tuple[Hashable, Hashable], float]
Distance = Callable[[Hashable, Hashable], float]

_FEWEST_UNITS = 3  # for an interval: two units left out in turn say nothing
_Z = 1.959964  # 95 %


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure with its 95 % interval; `value` is None where it is not defined, as where everybody always said the
    same, and the interval is None where there are too few units."""

    value: float | None
    low: float | None
    high: float | None
    units: int  # things on which at least two values met


def percent_agreement(units: Sequence[Unit]) -> Measure:
    """The share of pairs of raters, on the same unit, who said the same. Each unit counts by its number of raters."""
    return _measured([_coincidences(unit) for unit in units], _share_equal)


def cohen_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Measure:
    """Agreement of two raters beyond chance; each pair is what the first and the second said of one unit."""
    return _measured([{pair: 1.0} for pair in pairs], _kappa)


def krippendorff_alpha(units: Sequence[Unit], scale: Sequence[Hashable] | None = None) -> Measure:
    """Agreement of any number of raters beyond chance, with gaps. `scale`: the values in order, worst first, for an
    ordinal α, in which neighbours disagree less; None for a nominal one."""
    met = [_coincidences(unit) for unit in units]
    if scale is None:
        return _measured(met, _nominal_alpha)
    return _measured(met, lambda total: _alpha(total, _ordinal(_marginals(total), scale)))


def alpha_of(units: Sequence[Unit], scale: Sequence[Hashable]) -> float | None:
    """The ordinal α of `krippendorff_alpha` alone, which takes no time for an interval."""
    total: Counter[tuple[Hashable, Hashable]] = Counter()
    for unit in units:
        total.update(_coincidences(unit))
    return _alpha(total, _ordinal(_marginals(total), scale))


def wilson(right: int, of: int) -> tuple[float, float] | None:
    """The 95 % interval of a share (Wilson 1927), which stays within 0 and 1 for small numbers; None for none."""
    if not of:
        return None
    share, z2 = right / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def _coincidences(unit: Unit) -> dict[tuple[Hashable, Hashable], float]:
    """Every ordered pair of values of two raters; together they weigh as much as there are raters."""
    said = list(unit.values())
    met: Counter[tuple[Hashable, Hashable]] = Counter(permutations(said, 2))
    return {pair: count / (len(said) - 1) for pair, count in met.items()}


def _measured(met: Sequence[Meetings], statistic: Callable[[Meetings], float | None]) -> Measure:
    known = [each for each in met if each]
    total: Counter[tuple[Hashable, Hashable]] = Counter()
    for each in known:
        total.update(each)  # weights, which Counter adds just as well
    value = statistic(total) if known else None
    if value is None or len(known) < _FEWEST_UNITS:
        return Measure(value, None, None, len(known))
    low, high = jackknife(value, [statistic(_without(total, each)) for each in known])
    return Measure(value, low, high, len(known))


def _without(total: Meetings, each: Meetings) -> Meetings:
    return {pair: weight - each.get(pair, 0.0) for pair, weight in total.items()}


def jackknife(value: float, left_out: Sequence[float | None]) -> tuple[float | None, float | None]:
    """The 95 % interval of a figure, from its values with each unit left out once; none where leaving one out leaves
    nothing defined."""
    known = [each for each in left_out if each is not None]
    if len(known) < len(left_out):
        return None, None
    count = len(known)
    mean = sum(known) / count
    half = _Z * sqrt((count - 1) / count * sum((each - mean) ** 2 for each in known))
    return max(-1.0, value - half), min(1.0, value + half)


def _share_equal(total: Meetings) -> float | None:
    whole = sum(total.values())
    return sum(weight for (one, other), weight in total.items() if one == other) / whole if _is_some(whole) else None


def _kappa(total: Meetings) -> float | None:
    whole = sum(total.values())
    if not _is_some(whole):
        return None
    first, second = Counter[Hashable](), Counter[Hashable]()
    for (one, other), weight in total.items():
        first[one] += weight  # type: ignore[assignment] # weights
        second[other] += weight  # type: ignore[assignment]
    chance = sum(first[value] * second[value] for value in first) / (whole * whole)
    seen = sum(weight for (one, other), weight in total.items() if one == other) / whole
    return (seen - chance) / (1 - chance) if _is_some(1 - chance) else None


def _nominal_alpha(total: Meetings) -> float | None:
    return _alpha(total, lambda one, other: float(one != other))


def _alpha(total: Meetings, distance: Distance) -> float | None:
    """1 - observed disagreement / the one expected by chance."""
    often = _marginals(total)
    whole = sum(often.values())
    expected = sum(often[one] * often[other] * distance(one, other) for one, other in permutations(often, 2))
    if not _is_some(expected):
        return None
    observed = sum(weight * distance(one, other) for (one, other), weight in total.items())
    return 1 - (whole - 1) * observed / expected


def _marginals(total: Meetings) -> dict[Hashable, float]:
    often: dict[Hashable, float] = {}
    for (one, _), weight in total.items():
        often[one] = often.get(one, 0.0) + weight
    return often


def _ordinal(often: Mapping[Hashable, float], scale: Sequence[Hashable]) -> Distance:
    """How many ratings lie between two values, the two counted half, squared."""
    at = {value: place for place, value in enumerate(scale)}
    below = [0.0]
    for one, other in pairwise(scale):
        below.append(below[-1] + (often.get(one, 0.0) + often.get(other, 0.0)) / 2)
    return lambda one, other: (below[at[one]] - below[at[other]]) ** 2


def _is_some(weight: float) -> bool:
    """Not nothing: sums of thirds do not end at zero exactly."""
    return abs(weight) > 1e-12  # noqa: PLR2004 -- see above
