"""What a member sees first: what came in, what was compacted, and how to begin when nothing has."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from conversations.models import Compaction, Workspace
from conversations.web import queries
from conversations.web.compactions import worst
from conversations.web.conversations import list_rows
from conversations.web.pages import WorkspaceRequest, member_required, render_page

SHOWN = 8
RECENT = timedelta(days=30)


@member_required
@require_GET
def overview(request: WorkspaceRequest) -> HttpResponse:
    """What needs a person: the worst compactions; then the last ones, counts, batches with problems."""
    now = timezone.now()
    compactions = queries.compactions_of(request.workspace).originals()
    conversations = list(queries.conversations_of(request.workspace).order_by("-last_at", "-id")[:SHOWN])
    context = {
        "periods": [
            ("last 7 days", queries.counts_since(request.workspace, now - timedelta(days=7))),
        ],
        "worst": list(_worst(request.workspace, now - RECENT)),
        "compactions": list(compactions.select_related("audit").order_by("-at", "-id")[:SHOWN]),
        "rows": list_rows(conversations),
        "batches": list(queries.batches_with_problems(request.workspace)[:5]),
        "waiting": queries.waiting_batches(request.workspace),
    }
    return render_page(request, "overview/page.html", context, partial="overview/live.html")


def _worst(workspace: Workspace, since: datetime) -> QuerySet[Compaction]:
    """Audited compactions of late that lost something, worst first."""
    rows = worst(queries.compactions_of(workspace).originals(), workspace).filter(at__gte=since, audit__risk__gt=0)
    return rows.order_by("-audit__risk", "-id")[:SHOWN]
