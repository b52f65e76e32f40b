"""One's own data: name, address, time zone; where one is signed in; the second factor."""

from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from conversations.errors import Refused
from conversations.models import User
from conversations.people import second_factor as factor
from conversations.people.activity import record_of_person
from conversations.people.sessions import end_session, end_sessions, sessions_of
from conversations.web import throttle
from conversations.web.account_forms import AccountForm, CodeForm
from conversations.web.pages import render_page
from conversations.web.signing_in import address_of

#: Where the session keeps the secret that is offered, until its first code was typed.
_OFFERED = "offered_second_factor"


def person(request: HttpRequest) -> User:
    """Whose pages these are; below `login_required`."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 -- login_required; narrows the type
    return user


@never_cache
@login_required
@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The form, and where one is signed in."""
    user = person(request)
    form = AccountForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        if changed := form.save():
            record_of_person(user, "person.changed", detail={"fields": ", ".join(changed)}, address=address_of(request))
        messages.success(request, "Saved.")
        return redirect("account")
    context = {
        "form": form,
        "sessions": sessions_of(user, request.session.session_key),
        "has_factor": factor.has_second_factor(user),
        "has_password": user.has_usable_password(),
    }
    return render_page(request, "accounts/account.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Sign out elsewhere: in the one browser that `ref` names, or in all others."""
    user, ref = person(request), request.POST.get("ref", "")
    ended = end_session(user, ref) if ref else end_sessions(user, but=request.session.session_key)
    if ended:
        record_of_person(user, "person.session_ended", detail={"sessions": int(ended)}, address=address_of(request))
    messages.success(request, "Signed out there." if ended else "There was no such session any more.")
    return redirect("account")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Offers a secret, and turns it on with the first code of it; what is on can be turned off."""
    user = person(request)
    if factor.has_second_factor(user):
        return _on_page(request, CodeForm())
    secret = request.session.setdefault(_OFFERED, factor.new_secret())
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (codes := _turn_on(request, user, secret, form)):
        del request.session[_OFFERED]
        return _on_page(request, CodeForm(), codes=codes)
    address = factor.address_for_app(user, secret)
    picture = segno.make(address, micro=False).svg_data_uri(scale=4, border=4, light="white")
    context = {"form": form, "secret": secret, "picture": picture, "is_on": False}
    return render_page(request, "accounts/second_factor.html", context, status=422 if form.errors else 200)


def _turn_on(request: HttpRequest, user: User, secret: str, form: CodeForm) -> list[str]:
    try:
        codes = factor.turn_on(user, secret, form.cleaned_data["code"])
    except Refused as error:
        form.add_error("code", error.message)
        return []
    record_of_person(user, "person.second_factor_on", address=address_of(request))
    return codes


@never_cache
@login_required
@require_POST
def second_factor_off(request: HttpRequest) -> HttpResponse:
    """Only with a code: who finds a browser open must not take the lock away."""
    user, form = person(request), CodeForm(request.POST)
    if not (form.is_valid() and is_right_code(user, form)):
        return _on_page(request, form)
    factor.turn_off(user)
    record_of_person(user, "person.second_factor_off", address=address_of(request))
    messages.success(request, "The second factor is off.")
    return redirect("account")


@never_cache
@login_required
@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Ten new ones, shown once; the old ones end."""
    user, form = person(request), CodeForm(request.POST)
    if not (form.is_valid() and is_right_code(user, form)):
        return _on_page(request, form)
    record_of_person(user, "person.recovery_codes_renewed", address=address_of(request))
    return _on_page(request, CodeForm(), codes=factor.renew_recovery_codes(user))


def is_right_code(user: User, form: CodeForm) -> bool:
    """Whether the code is right; else the form says so. Guesses are counted for the person, from wherever they come:
    who guesses codes knows the password already."""
    counted = f"second factor of {user.pk}"
    if throttle.too_many_failures(None, counted):
        form.add_error("code", f"Too many wrong codes. Wait {throttle.PAUSE_SECONDS // 60} minutes.")
        return False
    if not factor.is_right(user, form.cleaned_data["code"]):
        throttle.count_failure(None, counted)
        form.add_error("code", "This code is wrong, or was used before.")
        return False
    throttle.forget_failures(None, counted)
    return True


def _on_page(request: HttpRequest, form: CodeForm, *, codes: list[str] | None = None) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "is_on": True, "codes": codes or []}
    return render_page(request, "accounts/second_factor.html", context, status=422 if form.errors else 200)
