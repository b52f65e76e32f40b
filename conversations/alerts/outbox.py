"""Deliveries are written with what they tell of; channels take them from here, one process at a time each."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from conversations.models import Channel, Delivery, Incident, IncidentEvent
from conversations.vocabulary import DeliveryKind, DeliveryState

_DUE = [DeliveryState.WAITING, DeliveryState.FAILED]
_ESCALATES = frozenset({DeliveryKind.OPENED, DeliveryKind.WORSENED})


def write_deliveries(incident: Incident, cause: IncidentEvent, kind: DeliveryKind, at: datetime) -> None:
    """What the channels of an incident's rule or budget are to be told, and whom they escalate to. Telling of the same
    cause again changes nothing."""
    workspace = incident.workspace
    channels = {channel.pk: channel for channel in Channel.objects.filter(workspace=workspace)}
    told = set(incident.owner.channels.order_by().values_list("pk", flat=True))
    if kind == DeliveryKind.RESOLVED:
        told |= set(incident.deliveries.filter(sent_at__isnull=False).values_list("channel", flat=True))
        told = {pk for pk in told & channels.keys() if _tells_resolved(incident) and channels[pk].tells_resolved}
    wanted = [(channels[pk], kind, at) for pk in sorted(told & channels.keys())]
    if kind in _ESCALATES:
        wanted += [
            (channels[pk], DeliveryKind.ESCALATED, when) for pk, when in _escalations(told, channels, at).items()
        ]
    rows = [
        Delivery(
            workspace=workspace, channel=channel, incident=incident, cause=cause, kind=what, next_attempt_at=when,
            created_at=at,
        )
        for channel, what, when in wanted
    ]  # fmt: skip
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)


def _tells_resolved(incident: Incident) -> bool:
    """Whether it is told when it is over: a rule may say that it is not."""
    return incident.rule is None or incident.rule.tells_resolved


def _escalations(told: set[int], channels: dict[int, Channel], at: datetime) -> dict[int, datetime]:
    """Which channels are told later if nobody acknowledges, and when; one told so may escalate further."""
    found: dict[int, datetime] = {}
    waiting = [(pk, at) for pk in sorted(told)]
    while waiting:
        pk, since = waiting.pop(0)
        channel = channels[pk]
        if channel.escalate_to_id is None or channel.escalate_after_minutes is None:
            continue
        to, when = channel.escalate_to_id, since + timedelta(minutes=channel.escalate_after_minutes)
        if to not in told and (to not in found or when < found[to]):
            found[to] = when
            waiting.append((to, when))
    return found


def due_channels(now: datetime) -> list[int]:
    """Channels that have something to do: deliveries whose time has come, and those left behind by a dead process."""
    waiting = Q(state__in=_DUE, next_attempt_at__lte=now)
    left = Q(state=DeliveryState.SENDING, lease_until__lte=now)
    rows = Delivery.objects.filter(waiting | left).order_by("channel")
    return list(rows.values_list("channel", flat=True).distinct())


def replay(deliveries: QuerySet[Delivery], now: datetime) -> int:
    """Send dead letters again, each with the key that it had; how many."""
    return deliveries.filter(state=DeliveryState.DEAD).update(
        state=DeliveryState.FAILED, attempts=0, next_attempt_at=now
    )


def incidents_of(deliveries: Iterable[Delivery]) -> list[int]:
    """Their incidents, each once, in order."""
    return list(dict.fromkeys(delivery.incident_id for delivery in deliveries))
