"""Slow down guessing of passwords: a few failures for one address from one place, then a pause."""

import hashlib

from django.core.cache import cache
from django.http import HttpRequest

FAILURES_ALLOWED = 5
PAUSE_SECONDS = 300


def too_many_failures(request: HttpRequest, email: str) -> bool:
    """Whether this address has been tried too often from this place in the last minutes."""
    return bool(cache.get(_key(request, email), 0) >= FAILURES_ALLOWED)


def count_failure(request: HttpRequest, email: str) -> None:
    """One more wrong password. The pause begins anew with each, so that a patient guesser waits too."""
    key = _key(request, email)
    cache.add(key, 0, PAUSE_SECONDS)
    cache.incr(key)
    cache.touch(key, PAUSE_SECONDS)


def forget_failures(request: HttpRequest, email: str) -> None:
    """The right password ends the counting."""
    cache.delete(_key(request, email))


def _key(request: HttpRequest, email: str) -> str:
    place = f"{request.META.get('REMOTE_ADDR', '')} {email.strip().lower()}"
    return f"sign-in-failures:{hashlib.sha256(place.encode()).hexdigest()}"
