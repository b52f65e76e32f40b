"""Rules are evaluated: what fires is told to incidents, once, however late its data came and whoever else evaluates."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F, Q

from conversations.alerts.definition import Definition, Point, Selection
from conversations.alerts.incidents import record_signals
from conversations.alerts.metrics import EVIDENCE, METRICS
from conversations.alerts.queries import Agents, Event, events_of, labels_of, points_of
from conversations.alerts.rules import Interval, Run, Standing, run
from conversations.alerts.sentences import told as told_words
from conversations.alerts.signals import Evidence, Signal
from conversations.alerts.sources import Need, need_of
from conversations.alerts.steps import Told, steps_of
from conversations.models import Rule, RuleProgress, Workspace
from conversations.vocabulary import Aggregation, Direction, NoData, Severity, SignalState

log = logging.getLogger(__name__)

#: Data up to so late count as though they had come in time: every evaluation reads that far back. Of what comes later
#: than that, an old transcript that is imported, nobody is told; previews show it.
LATE = timedelta(hours=24)
#: The anchor, before which everything is decided, moves on in whole hours.
ANCHOR_STEP = timedelta(hours=1)
#: A rule that was evaluated so short a time ago is left alone: another scheduler was here.
FRESH = timedelta(seconds=10)
_TINY = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one evaluation of all rules came to."""

    rules: int = 0
    signals: int = 0
    failed: int = 0
    seconds: float = 0


def definition_of(rule: Rule) -> Definition:
    """Without the database."""
    return Definition(
        metric=rule.metric,
        aggregation=Aggregation(rule.aggregation),
        warning=rule.warning,
        critical=rule.critical,
        clear=rule.clear,
        direction=Direction(rule.direction),
        in_a_row=rule.in_a_row,
        window=timedelta(minutes=rule.window_minutes),
        minimum_sample=rule.minimum_sample,
        no_data=NoData(rule.no_data),
        quiet=timedelta(minutes=rule.quiet_minutes),
        settle=timedelta(minutes=rule.settle_minutes),
        group_by=rule.group_by,
        selection=Selection(
            rule.agent_name, rule.agent_version, rule.model, rule.fact_kind, rule.least_importance
        ),
    )  # fmt: skip


def key_of(definition: Definition) -> str:
    """Changes when the definition does."""
    return hashlib.sha256(msgspec.json.encode(definition)).hexdigest()


def evaluate_rules(now: datetime) -> Tick:
    """Evaluate the rules of every workspace, each workspace in a transaction of its own."""
    begin = monotonic()
    workspaces = Workspace.objects.filter(rules__enabled=True).order_by("id").distinct()
    ticks = [_evaluate_apart(workspace, now) for workspace in workspaces]
    return Tick(
        sum(tick.rules for tick in ticks), sum(tick.signals for tick in ticks), sum(tick.failed for tick in ticks),
        monotonic() - begin,
    )  # fmt: skip


def _evaluate_apart(workspace: Workspace, now: datetime) -> Tick:
    """What fails in one workspace keeps no other from being evaluated; it is tried again with the next tick."""
    try:
        return evaluate_workspace(workspace, now)
    except Exception:  # logged, and seen in the lag of its rules
        log.exception("rules not evaluated workspace=%s", workspace.pk)
        return Tick(failed=1)


@transaction.atomic
def evaluate_workspace(workspace: Workspace, now: datetime) -> Tick:
    """Evaluate the rules of one workspace that nobody else is evaluating."""
    works = [_Work.of(progress, now) for progress in _claim(workspace, now)]
    if not works:
        return Tick()
    reading = _Reading(workspace, Agents.of(workspace))
    reading.read(works)
    for work in works:
        _evaluate(work, reading, now)
    signals = _tell(workspace, works, now)
    RuleProgress.objects.bulk_update([work.progress for work in works], _WRITTEN, batch_size=200)
    return Tick(len(works), signals, sum(bool(work.progress.problem) for work in works))


