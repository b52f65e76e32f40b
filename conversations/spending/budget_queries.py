"""Read how budgets stand: each a fixed number of queries, however many conversations there are."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet

from conversations.models import Budget, Conversation, ConversationDay, Workspace
from conversations.spending.budgets import Rule, Standing, stand, used_of, worst
from conversations.spending.prices import PriceTable
from conversations.spending.queries import DayRow, agent_days, price_table, savings_of_workspace, summed, summed_by
from conversations.spending.savings import Savings, savings_of
from conversations.spending.tally import NAMES, Sums
from conversations.vocabulary import BudgetAction, BudgetMetric, BudgetScope, BudgetState


@dataclass(frozen=True, slots=True)
class Status:
    """What an agent is to know before its next request."""

    state: BudgetState
    message: str
    standings: list[Standing]


def rule_of(budget: Budget) -> Rule:
    """Without the database."""
    return Rule(
        budget.pk, budget.name, BudgetScope(budget.scope), BudgetMetric(budget.metric), float(budget.limit),
        BudgetAction(budget.action), budget.warn_percents[0], budget.message, budget.agent_name,
    )  # fmt: skip


def budget_status(workspace: Workspace, *, agent: str = "", conversation: str = "") -> Status:
    """How every budget stands that a conversation (by its source's id) of an agent (by name) comes under.

    Three queries of few rows; with budgets of money four more at most. The agent of a known conversation need not be
    named."""
    found = conversations_named(workspace, conversation) if conversation else []
    agent = agent or next((name for _, name in found if name), "")
    rules = [rule_of(row) for row in Budget.objects.filter(workspace=workspace).order_by("id")]
    ours = [rule for rule in rules if _concerns(rule, agent, conversation)]
    subject = _Subject(workspace, agent, [pk for pk, _ in found])
    standings = [stand(rule, subject.used(rule), agent=agent, conversation=conversation) for rule in ours]
    followed = worst(standings)
    if followed is None:
        return Status(BudgetState.OK, "", [])
    return Status(followed.state, followed.message, standings)


@dataclass(slots=True)
class _Subject:
    """Who is asked for; each scope is read once, and only if a budget counts it."""

    workspace: Workspace
    agent: str
    conversations: list[int]
    _sums: dict[BudgetScope, Sums] = field(default_factory=dict)
    _costs: dict[BudgetScope, float | None] = field(default_factory=dict)
    _prices: PriceTable | None = None

    def used(self, rule: Rule) -> float | None:
        """How much of the rule's metric."""
        if rule.metric == BudgetMetric.COST:
            if rule.scope not in self._costs:
                self._costs[rule.scope] = self._cost(rule.scope)
            return self._costs[rule.scope]
        self._sums = self._sums or _totals(self.workspace, self.agent, self.conversations)
        return used_of(rule.metric, self._sums[rule.scope], None)

    def _cost(self, scope: BudgetScope) -> float | None:
        """Of an agent or workspace from memory, if it was worked out less than COST_SECONDS ago."""
        if scope == BudgetScope.CONVERSATION:
            return self._fresh_cost(self._own_days())
        rows = agent_days(self.workspace)
        if scope == BudgetScope.WORKSPACE:
            return _remembered(f"cost:{self.workspace.pk}", lambda: self._fresh_cost(rows))
        name = hashlib.sha256(self.agent.encode()).hexdigest()
        return _remembered(
            f"cost:{self.workspace.pk}:{name}", lambda: self._fresh_cost(rows.filter(agent__name=self.agent))
        )

    def _own_days(self) -> QuerySet[ConversationDay]:
        return ConversationDay.objects.filter(workspace=self.workspace, conversation__in=self.conversations)

    def _fresh_cost(self, rows: QuerySet[Any]) -> float | None:
        self._prices = self._prices or price_table(self.workspace)
        return savings_of(summed(rows, self._prices), self._prices).cost


#: What budgets count, of all scopes at once: compiling three queries of the ORM takes longer than running this one.
_TOTALS = """
    WITH own AS (SELECT * FROM conversations_conversationday
            WHERE workspace_id = %(w)s AND conversation_id = ANY(%(conversations)s)),
        everybody AS (SELECT t.*, a.name FROM conversations_agenttotal t
            LEFT JOIN conversations_agent a ON a.workspace_id = t.workspace_id AND a.id = t.agent_id
            WHERE t.workspace_id = %(w)s)
    SELECT 'conversation', {sums} FROM own
    UNION ALL SELECT 'agent', {sums} FROM everybody WHERE name = %(agent)s
    UNION ALL SELECT 'workspace', {sums} FROM everybody
"""
_COUNTED = (
    "calls", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "compactions",
    "summary_input_tokens", "summary_read_tokens", "summary_write_tokens", "summary_output_tokens",
)  # fmt: skip


def _totals(workspace: Workspace, agent: str, conversations: list[int]) -> dict[BudgetScope, Sums]:
    """As far as budgets count it."""
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in _COUNTED)
    with connection.cursor() as cursor:
        cursor.execute(
            _TOTALS.format(sums=sums), {"w": workspace.pk, "agent": agent, "conversations": conversations}
        )  # fmt: skip
        return {
            BudgetScope(scope): Sums(**dict(zip(_COUNTED, values, strict=True))) for scope, *values in cursor.fetchall()
        }


