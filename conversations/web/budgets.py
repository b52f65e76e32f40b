"""Budgets of a workspace: how each stands and stood, what it would have done, and make, change and delete them."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations.models import Agent, Budget, BudgetOverride, Channel, Conversation, Workspace
from conversations.people.activity import record_activity
from conversations.spending.budget_overview import budget_overview, judges_agents, judges_conversations, people_of
from conversations.spending.budget_pace import forecasts
from conversations.spending.budget_past import past_of
from conversations.spending.budget_settings import Settings, override_of, read_settings, rule_of
from conversations.spending.messages import VARIABLES
from conversations.spending.replay import replay
from conversations.spending.tagging import known_tags
from conversations.spending.windows import DAY, midnight
from conversations.vocabulary import BudgetAction, BudgetPeriod, MemberRole
from conversations.web.budget_figures import Shown, history, shown
from conversations.web.budget_forms import BudgetForm, OverrideForm
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required

#: Names offered while typing.
_MOST_NAMES = 200
#: Days that the preview looks back on.
PREVIEW_DAYS = 30
#: Windows of the history, by period: how far back.
_BACK = {
    BudgetPeriod.HOUR: timedelta(days=2),
    BudgetPeriod.DAY: timedelta(days=30),
    BudgetPeriod.WEEK: timedelta(weeks=12),
    BudgetPeriod.MONTH: timedelta(days=366),
}
_MOST_EVENTS = 50


@member_required
@require_GET
def budget_list(request: WorkspaceRequest) -> HttpResponse:
    """Each with a bar for whoever has used most of it, how fast that goes on, and when it will be used up."""
    now = timezone.now()
    settings = read_settings(request.workspace.pk)
    people = people_of(request.workspace, with_conversations=judges_conversations(settings.rules))
    rules = sorted(settings.rules, key=lambda rule: rule.name)
    overviews = budget_overview(settings, people, now, rules) if rules else []
    ends = forecasts(settings, people, overviews, now)
    rows = [(each, ends[each.standing.rule.id]) for each in overviews]
    return render_page(request, "budgets/list.html", {"rows": rows, "now": now})


@member_required
@require_GET
def budget(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One: how it stands, its windows that are past, what happened, and who may spend more for a while."""
    return _page(request, _one_of(request, pk), OverrideForm())


def _one_of(request: WorkspaceRequest, pk: int) -> Budget:
    """With the names of the channels that are told, which is no query of its own."""
    told = Channel.objects.filter(budgets=OuterRef("pk")).order_by("name").values("name")
    return get_object_or_404(Budget.objects.annotate(told=ArraySubquery(told)), workspace=request.workspace, pk=pk)


def _page(request: WorkspaceRequest, row: Budget, form: OverrideForm) -> HttpResponse:
    now = timezone.now()
    rule = rule_of(row)
    overrides = list(row.overrides.select_related("created_by").order_by("-created_at", "-id"))
    settings = Settings(request.workspace.pk, 0, [rule], {rule.id: [override_of(each) for each in overrides]})
    judges = {"with_conversations": judges_conversations([rule]), "with_agents": judges_agents([rule])}
    people = people_of(request.workspace, **judges)
    [overview] = budget_overview(settings, people, now, [rule])
    since = _since(now, _BACK.get(rule.every.period, PREVIEW_DAYS * DAY))
    past = past_of(request.workspace, settings, people, rule, since, now)
    found = replay(rule, past.spendings, past.bases)
    by_share = max(found, key=lambda each: each.share, default=None)
    who = overview.asker if overview.standing.used or by_share is None else by_share.asker
    context = {
        "budget": row,
        "rule": rule,
        "overview": overview,
        "forecast": forecasts(settings, people, [overview], now)[rule.id],
        "shown": shown(rule, found, past, since),
        "history": history(rule, found, who, since, now),
        "events": row.events.order_by("-at", "-percent", "-id")[:_MOST_EVENTS],
        "overrides": overrides[:_MOST_EVENTS],
        "tags": sorted({tag for each in people.conversations.values() for tag in each.tags}),
        "form": form,
        "now": now,
    }
    return render_page(request, "budgets/page.html", context, status=422 if form.errors else 200)


def _since(now: datetime, back: timedelta) -> datetime:
    """The beginning of a UTC day: sums of whole days go until there."""
    return midnight((now - back).date())


