"""Retention of a workspace: how long what is kept, what would go and when, and what is held."""

from copy import copy
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from conversations.models import Agent, Hold, RetentionRule
from conversations.ops import holds
from conversations.ops.retention import Days, Schedule, preview, schedule_of
from conversations.people.activity import record_activity
from conversations.vocabulary import MemberRole
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.privacy_forms import DaysForm, HoldForm, RuleForm

#: Names offered while typing.
_MOST_NAMES = 200
_FORMS = ("days", "rule", "hold")


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def retention_page(request: WorkspaceRequest) -> HttpResponse:
    """The days, the rules of agents, and the holds. Each form says first what it would do, if asked to."""
    forms = _forms(request)
    chosen = request.POST.get("form", "") if request.method == "POST" else ""
    form = forms.get(chosen)
    proposed = None
    if form is not None and form.is_valid():
        if "preview" not in request.POST:
            _save(request, chosen, form)
            return redirect("retention", request.workspace.slug)
        proposed = _proposed(request, chosen, form)
    status = 422 if form is not None and form.errors else 200
    return render_page(request, "privacy/retention.html", _context(request, forms, proposed), status=status)


def _forms(request: WorkspaceRequest) -> dict[str, Any]:
    """All three; what was posted is in the one that was."""
    posted = {name: request.POST if request.POST.get("form") == name else None for name in _FORMS}
    return {
        # A form writes what was typed into its instance, also when it is wrong: so not into the page's own workspace.
        "days": DaysForm(posted["days"], instance=copy(request.workspace), auto_id="days_%s"),
        "rule": RuleForm(posted["rule"], instance=_rule(request), auto_id="rule_%s"),
        "hold": HoldForm(request.workspace, posted["hold"], auto_id="hold_%s"),
    }


def _rule(request: WorkspaceRequest) -> RetentionRule:
    """The one of the agent that was typed; saved again it changes."""
    ours = RetentionRule.objects.filter(workspace=request.workspace)
    typed = request.POST.get("agent_name", "").strip()
    known = ours.filter(agent_name=typed).first() if typed else None
    return known or RetentionRule(workspace=request.workspace)


def _context(request: WorkspaceRequest, forms: dict[str, Any], proposed: Schedule | None) -> dict[str, Any]:
    names = Agent.objects.filter(workspace=request.workspace).order_by("name").values_list("name", flat=True)
    return {
        **{f"{name}_form": form for name, form in forms.items()},
        "rules": list(request.workspace.retention_rules.order_by("agent_name")),
        "holds": holds.holds_in_force(request.workspace),
        "going": preview(request.workspace, proposed or schedule_of(request.workspace)),
        "is_proposed": proposed is not None,
        "agents": list(names.distinct()[:_MOST_NAMES]),
    }


def _proposed(request: WorkspaceRequest, name: str, form: Any) -> Schedule:
    """What would hold if the form were saved."""
    schedule = schedule_of(request.workspace)
    if name == "hold":
        return schedule
    days = Days(form.cleaned_data["raw_days"], form.cleaned_data["conversation_days"])
    if name == "days":
        return replace(schedule, default=days)
    return replace(schedule, agents={**schedule.agents, form.cleaned_data["agent_name"]: days})


def _save(request: WorkspaceRequest, name: str, form: Any) -> None:
    if name == "hold":
        hold = form.hold()
        holds.put_on(hold, request.user)
        _note(request, "hold.made", hold, "The hold is on: nothing that it concerns is deleted.")
        return
    row = form.save()
    _note(request, "retention.changed", row, "It holds from the next run on, within ten minutes.", form.changed_data)


def _note(request: WorkspaceRequest, action: str, row: Any, said: str, changed: list[str] | None = None) -> None:
    detail = {"changed": changed} if changed else {}
    record_activity(workspace=request.workspace, actor=request.user, action=action, target=row, detail=detail)
    messages.success(request, said)


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def delete_rule(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The workspace's own days hold for the agent again."""
    row = get_object_or_404(RetentionRule, workspace=request.workspace, pk=pk)
    _note(request, "retention.rule_deleted", row, f"The workspace's days hold for “{row}” again.")
    row.delete()
    return redirect("retention", request.workspace.slug)


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def release_hold(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """What it was on may be deleted again."""
    row = get_object_or_404(Hold, workspace=request.workspace, pk=pk, released_at=None)
    holds.release(row)
    _note(request, "hold.released", row, "The hold is released.")
    return redirect("retention", request.workspace.slug)
