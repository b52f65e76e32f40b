"""Invitations: each link makes one person a member, once, within its time."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from conversations.errors import Refused
from conversations.models import Invitation, Membership, User
from conversations.people.access import is_at_least
from conversations.people.activity import minutes, record_activity
from conversations.vocabulary import MemberRole


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def open_invitations() -> QuerySet[Invitation]:
    """Those that can be accepted now."""
    return Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=Now())


@transaction.atomic
def invite(by: Membership, *, role: MemberRole, lifetime: timedelta, note: str = "") -> tuple[Invitation, str]:
    """The row, and the token of its link, of which only a hash is stored. Raises Refused for a role above one's own."""
    if not is_at_least(by.role, role):
        raise Refused(f"Only an {MemberRole.OWNER} invites an {role}.")
    token = secrets.token_urlsafe(32)
    row = Invitation.objects.create(
        workspace=by.workspace,
        token_hash=_hash(token),
        role=role,
        note=note[:120],
        created_by=by.user,
        expires_at=timezone.now() + lifetime,
    )
    detail = {"role": role, "until": minutes(row.expires_at)}
    record_activity(workspace=by.workspace, actor=by.user, action="invitation.made", target=row, detail=detail)
    return row, token


def invitation_of(token: str) -> Invitation | None:
    """What the link is, whether or not it can still be accepted; None for one that never was."""
    rows = Invitation.objects.select_related("workspace", "created_by")
    return rows.filter(token_hash=_hash(token)).first()


def is_open(invitation: Invitation) -> bool:
    """Whether it can be accepted now."""
    return open_invitations().filter(pk=invitation.pk).exists()


@transaction.atomic
def accept(invitation: Invitation, user: User) -> Membership:
    """The membership. Claimed by update, so that of two people at once one gets in; a member stays what they are, and
    the link stays good for somebody else. Raises Refused for a link that was used, revoked or is too old."""
    existing = Membership.objects.filter(workspace=invitation.workspace_id, user=user).first()
    if existing:
        return existing
    claimed = open_invitations().filter(pk=invitation.pk).update(accepted_at=Now(), accepted_by=user)
    if not claimed:
        raise Refused("This invitation has been used, revoked, or is too old.")
    row = Membership.objects.create(workspace=invitation.workspace, user=user, role=invitation.role)
    detail = {"role": invitation.role, "invitation": str(invitation)}
    record_activity(workspace=invitation.workspace, actor=user, action="member.joined", target=user, detail=detail)
    return row


@transaction.atomic
def revoke_invitation(invitation: Invitation, *, by: User) -> None:
    """Nobody can accept it any more."""
    open_rows = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    if open_rows.update(revoked_at=timezone.now()):
        record_activity(workspace=invitation.workspace, actor=by, action="invitation.revoked", target=invitation)