# --- make and change --------------------------------------------------------------------------------------------------


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def new_budget(request: WorkspaceRequest) -> HttpResponse:
    """The form; what a budget counts and asks, and what it would have done."""
    row = Budget(workspace=request.workspace, created_by=request.user, action=BudgetAction.WRAP_UP)
    return _edit(request, row)


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def edit_budget(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The same form for one that is there."""
    return _edit(request, get_object_or_404(Budget, workspace=request.workspace, pk=pk))


def _edit(request: WorkspaceRequest, row: Budget) -> HttpResponse:
    """Filled in by a POST, which saves; or by the address, which is the preview's."""
    is_new = row.pk is None
    if request.method == "POST":
        form = BudgetForm(request.POST, instance=row)
        if form.is_valid():
            saved = form.save_with_channels()
            _note(request, saved, "budget.made" if is_new else "budget.changed", changed=form.changed_data)
            messages.success(request, f"The budget “{saved.name}” is in force.")
            return redirect("budget", request.workspace.slug, saved.pk)
    else:
        form = BudgetForm(request.GET, instance=row) if "metric" in request.GET else BudgetForm(instance=row)
    context = {
        "form": form,
        "budget": row,
        "title": "" if is_new else Budget.objects.values_list("name", flat=True).get(pk=row.pk),
        "shown": _preview(request, form, row),
        "days": PREVIEW_DAYS,
        "variables": VARIABLES.items(),
        **_names(request.workspace),
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "budgets/edit.html", context, partial="budgets/preview.html", status=status)


def _preview(request: WorkspaceRequest, form: BudgetForm, row: Budget) -> Shown | None:
    """What it would have done in the last days; None while the form is not whole. By the very functions that judge."""
    if form.errors if form.is_bound else row.limit is None:
        return None
    now = timezone.now()
    since = _since(now, PREVIEW_DAYS * DAY)
    rule = rule_of(row)
    settings = Settings(request.workspace.pk, 0, [rule], {})
    people = people_of(request.workspace, with_conversations=False)
    past = past_of(request.workspace, settings, people, rule, since, now)
    return shown(rule, replay(rule, past.spendings, past.bases), past, since)


def _names(workspace: Workspace) -> dict[str, list[str]]:
    """Offered while typing."""
    agents = list(Agent.objects.filter(workspace=workspace).order_by("name", "version")[:_MOST_NAMES])
    recent = Conversation.objects.filter(workspace=workspace).order_by("-last_at", "-id")
    return {
        "agents": sorted({agent.name for agent in agents if agent.name}),
        "versions": sorted({agent.version for agent in agents if agent.version}),
        "tags": known_tags(workspace),
        "conversations": list(dict.fromkeys(recent.values_list("external_id", flat=True)[:_MOST_NAMES])),
    }


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def delete_budget(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Nothing is asked of agents for it any more."""
    row = get_object_or_404(Budget, workspace=request.workspace, pk=pk)
    _note(request, row, "budget.deleted")
    row.delete()
    messages.success(request, f"The budget “{row.name}” is deleted.")
    return redirect("budgets", request.workspace.slug)


# --- who may spend more for a while -----------------------------------------------------------------------------------


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def override_budget(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Another limit, until it expires, for a reason; the form stands on the budget's page."""
    row = _one_of(request, pk)
    override = BudgetOverride(workspace=request.workspace, budget=row, created_by=request.user)
    form = OverrideForm(request.POST if request.method == "POST" else None, instance=override)
    if not form.is_valid():
        return _page(request, row, form)
    form.save()
    detail = {"limit": float(override.limit), "expires_at": override.expires_at.isoformat(), "reason": override.reason}
    _note(request, row, "budget.overridden", **detail)
    messages.success(request, "The other limit holds from now on.")
    return redirect("budget", request.workspace.slug, row.pk)


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def end_override(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The budget's own limit holds again."""
    override = get_object_or_404(BudgetOverride.objects.select_related("budget"), workspace=request.workspace, pk=pk)
    if override.ended_at is None:
        override.ended_at = timezone.now()
        override.save(update_fields=["ended_at"])
        _note(request, override.budget, "budget.override_ended", limit=float(override.limit))
    messages.success(request, "The budget’s own limit holds again.")
    return redirect("budget", request.workspace.slug, override.budget_id)


def _note(request: WorkspaceRequest, row: Budget, action: str, **detail: Any) -> None:
    record_activity(workspace=request.workspace, actor=request.user, action=action, target=row, detail=detail)
