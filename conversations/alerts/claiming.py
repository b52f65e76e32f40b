"""What a channel is to send next: taken from the outbox by one process, for as long as its lease runs."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from conversations.alerts.closing import drop, give_up, note, put_off, waiting_for
from conversations.alerts.hours import Hours
from conversations.alerts.outbox import incidents_of
from conversations.alerts.policy import Decision, Manners, Wish, decide, digest_due, goes_together, is_urgent
from conversations.alerts.silences import current_silences, silenced_until
from conversations.models import Channel, Delivery
from conversations.vocabulary import (
    DeliveryKind,
    DeliveryState,
    IncidentEventKind,
    IncidentState,
    Severity,
)

#: After that a process that sends is taken for dead; a job is ended earlier (CELERY_TASK_TIME_LIMIT).
LEASE = timedelta(minutes=5)
MOST_IN_MESSAGE = 200
_HOUR = timedelta(hours=1)
_DIGEST = "digest"
_DUE = [DeliveryState.WAITING, DeliveryState.FAILED]


@dataclass(frozen=True, slots=True)
class Claim:
    """Deliveries that go out in one message, under one key."""

    channel: Channel
    deliveries: list[Delivery]
    key: uuid.UUID
    attempts: int  # this one included
    is_again: bool  # an earlier attempt ended unknown


@transaction.atomic
def claim(channel_id: int, now: datetime) -> Claim | None:
    """The channel's next message; None when nothing is due, or another process is at it.

    The channel's row is locked only while choosing: nobody holds a lock while a receiver is slow."""
    rows = Channel.objects.select_for_update(skip_locked=True, no_key=True, of=("self",)).select_related("workspace")
    channel = rows.filter(pk=channel_id).first()
    if channel is None:
        return None
    _take_back(channel, now)
    due = _due(channel, now)
    if not channel.is_on:
        give_up(due, channel, f"The channel is switched off. {channel.off_reason}".strip(), now)
        return None
    if not due or _is_over_rate(channel, due, now):
        return None
    chosen = _to_repeat(due) or _to_begin(channel, due, now)
    return _lease(channel, chosen, now) if chosen else None


def _take_back(channel: Channel, now: datetime) -> None:
    """Of a process that ended while it sent nobody knows whether the receiver has it: it is sent again with its key."""
    left = list(
        Delivery.objects.filter(channel=channel, state=DeliveryState.SENDING, lease_until__lte=now).order_by("id")
    )
    for delivery in left:
        delivery.state, delivery.is_uncertain = DeliveryState.FAILED, True
        delivery.next_attempt_at, delivery.lease_until = now, None
        delivery.last_error = "The process ended while it sent."
    Delivery.objects.bulk_update(left, ["state", "is_uncertain", "next_attempt_at", "lease_until", "last_error"])
    text = "The process ended while it sent, so it may have arrived. It is sent again with the same key."
    note(left, channel, IncidentEventKind.DELIVERY_UNCERTAIN, text, now)


def _due(channel: Channel, now: datetime) -> list[Delivery]:
    rows = Delivery.objects.filter(channel=channel, state__in=_DUE, next_attempt_at__lte=now).order_by("id")
    return list(rows.select_related("incident", "incident__rule", "incident__budget")[:MOST_IN_MESSAGE])


def _is_over_rate(channel: Channel, due: list[Delivery], now: datetime) -> bool:
    if channel.most_an_hour is None or _sent_last_hour(channel, now) < channel.most_an_hour:
        return False
    first = min(at for at in _times_sent(channel, now))
    put_off(due, first + _HOUR, f"more than {channel.most_an_hour} an hour")
    return True


def _times_sent(channel: Channel, now: datetime) -> list[datetime]:
    """When each message of the last hour was sent."""
    rows = Delivery.objects.filter(channel=channel, sent_at__gt=now - _HOUR).order_by("message_key")
    return [at for at in rows.values_list("message_key").annotate(at=Max("sent_at")).values_list("at", flat=True) if at]


def _sent_last_hour(channel: Channel, now: datetime) -> int:
    return len(_times_sent(channel, now))


