"""The digest of a week: what did harm, how far reviews came, how far people agree."""

from datetime import UTC, date
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from conversations.review.digest import WEEK, digest_of, monday_of
from conversations.web.pages import WorkspaceRequest, member_required, render_page


@member_required
@require_GET
def weekly_digest(request: WorkspaceRequest, year: int | None = None, week: int | None = None) -> HttpResponse:
    """Of this week, or of the ISO week in the address, which stays the same for ever."""
    today = timezone.now().astimezone(UTC).date()
    monday = monday_of(today) if year is None or week is None else _monday(year, week)
    if monday > today:
        raise Http404("That week is yet to come.")
    following = monday + WEEK
    query = {"order": "worst", "found": "harm"}
    context = {
        "digest": digest_of(request.workspace, monday, request.user.pk),
        "is_going_on": following > today,
        "week": _name(monday),
        "previous": _address(request, monday - WEEK),
        "next": _address(request, following) if following <= today else "",
        "permalink": _address(request, monday),
        "all_harm": f"{reverse('compactions', args=[request.workspace.slug])}?{urlencode(query)}",
    }
    return render_page(request, "review/digest.html", context)


def _monday(year: int, week: int) -> date:
    try:
        return date.fromisocalendar(year, week, 1)
    except ValueError:
        raise Http404("No such week.") from None


def _name(monday: date) -> str:
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def _address(request: WorkspaceRequest, monday: date) -> str:
    year, week, _ = monday.isocalendar()
    return reverse("digest_of_week", args=[request.workspace.slug, year, week])