_WRITTEN = ["definition", "anchor", "states", "told", "evaluated_until", "evaluated_at", "problem"]


def _claim(workspace: Workspace, now: datetime) -> list[RuleProgress]:
    """Locked until the transaction ends; what another scheduler has locked, or just done, is left out."""
    new = Rule.objects.filter(workspace=workspace, enabled=True, progress=None)
    rows = [RuleProgress(workspace=workspace, rule=rule) for rule in new]
    RuleProgress.objects.bulk_create(rows, ignore_conflicts=True)
    ours = RuleProgress.objects.filter(workspace=workspace, rule__enabled=True)
    # What was evaluated after now is of a clock that has since been put back.
    due = ours.filter(Q(evaluated_at=None) | Q(evaluated_at__lte=now - FRESH) | Q(evaluated_at__gt=now))
    locked = due.select_for_update(skip_locked=True, of=("self",)).select_related("rule")
    return list(locked.order_by(F("evaluated_at").asc(nulls_first=True), "id"))


@dataclass(slots=True)
class _Work:
    """One rule in one evaluation: from when (the anchor) to when, by the data's clock, and what came of it."""

    progress: RuleProgress
    definition: Definition
    start: datetime
    until: datetime
    is_new: bool  # made or changed, or the clock was put back: it begins without a past
    intervals: list[Interval] = field(default_factory=list)
    steps: list[list[tuple[Interval | None, str]]] = field(default_factory=list)

    @classmethod
    def of(cls, progress: RuleProgress, now: datetime) -> "_Work":
        definition = definition_of(progress.rule)
        until = now - definition.settle
        before, anchor = progress.evaluated_until, progress.anchor
        if before and until < before <= until + LATE:
            until = before  # the clock was put back a little: what was decided stays
        is_new = anchor is None or progress.definition != key_of(definition) or until <= anchor
        start = until - LATE if is_new or anchor is None else anchor
        return cls(progress, definition, start, until, is_new)

    @property
    def rule(self) -> Rule:
        return self.progress.rule

    @property
    def need(self) -> Need:
        return need_of(self.definition)

    @property
    def states(self) -> dict[str, Standing]:
        return {} if self.is_new else msgspec.convert(self.progress.states, dict[str, Standing])

    @property
    def told(self) -> Told:
        return msgspec.convert(self.progress.told, Told)


@dataclass(slots=True)
class _Reading:
    """The events of a workspace, each read once for all rules that look at it."""

    workspace: Workspace
    agents: Agents
    events: dict[Need, list[Event]] = field(default_factory=dict)
    _points: dict[Any, list[Point]] = field(default_factory=dict)
    _by_agent: dict[Need, defaultdict[int | None, list[Event]]] = field(default_factory=dict)

    def read(self, works: Iterable[_Work]) -> None:
        """One query a need."""
        by_need: dict[Need, list[_Work]] = defaultdict(list)
        for work in works:
            if work.definition.metric in METRICS:
                by_need[work.need].append(work)
        for need, sharing in by_need.items():
            since = min(work.start - work.definition.reach for work in sharing)
            until = max(work.until for work in sharing)
            self.events[need] = events_of(self.workspace, need, since, until, agents=self._agents(sharing))

    def _agents(self, sharing: Sequence[_Work]) -> list[int] | None:
        """Those that some rule looks at; None = all."""
        chosen = [self.agents.chosen(work.definition.selection) for work in sharing]
        found: set[int] = set()
        for ids in chosen:
            if ids is None:
                return None
            found.update(ids)
        return sorted(found)

    def points(self, work: _Work) -> list[Point]:
        """Shared by rules that choose and group alike."""
        key = (work.need, work.definition.selection, work.definition.group_by)
        if key not in self._points:
            self._points[key] = points_of(self._chosen(work), work.definition, self.agents)
        return self._points[key]

    def _chosen(self, work: _Work) -> Sequence[Event]:
        """Those of one agent are found without a look at all others."""
        events, chosen = self.events[work.need], self.agents.chosen(work.definition.selection)
        if chosen is None or len(chosen) != 1:
            return events
        if work.need not in self._by_agent:
            self._by_agent[work.need] = defaultdict(list)
            for event in events:
                self._by_agent[work.need][event.agent].append(event)
        return self._by_agent[work.need][chosen[0]]


