"""Workspaces: make another, change its name."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from conversations.errors import BadInput
from conversations.models import User, Workspace
from conversations.people.activity import record_activity
from conversations.people.members import create_workspace
from conversations.vocabulary import MemberRole
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.people_forms import WorkspaceForm


@login_required
@require_http_methods(["GET", "POST"])
def new_workspace(request: HttpRequest) -> HttpResponse:
    """An empty one, owned by whoever makes it."""
    form = WorkspaceForm(request.POST or None)
    workspace = _create(request, form) if request.method == "POST" and form.is_valid() else None
    if workspace:
        return redirect("connect", workspace.slug)
    return render_page(request, "people/new_workspace.html", {"form": form}, status=422 if form.errors else 200)


def _create(request: HttpRequest, form: WorkspaceForm) -> Workspace | None:
    assert isinstance(request.user, User)  # noqa: S101 -- login_required; narrows the type
    try:
        return create_workspace(name=form.cleaned_data["name"], owner=request.user)
    except BadInput as error:
        form.add_error("name", error.message)
        return None


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def workspace_settings(request: WorkspaceRequest) -> HttpResponse:
    """Its name; its address stays, so that links to it do."""
    workspace = request.workspace
    form = WorkspaceForm(request.POST or None, initial={"name": workspace.name})
    if request.method == "POST" and form.is_valid():
        _rename(request, form.cleaned_data["name"])
        return redirect("workspace_settings", workspace.slug)
    return render_page(request, "people/workspace.html", {"form": form}, status=422 if form.errors else 200)


def _rename(request: WorkspaceRequest, name: str) -> None:
    workspace, before = request.workspace, request.workspace.name
    if name == before:
        return
    workspace.name = name
    workspace.save(update_fields=["name"])
    detail = {"name": [before, name]}
    record_activity(
        workspace=workspace, actor=request.user, action="workspace.renamed", target=workspace, detail=detail
    )
    messages.success(request, f"The workspace is called {name} now.")
