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
from django.db import connection, transaction
from django.db.models import F, Q

from conversations.alerts.definition import Definition, Selection
from conversations.alerts.gathering import Gathered, Wanted
from conversations.alerts.history import Outcome, record_outcomes
from conversations.alerts.incidents import record_signals
from conversations.alerts.metrics import EVIDENCE, METRICS
from conversations.alerts.nearest import nearest
from conversations.alerts.queries import Agents, labels_of
from conversations.alerts.resuming import Checkpoint, Events, Memory, run_on
from conversations.alerts.rules import Interval, Run, Standing, run
from conversations.alerts.sentences import told as told_words
from conversations.alerts.signals import Evidence, Signal
from conversations.alerts.steps import Told, steps_of
from conversations.models import Rule, RuleProgress, Workspace
from conversations.vocabulary import Aggregation, Direction, NoData, RunState, Severity, SignalState

log = logging.getLogger(__name__)

#: Data up to so late count as though they had come in time: every evaluation reads that far back. Of what comes later
#: than that, an old transcript that is imported, nobody is told; previews show it.
LATE = timedelta(hours=24)
#: The anchor, before which everything is decided, moves on in whole hours.
ANCHOR_STEP = timedelta(hours=1)
#: A rule that was evaluated so short a time ago is left alone: another scheduler was here.
FRESH = timedelta(seconds=10)
_TINY = timedelta(microseconds=1)
#: Groups by name: how they stood at the anchor.
Standings = dict[str, Standing]
_memory = Memory()


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
        clear_in_a_row=rule.clear_in_a_row,
        window=timedelta(minutes=rule.window_minutes),
        minimum_sample=rule.minimum_sample,
        no_data=NoData(rule.no_data),
        quiet=timedelta(minutes=rule.quiet_minutes),
        settle=timedelta(minutes=rule.settle_minutes),
        group_by=rule.group_by,
        selection=Selection(
            rule.agent_name, rule.agent_version, rule.model, rule.fact_kind, rule.least_importance, rule.ledger_entry
        ),
    )  # fmt: skip


def unknown_in(rule: Rule) -> str:
    """What this version does not know of a rule, which a newer one may have stored; empty: nothing."""
    words = {
        "metric": (rule.metric, METRICS), "figure": (rule.aggregation, set(Aggregation)),
        "side": (rule.direction, set(Direction)), "way without data": (rule.no_data, set(NoData)),
    }  # fmt: skip
    unknown = [f"no {what} “{value}”" for what, (value, known) in words.items() if value not in known]
    return f"This version of Observatory knows {' and '.join(unknown)}." if unknown else ""


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
    claimed = _claim(workspace, now)
    if not claimed:
        return Tick()
    outcomes = {progress.rule_id: Outcome(progress.rule_id, gap=_gap(progress, now)) for progress in claimed}
    for progress in claimed:
        progress.evaluated_at, progress.problem = now, unknown_in(progress.rule)
        if progress.problem:
            outcomes[progress.rule_id].fail(progress.problem)
    works = [_Work.of(each, now, outcomes[each.rule_id]) for each in claimed if not each.problem]
    gathered = Gathered(workspace, Agents.of(workspace))
    gathered.read(work.wanted for work in works)
    for work in works:
        _evaluate(work, gathered, now)
    signals = _tell(workspace, works, now)
    _write(claimed)
    below = [each.rule_id for each in claimed if each.rule.direction == Direction.BELOW]
    record_outcomes(workspace, outcomes.values(), now, below)
    return Tick(len(claimed), signals, sum(bool(progress.problem) for progress in claimed))


def _gap(progress: RuleProgress, now: datetime) -> float | None:
    """Seconds since the evaluation before; none where there was none, or the clock was put back."""
    before = progress.evaluated_at
    return (now - before).total_seconds() if before and before <= now else None


_WRITTEN = ("definition", "anchor", "states", "told", "evaluated_until", "evaluated_at", "problem")
_WRITE = """
    UPDATE conversations_ruleprogress p SET (definition, anchor, states, told, evaluated_until, evaluated_at, problem) =
        (u.definition, u.anchor, u.states, u.told, u.evaluated_until, u.evaluated_at, u.problem)
    FROM jsonb_to_recordset(%s::jsonb) u(id bigint, definition text, anchor timestamptz, states jsonb, told jsonb,
        evaluated_until timestamptz, evaluated_at timestamptz, problem text)
    WHERE p.id = u.id"""


