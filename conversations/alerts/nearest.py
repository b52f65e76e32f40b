"""The figure nearest to firing among those that an evaluation looked at anew, for the rule's history. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter, itemgetter
from typing import NamedTuple

from conversations.alerts.definition import Definition, Point
from conversations.alerts.readings import readings_of
from conversations.alerts.rules import Interval, Place, weightiest
from conversations.vocabulary import Aggregation, Direction

#: Events that a figure links to.
MOST_PLACES = 3
_TINY = timedelta(microseconds=1)  # a window holds the event that lies at its beginning
#: The events after the first moment up to the second.
_Between = Callable[[datetime, datetime], Sequence[Point]]
#: Value, group, and the events that it was made of: which of them weigh most is asked of the nearest alone.
_Read = tuple[float, str, Sequence[Point]]


class Nearest(NamedTuple):
    """A figure, the group that it is of, and the events that weigh most in it."""

    value: float
    group: str = ""
    places: Sequence[Place] = ()


def nearest(
    definition: Definition,
    points: _Between,
    open_ones: Sequence[Interval],
    since: datetime,
    until: datetime,
) -> Nearest | None:
    """Of the readings after `since` up to `until`, of windows those of the latest look, and of what fires.

    `points` tells the events between two moments; it is asked only where there is something new to look at."""
    found = [Nearest(each.value, each.group, each.places[:MOST_PLACES]) for each in open_ones if each.value is not None]
    worst = min if definition.direction == Direction.BELOW else max
    looked_at = _events if definition.aggregation == Aggregation.EACH else _windows
    read = worst(looked_at(definition, points, since, until), key=itemgetter(0), default=None)
    found += [_told(definition, *read)] if read else []
    return worst(found, key=itemgetter(0), default=None)


def _events(definition: Definition, points: _Between, since: datetime, until: datetime) -> Iterator[_Read]:
    """A rule that looks at each event reads its value: most events of a tick are looked at here and nowhere else."""
    worst = min if definition.direction == Direction.BELOW else max
    point = worst(points(since, until), key=attrgetter("value"), default=None) if since < until else None
    if point:
        yield point.value, point.group, [point]


def _windows(definition: Definition, points: _Between, since: datetime, until: datetime) -> Iterator[_Read]:
    """The latest look at the windows, where there is one after `since`."""
    step = definition.step.total_seconds()
    look = datetime.fromtimestamp(until.timestamp() // step * step, UTC)
    if look <= since:
        return
    grouped: dict[str, list[Point]] = defaultdict(list)
    for point in points(look - definition.reach - 2 * _TINY, until):
        grouped[point.group].append(point)
    for group, held in grouped.items():
        for reading in readings_of(held, definition, start=look - _TINY, until=until, begun=True):
            if reading.value is not None:
                yield reading.value, group, held[reading.first : reading.stop]


def _told(definition: Definition, value: float, group: str, points: Sequence[Point]) -> Nearest:
    heavy = weightiest(points, definition)
    return Nearest(value, group, [Place(each.id, each.at) for each in heavy[:MOST_PLACES]])
