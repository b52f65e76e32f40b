"""How the budgets stand that an agent or a conversation comes under: what is asked before every model call."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import connection

from conversations.spending.budget_settings import Settings, Version, settings_of
from conversations.spending.budget_sums import AGENTS, CONVERSATIONS, TAGS, Span, Spent, Who, Whose, spent_in
from conversations.spending.budgets import Asker, Rule, Standing, override_for, stand, used_of, why, worst
from conversations.spending.queries import DayRow
from conversations.spending.savings import savings_of
from conversations.spending.tally import Sums
from conversations.spending.windows import LIFE, SLOT, slot_of, window_at
from conversations.vocabulary import BudgetMetric, BudgetPeriod, BudgetScope, BudgetState

#: What a whole life cost is added up anew after so long: of a year of 20 agents that takes 40 ms, and it is asked for
#: before every request of all of them.
COST_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Status:
    """What an agent is to know before its next request. Good until `until`, unless something is counted or changed."""

    state: BudgetState
    message: str
    standings: Sequence[Standing]
    followed: Standing | None
    reason: str  # why that one decides
    until: datetime | None = None


def budget_status(workspace_id: int, asker: Asker, version: Version, at: datetime) -> Status:
    """How every budget stands at a time. The agent of a known conversation need not be named.

    Three queries, one more where a tag's budget concerns; two more where budgets were changed, and one for prices where
    they count money."""
    settings = settings_of(workspace_id, version)
    if not settings.rules:
        return Status(BudgetState.OK, "", [], None, why(None, []))
    subject = _subject(workspace_id, asker)
    rules = [rule for rule in settings.rules if rule.concerns(subject.asker)]
    standings = standings_of(settings, rules, subject, at)
    followed = worst(standings)
    reason = why(followed, standings)
    state, message = (followed.state, followed.message) if followed else (BudgetState.OK, "")
    return Status(state, message, standings, followed, reason, _until(settings, standings, at))


def _until(settings: Settings, standings: Sequence[Standing], at: datetime) -> datetime | None:
    """When time alone changes the answer: a window ends, an override begins or expires, a cost is added up anew."""
    ends = [each.window.end for each in standings if each.window.end and each.rule.every.is_calendar]
    if any(each.rule.every.period == BudgetPeriod.ROLLING for each in standings):
        ends.append(slot_of(at) + SLOT)
    for each in standings:
        overrides = settings.overrides.get(each.rule.id, ())
        ends += [time for override in overrides for time in (override.created_at, override.expires_at) if time > at]
        if _is_slow(each.rule):
            ends.append(at + timedelta(seconds=COST_SECONDS))
    return min(ends, default=None)


# --- who asks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """Whoever asks, and their rows: conversations under this id, and the agent's versions by id."""

    asker: Asker
    conversations: Sequence[int] = ()
    agents: dict[int, str] = field(default_factory=dict)

    def ids(self, rule: Rule) -> Iterable[Who] | None:
        """Whose sums a budget counts; None = everybody's."""
        if rule.scope == BudgetScope.CONVERSATION:
            return self.conversations
        if rule.scope == BudgetScope.TAG:
            return [rule.tag_name]
        if rule.scope == BudgetScope.AGENT_VERSION:
            return [pk for pk, version in self.agents.items() if version == self.asker.version]
        return self.agents if rule.scope == BudgetScope.AGENT else None


#: The source stands before the id in the index: what sources there are is found by jumping from one to the next.
_SUBJECT = """
    WITH RECURSIVE sources (name) AS (
        (SELECT source FROM conversations_conversation WHERE workspace_id = %(w)s ORDER BY source LIMIT 1)
        UNION ALL
        SELECT (SELECT c.source FROM conversations_conversation c WHERE c.workspace_id = %(w)s AND c.source > s.name
            ORDER BY c.source LIMIT 1) FROM sources s WHERE s.name IS NOT NULL
    ),
    named AS (
        SELECT c.id, c.last_at, c.tags, a.name, a.version FROM sources s
        JOIN conversations_conversation c ON c.workspace_id = %(w)s AND c.source = s.name AND c.external_id = %(id)s
        LEFT JOIN conversations_agent a ON a.workspace_id = c.workspace_id AND a.id = c.agent_id
        WHERE %(id)s <> ''
    ),
    newest AS (SELECT name, version FROM named WHERE name <> '' ORDER BY last_at DESC LIMIT 1)
    SELECT 'conversation', id, '', '' FROM named
    UNION ALL SELECT 'said', 0, name, version FROM newest
    UNION ALL SELECT 'tag', 0, unnest(tags), '' FROM named
    UNION ALL SELECT 'agent', id, name, version FROM conversations_agent WHERE workspace_id = %(w)s
        AND name = coalesce(nullif(%(agent)s, ''), (SELECT name FROM newest)) AND name <> ''
"""


