"""The figure nearest to firing among those that an evaluation looked at anew, for the rule's history. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from conversations.alerts.definition import Definition, Point
from conversations.alerts.readings import readings_of
from conversations.alerts.rules import Interval, Place, weightiest
from conversations.vocabulary import Aggregation, Direction

#: Events that a figure links to.
MOST_PLACES = 3
_TINY = timedelta(microseconds=1)  # a window holds the event that lies at its beginning


class Nearest(NamedTuple):
    """A figure, the group that it is of, and the events that weigh most in it."""

    value: float
    group: str = ""
    places: Sequence[Place] = ()


def nearest(
    definition: Definition,
    points: Callable[[datetime, datetime], Sequence[Point]],
    open_ones: Sequence[Interval],
    since: datetime,
    until: datetime,
) -> Nearest | None:
    """Of the readings after `since` up to `until`, of windows those of the latest look, and of what fires.

    `points` tells the events between two moments; it is asked only where there is something new to look at."""
    found = [Nearest(each.value, each.group, each.places[:MOST_PLACES]) for each in open_ones if each.value is not None]
    worst = min if definition.direction == Direction.BELOW else max
    start = _start(definition, since, until)
    if start is not None:
        readings = _readings(definition, points(start - definition.reach - _TINY, until), start, until)
        read = worst(readings, key=lambda each: each[0], default=None)
        found += [_told(definition, *read)] if read else []
    return worst(found, key=lambda each: each.value, default=None)


def _start(definition: Definition, since: datetime, until: datetime) -> datetime | None:
    """A moment after which only the latest look at the windows comes; None where there is none anew."""
    if definition.aggregation == Aggregation.EACH:
        return since if since < until else None
    step = definition.step.total_seconds()
    look = datetime.fromtimestamp(until.timestamp() // step * step, UTC)
    return look - _TINY if look > since else None


def _readings(
    definition: Definition, points: Sequence[Point], start: datetime, until: datetime
) -> Iterator[tuple[float, str, Sequence[Point]]]:
    """Value, group, and the events that it was made of: which of them weigh most is asked of the nearest alone."""
    grouped: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        grouped[point.group].append(point)
    for group, held in grouped.items():
        for reading in readings_of(held, definition, start=start, until=until, begun=True):
            if reading.value is not None:
                yield reading.value, group, held[reading.first : reading.stop]


def _told(definition: Definition, value: float, group: str, points: Sequence[Point]) -> Nearest:
    heavy = weightiest(points, definition)
    return Nearest(value, group, [Place(each.id, each.at) for each in heavy[:MOST_PLACES]])
