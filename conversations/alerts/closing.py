"""What becomes of deliveries that are not sent, and the line about it in their incidents' timelines."""

from datetime import datetime

from conversations.alerts.outbox import incidents_of
from conversations.models import Channel, Delivery, IncidentEvent
from conversations.vocabulary import DeliveryState, IncidentEventKind


def put_off(deliveries: list[Delivery], at: datetime, why: str) -> None:
    """They wait until `at`."""
    for delivery in deliveries:
        delivery.next_attempt_at, delivery.last_error = at, waiting_for(why)
    Delivery.objects.bulk_update(deliveries, ["next_attempt_at", "last_error"])


def waiting_for(why: str) -> str:
    """What a delivery says that waits."""
    return f"Waits: {why}."


def give_up(deliveries: list[Delivery], channel: Channel, reason: str, now: datetime) -> None:
    """Nothing is tried any more before a person asks for it."""
    for delivery in deliveries:
        delivery.state, delivery.lease_until, delivery.last_error = DeliveryState.DEAD, None, reason[:500]
    Delivery.objects.bulk_update(deliveries, ["state", "lease_until", "last_error"])
    note(deliveries, channel, IncidentEventKind.DELIVERY_FAILED, f"{reason} Given up.", now)


def drop(deliveries: list[Delivery], channel: Channel, reason: str, now: datetime) -> None:
    """Nobody is told, for there is no reason any more."""
    for delivery in deliveries:
        delivery.state, delivery.last_error = DeliveryState.DROPPED, reason[:500]
    Delivery.objects.bulk_update(deliveries, ["state", "last_error"])
    note(deliveries, channel, IncidentEventKind.SILENCED, reason, now)


def note(deliveries: list[Delivery], channel: Channel, kind: IncidentEventKind, text: str, now: datetime) -> None:
    """One line in the timeline of each incident."""
    rows = [
        IncidentEvent(
            workspace_id=channel.workspace_id, incident_id=incident, kind=kind, at=now, text=text,
            detail={"channel": channel.name},
        )
        for incident in incidents_of(deliveries)
    ]  # fmt: skip
    IncidentEvent.objects.bulk_create(rows)
