"""Slow down guessing of passwords: a few failures for one address from one place, then a pause."""

import hashlib
from datetime import timedelta

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from conversations.models import SignInFailures

FAILURES_ALLOWED = 5
PAUSE_SECONDS = 300


def too_many_failures(request: HttpRequest, email: str) -> bool:
    """Whether this address has been tried too often from this place in the last minutes."""
    known = SignInFailures.objects.filter(place=_place(request, email), until__gt=timezone.now())
    return known.filter(count__gte=FAILURES_ALLOWED).exists()


def count_failure(request: HttpRequest, email: str) -> None:
    """One more wrong password. The pause begins anew with each, so that a patient guesser waits too."""
    now = timezone.now()
    until = now + timedelta(seconds=PAUSE_SECONDS)
    SignInFailures.objects.filter(until__lte=now).delete()
    row, _ = SignInFailures.objects.get_or_create(place=_place(request, email), defaults={"until": until})
    SignInFailures.objects.filter(pk=row.pk).update(count=F("count") + 1, until=until)


def forget_failures(request: HttpRequest, email: str) -> None:
    """The right password ends the counting."""
    SignInFailures.objects.filter(place=_place(request, email)).delete()


def _place(request: HttpRequest, email: str) -> bytes:
    place = f"{request.META.get('REMOTE_ADDR', '')} {email.strip().lower()}"
    return hashlib.sha256(place.encode()).digest()
