"""Channels tell what is due: claim, send, write down what came of it."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from conversations.alerts.channels.answers import MOST_ATTEMPTS, Failed, Result, Sent, wait_after
from conversations.alerts.channels.message import Message
from conversations.alerts.channels.sending import send
from conversations.alerts.claiming import Claim, claim
from conversations.alerts.closing import give_up, note
from conversations.alerts.messages import message_of
from conversations.models import Channel, Delivery, Membership, User
from conversations.people.activity import record_activity
from conversations.people.notices import notify
from conversations.vocabulary import DeliveryState, IncidentEventKind, MemberRole

#: Of one channel in one job: then others have their turn.
MOST_MESSAGES = 20

Clock = Callable[[], datetime]
Send = Callable[[Channel, Message, datetime], Result]


def tell(channel_id: int, clock: Clock, *, sender: Send = send) -> int:
    """Send what the channel has due; how many messages were tried.

    Between claiming and writing down nothing is locked. A process that ends there leaves a lease, and whoever finds it
    run out sends again with the same key."""
    for count in range(MOST_MESSAGES):
        claimed = claim(channel_id, clock())
        if claimed is None:
            return count
        result = sender(claimed.channel, message_of(claimed, clock()), clock())
        finish(claimed, result, clock())
    return MOST_MESSAGES


@transaction.atomic
def finish(claimed: Claim, result: Result, now: datetime) -> None:
    """Write down what came of it, for those deliveries that are still this claim's."""
    rows = Delivery.objects.select_for_update().filter(
        message_key=claimed.key, state=DeliveryState.SENDING, attempts=claimed.attempts
    )
    deliveries = list(rows.order_by("id"))
    if isinstance(result, Sent):
        _succeed(claimed, deliveries, now)
    else:
        _fail(claimed, deliveries, result, now)


def _succeed(claimed: Claim, deliveries: list[Delivery], now: datetime) -> None:
    for delivery in deliveries:
        delivery.state, delivery.sent_at, delivery.lease_until, delivery.last_error = DeliveryState.SENT, now, None, ""
    Delivery.objects.bulk_update(deliveries, ["state", "sent_at", "lease_until", "last_error"])
    Channel.objects.filter(pk=claimed.channel.pk).update(last_sent_at=now, last_failure_at=None, last_failure="")
    tries = f", at attempt {claimed.attempts}" if claimed.attempts > 1 else ""
    note(deliveries, claimed.channel, IncidentEventKind.NOTIFIED, f"Told {claimed.channel.name}{tries}.", now)


def _fail(claimed: Claim, deliveries: list[Delivery], result: Failed, now: datetime) -> None:
    channel = claimed.channel
    Channel.objects.filter(pk=channel.pk).update(last_failure_at=now, last_failure=result.reason[:500])
    if result.is_gone:
        switch_off(channel, result.reason)
    if result.is_final or claimed.attempts >= MOST_ATTEMPTS:
        give_up(deliveries, channel, result.reason, now)
        _tell_admins(channel, f"{channel.name} could not be told: {result.reason}", f"dead:{claimed.key}")
        return
    wait = result.wait if result.wait is not None else wait_after(claimed.attempts, str(claimed.key))
    for delivery in deliveries:
        delivery.state, delivery.lease_until = DeliveryState.FAILED, None
        delivery.next_attempt_at, delivery.last_error = now + wait, result.reason[:500]
    Delivery.objects.bulk_update(deliveries, ["state", "lease_until", "next_attempt_at", "last_error"])
    if claimed.attempts == 1:  # the others are counted on the delivery
        note(deliveries, channel, IncidentEventKind.DELIVERY_FAILED, f"{result.reason} It is tried again.", now)


def switch_off(channel: Channel, reason: str) -> None:
    """It is used no more before an admin switches it on."""
    Channel.objects.filter(pk=channel.pk).update(is_on=False, off_reason=reason[:500])
    record_activity(
        workspace=channel.workspace,
        actor="Observatory",
        action="channel.switched_off",
        target=channel,
        detail={"reason": reason},
    )


def _tell_admins(channel: Channel, text: str, key: str) -> None:
    """In the app, whatever other channels there are."""
    roles = [MemberRole.OWNER, MemberRole.ADMIN]
    members = Membership.objects.filter(workspace=channel.workspace_id, role__in=roles).values("user")
    notify(
        workspace=channel.workspace,
        users=User.objects.filter(pk__in=members, is_active=True),
        kind="channel",
        text=text,
        url=reverse("channel", args=[channel.workspace.slug, channel.pk]),
        key=f"channel:{channel.pk}:{key}",
    )
