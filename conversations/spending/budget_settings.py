"""What people have set about budgets, remembered by each process until it changes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from conversations.models import Budget, BudgetOverride, SpendingVersion
from conversations.spending.budgets import Override, Rule
from conversations.spending.prices import PriceTable
from conversations.spending.queries import price_table
from conversations.spending.windows import Every
from conversations.vocabulary import BudgetAction, BudgetMetric, BudgetPeriod, BudgetScope


@dataclass(frozen=True, slots=True)
class Version:
    """Of a workspace: whatever was worked out at the same version is still right, but for the time that passed."""

    counted: int = 0  # sums were added to
    changed: int = 0  # budgets, overrides or prices were changed


@dataclass(frozen=True)
class Settings:
    """A workspace's budgets in the order in which they were made, their overrides by budget, and its prices."""

    workspace_id: int
    changed: int  # the version
    rules: Sequence[Rule]
    overrides: Mapping[int, Sequence[Override]]

    @cached_property
    def prices(self) -> PriceTable:
        """Read when first asked for."""
        return price_table(self.workspace_id)


def version_of(workspace_id: int) -> Version:
    """Read it before what it is the version of. One query."""
    rows = SpendingVersion.objects.filter(workspace=workspace_id).values_list("counted", "changed")
    return Version(*(rows.first() or ()))


_MOST_KEPT = 1000  # workspaces a process; some kilobytes each
_kept: dict[int, tuple[int, Settings]] = {}


def settings_of(workspace_id: int, version: Version) -> Settings:
    """As of that version or newer. Two queries where they have changed."""
    known = _kept.get(workspace_id)
    if known is not None and known[0] == version.changed:
        return known[1]
    settings = read_settings(workspace_id, version.changed)
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[workspace_id] = (version.changed, settings)
    return settings


def read_settings(workspace_id: int, changed: int = 0) -> Settings:
    """As they are now. Two queries."""
    rules = [rule_of(row) for row in Budget.objects.filter(workspace=workspace_id).order_by("id")]
    overrides: dict[int, list[Override]] = defaultdict(list)
    if rules:
        for row in BudgetOverride.objects.filter(workspace=workspace_id).order_by("id"):
            overrides[row.budget_id].append(override_of(row))
    return Settings(workspace_id, changed, rules, overrides)


def forget() -> None:
    """Start anew; for tests."""
    _kept.clear()


def rule_of(budget: Budget) -> Rule:
    """Without the database."""
    return Rule(
        id=budget.pk,
        name=budget.name,
        scope=BudgetScope(budget.scope),
        metric=BudgetMetric(budget.metric),
        limit=float(budget.limit),
        action=BudgetAction(budget.action),
        warn_percents=tuple(sorted(budget.warn_percents)),
        message=budget.message,
        every=Every(BudgetPeriod(budget.period), budget.time_zone, budget.rolling_hours),
        agent_name=budget.agent_name,
        agent_version=budget.agent_version,
        conversation_name=budget.conversation_name,
        tag_name=budget.tag_name,
    )


def override_of(row: BudgetOverride) -> Override:
    """Without the database."""
    return Override(
        id=row.pk,
        limit=float(row.limit),
        created_at=row.created_at,
        expires_at=row.expires_at,
        reason=row.reason,
        agent_name=row.agent_name,
        conversation_name=row.conversation_name,
        ended_at=row.ended_at,
        tag_name=row.tag_name,
    )
