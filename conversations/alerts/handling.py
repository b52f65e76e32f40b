"""What people do with incidents: acknowledge, snooze, assign, comment, resolve. Each is a line in the timeline."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from conversations.alerts.outbox import write_deliveries
from conversations.models import ApiKey, Incident, IncidentEvent, User, Workspace
from conversations.people.activity import record_activity
from conversations.people.notices import notify
from conversations.vocabulary import DeliveryKind, IncidentEventKind, IncidentState


@dataclass(frozen=True, slots=True)
class Hand:
    """Who does it, and when (our clock)."""

    actor: User | ApiKey
    at: datetime

    @property
    def user(self) -> User | None:
        """The person, if it is one."""
        return self.actor if isinstance(self.actor, User) else None


def acknowledge(workspace: Workspace, ids: Iterable[int], hand: Hand) -> list[Incident]:
    """Somebody sees to them: nobody is reminded, nothing is escalated. Those that are not open stay as they are."""

    def do(incident: Incident) -> str | None:
        if incident.state != IncidentState.OPEN:
            return None
        incident.state = IncidentState.ACKNOWLEDGED
        incident.acknowledged_at, incident.acknowledged_by = hand.at, hand.user
        return ""

    return _each(workspace, ids, hand, IncidentEventKind.ACKNOWLEDGED, do)


def resolve(workspace: Workspace, ids: Iterable[int], hand: Hand, reason: str = "") -> list[Incident]:
    """Close them; the same trouble does not open them again, see `incidents.record_signals`."""

    def do(incident: Incident) -> str | None:
        if not incident.is_open:
            return None
        incident.state, incident.resolved_at, incident.awaits_ok = IncidentState.RESOLVED, hand.at, True
        return reason

    return _each(workspace, ids, hand, IncidentEventKind.RESOLVED_BY_HAND, do)


def snooze(workspace: Workspace, ids: Iterable[int], hand: Hand, until: datetime) -> list[Incident]:
    """Nobody is told of them until then."""

    def do(incident: Incident) -> str | None:
        if not incident.is_open:
            return None
        incident.snoozed_until = until
        return f"until {until:%Y-%m-%d %H:%M} UTC"

    return _each(workspace, ids, hand, IncidentEventKind.SNOOZED, do)


def wake(workspace: Workspace, ids: Iterable[int], hand: Hand) -> list[Incident]:
    """End a snooze before its time: what waited for it is told."""

    def do(incident: Incident) -> str | None:
        if not incident.is_open or incident.snoozed_until is None or incident.snoozed_until <= hand.at:
            return None
        incident.snoozed_until = None
        return "not any more"

    return _each(workspace, ids, hand, IncidentEventKind.SNOOZED, do)


def assign(workspace: Workspace, ids: Iterable[int], hand: Hand, to: User | None) -> list[Incident]:
    """Somebody is to see to them, and gets a notice unless they did it themselves; None takes it back."""

    def do(incident: Incident) -> str | None:
        if incident.assigned_to == to:
            return None
        incident.assigned_to = to
        return f"to {to}" if to else "to nobody"

    done = _each(workspace, ids, hand, IncidentEventKind.ASSIGNED, do)
    for incident in done if to and to != hand.actor else []:
        notify(
            workspace=workspace,
            users=[to] if to else [],
            kind="assignment",
            text=f"{hand.actor} assigned an incident to you: {incident}",
            url=incident.get_absolute_url(),
            key=f"incident:{incident.pk}:assigned:{hand.at.isoformat()}",
        )
    return done


def comment(workspace: Workspace, ids: Iterable[int], hand: Hand, text: str) -> list[Incident]:
    """Say something about them."""
    return _each(workspace, ids, hand, IncidentEventKind.COMMENTED, lambda _: text)


@transaction.atomic
def _each(
    workspace: Workspace,
    ids: Iterable[int],
    hand: Hand,
    kind: IncidentEventKind,
    do: Callable[[Incident], str | None],
) -> list[Incident]:
    """Do it to each that is there, and write it down where `do` says what about it (None = nothing was to be done)."""
    rows = Incident.objects.select_for_update(of=("self",)).filter(workspace=workspace, pk__in=list(ids))
    done = []
    for incident in rows.select_related("rule", "budget", "assigned_to", "workspace").order_by("id"):
        text = do(incident)
        if text is not None:
            incident.save()
            _write_down(incident, hand, kind, text)
            done.append(incident)
    return done


def _write_down(incident: Incident, hand: Hand, kind: IncidentEventKind, text: str) -> None:
    by: dict[str, Any] = {"user": hand.user, "actor": str(hand.actor)[:200]}
    if isinstance(hand.actor, ApiKey):
        by["api_key"] = hand.actor
    event = IncidentEvent.objects.create(
        workspace=incident.workspace, incident=incident, kind=kind, at=hand.at, text=text[:2000], **by
    )
    if kind == IncidentEventKind.RESOLVED_BY_HAND:
        write_deliveries(incident, event, DeliveryKind.RESOLVED, hand.at)
    if kind != IncidentEventKind.COMMENTED:
        record_activity(
            workspace=incident.workspace, actor=hand.actor, action=f"incident.{kind.value}", target=incident
        )
