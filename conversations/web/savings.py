"""What compaction saved: of the workspace and its agents, and of one conversation, with how it comes about."""

from datetime import date, timedelta

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from conversations.spending.queries import (
    price_table,
    savings_by_agent,
    savings_of_conversation,
    savings_of_workspace,
    steps_in,
)
from conversations.vocabulary import SummaryState
from conversations.web import queries
from conversations.web.conversations import one_of
from conversations.web.pages import WorkspaceRequest, member_required, render_page
from conversations.web.would import beyond, freed_of, steps

#: Days to look back, as the address says it and as people read it.
PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days", "": "all time"}
_DEFAULT = "30"


@member_required
@require_GET
def savings_page(request: WorkspaceRequest) -> HttpResponse:
    """Of the workspace, then by agent; `?days=` 7, 30, 90 or nothing for all time."""
    days = request.GET.get("days", _DEFAULT)
    days = days if days in PERIODS else _DEFAULT
    since = _since(days)
    table = price_table(request.workspace)
    context = {
        "savings": savings_of_workspace(request.workspace, table, since),
        "agents": savings_by_agent(request.workspace, table, since),
        "periods": PERIODS.items(),
        "days": days,
    }
    return render_page(request, "savings/page.html", context)


def _since(days: str) -> date | None:
    return timezone.now().date() - timedelta(days=int(days) - 1) if days else None


@member_required
@require_GET
def conversation_savings(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Of one conversation: by model, by compaction, and the requests that would not have fitted."""
    conversation = one_of(request, pk)
    found = savings_of_conversation(conversation)
    rows = queries.compactions_of(request.workspace).filter(conversation=conversation)
    compactions = list(rows.exclude(summary_state=SummaryState.FAILED).order_by("position", "id"))
    points = queries.points_of(conversation)
    freed = freed_of(points, steps_in(conversation))
    context = {
        "conversation": conversation,
        "saved": found,
        "steps": steps(points, freed, compactions),
        "beyond": beyond(points, freed, found.window),
        "requests": len(points),
    }
    return render_page(request, "savings/conversation.html", context)
