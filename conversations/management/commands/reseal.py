"""Encrypt the secrets of all channels and second factors, and the keys of redactions, with the present secret key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.alerts.channels.sealing import reseal
from conversations.errors import Unavailable
from conversations.models import Channel, RedactionSettings, SecondFactor
from conversations.people import sealing


class Command(BaseCommand):
    """After OBSERVATORY_SECRET_KEY has changed; the old one must still be among OBSERVATORY_SECRET_KEY_FALLBACKS."""

    help = "Encrypt everything that is stored encrypted with the present secret key."

    def handle(self, *args: Any, **options: Any) -> None:
        """Channel by channel; those that cannot be read are named, and the others done all the same."""
        unreadable = [str(channel) for channel in Channel.objects.exclude(sealed="").order_by("id") if not _do(channel)]
        factors = SecondFactor.objects.select_related("user").order_by("user_id")
        redactions = RedactionSettings.objects.select_related("workspace").order_by("workspace_id")
        unknown = [str(each.workspace) for each in redactions if not _do_redaction(each)]
        lost = [str(factor.user) for factor in factors if not _do_factor(factor)]
        if unreadable:
            raise CommandError(f"Encrypted with a key that is not there, write their addresses anew: {unreadable}")
        if lost:
            raise CommandError(f"Second factors encrypted with a key that is not there, remove them: {lost}")
        if unknown:
            raise CommandError(f"Keys of redaction encrypted with a key that is not there: {unknown}")
        self.stdout.write("Every channel is encrypted with the present key.")


def _do(channel: Channel) -> bool:
    try:
        channel.sealed = reseal(channel.sealed)
    except Unavailable:
        return False
    channel.save(update_fields=["sealed"])
    return True


def _do_factor(factor: SecondFactor) -> bool:
    try:
        factor.sealed_secret = sealing.reseal(factor.sealed_secret)
    except Unavailable:
        return False
    factor.save(update_fields=["sealed_secret"])
    return True


def _do_redaction(settings: RedactionSettings) -> bool:
    try:
        settings.sealed_key = sealing.reseal(settings.sealed_key)
    except Unavailable:
        return False
    settings.save(update_fields=["sealed_key"])
    return True
