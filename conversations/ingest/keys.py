"""Make and revoke API keys."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from django.utils import timezone

from conversations.models import ApiKey, User, Workspace

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


def revoke_api_key(key: ApiKey) -> None:
    """It stops working now; the batches it sent stay."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
