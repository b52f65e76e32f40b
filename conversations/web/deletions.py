"""Deletions: of a conversation, of what mentions a person, of the workspace; and how far each is."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations import tasks
from conversations.models import Conversation, Deletion
from conversations.ops import deletion as service
from conversations.ops.holds import Held
from conversations.vocabulary import DeletionState, MemberRole
from conversations.web.pages import WorkspaceRequest, may, member_required, render_page, role_required
from conversations.web.paging import Order, page_of
from conversations.web.privacy_forms import PersonForm, TypedNameForm

NEWEST = Order("id", descending=True)
#: Conversations named on the page of a deletion that waits for a yes.
_MOST_NAMED = 100


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def deletions(request: WorkspaceRequest) -> HttpResponse:
    """The list, and the form that looks for a person."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = service.search_person(request.workspace, form.cleaned_data["texts"], request.user)
        return _begun(request, wanted)
    rows = Deletion.objects.filter(workspace=request.workspace).select_related("requested_by")
    context = {
        "form": form,
        "page": page_of(rows, NEWEST, request.GET),
        "is_owner": may(request.membership, MemberRole.OWNER),
    }
    return render_page(request, "privacy/deletions.html", context, status=422 if form.errors else 200)


def _begun(request: WorkspaceRequest, wanted: Deletion) -> HttpResponse:
    tasks.begin_deletion(wanted)
    return redirect("deletion", request.workspace.slug, wanted.pk)


@member_required
@role_required(MemberRole.ADMIN)
@require_GET
def deletion(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """How far it is; while it is at work, htmx asks again for that part."""
    row = _row(request, pk)
    context: dict[str, Any] = {"deletion": row}
    if row.state == DeletionState.FOUND:
        found = Conversation.objects.filter(workspace=request.workspace, pk__in=row.targets.values("conversation"))
        context |= {"found": list(found.order_by("-last_at", "-id")[:_MOST_NAMED]), "most": _MOST_NAMED}
    return render_page(request, "privacy/deletion.html", context, partial="privacy/deletion_state.html")


def _row(request: WorkspaceRequest, pk: int) -> Deletion:
    rows = Deletion.objects.filter(workspace=request.workspace).select_related("requested_by", "workspace")
    return get_object_or_404(rows, pk=pk)


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def confirm_deletion(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Delete what was found."""
    row = _row(request, pk)
    service.confirm(row, request.user)
    return _begun(request, row)


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def cancel_deletion(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Forget what was looked for; nothing is deleted."""
    service.cancel(_row(request, pk))
    return redirect("deletions", request.workspace.slug)


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def retry_deletion(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Go on with one that failed."""
    row = _row(request, pk)
    service.try_again(row)
    return _begun(request, row)


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def delete_conversation(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """What would go, and the button."""
    row = get_object_or_404(Conversation.objects.select_related("workspace"), workspace=request.workspace, pk=pk)
    refused = None
    if request.method == "POST":
        try:
            return _begun(request, service.delete_conversation(row, request.user))
        except Held as error:
            refused = error
    context = {"conversation": row, "family": service.family(row), "refused": refused}
    return render_page(request, "privacy/delete_conversation.html", context, status=422 if refused else 200)


@member_required
@role_required(MemberRole.OWNER)
@require_http_methods(["GET", "POST"])
def delete_workspace(request: WorkspaceRequest) -> HttpResponse:
    """Everything, once its name was typed."""
    form = TypedNameForm(request.workspace.name, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            wanted = service.delete_workspace(request.workspace, request.user)
        except Held as error:
            form.add_error("name", str(error))
        else:
            tasks.begin_deletion(wanted)
            messages.success(request, f"{request.workspace.name} is being deleted. Its keys open nothing any more.")
            return redirect("home")
    return render_page(request, "privacy/delete_workspace.html", {"form": form}, status=422 if form.errors else 200)