def _evaluate(work: _Work, reading: _Reading, now: datetime) -> None:
    """A rule that cannot be evaluated says so, and does not keep the others from being evaluated."""
    progress = work.progress
    progress.evaluated_at = now
    try:
        found = _run(work, reading.points(work))
    except Exception as error:  # a fault of ours: it is logged, and shown with the rule
        log.exception("rule not evaluated rule=%s", work.rule.pk)
        progress.problem = f"{type(error).__name__}: {error}"[:500]
        return
    work.intervals = found.intervals
    work.steps, told = steps_of(found.intervals, work.told, quietly=work.is_new)
    progress.told = msgspec.to_builtins(told)
    progress.problem = ""


def _run(work: _Work, points: list[Point]) -> Run:
    """From the anchor to the end; where the anchor can move on, in two parts, of which the first is decided then."""
    progress, definition, states = work.progress, work.definition, work.states
    anchor, decided = work.start, []
    later = _whole_hour(work.until - LATE)
    if later > anchor:
        first = run(definition, points, start=anchor, until=later, states=states)
        decided = [interval for interval in first.intervals if interval.until]
        anchor, states = later, first.states
    found = run(definition, points, start=anchor, until=work.until, states=states)
    progress.definition, progress.anchor, progress.evaluated_until = key_of(definition), anchor, work.until
    progress.states = msgspec.to_builtins(states)
    return Run([*decided, *found.intervals], found.states)


def _whole_hour(moment: datetime) -> datetime:
    step = ANCHOR_STEP.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // step * step, UTC)


# --- telling ----------------------------------------------------------------------------------------------------------


def _tell(workspace: Workspace, works: Sequence[_Work], now: datetime) -> int:
    """Each round of a rule's signals a moment after the one before: an incident may end and the next begin at once."""
    labels = _labels(workspace, works)
    count = 0
    for work in works:
        for number, step in enumerate(work.steps):
            signals = [signal_of(work, interval, group, labels) for interval, group in step]
            record_signals(workspace=workspace, rule=work.rule, signals=signals, at=now + number * _TINY)
            count += len(signals)
    return count


def _labels(workspace: Workspace, works: Iterable[_Work]) -> dict[tuple[str, int], str]:
    wanted: dict[str, set[int]] = defaultdict(set)
    for work in works:
        kind = EVIDENCE.get(METRICS[work.definition.metric].source) if work.steps else None
        if kind:
            wanted[kind].update(place.id for step in work.steps for each, _ in step if each for place in each.places)
    return {(kind, pk): label for kind, ids in wanted.items() for pk, label in labels_of(workspace, kind, ids).items()}


def signal_of(
    work: _Work, interval: Interval | None, group: str, labels: dict[tuple[str, int], str]
) -> Signal:  # fmt: skip
    """What incidents are told of an interval; of None, that the group is well and never was otherwise."""
    if interval is None:
        return Signal(group, SignalState.OK, Severity.INFO, work.until, summary="The data came in late: it was well.")
    if interval.until:
        return Signal(group, SignalState.OK, interval.severity, interval.until, interval.value, interval.threshold)
    kind = EVIDENCE.get(METRICS[work.definition.metric].source, "")
    return Signal(
        group=group,
        state=SignalState.FIRING,  # also for want of data: the rule says that people are told then
        severity=interval.severity,
        since=interval.since,
        value=interval.value,
        threshold=interval.threshold,
        summary=told_words(work.definition, interval),
        evidence=tuple(
            Evidence(kind, place.id, labels[kind, place.id], place.at)
            for place in interval.places
            if (kind, place.id) in labels
        ),
    )
