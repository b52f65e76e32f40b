"""A rule and the events it looks at → when it fires. Evaluation and preview call the same `run`.

It may be run in pieces: from the states that one run leaves, the next goes on, and all together they say what one run
over everything would have said.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from conversations.alerts.definition import FORGOTTEN_AFTER, KNOWN_OF_NOTHING, Definition, Point
from conversations.alerts.readings import Reading, readings_of
from conversations.alerts.signals import MOST_EVIDENCE
from conversations.vocabulary import Aggregation, Direction, NoData, Severity, SignalState

#: Of the events of one window, so many are linked to: those that weigh most.
_MOST_OF_A_WINDOW = 5


class Place(msgspec.Struct, frozen=True, array_like=True):
    """An event that a firing rests on: its row and when it was."""

    id: int
    at: datetime


class Interval(msgspec.Struct, kw_only=True):
    """One group was not well from one time to another, by the data's clock."""

    group: str
    state: SignalState  # FIRING or NO_DATA
    severity: Severity  # the worst so far
    since: datetime
    until: datetime | None = None  # None = it still is
    value: float | None = None  # the last one
    peak: float | None = None  # the worst one
    threshold: float | None = None  # of the severity
    places: list[Place] = []


class Standing(msgspec.Struct):
    """How one group stands at a moment: all that the past has to say about the future."""

    heard: datetime | None = None  # when there were events
    read: datetime | None = None  # when they were enough for a figure
    row: int = 0  # readings beyond the lowest threshold, without one between; not counted beyond `in_a_row`
    critical_row: int = 0
    well_row: int = 0  # readings at which what fires might end, without one between
    places: list[Place] = []  # of that row, while nothing fires
    open: Interval | None = None

    @property
    def at_rest(self) -> bool:
        """Whether it is as though nothing had happened."""
        return not self.row and self.open is None


@dataclass(frozen=True, slots=True)
class Run:
    """What a run found: intervals that touch it in the order of their begin, and how groups stand at its end."""

    intervals: list[Interval]
    states: dict[str, Standing]


def run(
    definition: Definition,
    points: Iterable[Point],
    *,
    start: datetime,
    until: datetime,
    states: Mapping[str, Standing] | None = None,
    trace: list[tuple[str, Reading]] | None = None,
) -> Run:
    """When the rule fires after `start` up to `until`.

    `points` in order of time, from `start - definition.reach` on; `states` as they stood at `start`, which are left as
    they are; `trace` takes every reading with its group, for figures."""
    grouped, before = _grouped(definition, points), states or {}
    found = Run([], {})
    may_skip = trace is None and not definition.minds_silence
    for group in sorted({*grouped, *before}):
        held = grouped.get(group, [])
        if may_skip and group and group not in before and _cannot_fire(definition, held):
            continue
        standing = _begin(definition, before.get(group), start)
        if may_skip and not group and standing.at_rest and _is_dull(definition, held):
            last = max((point.at for point in held if start < point.at <= until), default=None)
            found.states[group] = Standing(heard=last or standing.heard, read=last or standing.read)
            continue
        watch = _Watch(definition, group, held, standing)
        watch.go(start, until, begun=group in before or not definition.group_by, trace=trace)
        found.intervals.extend(watch.intervals())
        if watch.standing.heard and (definition.minds_silence or not definition.group_by or not watch.standing.at_rest):
            found.states[group] = watch.standing
    found.intervals.sort(key=lambda interval: (interval.since, interval.group))
    return found


def _grouped(definition: Definition, points: Iterable[Point]) -> dict[str, list[Point]]:
    if not definition.group_by:
        return {"": list(points)}
    grouped: defaultdict[str, list[Point]] = defaultdict(list)
    for point in points:
        grouped[point.group].append(point)
    return grouped


