"""What evaluations of rules came to, also those that did not fire: kept in stretches, and shown with the rule."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from conversations.alerts.nearest import Nearest
from conversations.alerts.rules import Place
from conversations.models import Rule, RuleRun, Workspace
from conversations.vocabulary import RunState

#: At an hour a row, 336 rows of a rule that always comes to the same.
KEPT = timedelta(days=14)

#: The newest row of each rule goes on if it is of the same hour and came to the same.
_RECORD = """
    INSERT INTO conversations_rulerun AS kept (workspace_id, rule_id, since, until, evaluations, state, matched, groups,
        value, worst, places, told, gap, slowest, problem)
    SELECT %(workspace)s, u.rule, CASE WHEN last.state = u.state AND last.problem = u.problem
            AND date_trunc('hour', last.since) = date_trunc('hour', %(at)s::timestamptz)
            AND last.until <= %(at)s THEN last.since ELSE %(at)s END,
        %(at)s, 1, u.state, u.matched, u.groups, u.value, u.worst, u.places, u.told,
        make_interval(secs => u.gap), make_interval(secs => u.seconds), u.problem
    FROM jsonb_to_recordset(%(outcomes)s::jsonb) u(rule bigint, state text, matched int, groups int, value float,
        worst text, places jsonb, told int, gap float, seconds float, problem text)
    LEFT JOIN LATERAL (
        SELECT since, until, state, problem FROM conversations_rulerun r
        WHERE r.workspace_id = %(workspace)s AND r.rule_id = u.rule ORDER BY since DESC LIMIT 1
    ) last ON true
    ON CONFLICT (workspace_id, rule_id, since) DO UPDATE SET (until, evaluations, matched, groups, told, gap, slowest,
        value, worst, places) = (
        SELECT greatest(kept.until, excluded.until), kept.evaluations + 1, kept.matched + excluded.matched,
            greatest(kept.groups, excluded.groups), kept.told + excluded.told, greatest(kept.gap, excluded.gap),
            greatest(kept.slowest, excluded.slowest), nearer.value, nearer.worst, nearer.places
        FROM (VALUES (kept.value, kept.worst, kept.places), (excluded.value, excluded.worst, excluded.places))
            nearer (value, worst, places)
        ORDER BY CASE WHEN kept.rule_id = ANY(%(below)s) THEN nearer.value ELSE -nearer.value END LIMIT 1)
"""


@dataclass(slots=True)
class Outcome:
    """Of one rule in one evaluation."""

    rule: int
    state: RunState = RunState.OK
    matched: int = 0  # events since the evaluation before
    groups: int = 0  # that fire, or are silent
    told: int = 0  # signals
    seconds: float = 0
    problem: str = ""
    value: float | None = None  # the new figure nearest to firing
    worst: str = ""  # its group
    places: Sequence[Place] = ()  # events that it was made of
    gap: float | None = None  # seconds since the evaluation before

    def fail(self, problem: str) -> None:
        """It could not be evaluated."""
        self.state, self.problem = RunState.FAILED, problem

    def look_at(self, found: Nearest | None) -> None:
        """The figure that was nearest to firing, if there was one."""
        if found:
            self.value, self.worst, self.places = found


def record_outcomes(workspace: Workspace, outcomes: Iterable[Outcome], at: datetime, below: Iterable[int] = ()) -> None:
    """In one statement for all rules of a workspace. `below`: the rules whose lowest figure is the nearest."""
    body = msgspec.json.encode(list(outcomes)).decode()
    asked: dict[str, Any] = {"workspace": workspace.pk, "at": at, "outcomes": body, "below": list(below)}
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, asked)


def runs_of(rule: Rule) -> QuerySet[RuleRun]:
    """The newest first."""
    return RuleRun.objects.filter(workspace=rule.workspace_id, rule=rule).order_by("-since", "-id")


def purge_runs() -> int:
    """Delete what was kept long enough. How many rows went."""
    return RuleRun.objects.filter(until__lt=timezone.now() - KEPT).delete()[0]
