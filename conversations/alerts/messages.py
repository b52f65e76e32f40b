"""What is said: claimed deliveries as one message, with addresses of the pages that show more."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from conversations.alerts.channels.message import Message, Told
from conversations.alerts.claiming import Claim
from conversations.alerts.outbox import incidents_of
from conversations.models import Channel, Delivery, Incident, Workspace

#: Kinds of evidence that have a page, by the name of its URL.
_PAGES = frozenset({"batch", "compaction", "conversation", "message"})


def message_of(claimed: Claim, now: datetime) -> Message:
    """The claimed deliveries as one message, by how their incidents stand now."""
    rows = Incident.objects.filter(pk__in=incidents_of(claimed.deliveries)).select_related("rule", "budget")
    workspace = claimed.channel.workspace
    return Message(
        key=str(claimed.key),
        workspace=workspace.slug,
        at=now,
        incidents=tuple(_told(incident, workspace, claimed.deliveries) for incident in rows.order_by("id")),
        is_again=claimed.is_again,
        url=absolute(reverse("alerts", args=[workspace.slug])),
    )


def trial_message(channel: Channel, key: str, now: datetime) -> Message:
    """What a channel says when it is tried."""
    workspace = channel.workspace
    return Message(
        key=key, workspace=workspace.slug, at=now, is_test=True, url=absolute(reverse("alerts", args=[workspace.slug]))
    )


def absolute(path: str) -> str:
    """With the site's address in front."""
    return f"{settings.PUBLIC_URL.rstrip('/') or 'http://localhost:8000'}{path}"


def _told(incident: Incident, workspace: Workspace, deliveries: list[Delivery]) -> Told:
    path = reverse("incident", args=[workspace.slug, incident.pk])
    return Told(
        id=incident.pk,
        happened=tuple(delivery.kind for delivery in deliveries if delivery.incident_id == incident.pk),
        title=str(incident.owner),
        group=incident.group,
        state=incident.state,
        severity=incident.severity,
        summary=incident.summary,
        note=incident.rule.note if incident.rule else "",
        url=absolute(path),
        path=path,
        since=incident.since,
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        value=incident.value,
        threshold=incident.threshold,
        evidence=tuple(each | {"url": _evidence_url(each, workspace)} for each in incident.evidence),
    )


def evidence_path(kind: str, pk: int, workspace: Workspace) -> str:
    """Of the page that shows it; empty when there is none."""
    return reverse(kind, args=[workspace.slug, pk]) if kind in _PAGES else ""


def _evidence_url(each: dict[str, Any], workspace: Workspace) -> str:
    path = evidence_path(each["kind"], each["id"], workspace)
    return absolute(path) if path else ""
