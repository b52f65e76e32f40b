"""What a rule would have told of in the past: the same run as its evaluation, over the same events."""

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from conversations.alerts.definition import Definition, Point
from conversations.alerts.metrics import EVIDENCE, METRICS
from conversations.alerts.queries import MOST_PREVIEWED, Agents, events_of, labels_of, points_of
from conversations.alerts.readings import Reading, quantile
from conversations.alerts.rules import Interval, run
from conversations.alerts.sources import need_of
from conversations.models import Workspace
from conversations.vocabulary import Direction

DAYS = (7, 30, 90)
#: Firings that are listed, the newest first, each with so many links.
MOST_SHOWN, LINKS_SHOWN = 20, 3
#: A threshold is suggested from so many readings on, beyond which this share of them lies.
FEWEST_READINGS, BEYOND = 20, 0.02


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the data."""

    kind: str
    id: int
    label: str


@dataclass(frozen=True, slots=True)
class Firing:
    """One interval with links into the data."""

    interval: Interval
    links: list[Link] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Preview:
    """What would have been told of between two moments of the past."""

    definition: Definition
    since: datetime
    until: datetime
    matched: int  # events that the rule looks at
    others: (
        int  # events of the metric that its choice of agent, version or model leaves out; counted where none matched
    )
    cut: bool  # there were more events than are looked at: `since` is where they begin
    intervals: list[Interval]
    readings: list[Reading]
    shown: list[Firing]
    suggested: float | None  # as a threshold

    @property
    def fired(self) -> int:
        """How many times."""
        return len(self.intervals)

    @property
    def groups(self) -> int:
        """How many groups fired."""
        return len(Counter(each.group for each in self.intervals))

    @property
    def worst(self) -> float | None:
        """The reading nearest to firing, or beyond."""
        values = [reading.value for reading in self.readings if reading.value is not None]
        if not values:
            return None
        return min(values) if self.definition.direction == Direction.BELOW else max(values)


def preview(
    workspace: Workspace, definition: Definition, days: int, now: datetime, agents: Agents | None = None
) -> Preview:
    """Of the last days up to what is settled. `agents`: the workspace's, where they are known. Four queries at most."""
    until = now - definition.settle
    since = until - timedelta(days=days)
    points, others, cut = _points(workspace, definition, since, until, agents or Agents.of(workspace))
    if cut:
        since = points[0].at + definition.reach if points else until
    trace: list[tuple[str, Reading]] = []
    found = run(definition, points, start=since, until=until, trace=trace)
    readings = sorted(reading for _, reading in trace if reading.value is not None)
    return Preview(
        definition=definition,
        since=since,
        until=until,
        matched=sum(since < point.at for point in points),
        others=others,
        cut=cut,
        intervals=found.intervals,
        readings=readings,
        shown=_shown(workspace, definition, found.intervals),
        suggested=suggested(definition, [reading.value for reading in readings if reading.value is not None]),
    )


def _points(
    workspace: Workspace, definition: Definition, since: datetime, until: datetime, agents: Agents
) -> tuple[list[Point], int, bool]:  # fmt: skip
    """The rule's own; how many others there are, if it has none; whether there were too many."""
    need = need_of(definition)
    chosen = agents.chosen(definition.selection)
    start = since - definition.reach
    events = events_of(workspace, need, start, until, agents=chosen, most=MOST_PREVIEWED)
    points = points_of(events, definition, agents)
    others = 0 if points else len(events_of(workspace, need, since, until, most=MOST_PREVIEWED))
    return points, others, len(events) == MOST_PREVIEWED


def _shown(workspace: Workspace, definition: Definition, intervals: list[Interval]) -> list[Firing]:
    newest = list(reversed(intervals))[:MOST_SHOWN]
    kind = EVIDENCE.get(METRICS[definition.metric].source)
    if kind is None:
        return [Firing(each) for each in newest]
    ids = {place.id for each in newest for place in each.places[:LINKS_SHOWN]}
    labels = labels_of(workspace, kind, ids)
    links = {pk: Link(kind, pk, label) for pk, label in labels.items()}
    return [
        Firing(each, [links[place.id] for place in each.places[:LINKS_SHOWN] if place.id in links]) for each in newest
    ]


def suggested(definition: Definition, values: list[float]) -> float | None:
    """A round threshold beyond which 2 in 100 readings lie, or fewer; None where there are too few to tell."""
    if len(values) < FEWEST_READINGS:
        return None
    below = definition.direction == Direction.BELOW
    edge = quantile(sorted(values), BEYOND if below else 1 - BEYOND)
    return rounded(edge, up=not below)


def rounded(value: float, *, up: bool) -> float:
    """Two digits that count, towards where it fires less."""
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    if step < 1 and value == int(value):
        return value
    steps = math.ceil(value / step - 1e-9) if up else math.floor(value / step + 1e-9)
    return round(steps * step, 10)


# --- as a figure ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of a figure: the worst reading in it, None where there is none, and whether it fired meanwhile."""

    since: datetime
    until: datetime
    value: float | None
    fires: bool
    readings: int


def bars(found: Preview, count: int) -> list[Bar]:
    """The preview in so many stretches of equal length."""
    width = (found.until - found.since) / count
    edges = [found.since + width * number for number in range(count)] + [found.until]
    values: list[list[float]] = [[] for _ in range(count)]
    for reading in found.readings:
        if reading.value is not None and width:
            values[min(int((reading.at - found.since) / width), count - 1)].append(reading.value)
    worst = min if found.definition.direction == Direction.BELOW else max
    return [
        Bar(since, until, worst(held) if held else None, _fires(found, since, until), len(held))
        for (since, until), held in zip(pairwise(edges), values, strict=True)
    ]


def _fires(found: Preview, since: datetime, until: datetime) -> bool:
    return any(each.since < until and (each.until is None or each.until >= since) for each in found.intervals)
