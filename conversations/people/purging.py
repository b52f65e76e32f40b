"""What is left of people coming in: sessions that ran out, links that were used, failures that are forgiven."""

from django.db.models import Q
from django.utils import timezone

from conversations.models import Session, SignInFailures, SignInLink


def purge_sign_ins() -> int:
    """Delete it. How many rows went."""
    now = timezone.now()
    dead = (
        Session.objects.filter(expire_date__lte=now),
        SignInLink.objects.filter(Q(expires_at__lte=now) | Q(used_at__isnull=False)),
        SignInFailures.objects.filter(until__lte=now),
    )
    return sum(rows.delete()[0] for rows in dead)
