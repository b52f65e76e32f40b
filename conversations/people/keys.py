"""API keys: make, rotate and revoke them, each within what its maker may do."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from conversations.errors import Refused
from conversations.models import ApiKey, Membership, User, Workspace
from conversations.people.access import scopes_of
from conversations.people.activity import minutes, record_activity

PREFIX = "obs_"
_SHOWN = 12  # characters that tell keys apart: 8 of them random


def create_api_key(
    *,
    workspace: Workspace,
    name: str,
    scopes: Iterable[str],
    created_by: User | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """The row, and the key itself, which is nowhere stored."""
    key = PREFIX + secrets.token_urlsafe(32)  # 43 characters
    row = ApiKey.objects.create(
        workspace=workspace,
        name=name[:120],
        prefix=key[:_SHOWN],
        key_hash=sha256(key.encode()).digest(),
        scopes=sorted(set(scopes)),
        created_by=created_by,
        expires_at=expires_at,
    )
    return row, key


@transaction.atomic
def make_key(
    by: Membership, *, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A key of this member. Raises Refused for a scope that their role does not have."""
    _check_scopes(by, scopes)
    row, key = create_api_key(
        workspace=by.workspace, name=name, scopes=scopes, created_by=by.user, expires_at=expires_at
    )
    detail = {"scopes": ", ".join(row.scopes), "until": expires_at and minutes(expires_at)}
    record_activity(workspace=by.workspace, actor=by.user, action="api_key.made", target=row, detail=detail)
    return row, key


@transaction.atomic
def rotate_key(old: ApiKey, *, by: Membership, overlap: timedelta) -> tuple[ApiKey, str]:
    """A new key with the same name, scopes and time to live; the old one works for `overlap` more at most.

    Raises Refused for a key that has ended or was replaced, and for scopes that the role of `by` does not have."""
    now = timezone.now()
    row = ApiKey.objects.usable().select_for_update().filter(pk=old.pk, replaced_by=None).first()
    if row is None:
        raise Refused("This key has ended, or was replaced before.")
    _check_scopes(by, row.scopes)
    lives = row.expires_at - row.created_at if row.expires_at else None
    new, key = create_api_key(
        workspace=by.workspace,
        name=row.name,
        scopes=row.scopes,
        created_by=by.user,
        expires_at=now + lives if lives else None,
    )
    row.replaced_by = new
    row.expires_at = min(now + overlap, row.expires_at or now + overlap)
    row.save(update_fields=["replaced_by", "expires_at"])
    detail = {"new": str(new), "old_until": minutes(row.expires_at)}
    record_activity(workspace=by.workspace, actor=by.user, action="api_key.rotated", target=row, detail=detail)
    return new, key


def revoke_api_key(key: ApiKey) -> bool:
    """It stops working now; the batches it sent stay. Whether it had worked until now."""
    return bool(ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()))


@transaction.atomic
def revoke_key(key: ApiKey, *, by: User) -> None:
    """As `revoke_api_key`, by a person."""
    if revoke_api_key(key):
        record_activity(workspace=key.workspace, actor=by, action="api_key.revoked", target=key)


def keys_of(member: Membership) -> list[ApiKey]:
    """Those they made that still work."""
    return list(ApiKey.objects.usable().filter(workspace=member.workspace_id, created_by=member.user_id).order_by("id"))


def revoke_keys_of(member: Membership, *, by: User) -> int:
    """How many there were."""
    keys = keys_of(member)
    for key in keys:
        revoke_key(key, by=by)
    return len(keys)


def _check_scopes(by: Membership, scopes: Iterable[str]) -> None:
    if beyond := sorted(set(scopes) - scopes_of(by.role)):
        raise Refused(f"A {by.role} cannot make a key that may {', '.join(beyond)}.")
