"""What is left of people being here: sessions that ran out, links that were used, failures that are forgiven, and what
they looked at."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from conversations.models import Looking, Session, SignInFailures, SignInLink


def purge_sign_ins() -> int:
    """Delete it. How many rows went."""
    now = timezone.now()
    dead = (
        Session.objects.filter(expire_date__lte=now),
        SignInLink.objects.filter(Q(expires_at__lte=now) | Q(used_at__isnull=False)),
        SignInFailures.objects.filter(until__lte=now),
        Looking.objects.filter(at__lte=now - timedelta(minutes=1)),  # long after it stopped to show
    )
    return sum(rows.delete()[0] for rows in dead)
