"""Which silences are in force, for which incidents."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from conversations.alerts.hours import Hours, Schedule, silent_until
from conversations.models import Incident, Silence, Workspace


def current_silences(workspace: Workspace, now: datetime) -> QuerySet[Silence]:
    """Those that are or will be in force."""
    return Silence.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), workspace=workspace)


def is_about(silence: Silence, incident: Incident) -> bool:
    """Whether it silences the incident: its rule or budget and its group, where the silence names them."""
    if silence.rule_id and silence.rule_id != incident.rule_id:
        return False
    if silence.budget_id and silence.budget_id != incident.budget_id:
        return False
    return not silence.group or silence.group == incident.group


def schedule_of(silence: Silence) -> Schedule:
    """When it is in force."""
    hours = None
    if silence.from_time is not None and silence.to_time is not None:
        hours = Hours(silence.from_time, silence.to_time, silence.time_zone, tuple(silence.weekdays))
    return Schedule(silence.starts_at, silence.ends_at, hours)


def silenced_until(incident: Incident, silences: Iterable[Silence], now: datetime) -> datetime | None:
    """When the last of those that are about the incident ends; None when none is in force."""
    return silent_until([schedule_of(silence) for silence in silences if is_about(silence, incident)], now)
