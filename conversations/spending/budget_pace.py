"""How fast budgets are used: the last steps of those that have used most, and the forecast made of them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from conversations.spending.budget_overview import Overview, People, judged
from conversations.spending.budget_queries import metric_of, whose_of
from conversations.spending.budget_settings import Settings
from conversations.spending.budget_sums import AGENTS, TAGS, Who, Whose
from conversations.spending.budgets import Rule
from conversations.spending.forecast import AHEAD, MOST_STEPS, Forecast, forecast
from conversations.spending.queries import DayRow
from conversations.spending.tally import COUNTED, Sums
from conversations.spending.windows import DAY, HOUR, SLOT, midnight, slot_of
from conversations.vocabulary import BudgetPeriod, BudgetScope

#: A rolling budget of up to so many hours is looked at by the hour.
_SHORT_HOURS = 72


@dataclass(frozen=True, slots=True)
class _Look:
    """Which sums are looked at, how finely, and how far back."""

    whose: Whose
    step: timedelta
    end: datetime  # of the last whole step
    count: int

    @property
    def start(self) -> datetime:
        return self.end - self.count * self.step


_Rows = list[tuple[Who, datetime, DayRow]]


def forecasts(
    settings: Settings, people: People, overviews: Sequence[Overview], now: datetime
) -> dict[int, Forecast | None]:
    """By budget, for whoever has used most of it. One query, however many there are, and one for prices."""
    together: dict[tuple[Whose, timedelta], list[Overview]] = defaultdict(list)
    for each in overviews:
        together[whose_of(each.standing.rule), step_of(each.standing.rule)].append(each)
    looks = [
        _Look(whose, step, _last_step(now, step), max(_looked_back(each.standing.rule) for each in mine))
        for (whose, step), mine in together.items()
    ]
    found: dict[int, Forecast | None] = {}
    for look, rows in zip(looks, _read(settings, people, looks, overviews), strict=True):
        for each in together[look.whose, look.step]:
            found[each.standing.rule.id] = _forecast(settings, people, each, look, rows, now)
    return found


def step_of(rule: Rule) -> timedelta:
    """How finely the use is looked at."""
    if rule.every.period == BudgetPeriod.HOUR:
        return SLOT
    is_short = rule.every.period == BudgetPeriod.ROLLING and (rule.every.hours or 1) <= _SHORT_HOURS
    by_hour = rule.every.period == BudgetPeriod.DAY or rule.scope == BudgetScope.CONVERSATION or is_short
    return HOUR if by_hour else DAY


def _held(rule: Rule) -> int:
    """Steps in a rolling window."""
    return 0 if rule.every.hours is None else -(-rule.every.hours * HOUR // step_of(rule))


def _looked_back(rule: Rule) -> int:
    """So many steps: those that tell the rate, and all that a rolling window holds."""
    return min(max(MOST_STEPS, _held(rule)), AHEAD)


def _last_step(now: datetime, step: timedelta) -> datetime:
    if step == DAY:
        return midnight(now.date())
    at = slot_of(now)
    return at if step == SLOT else at.replace(minute=0)


_BY_DAY = """
    SELECT %s, t.{who}::text, t.day::timestamp AT TIME ZONE 'UTC', t.model, {sums} FROM conversations_{days} t
    WHERE t.workspace_id = %s AND t.day >= %s::date AND t.day < %s::date AND (%s OR t.{who} = ANY(%s))
    GROUP BY 1, 2, 3, 4
"""
_BY_SLOT = """
    SELECT %s, t.{who}::text, date_bin(%s, t.start, to_timestamp(0)), t.model, {sums} FROM conversations_{slots} t
    WHERE t.workspace_id = %s AND t.start >= %s AND t.start < %s AND (%s OR t.{who} = ANY(%s))
    GROUP BY 1, 2, 3, 4
"""
_SUMS = ", ".join(f"sum(t.{name})::bigint" for name in COUNTED)


def _read(settings: Settings, people: People, looks: Sequence[_Look], overviews: Sequence[Overview]) -> list[_Rows]:
    """What was spent in each step, by whom: of agents all, of conversations those that have used most, and the tags."""
    found: list[_Rows] = [[] for _ in looks]
    if not looks:
        return found
    statements, values = [], list[Any]()
    for number, look in enumerate(looks):
        template = _BY_DAY if look.step == DAY else _BY_SLOT
        whose = look.whose
        statements.append(template.format(who=whose.column, days=whose.days, slots=whose.slots, sums=_SUMS))
        values += [number, *([] if look.step == DAY else [look.step])]
        values += [settings.workspace_id, look.start, look.end, whose is AGENTS, _only(whose, people, overviews)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(statements), values)
        for number, who, at, model, *sums in cursor.fetchall():
            key = None if who is None else looks[number].whose.kind(who)
            found[number].append((key, at, (model, at.date(), Sums(**dict(zip(COUNTED, sums, strict=True))))))
    return found


def _only(whose: Whose, people: People, overviews: Sequence[Overview]) -> list[int] | list[str]:
    if whose is TAGS:
        return [each.standing.rule.tag_name for each in overviews]
    fullest = {each.asker.conversation for each in overviews}
    return [pk for pk, each in people.conversations.items() if each.external_id in fullest]


def _forecast(
    settings: Settings, people: People, each: Overview, look: _Look, rows: _Rows, now: datetime
) -> Forecast | None:
    standing, rule = each.standing, each.standing.rule
    if standing.used is None:
        return None
    amounts = _amounts(settings, people, each, look, rows)
    return forecast(
        amounts,
        used=standing.used,
        limit=standing.limit,
        now=now,
        step=look.step,
        end=standing.window.end if rule.every.is_calendar else None,
        leaving=amounts[-_held(rule) :] if _held(rule) else (),
    )


def _amounts(settings: Settings, people: People, each: Overview, look: _Look, rows: _Rows) -> list[float]:
    """What the asker spent in each whole step, the oldest first."""
    rule = each.standing.rule
    mine: dict[datetime, list[DayRow]] = defaultdict(list)
    for who, at, row in rows:
        asker = people.asker(look.whose, who)
        if rule.concerns(asker) and judged(rule, asker) == each.asker:
            mine[at].append(row)
    times = [look.start + number * look.step for number in range(look.count)]
    return [metric_of(settings, rule, mine.get(at, [])) or 0 for at in times]
