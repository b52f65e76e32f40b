"""One message by one channel, whatever its kind, under guard."""

from datetime import datetime

from django.conf import settings

from conversations.alerts.channels import apprise_service, in_app, webhook
from conversations.alerts.channels.answers import Failed, Result
from conversations.alerts.channels.guard import guarded
from conversations.alerts.channels.message import Message
from conversations.alerts.channels.sealing import Secret, unseal
from conversations.errors import Unavailable
from conversations.models import Channel
from conversations.vocabulary import ChannelKind

_SENDERS = {ChannelKind.APPRISE: apprise_service.send, ChannelKind.WEBHOOK: webhook.send}


def send(channel: Channel, message: Message, now: datetime) -> Result:
    """What came of it. Whatever is wrong with the address or the receiver is a result and raises nothing."""
    if channel.kind == ChannelKind.IN_APP:
        return in_app.send(channel, message)
    try:
        secret = unseal(channel.sealed)
    except Unavailable as error:
        return Failed(f"{error.message} {error.mend}", is_final=True)
    return _send_guarded(ChannelKind(channel.kind), secret, message, now)


def _send_guarded(kind: ChannelKind, secret: Secret, message: Message, now: datetime) -> Result:
    with guarded(settings.CHANNEL_NETWORKS) as watch:
        result = _SENDERS[kind](secret, message, now)
    if isinstance(result, Failed) and watch.refused:
        return Failed(watch.refused, is_final=True)
    return result
