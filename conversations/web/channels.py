"""Channels of a workspace: make and change them, try them, and send again what was given up."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations.alerts import channel_services
from conversations.alerts.channels.answers import Failed
from conversations.alerts.outbox import replay
from conversations.alerts.services import add_channel
from conversations.models import Channel, Delivery, Rule
from conversations.people.activity import record_activity
from conversations.vocabulary import ChannelKind, DeliveryState, MemberRole
from conversations.web.channel_forms import KINDS, ChannelForm
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.paging import is_key
from conversations.web.time_zones import time_zones

_SHOWN = 50  # deliveries on a channel's page


@member_required
@require_GET
def channels(request: WorkspaceRequest) -> HttpResponse:
    """Each with how it went last."""
    dead = Count("deliveries", filter=Q(deliveries__state=DeliveryState.DEAD))
    rows = Channel.objects.filter(workspace=request.workspace).select_related("escalate_to").annotate(dead=dead)
    context = {"channels": list(rows.order_by("name")), "kinds": _kinds(), "rule": _waiting_rule(request)}
    return render_page(request, "channels/list.html", context)


def _waiting_rule(request: WorkspaceRequest) -> Rule | None:
    """The one whose editor led here, as it has no channel to tell by."""
    key = request.GET.get("rule", "")
    return Rule.objects.filter(workspace=request.workspace, pk=int(key)).first() if is_key(key) else None


@never_cache
@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def new_channel(request: WorkspaceRequest) -> HttpResponse:
    """The form of the kind that `?kind=` names."""
    kind = request.GET.get("kind", "")
    row = Channel(
        workspace=request.workspace,
        created_by=request.user,
        kind=kind if kind in set(ChannelKind) else ChannelKind.APPRISE,
    )
    return _edit(request, row)


@never_cache
@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def channel(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The same form for one that is there, with what it told lately."""
    return _edit(request, get_object_or_404(Channel, workspace=request.workspace, pk=pk))


def _edit(request: WorkspaceRequest, row: Channel) -> HttpResponse:
    rule = _waiting_rule(request)
    form = ChannelForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        _save(request, form, rule)
        if form.new_key:  # stands on the answer to its own POST and nowhere else
            return _page(request, row, ChannelForm(instance=row), key=form.new_key)
        told = f" The rule “{rule.name}” tells by it." if rule else ""
        messages.success(request, f"The channel “{row.name}” is saved.{told}")
        if rule:
            return redirect("rule", request.workspace.slug, rule.pk)
        return redirect("channel", request.workspace.slug, row.pk)
    return _page(request, row, form)


@transaction.atomic
def _save(request: WorkspaceRequest, form: ChannelForm, rule: Rule | None) -> None:
    action = "channel.changed" if form.instance.pk else "channel.created"
    row = form.save()
    detail = {"changed": sorted(form.changed_data)}  # names alone: the address is a secret
    record_activity(workspace=request.workspace, actor=request.user, action=action, target=row, detail=detail)
    if rule:
        add_channel(rule, row, request.user)


def _page(request: WorkspaceRequest, row: Channel, form: ChannelForm, key: str = "") -> HttpResponse:
    told = Delivery.objects.none()
    if row.pk:
        told = Delivery.objects.filter(channel=row, workspace=request.workspace)
    context = {
        "form": form,
        "channel": row,
        "rule": _waiting_rule(request),
        "kinds": _kinds(),
        "key": key,
        "zones": time_zones(),
        "deliveries": list(told.select_related("incident__rule", "incident__budget").order_by("-id")[:_SHOWN]),
        "dead": told.filter(state=DeliveryState.DEAD).count() if row.pk else 0,
    }
    return render_page(request, "channels/page.html", context, status=422 if form.errors else 200)


def _kinds() -> dict[str, str]:
    return {kind.value: label for kind, label in KINDS.items()}


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def try_channel(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Send a test now and say what came of it."""
    row = get_object_or_404(Channel.objects.select_related("workspace"), workspace=request.workspace, pk=pk)
    result = channel_services.try_channel(row, timezone.now())
    record_activity(workspace=request.workspace, actor=request.user, action="channel.tested", target=row)
    if isinstance(result, Failed):
        messages.error(request, f"The test did not arrive. {result.reason}", extra_tags="critical")
    else:
        messages.success(request, "The test was taken. Look whether it is there.")
    return redirect("channel", request.workspace.slug, row.pk)


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def replay_channel(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Send again everything that was given up."""
    row = get_object_or_404(Channel, workspace=request.workspace, pk=pk)
    count = replay(Delivery.objects.filter(channel=row, workspace=request.workspace), timezone.now())
    record_activity(
        workspace=request.workspace, actor=request.user, action="channel.replayed", target=row, detail={"count": count}
    )
    messages.success(request, f"{count} will be sent again, each with the key that it had.")
    return redirect("channel", request.workspace.slug, row.pk)


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def delete_channel(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """With what it was still to tell; rules and budgets that named it name one less."""
    row = get_object_or_404(Channel, workspace=request.workspace, pk=pk)
    record_activity(workspace=request.workspace, actor=request.user, action="channel.deleted", target=row)
    row.delete()
    messages.success(request, f"The channel “{row.name}” is deleted.")
    return redirect("channels", request.workspace.slug)
