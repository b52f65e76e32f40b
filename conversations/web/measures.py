"""What reviews amount to: how far people agree, and how often the auditor is right."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from conversations import tasks
from conversations.models import Queue
from conversations.review.measures import agreement_of
from conversations.review.report_card import report_card
from conversations.review.teaching import set_wish
from conversations.vocabulary import MemberRole
from conversations.web.learning import learned_ranking
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.paging import is_key

#: Periods of the report card: value of `?since=`, name, days.
PERIODS = (("30d", "last 30 days", 30), ("90d", "last 90 days", 90), ("", "all time", None))


@member_required
@require_GET
def agreement(request: WorkspaceRequest) -> HttpResponse:
    """Of all queues together, or of `?queue=`."""
    queues = Queue.objects.filter(workspace=request.workspace)
    wanted = request.GET.get("queue", "")
    queue = get_object_or_404(queues, pk=int(wanted)) if is_key(wanted) else None
    context = {
        "queues": list(queues.order_by("name").only("name")[:200]),
        "queue": queue,
        "agreement": agreement_of(request.workspace, queue),
    }
    return render_page(request, "review/agreement.html", context, partial="review/agreement_part.html")


@member_required
@require_GET
def auditor_report_card(request: WorkspaceRequest) -> HttpResponse:
    """By what people said of its findings in a period."""
    period = request.GET.get("since", "")
    days = next((days for value, _, days in PERIODS if value == period), None)
    since = timezone.now() - timedelta(days=days) if days else None
    context = {
        "periods": PERIODS,
        "period": period,
        "card": report_card(request.workspace, since),
        "learned": learned_ranking(request.workspace),
    }
    return render_page(request, "review/report_card.html", context, partial="review/report_card_part.html")


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def ranking_wish(request: WorkspaceRequest) -> HttpResponse:
    """`learns=1`, or nothing for the ranking as it is shipped."""
    learns = request.POST.get("learns") == "1"
    if set_wish(request.workspace, request.user, learns=learns):
        tasks.teach_later(request.workspace)
        said = "The ranking learns from verdicts here." if learns else "The ranking is as it is shipped from now on."
        messages.success(request, f"{said} What is stored follows in the background.")
    return redirect("workspace_settings", request.workspace.slug)
