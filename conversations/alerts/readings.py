"""Events to readings: what a rule reads at which moment, event by event or window by window."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from conversations.agreement import alpha_of
from conversations.alerts.definition import CHANGES, KNOWN_OF_NOTHING, Definition, Point
from conversations.vocabulary import Aggregation, Direction, Overall

#: What a reviewer may say, worst last; an opinion is one number: the item's times their number, and its place here.
OPINIONS = tuple(Overall)


class Reading(NamedTuple):
    """What stands at a moment. `value` None: too little to tell by."""

    at: datetime
    value: float | None
    heard: bool  # whether there were events
    first: int = 0  # the events it was made of: points[first:stop]
    stop: int = 0


def readings_of(
    points: Sequence[Point], definition: Definition, *, start: datetime, until: datetime, begun: bool
) -> Iterator[Reading]:
    """The readings after `start` up to `until`, in order, of one group's points, which reach back by the definition's
    `reach`. `begun`: windows are read from the start; else from the first event on.

    Of a stretch of empty windows only as many are read as may be asked for in a row: others would change nothing."""
    if definition.aggregation == Aggregation.EACH:
        return _events(points, start, until)
    return _Windows(points, definition).readings(start, until, begun=begun)


def _events(points: Sequence[Point], start: datetime, until: datetime) -> Iterator[Reading]:
    for index, point in enumerate(points):
        if start < point.at <= until:
            yield Reading(point.at, point.value, True, index, index + 1)


class _Windows:
    """Windows [t - width, t) for every t that is a whole number of steps after 1970."""

    def __init__(self, points: Sequence[Point], definition: Definition) -> None:
        self.points, self.definition = points, definition
        self.times = [point.at.timestamp() for point in points]
        self.step = int(definition.step.total_seconds())
        self.width = definition.window.total_seconds()

    def readings(self, start: datetime, until: datetime, *, begun: bool) -> Iterator[Reading]:
        low, high = math.floor(start.timestamp() / self.step) + 1, math.floor(until.timestamp() / self.step)
        if not begun:
            if not self.times:
                return
            low = max(low, math.floor(self.times[0] / self.step) + 1)
        reach = self.definition.reach.total_seconds()
        index = low
        while index <= high:
            end = index * self.step
            stop = bisect_left(self.times, end)
            if bisect_left(self.times, end - reach, 0, stop) < stop:
                yield self._reading(index)
                index += 1
            else:
                following = self._look_after(stop, high)
                yield from self._empty(index, following - 1)
                index = following

    def _look_after(self, event: int, high: int) -> int:
        """The first look that an event counts at; where there is none, beyond the last look."""
        return math.floor(self.times[event] / self.step) + 1 if event < len(self.times) else high + 1

    def _empty(self, first: int, last: int) -> Iterator[Reading]:
        most = max(self.definition.in_a_row, self.definition.clear_in_a_row)
        for index in range(first, min(last, first + most - 1) + 1):
            nothing = None if self.definition.direction in CHANGES else figure([], self.definition)
            yield Reading(self._moment(index), nothing, heard=False)

    def _reading(self, index: int) -> Reading:
        end = index * self.step
        first, stop = bisect_left(self.times, end - self.width), bisect_left(self.times, end)
        value = self._figure(first, stop)
        if self.definition.direction in CHANGES:
            value = self._change(value, self._figure(bisect_left(self.times, end - 2 * self.width), first))
        return Reading(self._moment(index), value, stop > first, first, stop)

    def _figure(self, first: int, stop: int) -> float | None:
        return figure([point.value for point in self.points[first:stop]], self.definition)

    def _change(self, now: float | None, before: float | None) -> float | None:
        """In percent of what it was, in the direction that is watched."""
        if now is None or not before:
            return None
        change = 100 * (now - before) / abs(before)
        return -change if self.definition.direction == Direction.FALLS else change

    def _moment(self, index: int) -> datetime:
        return datetime.fromtimestamp(index * self.step, UTC)


def figure(values: Sequence[float], definition: Definition) -> float | None:
    """The figure of a window that held these values; None where they are too few."""
    aggregation = definition.aggregation
    if aggregation in KNOWN_OF_NOTHING:
        return float(len(values)) if aggregation == Aggregation.COUNT else math.fsum(values)
    if len(values) < max(definition.minimum_sample, 1):
        return None
    return aggregated(values, aggregation)


def aggregated(values: Sequence[float], aggregation: Aggregation) -> float | None:
    """Of at least one value. None where it is not defined."""
    match aggregation:
        case Aggregation.ALPHA:
            return alpha(values)
        case Aggregation.MEAN:
            return math.fsum(values) / len(values)
        case Aggregation.SHARE:
            return 100 * sum(value > 0 for value in values) / len(values)
        case Aggregation.P50:
            return quantile(sorted(values), 0.5)
        case Aggregation.P95:
            return quantile(sorted(values), 0.95)
        case _:
            return max(values)


def alpha(values: Sequence[float]) -> float | None:
    """Krippendorff's ordinal α of opinions. None where no item has two, or all opinions are the same."""
    said: dict[int, dict[int, Overall]] = defaultdict(dict)
    for rater, value in enumerate(values):
        item, place = divmod(int(value), len(OPINIONS))
        said[item][rater] = OPINIONS[place]
    return alpha_of(list(said.values()), OPINIONS)  # type: ignore[arg-type] # Mapping is invariant in its keys


def quantile(ordered: Sequence[float], share: float) -> float:
    """Between two values in proportion, as `percentile_cont` does."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
