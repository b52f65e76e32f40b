"""API keys of a workspace: make one (shown once), see when each was last used, revoke."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from conversations.ingest.keys import create_api_key, revoke_api_key
from conversations.models import ApiKey
from conversations.vocabulary import MemberRole
from conversations.web.forms import ApiKeyForm
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required


@never_cache
@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def api_keys(request: WorkspaceRequest) -> HttpResponse:
    """The list and the form; a new key stands on the answer to its own POST and nowhere else."""
    form = ApiKeyForm(request.POST or None)
    key = _create(request, form) if request.method == "POST" and form.is_valid() else ""
    rows = ApiKey.objects.filter(workspace=request.workspace).select_related("created_by")
    context = {
        "form": ApiKeyForm() if key else form,
        "key": key,
        "keys": list(rows.order_by("revoked_at", "-created_at", "-id")[:200]),
    }
    return render_page(request, "api_keys/page.html", context, status=422 if form.errors else 200)


def _create(request: WorkspaceRequest, form: ApiKeyForm) -> str:
    _, key = create_api_key(
        workspace=request.workspace,
        name=form.cleaned_data["name"],
        scopes=form.cleaned_data["scopes"],
        created_by=request.user,
    )
    return key


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def revoke(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """From now on the key opens nothing."""
    revoke_api_key(get_object_or_404(ApiKey, workspace=request.workspace, pk=pk))
    return redirect("api_keys", request.workspace.slug)
