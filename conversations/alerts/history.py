"""What evaluations of rules came to, also those that did not fire: kept in stretches, and shown with the rule."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from conversations.models import Rule, RuleRun, Workspace
from conversations.vocabulary import RunState

#: At an hour a row, 336 rows of a rule that always comes to the same.
KEPT = timedelta(days=14)

#: The newest row of each rule goes on if it is of the same hour and came to the same.
_RECORD = """
    INSERT INTO conversations_rulerun AS kept (workspace_id, rule_id, since, until, evaluations, state, matched, groups,
        told, slowest, problem)
    SELECT %(workspace)s, u.rule, CASE WHEN last.state = u.state AND last.problem = u.problem
            AND date_trunc('hour', last.since) = date_trunc('hour', %(at)s::timestamptz)
            AND last.until <= %(at)s THEN last.since ELSE %(at)s END,
        %(at)s, 1, u.state, u.matched, u.groups, u.told, make_interval(secs => u.seconds), u.problem
    FROM jsonb_to_recordset(%(outcomes)s::jsonb) u(rule bigint, state text, matched int, groups int, told int,
        seconds float, problem text)
    LEFT JOIN LATERAL (
        SELECT since, until, state, problem FROM conversations_rulerun r
        WHERE r.workspace_id = %(workspace)s AND r.rule_id = u.rule ORDER BY since DESC LIMIT 1
    ) last ON true
    ON CONFLICT (workspace_id, rule_id, since) DO UPDATE SET (until, evaluations, matched, groups, told, slowest) = (
        greatest(kept.until, excluded.until), kept.evaluations + 1, kept.matched + excluded.matched,
        greatest(kept.groups, excluded.groups), kept.told + excluded.told, greatest(kept.slowest, excluded.slowest))
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


def record_outcomes(workspace: Workspace, outcomes: Iterable[Outcome], at: datetime) -> None:
    """In one statement for all rules of a workspace."""
    body = [asdict(outcome) for outcome in outcomes]
    asked: dict[str, Any] = {"workspace": workspace.pk, "at": at, "outcomes": msgspec.json.encode(body).decode()}
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, asked)


def runs_of(rule: Rule) -> QuerySet[RuleRun]:
    """The newest first."""
    return RuleRun.objects.filter(workspace=rule.workspace_id, rule=rule).order_by("-since", "-id")


def purge_runs() -> int:
    """Delete what was kept long enough. How many rows went."""
    return RuleRun.objects.filter(until__lt=timezone.now() - KEPT).delete()[0]
