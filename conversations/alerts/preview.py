"""What a rule would have told of in the past: the same run as its evaluation, over the same events."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from django.db.models import Q

from conversations.alerts.definition import Definition, Point
from conversations.alerts.looking_back import look_back, newest_groups
from conversations.alerts.metrics import EVIDENCE, METRICS, Source
from conversations.alerts.queries import MOST_PREVIEWED, Agents, Event, events_of, labels_of, points_of
from conversations.alerts.readings import Reading, quantile
from conversations.alerts.rules import Interval, run
from conversations.alerts.sources import Need, need_of
from conversations.models import Batch, Compaction, Workspace
from conversations.vocabulary import Direction

DAYS = (7, 30, 90)
#: From so many events on a preview is long: then it is read in pieces, for so many seconds, and the page comes first.
LONG, READ_SECONDS = 20_000, 4.0
#: Groups that are walked through, 0.1 ms each; of more, those of the newest events.
MOST_GROUPS = 20_000
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
    cut: bool  # there were more events than are looked at, or than were read in the time: `since` is where they begin
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
    workspace: Workspace,
    definition: Definition,
    days: int,
    now: datetime,
    agents: Agents | None = None,
    *,
    long: bool | None = None,
) -> Preview:
    """Of the last days up to what is settled. `agents`: the workspace's, where they are known; `long`: what `is_long`
    says. Five queries at most, and one for each piece of a long past that is read."""
    until = now - definition.settle
    asked = until - timedelta(days=days)
    if long is None:
        long = is_long(workspace, definition, asked, until)
    points, others, known = _points(workspace, definition, asked, until, agents or Agents.of(workspace), long=long)
    since = min(max(asked, known + definition.reach), until)
    trace: list[tuple[str, Reading]] = []
    found = run(definition, points, start=since, until=until, trace=trace)
    readings = sorted(reading for _, reading in trace if reading.value is not None)
    return Preview(
        definition=definition,
        since=since,
        until=until,
        matched=sum(since < point.at for point in points),
        others=others,
        cut=since > asked,
        intervals=found.intervals,
        readings=readings,
        shown=_shown(workspace, definition, found.intervals),
        suggested=suggested(definition, [reading.value for reading in readings if reading.value is not None]),
    )


def _points(
    workspace: Workspace, definition: Definition, since: datetime, until: datetime, agents: Agents, *, long: bool
) -> tuple[Sequence[Point], int, datetime]:
    """The rule's own; how many others there are, if it has none; after when none is missing."""
    read = partial(_read, workspace, need_of(definition), agents.chosen(definition.selection))
    start = since - definition.reach
    if long:
        events, known = look_back(read, start, until, most=MOST_PREVIEWED, seconds=READ_SECONDS)
    else:
        events = read(start, until, MOST_PREVIEWED)
        known = start if len(events) < MOST_PREVIEWED else events[0].at
    points, cut_at = newest_groups(points_of(events, definition, agents), MOST_GROUPS)
    others = 0 if points else _others(workspace, definition, since, until)
    return points, others, cut_at or known


def _read(
    workspace: Workspace, need: Need, agents: Sequence[int] | None, since: datetime, until: datetime, most: int
) -> list[Event]:
    return events_of(workspace, need, since, until, agents=agents, most=most)


def _others(workspace: Workspace, definition: Definition, since: datetime, until: datetime) -> int:
    read = partial(_read, workspace, need_of(definition), None)
    return len(look_back(read, since, until, most=MOST_PREVIEWED, seconds=READ_SECONDS / 2).events)


def is_long(workspace: Workspace, definition: Definition, since: datetime, until: datetime) -> bool:
    """Whether there is so much that a preview takes seconds. One query, that counts a part of it."""
    source = METRICS[definition.metric].source
    ours = Q(workspace=workspace)
    if source in (Source.BATCHES, Source.ARRIVALS):
        batches = Batch.objects.filter(ours, received_at__gt=since, received_at__lte=until).order_by().values("pk")
        return batches[: LONG + 1].count() > LONG
    rows = Compaction.objects.filter(ours, at__gt=since, at__lte=until).order_by().values("pk")
    return source == Source.COMPACTIONS and rows[: LONG + 1].count() > LONG


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
