"""Signals become incidents: opened once a group, kept up to date, told of, and resolved when the data is well again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from conversations.alerts.outbox import write_deliveries
from conversations.alerts.signals import MOST_EVIDENCE, Signal, by_group, severity_rank
from conversations.models import Budget, Incident, IncidentEvent, Rule, Workspace
from conversations.vocabulary import DeliveryKind, IncidentEventKind, IncidentState, SignalState


@transaction.atomic
def record_signals(
    *,
    workspace: Workspace,
    signals: Sequence[Signal],
    at: datetime,
    rule: Rule | None = None,
    budget: Budget | None = None,
) -> list[Incident]:
    """Take what a rule or a budget said at `at` (our clock); return the incidents that it opened, changed or resolved.

    Groups that no signal is about stay as they are, and so do those without data. Safe to be called twice, or by two
    processes at once: signals older than the last ones taken are ignored. An incident that somebody resolved by hand
    opens again when its group was well in between, or fires anew since a later time than that.
    Deliveries are written in the same transaction: whoever is to be told is told, or the incident is not there."""
    owner = {"workspace": workspace, "rule": rule, "budget": budget}
    found = by_group(signals)
    if any(signal.state == SignalState.FIRING for signal in found.values()):
        _lock(rule or budget)
    watched = _watched(owner)
    changed = [_take(owner, signal, watched.get(group), at) for group, signal in found.items()]
    return [incident for incident in changed if incident]


def _lock(owner: Rule | Budget | None) -> None:
    """One at a time opens incidents of an owner. Taken before any incident is, so that nobody waits in a ring."""
    if owner is None:
        raise ValueError("Signals are of a rule or of a budget.")
    type(owner).objects.select_for_update(no_key=True).filter(pk=owner.pk).values_list("pk").first()


def _watched(owner: dict[str, Any]) -> dict[str, Incident]:
    """By group: the open one, else the one that was closed by hand and waits for the data to be well. Locked."""
    rows = Incident.objects.select_for_update(of=("self",)).filter(
        ~Q(state=IncidentState.RESOLVED) | Q(awaits_ok=True), **owner
    )
    ordered = sorted(rows.order_by("id"), key=lambda incident: incident.is_open)
    return {incident.group: incident for incident in ordered}


def _take(owner: dict[str, Any], signal: Signal, incident: Incident | None, at: datetime) -> Incident | None:
    if incident and at < incident.evaluated_at:
        return None
    if signal.state == SignalState.FIRING:
        return _fire(owner, signal, incident, at)
    if signal.state == SignalState.OK and incident:
        return _be_well(signal, incident, at)
    return None


def _fire(owner: dict[str, Any], signal: Signal, incident: Incident | None, at: datetime) -> Incident | None:
    if incident and incident.is_open:
        return _update(incident, signal, at)
    if incident and incident.resolved_at and signal.since <= incident.resolved_at:
        return None  # the same trouble that somebody closed by hand
    if incident:
        incident.awaits_ok = False
        incident.save(update_fields=["awaits_ok"])
    return _open(owner, signal, at)


def _open(owner: dict[str, Any], signal: Signal, at: datetime) -> Incident | None:
    earlier = Incident.objects.filter(group=signal.group, evaluated_at__gte=at, **owner)
    if earlier.exists():  # somebody has seen newer data, and it was well
        return None
    incident = Incident.objects.create(
        **owner, group=signal.group, state=IncidentState.OPEN, opened_at=at, told_at=at, **_said(signal, at)
    )
    event = _note(incident, IncidentEventKind.OPENED, at)
    write_deliveries(incident, event, DeliveryKind.OPENED, at)
    return incident


def _update(incident: Incident, signal: Signal, at: datetime) -> Incident:
    worse = severity_rank(signal.severity) > severity_rank(incident.severity)
    said = _said(signal, at)
    if not worse:
        said["severity"] = incident.severity
    for name, value in said.items():
        setattr(incident, name, value)
    if worse:
        _tell(incident, IncidentEventKind.WORSENED, DeliveryKind.WORSENED, at)
    elif _is_reminder_due(incident, at):
        _tell(incident, IncidentEventKind.REMINDED, DeliveryKind.REMINDED, at)
    incident.save(update_fields=[*said, "told_at"])
    return incident


def _is_reminder_due(incident: Incident, at: datetime) -> bool:
    """Rules and budgets may tell again while an incident lasts and nobody has acknowledged it."""
    minutes = incident.owner.remind_minutes
    if not minutes or incident.state != IncidentState.OPEN or incident.told_at is None:
        return False
    if incident.snoozed_until and incident.snoozed_until > at:
        return False
    return (at - incident.told_at).total_seconds() >= minutes * 60


def _be_well(signal: Signal, incident: Incident, at: datetime) -> Incident | None:
    if not incident.is_open:
        incident.awaits_ok, incident.evaluated_at = False, at
        incident.save(update_fields=["awaits_ok", "evaluated_at"])
        return None
    incident.state, incident.until = IncidentState.RESOLVED, signal.since
    incident.resolved_at = incident.evaluated_at = at
    incident.save(update_fields=["state", "until", "resolved_at", "evaluated_at"])
    _tell(incident, IncidentEventKind.RESOLVED_BY_DATA, DeliveryKind.RESOLVED, at)
    return incident


def _tell(incident: Incident, kind: IncidentEventKind, delivery: DeliveryKind, at: datetime) -> None:
    incident.told_at = at
    write_deliveries(incident, _note(incident, kind, at), delivery, at)


def _note(incident: Incident, kind: IncidentEventKind, at: datetime) -> IncidentEvent:
    detail = {"severity": incident.severity, "value": incident.value, "threshold": incident.threshold}
    return IncidentEvent.objects.create(
        workspace=incident.workspace, incident=incident, kind=kind, at=at, text=incident.summary, detail=detail
    )


def _said(signal: Signal, at: datetime) -> dict[str, Any]:
    return {
        "severity": signal.severity,
        "summary": signal.summary[:500],
        "value": signal.value,
        "threshold": signal.threshold,
        "since": signal.since,
        "evaluated_at": at,
        "evidence": [
            {"kind": each.kind, "id": each.id, "label": each.label, "at": each.at.isoformat() if each.at else None}
            for each in signal.evidence[:MOST_EVIDENCE]
        ],
    }
