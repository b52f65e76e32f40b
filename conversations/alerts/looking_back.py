"""The newest events of a long past, as many as a time allows: what a preview looks at."""

from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import NamedTuple

from conversations.alerts.definition import Point
from conversations.alerts.queries import Event

#: Read first is such a part of the time, then ever more, so that it is known how long the next piece will take.
PIECES = 64

_LEAST_GROWTH = 0.1  # a piece of a tenth of the one before is not worth asking for

Read = Callable[[datetime, datetime, int], list[Event]]


class Past(NamedTuple):
    """Events in order of time; after `since` none is missing."""

    events: list[Event]
    since: datetime


def look_back(
    read: Read,
    start: datetime,
    until: datetime,
    *,
    most: int,
    seconds: float,
    clock: Callable[[], float] = monotonic,
) -> Past:
    """Until `start` is reached, or `most` events are there, or so many seconds have passed: a second more at most, as
    no piece is begun that would take longer by what the one before took.

    `read` gives the newest events, so many, after one moment up to another."""
    begin, end, width = clock(), until, (until - start) / PIECES
    parts: list[list[Event]] = []
    while end > start:
        last, since = clock(), max(start, end - width)
        parts.append(read(since, end, most - sum(map(len, parts))))
        if sum(map(len, parts)) >= most:
            return Past(_joined(parts), parts[-1][0].at)
        end, now = since, clock()
        growth = min(2.0, (seconds - (now - begin)) / max(now - last, 1e-3))
        if growth < _LEAST_GROWTH:
            break
        width *= growth
    return Past(_joined(parts), end)


def _joined(parts: Sequence[list[Event]]) -> list[Event]:
    """The last part is the oldest."""
    return [event for part in reversed(parts) for event in part]


def newest_groups(points: Sequence[Point], most: int) -> tuple[Sequence[Point], datetime | None]:
    """The newest points, of so many groups; after when none is missing, None: none is missing at all."""
    seen: set[str] = set()
    for number in range(len(points) - 1, -1, -1):
        seen.add(points[number].group)
        if len(seen) > most:
            return points[number + 1 :], points[number].at
    return points, None
