"""Puts the losses of a compaction in the order that a team's verdicts teach: adjustments of the shipped ranking."""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any, Protocol, TypeVar

#: Scores are taken no nearer to 0 and 1 than this, so that an adjustment can still move them.
EDGE = 0.01
#: Where a finding's parts say what the verdicts did to its place.
TEAM = "team"


class Ranked(Protocol):
    """A stored loss, as far as its place goes; `number` and `rank` are changed, and `parts` says how."""

    kind: str
    outcome: str
    detail: str
    detector: str
    author: str
    number: int
    rank: float
    parts: dict[str, Any]


Row = TypeVar("Row", bound=Ranked)


def traits(row: Ranked) -> tuple[str, ...]:
    """What the verdicts can teach about: few things that a person understands, each shared by many findings."""
    return f"kind {row.kind}", f"detector {row.detector}", f"outcome {row.detail or row.outcome}", f"by {row.author}"


def logit(score: float) -> float:
    """Log-odds of a score between 0 and 1, which is held off the edges."""
    held = min(max(score, EDGE), 1 - EDGE)
    return log(held / (1 - held))


def adjusted(score: float, by: float) -> float:
    """The score after its log-odds were changed; exactly the same where there is nothing to change. Near the edges it
    never moves the other way."""
    moved = 1 / (1 + exp(-logit(score) - by)) if by else score
    return max(score, moved) if by > 0 else min(score, moved)


def shipped(row: Ranked) -> tuple[int, float]:
    """Number and rank as the auditor gave them, before any verdict moved them."""
    before = row.parts.get(TEAM)
    return (before["number"], before["rank"]) if before else (row.number, row.rank)


def place(rows: Sequence[Row], weights: Mapping[str, float], version: int) -> list[Row]:
    """Gives the losses of one compaction their numbers and ranks anew, always from the shipped ones: so doing it again
    changes nothing, and without weights all is as shipped. Returns those that have changed."""
    before = [(row.number, row.rank, row.parts) for row in rows]
    order = sorted(rows, key=lambda row: shipped(row)[0])
    numbers = [shipped(row)[0] for row in order]
    for row in order:
        _adjust(row, weights, version)
    ranked = sorted(order, key=lambda row: -row.rank)  # stable: equals stay in the shipped order
    for number, row in zip(numbers, ranked, strict=True):
        row.number = number
    return [row for row, was in zip(rows, before, strict=True) if (row.number, row.rank, row.parts) != was]


def _adjust(row: Ranked, weights: Mapping[str, float], version: int) -> None:
    number, rank = shipped(row)
    parts = {trait: weights[trait] for trait in traits(row) if trait in weights}
    kept = {name: value for name, value in row.parts.items() if name != TEAM}
    told = {"version": version, "number": number, "rank": rank, "parts": parts}
    row.parts = kept | {TEAM: told} if weights else kept
    row.number, row.rank = number, adjusted(rank, sum(parts.values()))
