"""What every page shares: who may see it, and whether to answer with the page or the part that changed."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from conversations.models import Membership, User, Workspace, isolation
from conversations.models.prepared import Prepared
from conversations.review.queries import MOST_WAITING, waiting_for
from conversations.review.veiling import NO_VEIL, Veil, told_veil, veils
from conversations.vocabulary import MemberRole
from conversations.web.counts import with_counts
from conversations.web.navigation import section_of
from conversations.web.revealing import may_reveal, reveal_in, revealed_until

THEMES = ("system", "light", "dark")
THEME_COOKIE = "theme"

Args = ParamSpec("Args")
View = Callable[Concatenate["WorkspaceRequest", Args], HttpResponseBase]
PlainView = Callable[Concatenate[HttpRequest, str, Args], HttpResponseBase]


class WorkspaceRequest(HttpRequest):
    """A request of a member to a page of a workspace."""

    user: User
    workspace: Workspace
    membership: Membership
    memberships: list[Membership]  # all of the user's, for the switcher
    veil: Veil  # what the member is judging blindly


def may(membership: Membership, role: MemberRole) -> bool:
    """Whether the member has this role or one above it. Roles are declared from the most powerful to the least."""
    ranks = list(MemberRole)
    return ranks.index(MemberRole(membership.role)) <= ranks.index(role)


def member_required(view: "View[Args]") -> "PlainView[Args]":
    """Show the page to members of the workspace only. To others it does not exist: a 403 would tell that it does."""

    @wraps(view)
    def guarded(request: HttpRequest, slug: str, *args: Args.args, **kwargs: Args.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(_enter(request, slug), *args, **kwargs)

    return guarded  # type: ignore[return-value] # `wraps` names the arguments, the alias does not


def role_required(role: MemberRole) -> "Callable[[View[Args]], View[Args]]":
    """Below `member_required`: answers 403 to members without this role."""

    def decorate(view: "View[Args]") -> "View[Args]":
        @wraps(view)
        def guarded(request: WorkspaceRequest, *args: Args.args, **kwargs: Args.kwargs) -> HttpResponseBase:
            if not may(request.membership, role):
                raise PermissionDenied(f"Only an {role} of this workspace may do this.")
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value] # as above

    return decorate


@Prepared
def _memberships(user: int, at: datetime) -> "QuerySet[Membership]":
    rows = with_counts(Membership.objects.filter(user=user).select_related("workspace"))
    return rows.annotate(to_review=waiting_for(user, at=at), **veils(user)).order_by("workspace__name", "id")


def _enter(request: HttpRequest, slug: str) -> WorkspaceRequest:
    memberships = list(_memberships(user=request.user.pk, at=timezone.now()))
    found = next((each for each in memberships if each.workspace.slug == slug), None)
    if found is None:
        raise Http404("No such workspace.")
    request.memberships, request.membership, request.workspace = memberships, found, found.workspace  # type: ignore[attr-defined]
    request.veil = told_veil(found) if may(found, MemberRole.REVIEWER) else NO_VEIL  # type: ignore[attr-defined]
    isolation.enter(found.workspace.pk)
    return request  # type: ignore[return-value]


def wants_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for the changed part; going back in history wants the page."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def render_page(
    request: HttpRequest, template: str, context: dict[str, Any], *, partial: str = "", status: int = 200
) -> HttpResponse:
    """The page, or its `partial` template to htmx. Both have one URL, so caches are told what tells them apart."""
    chosen = partial if partial and wants_partial(request) else template
    response = render(request, chosen, base_context(request) | context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    reveal_in(request, response)
    return response


def base_context(request: HttpRequest) -> dict[str, Any]:
    """What base.html needs, on pages of a workspace and outside of one."""
    membership: Membership | None = getattr(request, "membership", None)
    memberships: Sequence[Membership] = getattr(request, "memberships", ())
    return {
        "workspace": membership.workspace if membership else None,
        "memberships": memberships,
        "open_incidents": getattr(membership, "open_incidents", 0),
        "unread_notices": getattr(membership, "unread_notices", 0),
        "is_admin": membership is not None and may(membership, MemberRole.ADMIN),
        "to_review": _to_review(membership),
        "theme": theme_of(request),
        "themes": THEMES,
        "section": section_of(request.path),
        "may_reveal": may_reveal(request),
        "revealed_until": revealed_until(request),
    }


def _to_review(membership: Membership | None) -> str:
    """How many items of queues wait for this member, for the bar; empty for none, and for those who do not review."""
    waiting = getattr(membership, "to_review", 0)
    if membership is None or not waiting or not may(membership, MemberRole.REVIEWER):
        return ""
    return f"{MOST_WAITING - 1}+" if waiting >= MOST_WAITING else str(waiting)


def theme_of(request: HttpRequest) -> str:
    """The theme chosen in this browser; from a cookie, so that the first paint is right without a script."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "system"
