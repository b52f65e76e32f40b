"""What happened to budgets: what agents reported, what the server saw, and how much came after."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from conversations.models import Budget, BudgetEvent, Conversation, Request
from conversations.spending.budgets import Asker, Standing
from conversations.spending.reports import Reported
from conversations.vocabulary import BudgetEventKind

_HUNDRED = 100
#: Larger numbers do not fit their column, and are no number of tokens.
_MOST = 10**18


def save_reports(reports: Sequence[Reported]) -> None:
    """Once each, however often they come. Two queries, none where there are none."""
    if not reports:
        return
    wanted = {report.budget_id for report in reports if report.budget_id is not None}
    names = {
        (w, pk): name for w, pk, name in Budget.objects.filter(pk__in=wanted).values_list("workspace", "id", "name")
    }
    BudgetEvent.objects.bulk_create([_row(report, names) for report in reports], ignore_conflicts=True)


def _row(report: Reported, names: dict[tuple[int, int], str]) -> BudgetEvent:
    """A budget of another workspace is none; a known one is called as it is called here."""
    name = names.get((report.workspace_id, report.budget_id or 0))
    return BudgetEvent(
        workspace_id=report.workspace_id,
        budget_id=None if name is None else report.budget_id,
        budget_name=name or report.budget_name,
        kind=report.kind,
        at=report.at,
        used=_decimal(report.used),
        limit=_decimal(report.limit),
        message=report.message,
        external_id=report.external_id,
        **_names(report.asker),
    )


def seen(workspace_id: int, standing: Standing, asker: Asker, at: datetime) -> list[BudgetEvent]:
    """Rows of all shares that a budget has reached, not saved; saving them twice makes one of each."""
    levels = [percent for percent in (*standing.rule.warn_percents, _HUNDRED) if percent <= standing.level]
    return [
        BudgetEvent(
            workspace_id=workspace_id,
            budget_id=standing.rule.id,
            budget_name=standing.rule.name,
            kind=BudgetEventKind.REACHED if percent == _HUNDRED else BudgetEventKind.WARNED,
            at=at,
            used=_decimal(standing.used),
            limit=_decimal(standing.limit),
            percent=percent,
            window_start=standing.window.start if standing.rule.every.is_calendar else None,
            **_names(asker),
        )
        for percent in levels
    ]


def _names(asker: Asker) -> dict[str, str]:
    return {"agent_name": asker.agent, "agent_version": asker.version, "conversation_name": asker.conversation}


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None or not abs(value) < _MOST else Decimal(str(round(value, 4)))


# --- what came after --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Happened:
    """An event on a conversation's timeline, and what the conversation sent after it."""

    event: BudgetEvent
    requests: int
    tokens: int


_TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")


def happened_in(conversation: Conversation) -> list[Happened]:
    """What happened to budgets in a conversation, in order. One query; a second one where anything did."""
    rows = BudgetEvent.objects.filter(
        workspace=conversation.workspace_id, conversation_name=conversation.external_id
    ).select_related("budget")
    events = list(rows.order_by("at", "percent", "id"))
    if not events:
        return []
    after = _after(conversation, [event.at for event in events])
    return [Happened(event, *found) for event, found in zip(events, after, strict=True)]


def _after(conversation: Conversation, times: Iterable[datetime]) -> list[tuple[int, int]]:
    """Requests and their tokens after each of the times."""
    tokens = sum((Coalesce(name, 0) for name in _TOKENS[1:]), start=Coalesce(_TOKENS[0], 0))
    wanted: dict[str, Count | Sum] = {}
    for number, at in enumerate(times):
        wanted |= {f"n{number}": Count("id", filter=Q(at__gt=at)), f"t{number}": Sum(tokens, filter=Q(at__gt=at))}
    rows = Request.objects.filter(workspace=conversation.workspace_id, conversation=conversation)
    found = rows.aggregate(**wanted)
    return [(found[f"n{number}"], found[f"t{number}"] or 0) for number in range(len(wanted) // 2)]
