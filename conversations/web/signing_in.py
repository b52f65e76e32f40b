"""How a person comes in, whichever way they showed who they are; and where their browser was last seen."""

import time
from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from conversations.models import User
from conversations.people.activity import record_of_person
from conversations.people.second_factor import has_second_factor
from conversations.people.session_store import ADDRESS, BROWSER, SEEN, SIGNED_IN, WAY
from conversations.vocabulary import SignInWay

#: Where a session holds who has shown one factor of two.
_HALF = "half_signed_in"
_HALF_SECONDS = 600
#: `seen` is told so often: a write a request would cost more.
_SEEN_SECONDS = 300


def come_in(request: HttpRequest, user: User, way: SignInWay, then: str) -> HttpResponse:
    """Sign in and go on to `then`; or ask for the second factor first."""
    if not has_second_factor(user):
        enter(request, user, way)
        return redirect(then)
    request.session[_HALF] = {"user": user.pk, "way": way, "then": then, "until": int(time.time()) + _HALF_SECONDS}
    return redirect("sign_in_code")


def half_signed_in(request: HttpRequest) -> tuple[User, SignInWay, str] | None:
    """Who has yet to show the second factor, how they came and where they want to go. None after ten minutes."""
    half = request.session.get(_HALF)
    if half is None or half["until"] < time.time():
        return None
    user = User.objects.filter(pk=half["user"], is_active=True).first()
    return None if user is None else (user, SignInWay(half["way"]), half["then"])


def enter(request: HttpRequest, user: User, way: SignInWay) -> None:
    """Sign in, and write down where and how."""
    login(request, user)
    request.session.pop(_HALF, None)
    request.session[WAY] = way.value
    request.session[SIGNED_IN] = int(time.time())
    _note_seen(request)
    record_of_person(user, "person.signed_in", detail={"way": way.value}, address=address_of(request))


def safe_path(request: HttpRequest, wanted: str) -> str:
    """`wanted` where it is a path of ours, else home."""
    hosts = {request.get_host()}
    ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=hosts, require_https=request.is_secure())
    return wanted if wanted and ours else "/"


def address_of(request: HttpRequest) -> str | None:
    """Whence the request came: behind a proxy (OBSERVATORY_PROXY) as the proxy says, which adds the last entry."""
    told = request.META.get("REMOTE_ADDR", "")
    if settings.PROXY:
        told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or told
    try:
        return str(ip_address(told))
    except ValueError:  # a Unix socket has none
        return None


def _note_seen(request: HttpRequest) -> None:
    request.session[SEEN] = int(time.time())
    request.session[ADDRESS] = address_of(request)
    request.session[BROWSER] = request.headers.get("User-Agent", "")


class SeenMiddleware:
    """Tells a session, to five minutes, when and from where it was last used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Only where the session was read anyway: programs with a key have none."""
        response = self.get_response(request)
        if request.session.accessed and SIGNED_IN in request.session and _is_stale(request):
            _note_seen(request)
        return response


def _is_stale(request: HttpRequest) -> bool:
    return time.time() - float(request.session.get(SEEN, 0)) > _SEEN_SECONDS
