"""Read sums and prices: each a fixed number of queries, however many conversations there are."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import DateField, F, Func, IntegerField, Min, QuerySet, Sum, Value
from django.db.models.functions import Cast

from conversations.models import (
    AgentDay,
    Compaction,
    Conversation,
    ConversationCount,
    ConversationDay,
    ModelPrice,
    Workspace,
)
from conversations.spending.prices import Price, PriceTable
from conversations.spending.published import PUBLISHED
from conversations.spending.savings import Savings, savings_of
from conversations.spending.steps import steps_of
from conversations.spending.tally import NAMES, Step, Sums
from conversations.spending.terms import terms_of
from conversations.vocabulary import SummaryState

DayRow = tuple[str, date, Sums]  # model, day, sums


def price_table(workspace: Workspace | int) -> PriceTable:
    """The workspace's own prices, then the built-in ones. One query."""
    rows = ModelPrice.objects.filter(workspace=workspace)
    return PriceTable((price_of(row) for row in rows), PUBLISHED)


def price_of(row: ModelPrice) -> Price:
    """Without the database."""
    return Price(
        row.pattern, float(row.input_usd), float(row.cache_read_usd), float(row.cache_write_usd), float(row.output_usd),
        row.window, row.since, None if row.cache_write_1h_usd is None else float(row.cache_write_1h_usd), row.tier,
        row.over_tokens,
    )  # fmt: skip


# --- savings ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConversationSavings:
    """Of one conversation. `peak` and `would_peak`: the largest context sent, and that would have been."""

    savings: Savings
    peak: int | None
    would_peak: int | None
    window: int | None  # of the models used, the smallest that can be right; None = not known
    by_model: list[tuple[str, Savings]]


def savings_of_conversation(conversation: Conversation) -> ConversationSavings:
    """Three queries."""
    keys: dict[str, Any] = {"workspace": conversation.workspace_id, "conversation": conversation}
    rows = _rows(ConversationDay.objects.filter(**keys))
    count = ConversationCount.objects.filter(**keys).first()
    prices = price_table(conversation.workspace_id)
    by_model = defaultdict(list)
    for row in rows:
        by_model[terms_of(row[0]).model].append(row)
    return ConversationSavings(
        savings_of(rows, prices),
        count.peak if count else None,
        count.would_peak if count else None,
        _window(conversation, rows, prices, count.peak if count else None),
        [(model, savings_of(mine, prices)) for model, mine in sorted(by_model.items())],
    )


def steps_in(conversation: Conversation) -> list[Step]:
    """Where it was compacted, without what failed, and what is known to have been freed there."""
    rows = Compaction.objects.filter(workspace=conversation.workspace_id, conversation=conversation)
    found = rows.exclude(summary_state=SummaryState.FAILED).order_by("position").values_list("position", "raw")
    return [step for position, raw in found for step in steps_of(position, raw)]


def _window(conversation: Conversation, rows: Iterable[DayRow], prices: PriceTable, peak: int | None) -> int | None:
    """What the conversation itself says, else the price table; a window that was exceeded was another one."""
    found = [price.window for model, day, _ in rows if (price := prices.price(model, day)) and price.window]
    window = conversation.context_window or min(found, default=None)
    return None if window is None or window < (peak or 0) else window


def savings_by_agent(
    workspace: Workspace, prices: PriceTable, since: date | None = None
) -> list[tuple[str, str, Savings]]:
    """(name, version, savings) of each agent, the one that would have sent most first. One query."""
    found = [
        (name or "", version or "", savings_of(rows, prices))
        for (name, version), rows in summed_by(agent_days(workspace, since), prices, "agent__name", "agent__version")
    ]
    return sorted(found, key=lambda each: (-each[2].at_least, each[:2]))


def savings_of_workspace(workspace: Workspace, prices: PriceTable, since: date | None = None) -> Savings:
    """Of all its conversations. One query."""
    return savings_of(summed(agent_days(workspace, since), prices), prices)


def agent_days(workspace: Workspace | int, since: date | None = None) -> QuerySet[AgentDay]:
    """The sums of a workspace's agents, of all time or from a day on."""
    rows = AgentDay.objects.filter(workspace=workspace)
    return rows if since is None else rows.filter(day__gte=since)


def _rows(rows: QuerySet[Any]) -> list[DayRow]:
    return [(model, day, Sums(*sums)) for model, day, *sums in rows.values_list("model", "day", *NAMES)]


def summed(rows: QuerySet[Any], prices: PriceTable) -> list[DayRow]:
    """Added up by Postgres by model and by times in which no price changed: a few rows instead of one a day."""
    return [row for _, found in summed_by(rows, prices) for row in found]


def summed_by(rows: QuerySet[Any], prices: PriceTable, *by: str) -> list[tuple[tuple[Any, ...], list[DayRow]]]:
    """The same for each value of the columns `by`."""
    period = Func(F("day"), Value(prices.changes, ArrayField(DateField())), function="width_bucket")
    totals = rows.order_by().annotate(period=Cast(period, IntegerField())).values(*by, "model", "period")
    names = [f"sum_{name}" for name in NAMES]
    totals = totals.annotate(first=Min("day"), **{f"sum_{name}": Sum(name) for name in NAMES})
    found: dict[tuple[Any, ...], list[DayRow]] = defaultdict(list)
    for row in totals.values_list(*by, "model", "first", *names):
        key, (model, day, *sums) = row[: len(by)], row[len(by) :]
        found[key].append((model, day, Sums(*map(int, sums))))
    return list(found.items())
