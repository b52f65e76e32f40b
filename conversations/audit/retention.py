"""How much of what mattered is still known: the importance-weighted share kept, and how sure it is."""

import random
from collections.abc import Sequence

from conversations.audit.model import Finding, Retention
from conversations.vocabulary import Outcome

DRAWS = 200
#: Fixed, so that the same audit gives the same interval everywhere.
SEED = 20_240
#: An altered fact misleads; it counts as not kept. An unverifiable one counts neither way.
_COUNTED = {Outcome.KEPT: 1.0, Outcome.ALTERED: 0.0, Outcome.FORGOTTEN: 0.0}


def retention_of(findings: Sequence[Finding]) -> Retention:
    """The share with its 90 % bootstrap interval; all None where nothing can be said."""
    pairs = [
        (finding.fact.importance.value, _COUNTED[finding.judgement.outcome])
        for finding in findings
        if finding.judgement.outcome in _COUNTED and finding.fact.importance.value > 0
    ]
    if not pairs:
        return Retention(None, None, None, 0)
    draw = random.Random(SEED)  # noqa: S311 -- a bootstrap, not a secret
    shares = sorted(_share(draw.choices(pairs, k=len(pairs))) for _ in range(DRAWS))
    low, high = shares[int(DRAWS * 0.05)], shares[int(DRAWS * 0.95) - 1]
    return Retention(round(_share(pairs), 4), round(low, 4), round(high, 4), len(pairs))


def _share(pairs: Sequence[tuple[float, float]]) -> float:
    total = sum(weight for weight, _ in pairs)
    return sum(weight * kept for weight, kept in pairs) / total if total else 0.0
