"""Sign-in links: each signs one person in, once, within its time."""

import hashlib
import secrets
from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from conversations.models import SignInLink, User

SIGN_IN_LINK_LIFETIME = timedelta(hours=24)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def create_sign_in_link(user: User, *, lifetime: timedelta = SIGN_IN_LINK_LIFETIME) -> str:
    """The token of a new link for `user`. Only its hash is stored; its page is named "sign_in_link"."""
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, token_hash=_hash(token), expires_at=timezone.now() + lifetime)
    return token


def sign_in_link_owner(token: str) -> User | None:
    """Whom the link would sign in; None when it is unknown, used or too old. Looking does not use it."""
    usable = SignInLink.objects.filter(used_at=None, expires_at__gt=Now(), user__is_active=True)
    link = usable.filter(token_hash=_hash(token)).select_related("user").first()
    return link.user if link else None


def use_sign_in_link(token: str) -> User | None:
    """Whom the link signs in, once: claimed by update, so that of two clicks at once one wins."""
    user = sign_in_link_owner(token)
    if user is None:
        return None
    claimed = SignInLink.objects.filter(token_hash=_hash(token), used_at=None).update(used_at=Now())
    return user if claimed else None