#: Adding up a year of 20 agents takes 40 ms, and is asked for before every request of all of them.
COST_SECONDS = 5


def _remembered(key: str, work_out: Callable[[], float | None]) -> float | None:
    found: tuple[float | None] | None = cache.get(key)
    if found is None:
        found = (work_out(),)
        cache.set(key, found, COST_SECONDS)
    return found[0]


def _concerns(rule: Rule, agent: str, conversation: str) -> bool:
    if rule.agent_name and rule.agent_name != agent:
        return False
    named = {BudgetScope.CONVERSATION: conversation, BudgetScope.AGENT: agent, BudgetScope.WORKSPACE: "always"}
    return bool(named[rule.scope])


#: The source stands before the id in the index: what sources there are is found by jumping from one to the next.
_NAMED = """
    WITH RECURSIVE sources (name) AS (
        (SELECT source FROM conversations_conversation WHERE workspace_id = %(w)s ORDER BY source LIMIT 1)
        UNION ALL
        SELECT (SELECT c.source FROM conversations_conversation c WHERE c.workspace_id = %(w)s AND c.source > s.name
            ORDER BY c.source LIMIT 1) FROM sources s WHERE s.name IS NOT NULL
    )
    SELECT c.id, a.name FROM sources s
    JOIN conversations_conversation c ON c.workspace_id = %(w)s AND c.source = s.name AND c.external_id = %(id)s
    LEFT JOIN conversations_agent a ON a.workspace_id = c.workspace_id AND a.id = c.agent_id
    ORDER BY c.last_at DESC
"""


def conversations_named(workspace: Workspace, external_id: str) -> list[tuple[int, str | None]]:
    """(id, its agent's name) of conversations with this id of their source, which several sources may use."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, {"w": workspace.pk, "id": external_id})
        rows: list[tuple[int, str | None]] = cursor.fetchall()
    return rows


# --- the page of budgets ----------------------------------------------------------------------------------------------

#: Conversations looked at for the one that is nearest to its limit: those that were active last.
RECENT = 200


@dataclass(frozen=True, slots=True)
class Overview:
    """A budget and whoever has used most of it; `who` None: the workspace, or nobody yet."""

    budget: Budget
    standing: Standing
    who: Conversation | str | None


def budget_overview(workspace: Workspace) -> list[Overview]:
    """Every budget with its fullest case. Five queries at most."""
    budgets = list(Budget.objects.filter(workspace=workspace).order_by("name"))
    prices = price_table(workspace)
    scopes = {budget.scope for budget in budgets}
    cases: dict[str, list[tuple[str, Conversation | str | None, Savings]]] = {
        BudgetScope.WORKSPACE: [("", None, savings_of_workspace(workspace, prices))]
        if BudgetScope.WORKSPACE in scopes
        else [],
        BudgetScope.AGENT: _agents(workspace, prices) if BudgetScope.AGENT in scopes else [],
        BudgetScope.CONVERSATION: _conversations(workspace, prices) if BudgetScope.CONVERSATION in scopes else [],
    }
    return [_overview(budget, cases[budget.scope]) for budget in budgets]


#: An agent's name, whose case it is, and what was spent.
_Case = tuple[str, Conversation | str | None, Savings]


def _overview(budget: Budget, cases: Sequence[_Case]) -> Overview:
    rule = rule_of(budget)
    standings = [
        (stand(rule, _used(rule, spent), agent=agent), who)
        for agent, who, spent in cases
        if not rule.agent_name or agent == rule.agent_name
    ]
    fullest = max(standings, key=lambda each: each[0].share, default=(stand(rule, 0), None))
    return Overview(budget, *fullest)


def _used(rule: Rule, spent: Savings) -> float | None:
    return used_of(rule.metric, spent.sums, spent.cost)


def _everybody(workspace: Workspace, prices: PriceTable) -> list[_Case]:
    return [("", None, savings_of_workspace(workspace, prices))]


def _agents(workspace: Workspace, prices: PriceTable) -> list[_Case]:
    by_name = summed_by(agent_days(workspace), prices, "agent__name")
    return [(name or "", name or None, savings_of(rows, prices)) for (name,), rows in by_name]


def _conversations(workspace: Workspace, prices: PriceTable) -> list[_Case]:
    recent = Conversation.objects.filter(workspace=workspace).select_related("agent", "workspace").defer("search")
    by_id = {each.pk: each for each in recent.order_by("-last_at", "-id")[:RECENT]}
    days: dict[int, list[DayRow]] = defaultdict(list)
    for pk, model, day, *sums in ConversationDay.objects.filter(
        workspace=workspace, conversation__in=list(by_id)
    ).values_list("conversation_id", "model", "day", *NAMES):
        days[pk].append((model, day, Sums(*sums)))
    return [(_agent_name(by_id[pk]), by_id[pk], savings_of(rows, prices)) for pk, rows in days.items()]


def _agent_name(conversation: Conversation) -> str:
    return conversation.agent.name if conversation.agent else ""