def _write(rows: Iterable[RuleProgress]) -> None:
    """In one statement: `bulk_update` takes a second and a half for a thousand rows."""
    told = [{"id": row.pk, **{name: getattr(row, name) for name in _WRITTEN}} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [msgspec.json.encode(told).decode()])


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
    before: Checkpoint | None  # where its last evaluation stopped, in this process
    is_trusted: bool  # whether that is taken for granted: then only what comes after it is read
    outcome: Outcome
    steps: list[list[tuple[Interval | None, str]]] = field(default_factory=list)

    @classmethod
    def of(cls, progress: RuleProgress, now: datetime, outcome: Outcome) -> "_Work":
        definition = definition_of(progress.rule)
        until = now - definition.settle
        before, anchor = progress.evaluated_until, progress.anchor
        if before and until < before <= until + LATE:
            until = before  # the clock was put back a little: what was decided stays
        is_new = anchor is None or progress.definition != key_of(definition) or until <= anchor
        start = until - LATE if is_new or anchor is None else anchor
        states = {} if is_new else progress.states
        kept = _memory.get(progress.rule_id)
        known = kept if kept and kept.is_of(definition, start, states, until) else None
        is_trusted = known is not None and known.is_trusted(now) and _anchor_after(start, until) is None
        return cls(progress, definition, start, until, is_new, known, is_trusted, outcome)

    @property
    def rule(self) -> Rule:
        return self.progress.rule

    @property
    def wanted(self) -> Wanted:
        if self.before and self.is_trusted:
            return Wanted(self.definition, self.before.needs_since(self.until), self.until)
        return Wanted(self.definition, self.start - self.definition.reach, self.until)

    @property
    def states(self) -> dict[str, Any]:
        return {} if self.is_new else self.progress.states

    @property
    def told(self) -> Told:
        return msgspec.convert(self.progress.told, Told)


def _evaluate(work: _Work, gathered: Gathered, now: datetime) -> None:
    """A rule that cannot be evaluated says so, and does not keep the others from being evaluated."""
    progress, outcome, begin = work.progress, work.outcome, monotonic()
    try:
        events, last = gathered.chosen(work.wanted), progress.evaluated_until or work.start
        found = _run(work, events, now)
        steps, told = steps_of(found.intervals, work.told, quietly=work.is_new)
        _note(work, events, found, max(last, work.start))
    except Exception as error:  # a fault of ours: it is logged, and shown with the rule
        log.exception("rule not evaluated rule=%s", work.rule.pk)
        progress.problem = f"{type(error).__name__}: {error}"[:500]
        outcome.fail(progress.problem)
        return
    work.steps, progress.told = steps, msgspec.to_builtins(told)
    outcome.seconds = monotonic() - begin


def _note(work: _Work, events: Events, found: Run, since: datetime) -> None:
    """For the rule's history: how it stands, how many events were new, and the figure nearest to firing."""
    outcome, open_ones = work.outcome, [each for each in found.intervals if each.until is None]
    outcome.state, outcome.groups = _stands(open_ones)
    outcome.matched = len(events.points(since, work.until))
    outcome.look_at(nearest(work.definition, events.points, open_ones, since, work.until))


def _stands(intervals: Sequence[Interval]) -> tuple[RunState, int]:
    """How a rule stands with what has not ended, and of how many groups that is."""
    if not intervals:
        return RunState.OK, 0
    is_firing = any(each.state == SignalState.FIRING for each in intervals)
    return RunState.FIRING if is_firing else RunState.NO_DATA, len(intervals)


def _run(work: _Work, events: Events, now: datetime) -> Run:
    """From the anchor to the end; where the anchor can move on, in two parts, of which the first is decided then."""
    progress, definition, states, anchor = work.progress, work.definition, work.states, work.start
    before = work.before if work.before is None or work.is_trusted else work.before.verified(events, now)
    decided, later = [], _anchor_after(anchor, work.until)
    if later:
        points, standings = events.points(anchor - definition.reach, later), msgspec.convert(states, Standings)
        first = run(definition, points, start=anchor, until=later, states=standings)
        decided = [interval for interval in first.intervals if interval.until]
        anchor, states = later, msgspec.to_builtins(first.states)
        before = before.from_anchor(anchor, states, events) if before else None
    found, kept = run_on(before or Checkpoint.first(definition, anchor, states, now), events, work.until)
    _memory.put(work.rule.pk, kept)
    progress.definition, progress.anchor, progress.evaluated_until = key_of(definition), anchor, work.until
    progress.states = states
    return Run([*decided, *found.intervals], found.states)


def _anchor_after(anchor: datetime, until: datetime) -> datetime | None:
    """Where the anchor moves on to; None where it stays."""
    step = ANCHOR_STEP.total_seconds()
    later = datetime.fromtimestamp((until - LATE).timestamp() // step * step, UTC)
    return later if later > anchor else None


# --- telling ----------------------------------------------------------------------------------------------------------


def _tell(workspace: Workspace, works: Sequence[_Work], now: datetime) -> int:
    """Each round of a rule's signals a moment after the one before: an incident may end and the next begin at once."""
    labels = _labels(workspace, works)
    count = 0
    for work in works:
        for number, step in enumerate(work.steps):
            signals = [signal_of(work, interval, group, labels) for interval, group in step]
            record_signals(workspace=workspace, rule=work.rule, signals=signals, at=now + number * _TINY)
            work.outcome.told += len(signals)
        count += work.outcome.told
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
