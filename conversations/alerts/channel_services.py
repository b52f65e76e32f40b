"""Channels are made, changed, tried and sent again by; their secrets go in and never come out."""

import uuid
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from conversations.alerts.channels import apprise_service, webhook
from conversations.alerts.channels.answers import Failed, Result
from conversations.alerts.channels.guard import is_refused_as_written
from conversations.alerts.channels.sealing import Secret, seal, unseal
from conversations.alerts.channels.sending import send
from conversations.alerts.channels.signing import new_signing_key
from conversations.alerts.messages import trial_message
from conversations.alerts.telling import switch_off
from conversations.errors import Unavailable
from conversations.models import Channel
from conversations.vocabulary import ChannelKind


def problem_of(kind: ChannelKind, address: str) -> str:
    """What is wrong with an address for a channel of that kind; empty when nothing is."""
    if kind == ChannelKind.WEBHOOK:
        return webhook.problem_of(address) or _out_of_reach(urlsplit(address).hostname or "")
    if kind == ChannelKind.APPRISE:
        return apprise_service.problem_of(address)
    return ""


def _out_of_reach(host: str) -> str:
    """Said when it is written: else the first incident would be the one that nobody is told of."""
    if not is_refused_as_written(host, tuple(settings.CHANNEL_NETWORKS)):
        return ""
    return f"{host} is a private address. Whoever runs the server can allow its network: OBSERVATORY_CHANNEL_NETWORKS."


def store_secret(channel: Channel, *, address: str = "", renew_key: bool = False) -> str:
    """Put the address (empty: as it was) and, for a webhook, a signing key into the row, not yet saved.

    The signing key when it is a new one, to be shown once; else empty."""
    old = _secret_of(channel)
    is_webhook = channel.kind == ChannelKind.WEBHOOK
    key = new_signing_key() if is_webhook and (renew_key or not old.signing_key) else ""
    secret = Secret(address=address or old.address, signing_key=key or old.signing_key)
    channel.sealed = seal(secret)
    if address:
        channel.shown_address = (webhook if is_webhook else apprise_service).shown_address(address)[:200]
    return key


def _secret_of(channel: Channel) -> Secret:
    """Empty for a new one, and for one that cannot be read any more: then everything is written anew."""
    try:
        return unseal(channel.sealed) if channel.sealed else Secret()
    except Unavailable:
        return Secret()


def has_address(channel: Channel) -> bool:
    """Whether it can be read."""
    return bool(_secret_of(channel).address)


def try_channel(channel: Channel, now: datetime) -> Result:
    """Send a test, at once and past quiet hours, and note on the channel how it went."""
    result = send(channel, trial_message(channel, str(uuid.uuid4()), now), now)
    if isinstance(result, Failed):
        Channel.objects.filter(pk=channel.pk).update(last_failure_at=now, last_failure=result.reason[:500])
        if result.is_gone:
            switch_off(channel, result.reason)
    else:
        Channel.objects.filter(pk=channel.pk).update(last_sent_at=now, last_failure_at=None, last_failure="")
    return result
