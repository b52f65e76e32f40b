"""How a compaction that nobody announced was found, as its page tells it."""

import math
from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.fields.json import KT

from conversations.models import Compaction

_FOUND_BY = "difference"  # as conversations/ingest/contexts/losing.py says it

_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Inferred:
    """`sure` in percent; `losses`: requests over which it went on, 1 for one that happened at once."""

    why: str
    sure: int | None
    losses: int


def with_inferred(rows: QuerySet[Compaction]) -> QuerySet[Compaction]:
    """With what `inferred` asks for, and whether messages were abandoned before it (`raw_abandoned`); without the rest
    of the source's record, which may be large."""
    told = {f"raw_{name}": KT(f"raw__{name}") for name in ("found_by", "why", "confidence", "losses", "abandoned")}
    return rows.annotate(**told).defer("raw")


def inferred(compaction: Compaction) -> Inferred | None:
    """None where the source tells of it itself. Anybody may send a record of this form, so nothing in it is trusted."""
    if getattr(compaction, "raw_found_by", None) != _FOUND_BY:
        return None
    told = {name: getattr(compaction, f"raw_{name}") or "" for name in ("why", "confidence", "losses")}
    confidence, losses = _number(told["confidence"]), _number(told["losses"])
    sure = round(100 * confidence) if confidence is not None and 0 <= confidence <= 1 else None
    return Inferred(told["why"][:300], sure, max(1, int(losses or 1)))


def _number(text: str) -> float | None:
    """Of a few digits; None for anything else."""
    try:
        return float(text) if len(text) <= _DIGITS and math.isfinite(float(text)) else None
    except ValueError:
        return None
