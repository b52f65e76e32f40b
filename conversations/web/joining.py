"""The page of an invitation: join with the account one has, or make one."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from conversations.errors import Refused
from conversations.models import Invitation, User
from conversations.people.invitations import accept, invitation_of, is_open
from conversations.vocabulary import SignInWay
from conversations.web import throttle
from conversations.web.forms import JoinForm
from conversations.web.pages import render_page
from conversations.web.signing_in import enter

#: What wrong links are counted under: anybody's guesses from one place, whichever link they are for.
_GUESSES = "an invitation"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows who invites whom to what, and POST accepts: scanners in mail programs follow links."""
    invitation = _find(request, token)
    if invitation is None or not is_open(invitation):
        return render_page(request, "people/join_closed.html", {}, status=410)
    if request.user.is_authenticated:
        return _join_as_one_is(request, invitation)
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (user := _join_anew(invitation, form)):
        enter(request, user, SignInWay.INVITATION)
        return redirect(invitation.workspace)
    context = {"invitation": invitation, "form": form}
    return render_page(request, "people/join.html", context, status=422 if form.errors else 200)


def _find(request: HttpRequest, token: str) -> Invitation | None:
    if throttle.too_many_failures(request, _GUESSES):
        return None
    invitation = invitation_of(token)
    if invitation is None:
        throttle.count_failure(request, _GUESSES)
    return invitation


def _join_as_one_is(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 -- is_authenticated; narrows the type
    if request.method == "GET":
        return render_page(request, "people/join.html", {"invitation": invitation})
    try:
        accept(invitation, request.user)
    except Refused:
        return render_page(request, "people/join_closed.html", {}, status=410)
    messages.success(request, f"You are in {invitation.workspace}.")
    return redirect(invitation.workspace)


def _join_anew(invitation: Invitation, form: JoinForm) -> User | None:
    """The new person; None where somebody else was faster with the link, which the form then says."""
    try:
        with transaction.atomic():
            fields = form.cleaned_data
            user = User.objects.create_user(fields["email"], fields["password"], name=fields["name"])
            accept(invitation, user)
    except Refused as error:
        form.add_error(None, error.message)
        return None
    return user
