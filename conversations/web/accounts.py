"""Coming in and going out: sign-in by link or password, sign-up where it is open, password, theme."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from conversations.models import Membership, User, Workspace
from conversations.ops.accounts import sign_in_link_owner, use_sign_in_link
from conversations.people.activity import record_of_person
from conversations.people.members import create_workspace
from conversations.people.sessions import end_sessions
from conversations.people.single_sign_on import provider
from conversations.vocabulary import SignInWay
from conversations.web import throttle
from conversations.web.account import is_right_code
from conversations.web.account_forms import CodeForm
from conversations.web.forms import PasswordForm, SignInForm, SignUpForm
from conversations.web.pages import THEME_COOKIE, THEMES, render_page
from conversations.web.signing_in import address_of, come_in, enter, half_signed_in, safe_path

YEAR_SECONDS = 365 * 24 * 3600


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The first of the user's workspaces."""
    membership = Membership.objects.filter(user=request.user.pk).select_related("workspace").order_by("id").first()
    if membership is None:
        return render_page(request, "accounts/no_workspace.html", {})
    return redirect(membership.workspace)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """By address and password."""
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = _authenticate(request, form)
        if user is not None:
            return come_in(request, user, SignInWay.PASSWORD, _next(request))
    chosen = provider()
    context = {
        "form": form,
        "next": _next(request),
        "sign_up_open": settings.SIGN_UP_OPEN,
        "oidc_name": chosen.name if chosen else "",
    }
    return render_page(request, "accounts/sign_in.html", context, status=422 if form.errors else 200)


def _authenticate(request: HttpRequest, form: SignInForm) -> User | None:
    email, password = form.cleaned_data["email"], form.cleaned_data["password"]
    if throttle.too_many_failures(request, email):
        minutes = throttle.PAUSE_SECONDS // 60
        form.add_error(None, f"Too many wrong passwords. Wait {minutes} minutes, or ask for a sign-in link.")
        return None
    user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        throttle.count_failure(request, email)
        form.add_error(None, "This address and password do not go together.")
        return None
    throttle.forget_failures(request, email)
    return user


def _next(request: HttpRequest) -> str:
    """Where the person wanted to go: a path of ours, or home."""
    return safe_path(request, request.POST.get("next") or request.GET.get("next") or "")


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button and POST uses the link: scanners in mail programs follow links, and must not use it up."""
    if request.method == "POST":
        user = use_sign_in_link(token)
        if user is not None:
            return come_in(request, user, SignInWay.LINK, "/")
    owner = sign_in_link_owner(token)
    status = 200 if owner else 410
    return render_page(request, "accounts/sign_in_link.html", {"owner": owner}, status=status)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """A new person with a workspace of their own, where the operator has opened sign-up."""
    if not settings.SIGN_UP_OPEN:
        raise Http404("Sign-up is closed.")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user, workspace = _create_account(form)
        enter(request, user, SignInWay.PASSWORD)
        return redirect(workspace)
    return render_page(request, "accounts/sign_up.html", {"form": form}, status=422 if form.errors else 200)


@transaction.atomic
def _create_account(form: SignUpForm) -> tuple[User, Workspace]:
    user = User.objects.create_user(form.cleaned_data["email"], form.cleaned_data["password"])
    return user, create_workspace(name=form.cleaned_data["workspace"], owner=user)


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second factor, where a person has one; after the first, and within ten minutes."""
    half = half_signed_in(request)
    if half is None:
        return redirect("sign_in")
    user, way, then = half
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and is_right_code(user, form):
        enter(request, user, way)
        return redirect(then)
    context = {"form": form, "owner": user}
    return render_page(request, "accounts/sign_in_code.html", context, status=422 if form.errors else 200)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session."""
    if isinstance(request.user, User):
        record_of_person(request.user, "person.signed_out", address=address_of(request))
    logout(request)
    return redirect("sign_in")


@never_cache
@sensitive_post_parameters("password")
@login_required
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Set a password: who came by link has none."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 -- login_required; narrows the type
    form = PasswordForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        user.set_password(form.cleaned_data["password"])
        user.save(update_fields=["password"])
        update_session_auth_hash(request, user)
        end_sessions(user, but=request.session.session_key)
        record_of_person(user, "person.password_set", address=address_of(request))
        messages.success(request, "Password set. Other browsers are signed out.")
        return redirect("account")
    return render_page(request, "accounts/password.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or the system's choice in this browser."""
    chosen = request.POST.get("theme", "")
    response = redirect(_next(request))
    if chosen in THEMES:
        secure = settings.SESSION_COOKIE_SECURE
        response.set_cookie(THEME_COOKIE, chosen, max_age=YEAR_SECONDS, samesite="Lax", secure=secure)
    return response
