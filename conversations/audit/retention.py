"""How much of what mattered is still known: the importance-weighted share kept, and how sure it is."""

import random
from collections.abc import Iterable, Sequence
from itertools import islice, repeat, starmap

from conversations.audit.model import Finding, Retention
from conversations.vocabulary import Outcome

DRAWS = 200
#: Fixed, so that the same audit gives the same interval everywhere.
SEED = 20_240
#: An altered fact misleads; it counts as not kept. An unverifiable one counts neither way.
_COUNTED = {Outcome.KEPT: 1.0, Outcome.ALTERED: 0.0, Outcome.FORGOTTEN: 0.0}


def retention_of(findings: Sequence[Finding]) -> Retention:
    """The share with its 90 % bootstrap interval; all None where nothing can be said."""
    counted = [f for f in findings if f.judgement.outcome in _COUNTED and f.fact.importance.value > 0]
    if not counted:
        return Retention(None, None, None, 0)
    pairs = [f.fact.importance.value * complex(1.0, _COUNTED[f.judgement.outcome]) for f in counted]
    size = len(pairs)
    draws = starmap(random.Random(SEED).random, repeat(()))  # noqa: S311 -- a bootstrap, not a secret
    drawn = map(pairs.__getitem__, map(int, map(float(size).__mul__, draws)))
    shares = sorted(_share(islice(drawn, size)) for _ in range(DRAWS))
    low, high = shares[int(DRAWS * 0.05)], shares[int(DRAWS * 0.95) - 1]
    return Retention(round(_share(pairs), 4), round(low, 4), round(high, 4), size)


def _share(pairs: Iterable[complex]) -> float:
    """The part that is kept. Weight and kept weight are one complex number, so that both are summed in one pass."""
    total = sum(pairs)
    return total.imag / total.real
