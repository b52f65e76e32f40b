"""Who belongs to a workspace, in which role. A workspace always keeps an owner."""

from django.db import transaction
from django.utils.text import slugify

from conversations.errors import BadInput, Refused
from conversations.models import ApiKey, Membership, User, Workspace
from conversations.people.access import is_at_least, scopes_of
from conversations.people.activity import record_activity
from conversations.people.keys import revoke_key, revoke_keys_of
from conversations.vocabulary import MemberRole

_LONGEST_SLUG = 50


@transaction.atomic
def create_workspace(*, name: str, owner: User) -> Workspace:
    """A workspace with its first owner. Raises BadInput where its address is taken, or none can be made of the name."""
    workspace = Workspace.objects.create(name=name, slug=free_slug(name))
    Membership.objects.create(workspace=workspace, user=owner, role=MemberRole.OWNER)
    record_activity(workspace=workspace, actor=owner, action="workspace.created", target=workspace)
    return workspace


def free_slug(name: str) -> str:
    """The address of a new workspace of this name. Raises BadInput."""
    slug = slugify(name)[:_LONGEST_SLUG].strip("-")
    if not slug:
        raise BadInput("Use at least one letter or digit.", at="name")
    if Workspace.objects.filter(slug=slug).exists():
        raise BadInput("There is a workspace of this name. Choose another.", at="name")
    return slug


@transaction.atomic
def change_role(membership: Membership, role: MemberRole, *, by: Membership) -> int:
    """Give a member another role, and cut their keys down to it. How many keys can do less now.

    Raises Refused for what only owners may do, and where nobody would be left as owner."""
    before = _locked(membership)
    _check_power(by, before.role, role)
    if role != MemberRole.OWNER:
        _check_owner_stays(before)
    Membership.objects.filter(pk=before.pk).update(role=role)
    record_activity(
        workspace=before.workspace,
        actor=by.user,
        action="member.role_changed",
        target=before.user,
        detail={"role": [before.role, role]},
    )
    return _cut_keys(before, role, by=by.user)


@transaction.atomic
def remove_member(membership: Membership, *, by: Membership, revoke_keys: bool) -> int:
    """They see nothing of the workspace from now on; what they said and did stays. How many keys were revoked.

    Raises Refused as `change_role`."""
    member = _locked(membership)
    if member.pk != by.pk:
        _check_power(by, member.role)
    _check_owner_stays(member)
    revoked = revoke_keys_of(member, by=by.user) if revoke_keys else 0
    member.delete()
    action = "member.left" if member.user_id == by.user_id else "member.removed"
    detail = {"role": member.role, "keys_revoked": revoked}
    record_activity(workspace=member.workspace, actor=by.user, action=action, target=member.user, detail=detail)
    return revoked


def _locked(membership: Membership) -> Membership:
    """As it is now. All owners are locked with it, in one order: of two who leave at once, one stays."""
    rows = Membership.objects.select_for_update(of=("self",)).select_related("user", "workspace").order_by("pk")
    mates = list(rows.filter(workspace=membership.workspace_id))
    found = next((each for each in mates if each.pk == membership.pk), None)
    if found is None:
        raise Refused("They are no member any more.")
    return found


def _check_power(by: Membership, *roles: str) -> None:
    if not all(is_at_least(by.role, MemberRole(role)) for role in roles):
        raise Refused("Only an owner may make owners, or change what one may do.")


def _check_owner_stays(member: Membership) -> None:
    others = Membership.objects.filter(workspace=member.workspace_id, role=MemberRole.OWNER).exclude(pk=member.pk)
    if member.role == MemberRole.OWNER and not others.exists():
        raise Refused("A workspace needs an owner. Make somebody else one first.")


def _cut_keys(member: Membership, role: MemberRole, *, by: User) -> int:
    allowed, cut = scopes_of(role), 0
    for key in ApiKey.objects.usable().filter(workspace=member.workspace_id, created_by=member.user_id):
        left = [scope for scope in key.scopes if scope in allowed]
        if left == key.scopes:
            continue
        cut += 1
        if not left:
            revoke_key(key, by=by)
            continue
        ApiKey.objects.filter(pk=key.pk).update(scopes=left)
        detail = {"scopes": [", ".join(key.scopes), ", ".join(left)]}
        record_activity(workspace=member.workspace, actor=by, action="api_key.cut", target=key, detail=detail)
    return cut
