"""Who asks: API key → workspace and scopes."""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from conversations.api.throttle import check_rate
from conversations.models import ApiKey, isolation
from conversations.vocabulary import Scope

#: `last_used_at` is told to the minute, so that a key costs one write a minute and not one a request.
_LAST_USED_STEP = timedelta(minutes=1)


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer obs_…` or `X-API-Key: obs_…`. `request.auth` is the ApiKey, its workspace loaded."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        """None if no key was sent. Raises AuthenticationFailed, OverRate."""
        key = key_in(request.headers)
        if not key:
            return None
        usable = ApiKey.objects.usable().select_related("workspace")
        row = usable.filter(key_hash=sha256(key.encode()).digest()).first()
        if row is None:
            raise AuthenticationFailed("This key is unknown, revoked or expired.", code="bad_key")
        check_rate(row.pk)
        _note_use(row)
        isolation.enter(row.workspace_id)
        return AnonymousUser(), row

    def authenticate_header(self, request: Request) -> str:
        """Makes DRF answer 401 and not 403 where the key is missing."""
        return 'Bearer realm="observatory"'


def key_in(headers: Mapping[str, str]) -> str:
    """The key of a request; empty where it has none."""
    scheme, _, key = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    return headers.get("X-API-Key", "").strip()


def sender(request: Request) -> ApiKey:
    """The key of a request that a permission of this module let in."""
    return cast("ApiKey", request.auth)


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > _LAST_USED_STEP:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _LAST_USED_STEP)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


class _HasScope(BasePermission):
    scope: Scope
    message = "The key does not have the scope this needs."

    def has_permission(self, request: Request, view: Any) -> bool:
        """A key without the scope is refused; no key at all is asked for."""
        return isinstance(request.auth, ApiKey) and self.scope in request.auth.scopes


class MayIngest(_HasScope):
    """The key has the scope `ingest`."""

    scope = Scope.INGEST


class MayRead(_HasScope):
    """The key has the scope `read`."""

    scope = Scope.READ


class MayReview(_HasScope):
    """The key has the scope `review`."""

    scope = Scope.REVIEW


class MayManage(_HasScope):
    """The key has the scope `manage`."""

    scope = Scope.MANAGE


class MayIngestOrRead(BasePermission):
    """The key has the scope `ingest` or `read`: who sent a batch may look after it."""

    message = _HasScope.message

    def has_permission(self, request: Request, view: Any) -> bool:
        """Either will do."""
        return isinstance(request.auth, ApiKey) and not {Scope.INGEST, Scope.READ}.isdisjoint(request.auth.scopes)


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes it."""

    target_class = "conversations.api.authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "obs_…"}
