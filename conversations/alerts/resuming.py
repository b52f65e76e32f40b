"""A run that goes on where an earlier one stopped, as long as the events before that are the same. Pure."""

import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from conversations.alerts.definition import Definition, Point
from conversations.alerts.rules import Interval, Run, Standing, run
from conversations.vocabulary import Aggregation

#: A checkpoint lies so far back that data which come a little late, such as an audit's, do not undo it.
BACK = timedelta(minutes=30)
#: It moves on in such steps, not at every evaluation: moving it makes two runs of one.
STEP = timedelta(minutes=10)
#: For so long it is taken for granted; then all that it rests on is read again.
TRUSTED = timedelta(minutes=5)
#: Checkpoints that are kept, of some kilobytes each; of more rules than that the oldest begin at their anchors.
MOST_KEPT = 5_000

_TINY = timedelta(microseconds=1)  # a window holds the event that lies at its beginning
_JSON = dict[str, Any]


class Events(Protocol):
    """What a rule looks at, between two moments: after the first, up to the second."""

    def points(self, since: datetime, until: datetime) -> list[Point]:
        """In order of time."""

    def digest(self, since: datetime, until: datetime) -> int:
        """The same for the same events, hardly ever for others; of two spans that meet, the sum is that of both."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a run came, and all that this rests on."""

    definition: Definition
    start: datetime
    states: _JSON  # how groups stood at the start, as it is stored
    at: datetime
    seen: int  # digest of the events up to `at`
    intervals: list[Interval]  # over by then
    standings: dict[str, Standing]
    verified_at: datetime  # by our clock: when all that it rests on was read last

    @classmethod
    def first(cls, definition: Definition, start: datetime, states: _JSON, now: datetime) -> "Checkpoint":
        """Where a run begins that has nothing to go on from."""
        return cls(definition, start, states, start, 0, [], msgspec.convert(states, dict[str, Standing]), now)

    def is_of(self, definition: Definition, start: datetime, states: _JSON, until: datetime) -> bool:
        """Whether it belongs to a run from there, which is to come at least as far."""
        same = self.start == start and self.definition == definition and self.states == states
        return same and self.at <= until

    def is_trusted(self, now: datetime) -> bool:
        """Whether it is still taken for granted."""
        return self.at > self.start and timedelta(0) <= now - self.verified_at < TRUSTED

    def needs_since(self, until: datetime) -> datetime:
        """After when events are needed to go on from here to `until`: a window of a day is looked at every six hours,
        and in between none is needed but what is new."""
        if self.definition.aggregation == Aggregation.EACH:
            return self.at
        step = self.definition.step.total_seconds()
        look = datetime.fromtimestamp((math.floor(self.at.timestamp() / step) + 1) * step, UTC)
        return self.at if look > until else min(self.at, look - self.definition.reach - _TINY)

    def verified(self, events: Events, now: datetime) -> "Checkpoint | None":
        """Itself, if all that it rests on is as it was."""
        if self.seen != events.digest(self.start - self.definition.reach, self.at):
            return None
        return replace(self, verified_at=now)

    def from_anchor(self, start: datetime, states: _JSON, events: Events) -> "Checkpoint | None":
        """The same of a run that begins later, where groups stand so; None if it begins beyond it."""
        if start > self.at:
            return None
        reach = self.definition.reach
        return replace(
            self, start=start, states=states,
            seen=self.seen - events.digest(self.start - reach, start - reach),
            intervals=[interval for interval in self.intervals if interval.until and interval.until > start],
        )  # fmt: skip


def run_on(before: Checkpoint, events: Events, until: datetime) -> tuple[Run, Checkpoint]:
    """What `run` finds from where `before` began, and where the next may go on."""
    at = _step_before(until - BACK)
    if at > before.at:
        before = _moved_on(before, events, at)
    points = events.points(before.needs_since(until), until)
    rest = run(before.definition, points, start=before.at, until=until, states=before.standings)
    return Run([*before.intervals, *rest.intervals], rest.states), before


def _moved_on(before: Checkpoint, events: Events, at: datetime) -> Checkpoint:
    points = events.points(before.needs_since(at), at)
    found = run(before.definition, points, start=before.at, until=at, states=before.standings)
    over = [interval for interval in found.intervals if interval.until]
    is_first = before.at == before.start
    since = before.start - before.definition.reach if is_first else before.at
    seen = before.seen + events.digest(since, at)
    return replace(
        before, at=at, seen=seen, intervals=[*before.intervals, *over], standings=found.states
    )  # fmt: skip


def _step_before(moment: datetime) -> datetime:
    step = STEP.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // step * step, UTC)


class Memory:
    """Checkpoints by a rule's key, in this process: whoever has none begins at the rule's anchor and finds the same."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._kept: OrderedDict[int, Checkpoint] = OrderedDict()
        self._most = most

    def get(self, key: int) -> Checkpoint | None:
        """Where this rule stopped."""
        return self._kept.get(key)

    def put(self, key: int, checkpoint: Checkpoint) -> None:
        """Keep where it stops now."""
        self._kept[key] = checkpoint
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
