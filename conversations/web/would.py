"""What the timeline would have been without compaction: the second line, its steps, and what would not have fitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from conversations.spending import tally
from conversations.spending.tally import Freed, Turn, freed_before
from conversations.web.timeline import WOULD_IN_SIGHT, Point


class Placed(Protocol):
    """A compaction, as far as its place is concerned."""

    @property
    def position(self) -> int:
        """Its order within the conversation."""


class Observed(Protocol):
    """A compaction, as far as the tokens around it are concerned."""

    tokens_before_observed: int | None
    tokens_after_observed: int | None


Compacted = TypeVar("Compacted", bound=Placed)


def freed_of(points: Sequence[Point], steps: Sequence[tally.Step]) -> list[Freed]:
    """For each point what these steps had freed before it."""
    return freed_before([Turn(point.position, point.tokens, point.output) for point in points], steps)


def would_line(points: Sequence[Point], freed: Sequence[Freed]) -> list[int]:
    """Tokens of each request without compaction; empty where nothing was freed, so that there is no second line."""
    if not freed or not freed[-1].tokens:
        return []
    return [point.tokens + gone.tokens for point, gone in zip(points, freed, strict=True)]


def freed_in_small(line: Mapping[str, Any], compactions: Sequence[Observed]) -> list[int]:
    """For each point of a stored saw-tooth what was freed before it; empty where nothing was, where it would press the
    line that was sent flat, or where several compactions share a mark, so that whose is whose is not known.

    `compactions` in order, without those that replaced nothing."""
    marks, points = line.get("marks") or (), line.get("points") or ()
    freed = [_freed(compaction) for compaction in compactions]
    if len(marks) != len(freed) or not any(freed):
        return []
    found = [sum(tokens for mark, tokens in zip(marks, freed, strict=True) if mark <= at) for at in range(len(points))]
    peak = max(high for _, high in points)
    would = max(high + more for (_, high), more in zip(points, found, strict=True))
    return [] if would > WOULD_IN_SIGHT * peak else found


def _freed(compaction: Observed) -> int:
    before, after = compaction.tokens_before_observed, compaction.tokens_after_observed
    return max(before - after, 0) if before is not None and after is not None else 0


@dataclass(frozen=True, slots=True)
class Step(Generic[Compacted]):
    """Compactions between the same two requests, what they freed, and on how many requests all of that was not sent.

    One that grew loss by loss, such as a window that slides, had freed a part of it before: `saved` counts that too."""

    compactions: list[Compacted]
    freed: int
    certain: bool
    before: int | None  # context and answer of the request before
    after: int | None  # context of the request after
    requests: int
    saved: int  # input tokens not sent


def steps(points: Sequence[Point], freed: Sequence[Freed], compactions: Sequence[Compacted]) -> list[Step[Compacted]]:
    """In order; `compactions` in order of position, without those that replaced nothing."""
    found, so_far, before = list[Step[Compacted]](), 0, 0
    for at, group in _groups(points, compactions).items():
        after = points[at] if at < len(points) else None
        total = freed[at].tokens if after else max(so_far, freed[-1].tokens if freed else 0)
        growing = sum(each.tokens - so_far for each in freed[before:at])
        found.append(
            Step(
                compactions=group,
                freed=total - so_far,
                certain=after is not None and at > 0,
                before=points[at - 1].tokens + (points[at - 1].output or 0) if at else None,
                after=after.tokens if after else None,
                requests=len(points) - at,
                saved=growing + (total - so_far) * (len(points) - at),
            )
        )
        so_far, before = total, at
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
