"""Encrypt all that is stored encrypted (channels, second factors, redaction) with the present secret key."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import models

from conversations.alerts.channels import sealing as channel_sealing
from conversations.errors import Unavailable
from conversations.models import Channel, HiddenSecret, RedactionSettings, SecondFactor, SignInProvider
from conversations.people import sealing


class Command(BaseCommand):
    """After OBSERVATORY_SECRET_KEY has changed; the old one must still be among OBSERVATORY_SECRET_KEY_FALLBACKS."""

    help = "Encrypt everything that is stored encrypted with the present secret key."

    def handle(self, *args: Any, **options: Any) -> None:
        """Row by row; those that cannot be read are named, and the others done all the same."""
        channels = Channel.objects.exclude(sealed="").order_by("id")
        factors = SecondFactor.objects.select_related("user").order_by("user_id")
        redactions = RedactionSettings.objects.select_related("workspace").order_by("workspace_id")
        hidden = HiddenSecret.objects.select_related("workspace").order_by("id")
        providers = SignInProvider.objects.order_by("id")
        unreadable = _unread(channels, "sealed", channel_sealing.reseal)
        lost = [str(factor.user) for factor in _unread(factors, "sealed_secret")]
        unknown = [*_unread(redactions, "sealed_key"), *_unread(hidden, "sealed")]
        closed = _unread(providers, "sealed_secret")
        if unreadable:
            told = [str(channel) for channel in unreadable]
            raise CommandError(f"Encrypted with a key that is not there, write their addresses anew: {told}")
        if lost:
            raise CommandError(f"Second factors encrypted with a key that is not there, remove them: {lost}")
        if unknown:
            told = sorted({str(each.workspace) for each in unknown})
            raise CommandError(f"Keys or secrets of redaction encrypted with a key that is not there: {told}")
        if closed:
            raise CommandError("The secret of the OpenID provider is encrypted with a key that is not there.")
        self.stdout.write("Everything is encrypted with the present key.")


def _unread(rows: models.QuerySet[Any], field: str, reseal: Callable[[str], str] = sealing.reseal) -> list[Any]:
    """Encrypt this column of all rows anew; returns those that cannot be read."""
    return [row for row in rows.iterator(chunk_size=1000) if not _is_resealed(row, field, reseal)]


def _is_resealed(row: Any, field: str, reseal: Callable[[str], str]) -> bool:
    try:
        setattr(row, field, reseal(getattr(row, field)))
    except Unavailable:
        return False
    row.save(update_fields=[field])
    return True
