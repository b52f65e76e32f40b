"""Budgets of a workspace: how each stands, and make, change and delete them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations.models import Agent, Budget, Workspace
from conversations.spending.budget_overview import budget_overview
from conversations.vocabulary import BudgetAction, MemberRole
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.spending_forms import BudgetForm

#: Names offered while typing.
_MOST_NAMES = 200


@member_required
@require_GET
def budget_list(request: WorkspaceRequest) -> HttpResponse:
    """Each with a bar for whoever has used most of it."""
    budgets = list(Budget.objects.filter(workspace=request.workspace).order_by("name"))
    return render_page(
        request, "budgets/list.html", {"overviews": budget_overview(request.workspace, budgets, timezone.now())}
    )


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def new_budget(request: WorkspaceRequest) -> HttpResponse:
    """The form; what a budget counts and asks."""
    row = Budget(workspace=request.workspace, created_by=request.user, action=BudgetAction.WRAP_UP)
    return _edit(request, row)


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def budget(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The same form for one that is there."""
    return _edit(request, get_object_or_404(Budget, workspace=request.workspace, pk=pk))


def _edit(request: WorkspaceRequest, row: Budget) -> HttpResponse:
    form = BudgetForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"The budget “{row.name}” is in force.")
        return redirect("budgets", request.workspace.slug)
    context = {"form": form, "budget": row, "agents": _agent_names(request.workspace)}
    return render_page(request, "budgets/edit.html", context, status=422 if form.errors else 200)


def _agent_names(workspace: Workspace) -> list[str]:
    names = Agent.objects.filter(workspace=workspace).order_by("name").values_list("name", flat=True)
    return list(names.distinct()[:_MOST_NAMES])


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def delete_budget(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Nothing is asked of agents for it any more."""
    row = get_object_or_404(Budget, workspace=request.workspace, pk=pk)
    row.delete()
    messages.success(request, f"The budget “{row.name}” is deleted.")
    return redirect("budgets", request.workspace.slug)
