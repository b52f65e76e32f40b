"""Silences of a workspace: those in force and to come, a form for another, and ending one."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from conversations.alerts.silences import current_silences, schedule_of
from conversations.models import Silence
from conversations.people.activity import record_activity
from conversations.vocabulary import MemberRole
from conversations.web.pages import WorkspaceRequest, may, member_required, render_page, role_required
from conversations.web.silence_forms import DAYS, SilenceForm
from conversations.web.time_zones import time_zones

_SHOWN = 200


@member_required
@require_http_methods(["GET", "POST"])
def silences(request: WorkspaceRequest) -> HttpResponse:
    """The list, and for those who may the form."""
    may_silence = may(request.membership, MemberRole.REVIEWER)
    if request.method == "POST" and not may_silence:
        raise PermissionDenied("Only a reviewer of this workspace may do this.")
    now = timezone.now()
    row = Silence(workspace=request.workspace, created_by=request.user)
    asked = {name: request.GET[name] for name in ("rule", "budget", "group") if request.GET.get(name)}
    form = SilenceForm(request.POST or None, instance=row, now=now, initial=asked)
    if request.method == "POST" and form.is_valid():
        form.save()
        record_activity(workspace=request.workspace, actor=request.user, action="silence.created", target=row)
        messages.success(request, "The silence holds.")
        return redirect("silences", request.workspace.slug)
    rows = current_silences(request.workspace, now).select_related("rule", "budget", "created_by")
    listed = [
        (each, [DAYS[day] for day in sorted(each.weekdays)], schedule_of(each).silent_until(now))
        for each in rows.order_by("starts_at", "id")[:_SHOWN]
    ]
    context = {"form": form, "silences": listed, "may_silence": may_silence, "zones": time_zones(), "now": now}
    return render_page(request, "alerts/silences.html", context, status=422 if form.errors else 200)


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def end_silence(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """What is still open is told within minutes."""
    row = get_object_or_404(Silence, workspace=request.workspace, pk=pk)
    now = timezone.now()
    row.ends_at = max(now, row.starts_at)
    row.save(update_fields=["ends_at"])
    record_activity(workspace=request.workspace, actor=request.user, action="silence.ended", target=row)
    messages.success(request, "The silence is over. What is still open will be told.")
    return redirect("silences", request.workspace.slug)
