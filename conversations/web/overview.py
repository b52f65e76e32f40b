"""What a member sees first: what came in, what was compacted, and how to begin when nothing has."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from conversations.models import Compaction
from conversations.review.veiling import unveiled
from conversations.web import queries
from conversations.web.compactions import worst
from conversations.web.pages import WorkspaceRequest, member_required, render_page
from conversations.web.rows import compaction_rows, conversation_rows

SHOWN = 8
RECENT = timedelta(days=30)


@member_required
@require_GET
def overview(request: WorkspaceRequest) -> HttpResponse:
    """What needs a person: the worst compactions; then the last ones, counts, batches with problems."""
    now, workspace = timezone.now(), request.workspace
    conversations = list(queries.listed_conversations(workspace).order_by("-last_at", "-id")[:SHOWN])
    compactions = queries.listed_compactions(workspace).order_by("-at", "-id")[:SHOWN]
    context = {
        "periods": [("last 7 days", queries.counts_since(workspace, now - timedelta(days=7)))],
        "worst": compaction_rows(_worst(request, now - RECENT), workspace),
        "compactions": compaction_rows(compactions, workspace, request.veil),
        "rows": conversation_rows(conversations, workspace, request.veil),
        "batches": list(queries.batches_with_problems(workspace)[:5]),
        "waiting": queries.waiting_batches(workspace),
    }
    return render_page(request, "overview/page.html", context, partial="overview/live.html")


def _worst(request: WorkspaceRequest, since: datetime) -> QuerySet[Compaction]:
    """Audited compactions of late that lost something, worst first."""
    rows = worst(queries.listed_compactions(request.workspace), request.workspace)
    late = unveiled(rows.filter(at__gte=since, audit__risk__gt=0), request.veil)
    return late.order_by("-audit__risk", "-id")[:SHOWN]
