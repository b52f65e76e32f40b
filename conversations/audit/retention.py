"""How much of what mattered is still known: the importance-weighted share kept, and how sure it is."""

from collections.abc import Sequence
from math import sqrt

from conversations.audit.model import Finding, Retention
from conversations.vocabulary import Outcome

#: Standard deviations on either side that hold 90 % of a normal distribution.
NINETY_PERCENT = 1.645
#: An altered fact misleads; it counts as not kept. An unverifiable one counts neither way.
_COUNTED = {Outcome.KEPT: 1.0, Outcome.ALTERED: 0.0, Outcome.FORGOTTEN: 0.0}


def retention_of(findings: Sequence[Finding]) -> Retention:
    """The share with its 90 % interval; all None where nothing can be said."""
    pairs = [
        (f.fact.importance.value, _COUNTED[f.judgement.outcome])
        for f in findings
        if f.judgement.outcome in _COUNTED and f.fact.importance.value > 0
    ]
    total = sum(weight for weight, _ in pairs)
    if not total:
        return Retention(None, None, None, 0)
    share = sum(weight * kept for weight, kept in pairs) / total
    low, high = interval(share, total**2 / sum(weight**2 for weight, _ in pairs))
    return Retention(round(share, 4), round(low, 4), round(high, 4), len(pairs))


def interval(share: float, size: float) -> tuple[float, float]:
    """Wilson's 90 % interval of a share seen in `size` facts.

    Facts of unequal weight count as so many of equal weight (Kish: the square of the sum by the sum of the squares).
    """
    z = NINETY_PERCENT
    middle, half = share + z * z / (2 * size), z * sqrt(share * (1 - share) / size + (z / (2 * size)) ** 2)
    whole = 1 + z * z / size
    low, high = (middle - half) / whole, (middle + half) / whole
    return max(0.0, min(share, low)), min(1.0, max(share, high))  # at 0 and 1 rounding goes to either side
