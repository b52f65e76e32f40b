"""What somebody is told in the app: their notices, newest first, and which are read."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from conversations.models import Notice
from conversations.web.mail_choice import mail_choice_of
from conversations.web.pages import WorkspaceRequest, member_required, render_page
from conversations.web.paging import Order, is_key, page_of

NEWEST = Order("id", descending=True)


@member_required
@require_GET
def notices(request: WorkspaceRequest) -> HttpResponse:
    """All of one's own; `?unread=1`: those that are not read."""
    rows = Notice.objects.filter(workspace=request.workspace, user=request.user)
    unread_only = request.GET.get("unread") == "1"
    if unread_only:
        rows = rows.filter(read_at=None)
    context = {"page": page_of(rows, NEWEST, request.GET), "unread_only": unread_only}
    context["mail"] = mail_choice_of(request)
    return render_page(request, "notices/page.html", context)


@member_required
@require_GET
def open_notice(request: WorkspaceRequest) -> HttpResponse:
    """Note that `?notice=` is read, and show what it is about. That it is a GET makes it a link; twice is as once."""
    key = request.GET.get("notice", "")
    rows = Notice.objects.filter(workspace=request.workspace, user=request.user)
    row = rows.filter(pk=key).first() if is_key(key) else None
    if row is None:
        return redirect("notices", request.workspace.slug)
    rows.filter(pk=row.pk, read_at=None).update(read_at=timezone.now())
    inside = url_has_allowed_host_and_scheme(row.url, allowed_hosts=None)
    return redirect(row.url) if inside else redirect("notices", request.workspace.slug)


@member_required
@require_POST
def read_notices(request: WorkspaceRequest) -> HttpResponse:
    """All of them are read."""
    rows = Notice.objects.filter(workspace=request.workspace, user=request.user, read_at=None)
    rows.update(read_at=timezone.now())
    return redirect("notices", request.workspace.slug)
