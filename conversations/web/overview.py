"""What a member sees first: what came in, what was compacted, and how to begin when nothing has."""

from datetime import timedelta

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from conversations.web import queries
from conversations.web.conversations import list_row
from conversations.web.pages import WorkspaceRequest, member_required, render_page

SHOWN = 8


@member_required
@require_GET
def overview(request: WorkspaceRequest) -> HttpResponse:
    """Counts, last compactions, last conversations, batches with problems."""
    now = timezone.now()
    conversations = list(queries.conversations_of(request.workspace).order_by("-last_at", "-id")[:SHOWN])
    context = {
        "periods": [
            ("last 24 hours", queries.counts_since(request.workspace, now - timedelta(hours=24))),
            ("last 7 days", queries.counts_since(request.workspace, now - timedelta(days=7))),
        ],
        "compactions": list(queries.compactions_of(request.workspace).order_by("-at", "-id")[:SHOWN]),
        "rows": [list_row(conversation) for conversation in conversations],
        "batches": list(queries.batches_with_problems(request.workspace)[:5]),
        "waiting": queries.waiting_batches(request.workspace),
    }
    return render_page(request, "overview/page.html", context, partial="overview/live.html")
