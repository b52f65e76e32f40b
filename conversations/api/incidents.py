"""GET /api/v1/incidents: what was found not to be well; and for keys that may manage, acknowledging and resolving."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from conversations.alerts import handling
from conversations.alerts.handling import Hand
from conversations.api.authentication import KeyAuthentication, MayManage, sender
from conversations.api.pagination import Keyset
from conversations.api.parameters import Parameter, since_and_until, whole
from conversations.api.reading import ListView, ReadView
from conversations.api.schema import FAULTS
from conversations.models import Delivery, Incident, IncidentEvent, Workspace
from conversations.vocabulary import IncidentState, Severity


class EvidenceSerializer(serializers.Serializer[Any]):
    """A place in the data."""

    kind = serializers.CharField(help_text="conversation, compaction, message or batch.")
    id = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment] # a field's own name, which DRF's class has, too
    at = serializers.DateTimeField(allow_null=True, help_text="By the data's clock.")


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """What was not well, since when, and how far people have come with it."""

    evidence = EvidenceSerializer(many=True, help_text="At most 20 places in the data.")
    title = serializers.CharField(source="owner", help_text="Name of the rule or budget.")
    url = serializers.CharField(source="get_absolute_url", help_text="Its page.")
    state = serializers.CharField(help_text="open, acknowledged or resolved.")
    severity = serializers.CharField(help_text="The worst it has been: info, warning or critical.")
    acknowledged_by = serializers.CharField(allow_null=True)
    assigned_to = serializers.CharField(allow_null=True)

    class Meta:
        model = Incident
        fields = (
            "id", "url", "title", "rule", "budget", "group", "state", "severity", "summary", "value", "threshold",
            "since", "until", "opened_at", "resolved_at", "acknowledged_at", "acknowledged_by", "assigned_to",
            "snoozed_until", "evidence",
        )  # fmt: skip


class IncidentEventSerializer(serializers.ModelSerializer[IncidentEvent]):
    """One line of its timeline."""

    kind = serializers.CharField(help_text="opened, worsened, notified, delivery_failed, acknowledged …")

    class Meta:
        model = IncidentEvent
        fields = ("id", "at", "kind", "actor", "text")


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """What one channel was or is to be told."""

    channel = serializers.CharField(help_text="Its name.")
    kind = serializers.CharField(help_text="opened, worsened, reminded, escalated or resolved.")
    state = serializers.CharField(help_text="waiting, sending, sent, failed (tried again), dead (given up) or dropped.")

    class Meta:
        model = Delivery
        fields = ("id", "channel", "kind", "state", "attempts", "next_attempt_at", "sent_at", "last_error")


class IncidentWithTimelineSerializer(IncidentSerializer):
    """With what happened, and who was told."""

    timeline = IncidentEventSerializer(many=True, source="events")
    deliveries = DeliverySerializer(many=True)

    class Meta(IncidentSerializer.Meta):
        fields = (*IncidentSerializer.Meta.fields, "timeline", "deliveries")  # type: ignore[assignment] # longer


def incidents_of(workspace: Workspace) -> QuerySet[Incident]:
    """With what an answer says of each."""
    rows = Incident.objects.filter(workspace=workspace)
    return rows.select_related("workspace", "rule", "budget", "acknowledged_by", "assigned_to")


def _one_of(name: str, help_: str, choices: tuple[str, ...]) -> Parameter:
    return Parameter(name, help_, keeps=lambda value: Q(**{name: value}), choices=choices)


def _key_of(name: str, help_: str) -> Parameter:
    return Parameter(
        name, help_, keeps=lambda pk: Q(**{name: pk}), read=lambda text: whole(text, most=2**63 - 1), type="integer"
    )


class IncidentListView(ListView):
    """Incidents, newest first."""

    serializer_class = IncidentSerializer
    keyset = Keyset("opened_at", descending=True)
    file_name = "incidents"
    known = (
        _one_of("state", "How far people have come with it.", tuple(IncidentState)),
        _one_of("severity", "The worst it has been.", tuple(Severity)),
        _key_of("rule", "Of the rule with this id."),
        _key_of("budget", "Of the budget with this id."),
        *since_and_until("opened_at", "Opened"),
    )

    def rows(self, *_: Any, **ids: Any) -> QuerySet[Incident]:
        """All of the workspace's."""
        return incidents_of(self.workspace)


class IncidentView(ReadView):
    """One incident, with its timeline and who was told."""

    serializer_class = IncidentWithTimelineSerializer

    def get(self, request: Request, incident_id: int) -> HttpResponseBase:
        """Timeline and deliveries from the first on."""
        rows = incidents_of(self.workspace).prefetch_related("events", "deliveries__channel")
        return Response(self.serializer().to_representation(get_object_or_404(rows, pk=incident_id)))


_ANSWERS: dict[str, Any] = {"200": IncidentSerializer} | {
    status: OpenApiResponse(serializer, text) for status, (serializer, text) in FAULTS.items()
}


class _ChangeView(APIView):
    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayManage,)
    serializer_class = IncidentSerializer

    def answer(self, request: Request, incident_id: int) -> Response:
        """How it stands now."""
        row = get_object_or_404(incidents_of(sender(request).workspace), pk=incident_id)
        return Response(IncidentSerializer(row).data)


class IncidentAcknowledgeView(_ChangeView):
    """Say that somebody sees to it."""

    @extend_schema(
        operation_id="incident_acknowledge",
        tags=["alerts"],
        summary="Acknowledge an incident",
        description="Nobody is reminded, and nothing is escalated. Where it is not open nothing changes.",
        request=None,
        responses=_ANSWERS,
    )
    def post(self, request: Request, incident_id: int) -> Response:
        """Twice is as once."""
        key = sender(request)
        handling.acknowledge(key.workspace, [incident_id], Hand(key, timezone.now()))
        return self.answer(request, incident_id)


class IncidentResolveView(_ChangeView):
    """Close it."""

    @extend_schema(
        operation_id="incident_resolve",
        tags=["alerts"],
        summary="Resolve an incident",
        description="The same trouble does not open it again. Where it is resolved nothing changes.",
        request=None,
        responses=_ANSWERS,
    )
    def post(self, request: Request, incident_id: int) -> Response:
        """Twice is as once."""
        key = sender(request)
        handling.resolve(key.workspace, [incident_id], Hand(key, timezone.now()))
        return self.answer(request, incident_id)
