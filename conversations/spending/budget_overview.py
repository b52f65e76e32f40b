"""The page of budgets: each with whoever has used most of it, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from conversations.models import Agent, Conversation, Workspace
from conversations.spending.budget_queries import metric_of, span_of, whose_of
from conversations.spending.budget_settings import Settings
from conversations.spending.budget_sums import AGENTS, CONVERSATIONS, TAGS, Span, Spent, Who, Whose, spent_in
from conversations.spending.budgets import NOBODY, Asker, Rule, Standing, override_for, stand
from conversations.spending.queries import DayRow
from conversations.vocabulary import BudgetScope

#: Conversations looked at for the one that is nearest to its limit: those that were active last.
RECENT = 200


@dataclass(frozen=True, slots=True)
class Overview:
    """A budget and whoever has used most of it; `who` None: the workspace, or nobody yet."""

    standing: Standing
    asker: Asker
    who: Conversation | str | None


@dataclass(frozen=True, slots=True)
class People:
    """Who spends: the agents, and the conversations that were active last."""

    agents: Mapping[int, tuple[str, str]]  # id → name, version
    conversations: Mapping[int, Conversation]

    def asker(self, whose: Whose, who: Who) -> Asker:
        """Whose row that is."""
        if isinstance(who, str):
            return Asker(tags=(who,))
        if whose is AGENTS:
            return Asker(*self.agents.get(who or 0, ("", "")))
        conversation = self.conversations[who or 0]
        agent = conversation.agent
        name, version = (agent.name, agent.version) if agent else ("", "")
        return Asker(name, version, conversation.external_id, tuple(conversation.tags))

    def tags(self) -> dict[str, set[str]]:
        """By the source's id of a conversation; those of several sources may share one."""
        found: dict[str, set[str]] = defaultdict(set)
        for each in self.conversations.values():
            found[each.external_id].update(each.tags)
        return found


@dataclass(frozen=True, slots=True)
class Judged:
    """How a budget stands for one of those whom it judges."""

    standing: Standing
    asker: Asker


def standings(settings: Settings, people: People, at: datetime) -> list[Judged]:
    """Of every budget, for each who has spent anything in its window. Three queries at most, and one for prices."""
    spent, tags = _spent(settings, people, at, settings.rules), people.tags()
    found = []
    for rule in settings.rules:
        span = span_of(rule, at)
        cases = cases_of(rule, people, spent[whose_of(rule)][span])
        found += [Judged(_stand(settings, rule, tags, asker, rows, span, at), asker) for asker, rows in cases.items()]
    return found


def budget_overview(settings: Settings, people: People, at: datetime, rules: Sequence[Rule]) -> list[Overview]:
    """Each of the rules with its fullest case. Four queries at most, however many there are."""
    spent = _spent(settings, people, at, rules)
    return [_overview(settings, rule, people, spent, at) for rule in rules]


def judges_conversations(rules: Sequence[Rule]) -> bool:
    """Whether any does."""
    return any(rule.scope == BudgetScope.CONVERSATION for rule in rules)


def judges_agents(rules: Sequence[Rule]) -> bool:
    """Whether any looks at what agents spend: those of agents, their versions, and the workspace."""
    return any(whose_of(rule) is AGENTS for rule in rules)


def people_of(workspace: Workspace, *, with_conversations: bool, with_agents: bool = True) -> People:
    """A query for each."""
    rows = Agent.objects.filter(workspace=workspace).values_list("id", "name", "version") if with_agents else ()
    agents = {pk: (name, said) for pk, name, said in rows}
    recent: list[Conversation] = []
    if with_conversations:
        found = Conversation.objects.filter(workspace=workspace).select_related("agent", "workspace").defer("search")
        recent = list(found.order_by("-last_at", "-id")[:RECENT])
    return People(agents, {each.pk: each for each in recent})


def _spent(settings: Settings, people: People, at: datetime, rules: Sequence[Rule]) -> dict[Whose, dict[Span, Spent]]:
    found = {}
    tags = [rule.tag_name for rule in rules if whose_of(rule) is TAGS]
    limits: list[tuple[Whose, Any]] = [(AGENTS, None), (CONVERSATIONS, people.conversations), (TAGS, tags)]
    for whose, only in limits:
        spans = list(dict.fromkeys(span_of(rule, at) for rule in rules if whose_of(rule) is whose))
        changes = settings.prices.changes if any(span.priced for span in spans) else ()
        found[whose] = spent_in(settings.workspace_id, whose, spans, changes=changes, only=only)
    return found


def _overview(
    settings: Settings, rule: Rule, people: People, spent: dict[Whose, dict[Span, Spent]], at: datetime
) -> Overview:
    span, tags = span_of(rule, at), people.tags()
    standings = [
        (_stand(settings, rule, tags, asker, rows, span, at), asker)
        for asker, rows in cases_of(rule, people, spent[whose_of(rule)][span]).items()
    ]
    nobody = (stand(rule, 0, window=span.window), NOBODY)
    fullest, asker = max(standings, key=lambda each: each[0].share, default=nobody)
    return Overview(fullest, asker, _who(rule, people, asker))


def _stand(
    settings: Settings, rule: Rule, tags: Mapping[str, Iterable[str]], asker: Asker, rows: Sequence[DayRow],
    span: Span, at: datetime,
) -> Standing:  # fmt: skip
    """`tags` of conversations: overrides may be for those that have one. A budget of a tag has that one."""
    ours = tags.get(asker.conversation, ()) if asker.conversation else [rule.tag_name]
    override = override_for(settings.overrides.get(rule.id, ()), replace(asker, tags=tuple(ours)), at)
    return stand(rule, metric_of(settings, rule, rows), asker=asker, window=span.window, override=override)


def cases_of(rule: Rule, people: People, spent: Spent) -> dict[Asker, list[DayRow]]:
    """What everybody spent that the rule counts apart: rows of conversations or agents, by whom it judges."""
    cases: dict[Asker, list[DayRow]] = defaultdict(list)
    for pk, rows in spent.items():
        asker = people.asker(whose_of(rule), pk)
        if rule.concerns(asker):
            cases[judged(rule, asker)] += rows
    return cases


def judged(rule: Rule, asker: Asker) -> Asker:
    """Whom a rule judges when this one spends: a conversation, an agent, its version, or everybody whom it concerns,
    as one."""
    if rule.scope == BudgetScope.CONVERSATION:
        return replace(asker, tags=())
    if rule.scope == BudgetScope.AGENT:
        return Asker(asker.agent)
    return Asker(asker.agent, asker.version) if rule.scope == BudgetScope.AGENT_VERSION else NOBODY


def _who(rule: Rule, people: People, asker: Asker) -> Conversation | str | None:
    if rule.scope == BudgetScope.CONVERSATION:
        found = (each for each in people.conversations.values() if each.external_id == asker.conversation)
        return next(found, None)
    return f"{asker.agent} {asker.version}".strip() or None
