"""Incidents on pages that are about something else."""

from django import template

from conversations.models import Incident, Workspace
from conversations.vocabulary import IncidentState

register = template.Library()

_SHOWN = 5


@register.simple_tag
def last_open_incidents(workspace: Workspace) -> list[Incident]:
    """The newest that are not resolved; one query."""
    rows = Incident.objects.filter(workspace=workspace).exclude(state=IncidentState.RESOLVED)
    return list(rows.select_related("rule", "budget").order_by("-opened_at", "-id")[:_SHOWN])