def _subject(workspace_id: int, asker: Asker) -> Subject:
    """With the agent and version of the conversation that was active last under its id, where none are named, and
    with its tags beside those that are. An id may stand for conversations of several sources: they count as one."""
    with connection.cursor() as cursor:
        cursor.execute(_SUBJECT, {"w": workspace_id, "id": asker.conversation, "agent": asker.agent})
        rows = cursor.fetchall()
    name, version = next(((name, version) for kind, _, name, version in rows if kind == "said"), ("", ""))
    agent = asker.agent or name
    tags = {name for kind, _, name, _ in rows if kind == "tag"}
    known = Asker(
        agent=agent,
        version=asker.version or (version if agent == name else ""),
        conversation=asker.conversation,
        tags=tuple(sorted(tags.union(asker.tags))),
    )
    conversations = [pk for kind, pk, *_ in rows if kind == "conversation"]
    return Subject(known, conversations, {pk: said for kind, pk, _, said in rows if kind == "agent"})


# --- what they have used ----------------------------------------------------------------------------------------------


def standings_of(settings: Settings, rules: Sequence[Rule], subject: Subject, at: datetime) -> list[Standing]:
    """How each of the rules stands for the subject. Three queries at most, and those of costs over a whole life."""
    spans = {rule.id: span_of(rule, at) for rule in rules}
    spent: dict[Whose, dict[Span, Spent]] = {}
    for whose in (CONVERSATIONS, AGENTS, TAGS):
        ours = [rule for rule in rules if whose_of(rule) is whose and not _is_slow(rule)]
        everybody = any(subject.ids(rule) is None for rule in ours)
        ids = None if everybody else _asked_for(whose, ours, subject)
        wanted = list(dict.fromkeys(spans[rule.id] for rule in ours))
        changes = settings.prices.changes if any(span.priced for span in wanted) else ()
        apart = list(subject.agents) if everybody else None
        spent[whose] = spent_in(settings.workspace_id, whose, wanted, changes=changes, only=ids, apart=apart)
    return [_standing(settings, rule, subject, spans[rule.id], spent[whose_of(rule)], at) for rule in rules]


def _asked_for(whose: Whose, rules: Sequence[Rule], subject: Subject) -> Sequence[int] | Sequence[str]:
    if whose is TAGS:
        return [rule.tag_name for rule in rules]
    return subject.conversations if whose is CONVERSATIONS else list(subject.agents)


def span_of(rule: Rule, at: datetime) -> Span:
    """What is to be added up for it at that time."""
    return Span(window_at(rule.every, at), priced=rule.metric == BudgetMetric.COST)


def whose_of(rule: Rule) -> Whose:
    """Where its sums are."""
    return {BudgetScope.CONVERSATION: CONVERSATIONS, BudgetScope.TAG: TAGS}.get(rule.scope, AGENTS)


def _is_slow(rule: Rule) -> bool:
    """The cost of an agent's, tag's or workspace's whole life: of every day there was."""
    is_whole = rule.every.period == BudgetPeriod.LIFE and rule.scope != BudgetScope.CONVERSATION
    return is_whole and rule.metric == BudgetMetric.COST


def _standing(
    settings: Settings, rule: Rule, subject: Subject, span: Span, spent: dict[Span, Spent], at: datetime
) -> Standing:
    if _is_slow(rule):
        used = _remembered(_cost_key(settings, rule, subject), lambda: _whole_cost(settings, rule, subject))
    else:
        used = used_by(settings, rule, spent[span], subject.ids(rule))
    override = override_for(settings.overrides.get(rule.id, ()), subject.asker, at)
    return stand(rule, used, asker=subject.asker, window=span.window, override=override)


def used_by(settings: Settings, rule: Rule, spent: Spent, ids: Iterable[Who] | None) -> float | None:
    """How much of the rule's metric these ids spent together; None: everybody, or a cost that is not known."""
    mine = spent.values() if ids is None else [spent[pk] for pk in ids if pk in spent]
    return metric_of(settings, rule, [row for rows in mine for row in rows])


def metric_of(settings: Settings, rule: Rule, rows: Sequence[DayRow]) -> float | None:
    """How much of the rule's metric the rows are together; None for a cost that is not known."""
    if rule.metric == BudgetMetric.COST:
        return savings_of(rows, settings.prices).cost
    total = sum_up(rows)
    return used_of(rule.metric, total, None)


def sum_up(rows: Iterable[DayRow]) -> Sums:
    """All of them together."""
    total = Sums()
    for _, _, sums in rows:
        total += sums
    return total


def _whole_cost(settings: Settings, rule: Rule, subject: Subject) -> float | None:
    ids = subject.ids(rule)
    span = Span(LIFE, priced=True)
    changes = settings.prices.changes
    apart: list[int] | None = [] if ids is None else None  # everybody together
    spent = spent_in(settings.workspace_id, whose_of(rule), [span], changes=changes, only=ids, apart=apart)
    return used_by(settings, rule, spent[span], None)


def _cost_key(settings: Settings, rule: Rule, subject: Subject) -> str:
    whom = {
        BudgetScope.WORKSPACE: "",
        BudgetScope.TAG: rule.tag_name,
    }.get(rule.scope, f"{subject.asker.agent}\n{subject.asker.version}")
    name = hashlib.sha256(f"{rule.scope}\n{whom}\n{settings.changed}".encode()).hexdigest()
    return f"cost:{settings.workspace_id}:{name}"


def _remembered(key: str, work_out: Callable[[], float | None]) -> float | None:
    found: tuple[float | None] | None = cache.get(key)
    if found is None:
        found = (work_out(),)
        cache.set(key, found, COST_SECONDS)
    return found[0]
