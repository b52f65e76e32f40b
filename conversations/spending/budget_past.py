"""What was spent in the past by those whom a budget would judge: what `replay` looks at."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from conversations.models import Conversation, Workspace
from conversations.spending.budget_overview import People, judged
from conversations.spending.budget_queries import metric_of, whose_of
from conversations.spending.budget_settings import Settings
from conversations.spending.budget_sums import CONVERSATIONS, TAGS, Span, Who, spent_in
from conversations.spending.budgets import Asker, Rule
from conversations.spending.queries import DayRow
from conversations.spending.replay import Spending
from conversations.spending.tally import COUNTED, Sums
from conversations.spending.windows import HOUR, SLOT, Window
from conversations.vocabulary import BudgetMetric, BudgetPeriod

#: Conversations looked at: those that spent most. A month of 100,000 would take minutes, and those that spent less are
#: further from any limit.
MOST_CONVERSATIONS = 200


#: Whose sums are looked at, where they are not everybody's.
_Only = Sequence[int] | Sequence[str] | None


@dataclass(slots=True)
class Past:
    """Spendings by whom the rule judges, and what was used before them. `left_out`: how many conversations were not
    looked at; `others`: of how many the rule does not count anything."""

    spendings: dict[Asker, list[Spending]] = field(default_factory=dict)
    bases: dict[Asker, float] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)  # by their source's id
    left_out: int = 0
    others: int = 0


def past_of(
    workspace: Workspace, settings: Settings, people: People, rule: Rule, since: datetime, until: datetime
) -> Past:
    """From `since`, the beginning of a UTC day, until before `until`. Four queries at most."""
    past = Past()
    only: _Only = [rule.tag_name] if whose_of(rule) is TAGS else None
    if whose_of(rule) is CONVERSATIONS:
        conversations, past.left_out = _largest(workspace, rule, since)
        people = People(people.agents, {each.pk: each for each in conversations})
        past.conversations = {each.external_id: each for each in conversations}
        only = list(people.conversations)
    _add_spendings(past, settings, rule, people, _rows(settings, rule, since, until, only))
    if rule.every.period == BudgetPeriod.LIFE:
        _add_bases(past, settings, rule, people, since, only)
    return past


def _largest(workspace: Workspace, rule: Rule, since: datetime) -> tuple[list[Conversation], int]:
    """The conversations that spent most since then, and how many more there are."""
    named, tag = rule.conversation_name, rule.tag_name
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.conversation_id, count(*) OVER () FROM conversations_conversationday d"
            " JOIN conversations_conversation c ON c.workspace_id = d.workspace_id AND c.id = d.conversation_id"
            " WHERE d.workspace_id = %s AND c.last_at >= %s AND d.day >= %s AND (%s = '' OR c.external_id = %s)"
            " AND (%s = '' OR c.tags @> ARRAY[%s]::varchar[])"
            " GROUP BY 1 ORDER BY sum(d.input_tokens + d.cache_read_tokens + d.cache_write_tokens + d.output_tokens)"
            " DESC, 1 LIMIT %s",
            [workspace.pk, since, since.date(), named, named, tag, tag, MOST_CONVERSATIONS],
        )
        rows = cursor.fetchall()
    found = Conversation.objects.filter(workspace=workspace, pk__in=[pk for pk, _ in rows])
    return list(found.select_related("agent", "workspace").defer("search")), (rows[0][1] if rows else 0) - len(rows)


def _bin(rule: Rule, at: datetime) -> timedelta:
    """Whole hours, unless the budget's days begin within one: a fourth of the rows."""
    offset = ZoneInfo(rule.every.time_zone).utcoffset(at) or timedelta()
    return SLOT if offset % HOUR else HOUR


_ROWS = """
    SELECT t.{who}, date_bin(%s, t.start, to_timestamp(0)) AS hour, t.model, {sums}
    FROM conversations_{table} t WHERE t.workspace_id = %s AND t.start >= %s AND t.start < %s {only}
    GROUP BY 1, 2, 3 ORDER BY 2, 1, 3
"""

_Row = tuple[Who, datetime, str, Sums]


def _rows(settings: Settings, rule: Rule, since: datetime, until: datetime, only: _Only) -> list[_Row]:
    whose = whose_of(rule)
    limited = "" if only is None else f"AND t.{whose.column} = ANY(%s)"
    sums = ", ".join(f"sum(t.{name})::bigint" for name in COUNTED)
    values: list[Any] = [_bin(rule, until), settings.workspace_id, since, until, *([] if only is None else [only])]
    with connection.cursor() as cursor:
        cursor.execute(_ROWS.format(who=whose.column, sums=sums, table=whose.slots, only=limited), values)
        rows = cursor.fetchall()
    return [(who, at, model, Sums(**dict(zip(COUNTED, values, strict=True)))) for who, at, model, *values in rows]


def _add_spendings(past: Past, settings: Settings, rule: Rule, people: People, rows: Sequence[_Row]) -> None:
    """In order of time, one an hour."""
    together: dict[tuple[Asker, datetime], list[DayRow]] = defaultdict(list)
    others = set()
    for who, at, model, sums in rows:
        asker = people.asker(whose_of(rule), who)
        if rule.concerns(asker):
            together[judged(rule, asker), at].append((model, at.date(), sums))
        else:
            others.add(asker)
    past.others = len(others)
    for (asker, at), mine in together.items():
        past.spendings.setdefault(asker, []).append(Spending(at, metric_of(settings, rule, mine)))


def _add_bases(past: Past, settings: Settings, rule: Rule, people: People, since: datetime, only: _Only) -> None:
    span = Span(Window(None, since), priced=rule.metric == BudgetMetric.COST)
    changes = settings.prices.changes if span.priced else ()
    found = spent_in(settings.workspace_id, whose_of(rule), [span], changes=changes, only=only)[span]
    rows: dict[Asker, list[DayRow]] = defaultdict(list)
    for who, mine in found.items():
        asker = people.asker(whose_of(rule), who)
        if rule.concerns(asker):
            rows[judged(rule, asker)] += mine
    past.bases = {asker: metric_of(settings, rule, mine) or 0 for asker, mine in rows.items()}
