"""Sign-in by OpenID Connect, set on a page by owners of the server's first workspace; the environment wins."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from conversations.errors import BadInput
from conversations.models import SignInProvider
from conversations.people import single_sign_on
from conversations.vocabulary import MemberRole
from conversations.web.discovery import discover
from conversations.web.oidc import PROVIDER
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.sign_in_provider_forms import ProviderForm

PAGE = "people/sign_in_provider.html"


@sensitive_post_parameters("secret")
@member_required
@role_required(MemberRole.OWNER)
@require_http_methods(["GET", "POST"])
def sign_in_provider(request: WorkspaceRequest) -> HttpResponse:
    """The form; where the environment sets the provider, or another workspace's owners may, it says so."""
    row, may_set = _row(request), _may_set(request)
    form = ProviderForm(request.POST or None, row=row)
    if request.method == "POST" and may_set and form.is_valid():
        single_sign_on.set_provider(request.workspace, form.cleaned_data, by=request.user)
        messages.success(request, "People can sign in by it from now on.")
        return redirect("sign_in_provider", request.workspace.slug)
    refused = request.method == "POST"
    return _page(request, form, status=(422 if may_set else 403) if refused else 200)


@sensitive_post_parameters("secret")
@member_required
@role_required(MemberRole.OWNER)
@require_POST
def try_sign_in_provider(request: WorkspaceRequest) -> HttpResponse:
    """Ask the provider that is typed what it is; nothing is saved."""
    form = ProviderForm(request.POST, row=_row(request))
    form.is_valid()
    if not _may_set(request):
        return _page(request, form, status=403)
    return _page(request, form, tried=_tried(form))


@member_required
@role_required(MemberRole.OWNER)
@require_POST
def remove_sign_in_provider(request: WorkspaceRequest) -> HttpResponse:
    """Nobody signs in by it any more; who is signed in stays so."""
    if row := _row(request):
        single_sign_on.remove_provider(row, request.user)
        messages.success(request, "Nobody signs in by it any more.")
    return redirect("sign_in_provider", request.workspace.slug)


def _row(request: WorkspaceRequest) -> SignInProvider | None:
    return SignInProvider.objects.select_related("workspace").filter(workspace=request.workspace).first()


def _may_set(request: WorkspaceRequest) -> bool:
    return single_sign_on.environment() is None and single_sign_on.may_set(request.workspace)


def _tried(form: ProviderForm) -> dict[str, Any]:
    """`found` or `error`."""
    for name in form.errors.keys() - {"issuer"}:  # what is not typed yet is not asked for
        del form.errors[name]
    if "issuer" not in form.cleaned_data:
        return {"error": "Type the provider's address first."}
    try:
        return {"found": discover(form.cleaned_data["issuer"])}
    except BadInput as error:
        return {"error": error.message}


def _page(request: WorkspaceRequest, form: ProviderForm, *, status: int = 200, **context: Any) -> HttpResponse:
    back = request.build_absolute_uri(reverse("openid_connect_callback", args=[PROVIDER]))
    context |= {
        "form": form,
        "back": back,
        "environment": single_sign_on.environment(),
        "may_set": _may_set(request),
        "row": _row(request),
    }
    return render_page(request, PAGE, context, status=status)