def _to_repeat(due: list[Delivery]) -> list[Delivery]:
    """A message that was tried goes out again as it was put together: its key means just these."""
    key = next((delivery.message_key for delivery in due if delivery.message_key), None)
    return list(Delivery.objects.filter(message_key=key, state=DeliveryState.FAILED).order_by("id")) if key else []


def _to_begin(channel: Channel, due: list[Delivery], now: datetime) -> list[Delivery]:
    manners = manners_of(channel)
    wishes = {delivery.pk: wish for delivery, wish in zip(due, _wishes(channel, due, now), strict=True)}
    ready = _sift(channel, due, {pk: decide(wish, manners, now) for pk, wish in wishes.items()}, now)
    urgent = [delivery for delivery in ready if is_urgent(wishes[delivery.pk], manners)]
    if manners.digest and ready and not urgent:
        at = digest_due([wishes[delivery.pk] for delivery in ready], manners)
        if at <= now:
            return ready + _gathered(channel, ready)
        put_off(ready, at, _DIGEST)
        return []
    candidates = urgent if manners.digest else ready
    incidents = incidents_of(candidates)
    sent = _sent_last_hour(channel, now) if manners.most_an_hour else 0
    if goes_together(len(incidents), manners, sent):
        return candidates
    return [delivery for delivery in candidates if delivery.incident_id == incidents[0]]


def _gathered(channel: Channel, ready: list[Delivery]) -> list[Delivery]:
    """What waits for the same digest and was written after its first."""
    rows = Delivery.objects.filter(channel=channel, state__in=_DUE, last_error=waiting_for(_DIGEST)).order_by("id")
    return list(rows.exclude(pk__in=[each.pk for each in ready])[: MOST_IN_MESSAGE - len(ready)])


def manners_of(channel: Channel) -> Manners:
    """When it may be used."""
    quiet = None
    if channel.quiet_from is not None and channel.quiet_to is not None:
        quiet = Hours(channel.quiet_from, channel.quiet_to, channel.time_zone)
    return Manners(
        quiet=quiet,
        wakes_when_critical=channel.wakes_when_critical,
        digest=timedelta(minutes=channel.digest_minutes),
        most_an_hour=channel.most_an_hour,
    )


def _wishes(channel: Channel, due: list[Delivery], now: datetime) -> list[Wish]:
    silences = list(current_silences(channel.workspace, now))
    return [
        Wish(
            kind=DeliveryKind(delivery.kind),
            state=IncidentState(delivery.incident.state),
            severity=Severity(delivery.incident.severity),
            written_at=delivery.created_at,
            snoozed_until=delivery.incident.snoozed_until,
            silent_until=silenced_until(delivery.incident, silences, now),
        )
        for delivery in due
    ]


def _sift(channel: Channel, due: list[Delivery], decisions: dict[int, Decision], now: datetime) -> list[Delivery]:
    """Those to be told now; the others are put off, or dropped, and the incident's page says why."""
    for delivery in due:
        decision = decisions[delivery.pk]
        if decision.never:
            drop([delivery], channel, f"Not told, for {decision.why}.", now)
        elif decision.later:
            _note_once(delivery, channel, decision.why, now)
            put_off([delivery], decision.later, decision.why)
    return [each for each in due if not decisions[each.pk].never and not decisions[each.pk].later]


def _note_once(delivery: Delivery, channel: Channel, why: str, now: datetime) -> None:
    """That somebody is not told yet is news once, not at every look."""
    if delivery.last_error != waiting_for(why):
        note([delivery], channel, IncidentEventKind.SILENCED, f"Not told yet: {why}.", now)


def _lease(channel: Channel, chosen: list[Delivery], now: datetime) -> Claim:
    key = chosen[0].message_key or uuid.uuid4()
    attempts = max(delivery.attempts for delivery in chosen) + 1
    for delivery in chosen:
        delivery.state, delivery.message_key, delivery.attempts = DeliveryState.SENDING, key, attempts
        delivery.lease_until = now + LEASE
    Delivery.objects.bulk_update(chosen, ["state", "message_key", "attempts", "lease_until"])
    return Claim(channel, chosen, key, attempts, is_again=any(delivery.is_uncertain for delivery in chosen))
