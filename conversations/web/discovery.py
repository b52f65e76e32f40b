"""Asking an OpenID provider: under guard where somebody set it on a page, and what its discovery document says."""

import json
from typing import Any

from django.conf import settings
from requests import RequestException, Response, Session
from urllib3.exceptions import HTTPError

from conversations.alerts.channels.guard import guarded
from conversations.errors import BadInput
from conversations.people.single_sign_on import Provider

_SECONDS = 10
_MOST_BYTES = 1_000_000
WELL_KNOWN = "/.well-known/openid-configuration"
_NEEDED = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")


class _Patient(Session):
    """Waits so long and no longer."""

    def request(self, *args: Any, **kwargs: Any) -> Response:
        """With a time limit."""
        return super().request(*args, **{"timeout": _SECONDS, **kwargs})


class _Guarded(_Patient):
    """Reaches public addresses only, and the networks that the operator allows; redirects included."""

    def request(self, *args: Any, **kwargs: Any) -> Response:
        """As any other; what is refused is a RequestException."""
        with guarded(settings.CHANNEL_NETWORKS):
            return super().request(*args, **kwargs)


def session_for(chosen: Provider) -> Session:
    """By which this provider is asked."""
    return _Patient() if chosen.is_of_environment else _Guarded()


def discover(issuer: str) -> dict[str, Any]:
    """The discovery document of a provider that somebody typed. Raises BadInput, in words for them."""
    try:
        with guarded(settings.CHANNEL_NETWORKS) as watch, _Patient() as session:
            answer = session.get(issuer + WELL_KNOWN, stream=True)
            text = answer.raw.read(_MOST_BYTES, decode_content=True)
    except (RequestException, HTTPError, OSError) as error:  # HTTPError: what is read raw breaks off, or is no gzip
        raise BadInput(watch.refused or f"It does not answer: {type(error).__name__}.") from None
    return _checked(issuer, answer, text)


def _checked(issuer: str, answer: Response, text: bytes) -> dict[str, Any]:
    if answer.status_code != 200:  # noqa: PLR2004 -- OK
        raise BadInput(f"{WELL_KNOWN} there answers {answer.status_code}.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BadInput("What it answers is no discovery document.")
    if str(document.get("issuer", "")).rstrip("/") != issuer:
        raise BadInput(f"It calls itself {str(document.get('issuer'))[:200]}: use that.")
    if missing := [name for name in _NEEDED if not document.get(name)]:
        raise BadInput(f"Its discovery document lacks {', '.join(missing)}.")
    return document
