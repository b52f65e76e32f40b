"""The numbers in the bar, in the one query that every page asks for its memberships."""

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from conversations.models import Incident, Membership, Notice
from conversations.vocabulary import IncidentState


def with_counts(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    """Each with `open_incidents` of its workspace and `unread_notices` of its user there; by partial indexes."""
    incidents = Incident.objects.filter(workspace=OuterRef("workspace")).exclude(state=IncidentState.RESOLVED)
    notices = Notice.objects.filter(workspace=OuterRef("workspace"), user=OuterRef("user"), read_at=None)
    return memberships.annotate(
        open_incidents=_count(incidents.values("workspace")), unread_notices=_count(notices.values("workspace"))
    )


def _count(grouped: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(grouped.order_by().annotate(count=Count("pk")).values("count")), 0)
