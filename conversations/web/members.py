"""Members of a workspace: who is in it and as what; invite, change, remove, leave."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from conversations.errors import Refused
from conversations.models import Invitation, Membership
from conversations.people.invitations import invite, open_invitations, revoke_invitation
from conversations.people.keys import keys_of
from conversations.people.members import change_role, remove_member
from conversations.vocabulary import MemberRole
from conversations.web.addresses import site_address
from conversations.web.pages import WorkspaceRequest, may, member_required, render_page, role_required
from conversations.web.paging import Order, page_of
from conversations.web.people_forms import InvitationForm, RoleForm, roles_up_to

_ORDER = Order("joined_at")
_MOST_INVITATIONS = 100


@never_cache
@member_required
@require_http_methods(["GET", "POST"])
def members(request: WorkspaceRequest) -> HttpResponse:
    """Everybody; for admins also invitations. A new link stands on the answer to its own POST and nowhere else."""
    is_admin = may(request.membership, MemberRole.ADMIN)
    if request.method == "POST" and not is_admin:
        raise PermissionDenied("Only an admin of this workspace may invite.")
    form = InvitationForm(request.POST or None, role=request.membership.role)
    link = _invite(request, form) if request.method == "POST" and form.is_valid() else ""
    rows = Membership.objects.filter(workspace=request.workspace).select_related("user", "user__second_factor")
    context = {
        "form": InvitationForm(role=request.membership.role) if link else form,
        "link": link,
        "page": page_of(rows, _ORDER, request.GET),
        "roles": [role for role, _ in roles_up_to(request.membership.role)],
        "invitations": _invitations(request) if is_admin else [],
    }
    return render_page(request, "people/members.html", context, status=422 if form.errors else 200)


def _invite(request: WorkspaceRequest, form: InvitationForm) -> str:
    """The new link; empty where it was refused, which the form then says."""
    role = MemberRole(form.cleaned_data["role"])
    try:
        _, token = invite(request.membership, role=role, lifetime=form.lifetime, note=form.cleaned_data["note"])
    except Refused as error:
        form.add_error("role", error.message)
        return ""
    return site_address(request) + reverse("join", args=[token])


def _invitations(request: WorkspaceRequest) -> list[Invitation]:
    rows = open_invitations().filter(workspace=request.workspace).select_related("created_by")
    return list(rows.order_by("-id")[:_MOST_INVITATIONS])


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def member_role(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Another role, from now on."""
    member = _member(request, pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "There is no such role.")
        return redirect("members", request.workspace.slug)
    role = MemberRole(form.cleaned_data["role"])
    try:
        cut = change_role(member, role, by=request.membership)
    except Refused as error:
        messages.error(request, error.message)
    else:
        keys = f" {cut} of their keys can do less now." if cut else ""
        messages.success(request, f"{member.user} is {role} now.{keys}")
    return redirect("members", request.workspace.slug)


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def remove(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Asks first, and what is to become of their keys: programs may run with them."""
    member = _member(request, pk)
    if member.pk == request.membership.pk:
        return redirect("leave_workspace", request.workspace.slug)
    if request.method == "POST":
        return _end(request, member, f"{member.user} is no member any more.", "members")
    context = {"member": member, "keys": keys_of(member)}
    return render_page(request, "people/remove.html", context)


@member_required
@require_http_methods(["GET", "POST"])
def leave(request: WorkspaceRequest) -> HttpResponse:
    """One's own membership ends."""
    if request.method == "POST":
        return _end(request, request.membership, f"You have left {request.workspace}.", "home")
    context = {"member": request.membership, "keys": keys_of(request.membership)}
    return render_page(request, "people/remove.html", context)


def _end(request: WorkspaceRequest, member: Membership, done: str, then: str) -> HttpResponse:
    try:
        revoked = remove_member(member, by=request.membership, revoke_keys="revoke_keys" in request.POST)
    except Refused as error:
        messages.error(request, error.message)
        return redirect("members", request.workspace.slug)
    messages.success(request, f"{done} {revoked} keys were revoked." if revoked else done)
    return redirect(then, *([] if then == "home" else [request.workspace.slug]))


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def revoke(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The link cannot be used any more."""
    row = get_object_or_404(Invitation.objects.select_related("workspace"), workspace=request.workspace, pk=pk)
    revoke_invitation(row, by=request.user)
    messages.success(request, "The invitation is revoked.")
    return redirect("members", request.workspace.slug)


def _member(request: WorkspaceRequest, pk: int) -> Membership:
    rows = Membership.objects.select_related("user", "workspace")
    return get_object_or_404(rows, workspace=request.workspace, pk=pk)