def _cannot_fire(definition: Definition, points: Sequence[Point]) -> bool:
    """Whether no figure of a group can be beyond the threshold: true of most conversations. Silence is not asked."""
    values = [point.value for point in points]
    match definition.direction, definition.aggregation:
        case Direction.ABOVE, Aggregation.COUNT:
            nearest = float(len(values))
        case Direction.ABOVE, Aggregation.SUM:
            nearest = sum(value for value in values if value > 0)
        case (Direction.RISES | Direction.FALLS, _):
            return False
        case (_, Aggregation.SHARE | Aggregation.COUNT | Aggregation.SUM | Aggregation.ALPHA):
            return False
        case Direction.BELOW, _:
            nearest = min(values)
        case _:
            nearest = max(values)
    return not definition.beyond(nearest, definition.lowest)


def _is_dull(definition: Definition, points: Sequence[Point]) -> bool:
    """Whether of the events, each looked at by itself, none can fire, as is true of most rules most of the time: then
    it only matters when the last of them was."""
    is_each = not definition.group_by and definition.aggregation == Aggregation.EACH
    return is_each and (not points or _cannot_fire(definition, points))


def weightiest(points: Sequence[Point], definition: Definition) -> Sequence[Point]:
    """Of the events of one reading those that it owes most to."""
    if len(points) <= _MOST_OF_A_WINDOW:
        return points
    if definition.aggregation in (Aggregation.COUNT, Aggregation.ALPHA):
        return points[-_MOST_OF_A_WINDOW:]
    sign = 1 if definition.direction in (Direction.BELOW, Direction.FALLS) else -1
    return sorted(points, key=lambda point: (sign * point.value, point.at, point.id))[:_MOST_OF_A_WINDOW]


def _begin(definition: Definition, standing: Standing | None, start: datetime) -> Standing:
    """A copy, for it changes. Everything together is taken as heard of at the start, a group when it is first heard."""
    if standing is not None:
        return msgspec.convert(msgspec.to_builtins(standing, builtin_types=(datetime,)), Standing)
    return Standing() if definition.group_by else Standing(heard=start, read=start)


