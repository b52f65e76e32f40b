"""Prices of models: the workspace's own with their history, and those that are built in."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from conversations.models import ModelPrice
from conversations.people.activity import record_activity
from conversations.spending.published import SOURCE, STANDARD, TAKEN_ON
from conversations.spending.queries import price_table, savings_of_workspace
from conversations.vocabulary import MemberRole
from conversations.web.pages import WorkspaceRequest, may, member_required, render_page, role_required
from conversations.web.spending_forms import PriceForm


@member_required
@require_http_methods(["GET", "POST"])
def prices(request: WorkspaceRequest) -> HttpResponse:
    """All prices, and for admins the form for another; models that were used and have none are named."""
    if request.method == "POST" and not may(request.membership, MemberRole.ADMIN):
        raise PermissionDenied("Only an admin of this workspace may do this.")
    row = ModelPrice(workspace=request.workspace, created_by=request.user)
    form = PriceForm(request.POST or None, instance=row, initial=_copied(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        detail = {"input": str(row.input_usd), "output": str(row.output_usd)}
        record_activity(workspace=request.workspace, actor=request.user, action="price.set", target=row, detail=detail)
        messages.success(request, f"The price of {row.pattern} holds.")
        return redirect("prices", request.workspace.slug)
    rows = ModelPrice.objects.filter(workspace=request.workspace).select_related("created_by")
    context = {
        "form": form,
        "prices": list(rows.order_by("pattern", "tier", "over_tokens", "-since")),
        "built_in": STANDARD,
        "source": SOURCE,
        "taken_on": TAKEN_ON,
        "unpriced": savings_of_workspace(request.workspace, price_table(request.workspace)).unpriced,
    }
    return render_page(request, "prices/page.html", context, status=422 if form.errors else 200)


def _copied(request: WorkspaceRequest) -> dict[str, Any]:
    """A price that changed is a new row: with the values of the one it follows, from today on."""
    asked = request.GET.get("copy", "")
    if not asked.isascii() or not asked.isdigit():
        return {}
    row = get_object_or_404(ModelPrice, workspace=request.workspace, pk=asked)
    values = {name: getattr(row, name) for name in PriceForm.Meta.fields}
    shown = {name: f"{value.normalize():f}" if isinstance(value, Decimal) else value for name, value in values.items()}
    return {**shown, "since": timezone.now().date()}


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def delete_price(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """For one that was entered by mistake: costs are as if it had never been."""
    row = get_object_or_404(ModelPrice, workspace=request.workspace, pk=pk)
    record_activity(workspace=request.workspace, actor=request.user, action="price.deleted", target=row)
    row.delete()
    messages.success(request, f"The price of {row.pattern} is deleted.")
    return redirect("prices", request.workspace.slug)
