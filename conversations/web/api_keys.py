"""API keys of a workspace: make one (shown once), see when each was last used, rotate, revoke. Admins see all keys,
others their own."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from conversations.errors import Refused
from conversations.models import ApiKey
from conversations.people.keys import make_key, revoke_key, rotate_key
from conversations.vocabulary import MemberRole
from conversations.web.forms import ApiKeyForm, RotateForm
from conversations.web.pages import WorkspaceRequest, may, member_required, render_page

_MOST_KEYS = 200


@never_cache
@member_required
@require_http_methods(["GET", "POST"])
def api_keys(request: WorkspaceRequest) -> HttpResponse:
    """The list and the form; a new key stands on the answer to its own POST and nowhere else."""
    form = ApiKeyForm(request.POST or None, role=request.membership.role)
    key = _make(request, form) if request.method == "POST" and form.is_valid() else ""
    return _page(request, ApiKeyForm(role=request.membership.role) if key else form, key=key)


def _make(request: WorkspaceRequest, form: ApiKeyForm) -> str:
    name, scopes = form.cleaned_data["name"], form.cleaned_data["scopes"]
    _, key = make_key(request.membership, name=name, scopes=scopes, expires_at=form.expires_at)
    return key


def _page(request: WorkspaceRequest, form: ApiKeyForm, *, key: str = "", old: ApiKey | None = None) -> HttpResponse:
    rows = _keys(request).order_by("revoked_at", "-created_at", "-id")
    context = {
        "form": form,
        "key": key,
        "old": old,
        "keys": list(rows[:_MOST_KEYS]),
        "rotate_form": RotateForm(),
        "now": timezone.now(),
    }
    return render_page(request, "api_keys/page.html", context, status=422 if form.errors else 200)


def _keys(request: WorkspaceRequest) -> QuerySet[ApiKey]:
    rows = ApiKey.objects.filter(workspace=request.workspace).select_related("created_by", "replaced_by", "workspace")
    return rows if may(request.membership, MemberRole.ADMIN) else rows.filter(created_by=request.user)


@never_cache
@member_required
@require_POST
def rotate(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """A new key beside the old one, which goes on for the hours chosen; shown once, as a new one is."""
    old, form = _key(request, pk), RotateForm(request.POST)
    overlap = form.overlap if form.is_valid() else RotateForm.default
    try:
        _, key = rotate_key(old, by=request.membership, overlap=overlap)
    except Refused as error:
        messages.error(request, error.message)
        return redirect("api_keys", request.workspace.slug)
    old.refresh_from_db()
    return _page(request, ApiKeyForm(role=request.membership.role), key=key, old=old)


@member_required
@require_POST
def revoke(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """From now on the key opens nothing."""
    revoke_key(_key(request, pk), by=request.user)
    return redirect("api_keys", request.workspace.slug)


def _key(request: WorkspaceRequest, pk: int) -> ApiKey:
    """One's own, or for admins any. Raises Http404, PermissionDenied."""
    rows = ApiKey.objects.filter(workspace=request.workspace).select_related("workspace")
    key = get_object_or_404(rows, pk=pk)
    if key.created_by_id != request.user.pk and not may(request.membership, MemberRole.ADMIN):
        raise PermissionDenied("Only an admin of this workspace may change the keys of others.")
    return key