@dataclass(slots=True)
class _Watch:
    """One group, read from the past to the future."""

    definition: Definition
    group: str
    points: Sequence[Point]
    standing: Standing
    closed: list[Interval] = field(default_factory=list)

    def go(
        self, start: datetime, until: datetime, *, begun: bool, trace: list[tuple[str, Reading]] | None
    ) -> None:  # fmt: skip
        definition, standing, lowest = self.definition, self.standing, self.definition.lowest
        may_skip = definition.aggregation == Aggregation.EACH and not definition.minds_silence
        for reading in readings_of(self.points, definition, start=start, until=until, begun=begun):
            is_within = reading.value is not None and not definition.beyond(reading.value, lowest)
            if may_skip and is_within and standing.at_rest:
                standing.heard = standing.read = reading.at  # all that nearly every event of a day changes
            else:
                self._take(reading)
            if trace is not None:
                trace.append((self.group, reading))
        self._pass(until)

    def intervals(self) -> list[Interval]:
        return [*self.closed, self.standing.open] if self.standing.open else self.closed

    def _take(self, reading: Reading) -> None:
        self._pass(reading.at)
        standing = self.standing
        if standing.heard is None and not reading.heard:
            return  # a group that was never heard of, or long ago
        if reading.heard:
            standing.heard = reading.at
        if reading.value is None:
            self._nothing(reading.at)
            return
        if reading.heard:
            standing.read = reading.at
        if standing.open and standing.open.state == SignalState.NO_DATA:
            self._close(reading.at)
        if self.definition.beyond(reading.value, self.definition.lowest):
            self._beyond(reading, reading.value)
        else:
            self._within(reading, reading.value)

    # --- a figure ---

    def _beyond(self, reading: Reading, value: float) -> None:
        standing, definition = self.standing, self.definition
        standing.row, standing.well_row = min(standing.row + 1, definition.in_a_row), 0
        critical = definition.critical is not None and definition.beyond(value, definition.critical)
        standing.critical_row = min(standing.critical_row + 1, definition.in_a_row) if critical else 0
        places = standing.open.places if standing.open else standing.places
        self._remember(places, reading)
        if standing.row == definition.in_a_row and standing.open is None:
            standing.open, standing.places = self._opened(reading.at, standing.places), []
        if standing.open:
            self._worsen(standing.open, value)

    def _opened(self, at: datetime, places: list[Place]) -> Interval:
        severity = Severity.WARNING if self.definition.warning is not None else Severity.CRITICAL
        threshold = self.definition.lowest
        return Interval(
            group=self.group, state=SignalState.FIRING, severity=severity, since=at, threshold=threshold, places=places
        )

    def _worsen(self, interval: Interval, value: float) -> None:
        interval.value = value
        if interval.peak is None or self.definition.beyond(value, interval.peak):
            interval.peak = value
        if self.standing.critical_row == self.definition.in_a_row:
            interval.severity, interval.threshold = Severity.CRITICAL, self.definition.critical

    def _within(self, reading: Reading, value: float) -> None:
        standing, clear = self.standing, self.definition.clear
        standing.row = standing.critical_row = 0
        standing.places = []
        if standing.open:
            standing.open.value = value
            is_well = clear is None or not self.definition.beyond(value, clear)
            standing.well_row = standing.well_row + 1 if is_well else 0
            if standing.well_row >= self.definition.clear_in_a_row:
                self._close(reading.at)

    def _remember(self, places: list[Place], reading: Reading) -> None:
        if len(places) >= MOST_EVIDENCE:
            return
        known = {place.id for place in places}
        for point in weightiest(self.points[reading.first : reading.stop], self.definition):
            if point.id not in known and len(places) < MOST_EVIDENCE:
                places.append(Place(point.id, point.at))

    # --- no figure ---

    def _nothing(self, at: datetime) -> None:
        """A window with too little to tell by."""
        match self.definition.no_data:
            case NoData.OK:
                self._rest(at)
            case NoData.TELL:
                self._no_data(at)

    def _pass(self, at: datetime) -> None:
        """Time goes on to `at`, and with it what ends by itself."""
        quiet, forgotten = self._ends(self.standing.read, self._quiet()), None
        if self.definition.group_by:
            forgotten = self._ends(self.standing.heard, FORGOTTEN_AFTER)
        if quiet and quiet <= min(at, forgotten or at):
            if self.definition.no_data == NoData.TELL:
                self._no_data(quiet)
            else:
                self._rest(quiet)
        if forgotten and forgotten <= at:
            self._rest(forgotten)
            self.standing.heard = self.standing.read = None

    @staticmethod
    def _ends(last: datetime | None, after: timedelta | None) -> datetime | None:
        return last + after if last and after else None

    def _quiet(self) -> timedelta | None:
        """How long after the last figure there is no data, where no window says so; None = never."""
        definition = self.definition
        if definition.aggregation == Aggregation.EACH:
            return None if definition.no_data == NoData.KEEP else definition.quiet
        if definition.no_data == NoData.IGNORE and definition.aggregation not in KNOWN_OF_NOTHING:
            return max(definition.quiet, definition.window)
        return None

    def _no_data(self, at: datetime) -> None:
        if self.standing.open and self.standing.open.state == SignalState.NO_DATA:
            return
        self._rest(at)
        self.standing.open = Interval(
            group=self.group, state=SignalState.NO_DATA, severity=Severity.WARNING, since=at
        )  # fmt: skip

    def _rest(self, at: datetime) -> None:
        if self.standing.open:
            self._close(at)
        self.standing.row = self.standing.critical_row = 0
        self.standing.places = []

    def _close(self, at: datetime) -> None:
        interval = self.standing.open
        if interval:
            interval.until = at
            self.closed.append(interval)
            self.standing.open, self.standing.well_row = None, 0
