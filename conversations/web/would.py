"""What the timeline would have been without compaction: the second line, its steps, and what would not have fitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from conversations.spending.tally import Freed, Turn, freed_before
from conversations.web.timeline import Point


class Placed(Protocol):
    """A compaction, as far as its place is concerned."""

    @property
    def position(self) -> int:
        """Its order within the conversation."""


Compacted = TypeVar("Compacted", bound=Placed)


def freed_of(points: Sequence[Point], positions: Sequence[int]) -> list[Freed]:
    """For each point what compactions at these positions had freed before it."""
    return freed_before([Turn(point.position, point.tokens, point.output) for point in points], positions)


def would_line(points: Sequence[Point], freed: Sequence[Freed]) -> list[int]:
    """Tokens of each request without compaction; empty where nothing was freed, so that there is no second line."""
    if not freed or not freed[-1].tokens:
        return []
    return [point.tokens + gone.tokens for point, gone in zip(points, freed, strict=True)]


@dataclass(frozen=True, slots=True)
class Step(Generic[Compacted]):
    """Compactions between the same two requests, what they freed, and on how many requests that was not sent."""

    compactions: list[Compacted]
    freed: int
    certain: bool
    before: int | None  # context and answer of the request before
    after: int | None  # context of the request after
    requests: int

    @property
    def saved(self) -> int:
        """Input tokens not sent on all of them."""
        return self.freed * self.requests


def steps(points: Sequence[Point], freed: Sequence[Freed], compactions: Sequence[Compacted]) -> list[Step[Compacted]]:
    """In order; `compactions` in order of position, without those that replaced nothing."""
    found, so_far = [], 0
    for at, group in _groups(points, compactions).items():
        after = points[at] if at < len(points) else None
        total = freed[at].tokens if after else so_far
        found.append(
            Step(
                compactions=group,
                freed=total - so_far,
                certain=after is not None and at > 0,
                before=points[at - 1].tokens + (points[at - 1].output or 0) if at else None,
                after=after.tokens if after else None,
                requests=len(points) - at,
            )
        )
        so_far = total
    return found


def _groups(points: Sequence[Point], compactions: Sequence[Compacted]) -> dict[int, list[Compacted]]:
    """By how many requests came before them."""
    groups: dict[int, list[Compacted]] = {}
    at = 0
    for compaction in compactions:
        while at < len(points) and points[at].position < compaction.position:
            at += 1
        groups.setdefault(at, []).append(compaction)
    return groups


@dataclass(frozen=True, slots=True)
class Beyond:
    """Requests that would not have fitted into the window: how many, and the first and last by their numbers from 1."""

    count: int
    first: int
    last: int


def beyond(points: Sequence[Point], freed: Sequence[Freed], window: int | None) -> Beyond | None:
    """Which requests would have been larger than the window; None where it is not known or all would have fitted."""
    if window is None:
        return None
    numbers = [
        number
        for number, (point, gone) in enumerate(zip(points, freed, strict=True), 1)
        if point.tokens + gone.tokens > window
    ]
    return Beyond(len(numbers), numbers[0], numbers[-1]) if numbers else None
