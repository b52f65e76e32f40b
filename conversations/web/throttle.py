"""Slow down guessing of passwords, codes and invitations: a few failures in one place, then a pause.

A place is an address with whence it was tried; or, with `request` None, the subject alone, wherever it is tried from.
"""

import hashlib
from datetime import timedelta

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from conversations.models import SignInFailures
from conversations.web.signing_in import address_of

FAILURES_ALLOWED = 5
PAUSE_SECONDS = 300


def too_many_failures(request: HttpRequest | None, subject: str) -> bool:
    """Whether this address has been tried too often from this place in the last minutes."""
    known = SignInFailures.objects.filter(place=_place(request, subject), until__gt=timezone.now())
    return known.filter(count__gte=FAILURES_ALLOWED).exists()


def count_failure(request: HttpRequest | None, subject: str) -> None:
    """One more wrong password. The pause begins anew with each, so that a patient guesser waits too."""
    now = timezone.now()
    until = now + timedelta(seconds=PAUSE_SECONDS)
    SignInFailures.objects.filter(until__lte=now).delete()
    row, _ = SignInFailures.objects.get_or_create(place=_place(request, subject), defaults={"until": until})
    SignInFailures.objects.filter(pk=row.pk).update(count=F("count") + 1, until=until)


def forget_failures(request: HttpRequest | None, subject: str) -> None:
    """The right password ends the counting."""
    SignInFailures.objects.filter(place=_place(request, subject)).delete()


def _place(request: HttpRequest | None, subject: str) -> bytes:
    whence = "anywhere" if request is None else address_of(request) or ""
    return hashlib.sha256(f"{whence} {subject.strip().lower()}".encode()).digest()
