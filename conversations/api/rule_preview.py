"""POST /api/v1/rules/preview: what a rule would have told of in the past, as its editor shows it; nothing is stored."""

from typing import Any

import msgspec
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.alerts.evaluation import definition_of
from conversations.alerts.metrics import EVENTS, EVIDENCE, METRICS
from conversations.alerts.preview import DAYS, Preview, preview
from conversations.alerts.rules import Interval
from conversations.alerts.sentences import sentence
from conversations.alerts.spec import apply_spec
from conversations.api.authentication import KeyAuthentication, MayRead
from conversations.api.parameters import Parameter
from conversations.api.reading import ReadView
from conversations.api.rule_runs import PlaceSerializer
from conversations.api.rules import RuleSerializer, faults, read_rule
from conversations.models import Rule

#: Intervals that an answer holds; `fired` says how many there were.
MOST_TOLD = 500


class PreviewIntervalSerializer(serializers.Serializer[Any]):
    """From when to when one group would have fired."""

    group = serializers.CharField(help_text="Empty = everything together.")
    state = serializers.CharField(help_text="firing, or no_data where silence is told of.")
    severity = serializers.CharField(help_text="The worst it was: warning or critical.")
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True, help_text="null = it still would.")
    value = serializers.FloatField(allow_null=True, help_text="The last figure.")
    peak = serializers.FloatField(allow_null=True, help_text="The worst figure.")
    threshold = serializers.FloatField(allow_null=True)
    evidence = PlaceSerializer(many=True, source="places", help_text="At most 20; none for days.")


class RulePreviewSerializer(serializers.Serializer[Any]):
    """What would have been told of."""

    sentence = serializers.CharField(help_text="The rule in words.")
    since = serializers.DateTimeField(help_text="Later than asked for, where there are more events than are looked at.")
    until = serializers.DateTimeField(help_text="What came after it may still be waited for.")
    outcome = serializers.CharField(help_text="fires, would_not_fire, or nothing_matched: it cannot be said.")
    events = serializers.CharField(help_text="What is matched: compaction, review, verdict, batch, arrival …")
    matched = serializers.IntegerField(help_text="Events that it looks at.")
    others = serializers.IntegerField(
        help_text="Where none matched: how many there are of other agents, versions or models."
    )
    cut = serializers.BooleanField(help_text="There were more events than are looked at.")
    fired = serializers.IntegerField(help_text="How many times.")
    groups = serializers.IntegerField(help_text="How many groups fired.")
    worst = serializers.FloatField(allow_null=True, help_text="The figure nearest to firing, or beyond.")
    suggested = serializers.FloatField(
        allow_null=True, help_text="A threshold beyond which 2 in 100 figures lie; null = too few to tell."
    )
    intervals = PreviewIntervalSerializer(many=True, help_text=f"The newest {MOST_TOLD}, the newest first.")


class RulePreviewView(ReadView):
    """What a rule would have told of in the last days."""

    authentication_classes: Any = (KeyAuthentication,)
    permission_classes: Any = (MayRead,)
    serializer_class = RulePreviewSerializer
    known = (
        Parameter(
            "days", f"How many days back; {DAYS[1]} if left out.", read=int, choices=tuple(map(str, DAYS)),
        ),
    )  # fmt: skip

    @extend_schema(
        operation_id="rule_preview",
        tags=["alerts"],
        summary="What a rule would have told of in the last days",
        description="By the function that evaluates rules. A rule as it is made or answered; name and channels do not"
        " matter. Nothing is stored.",
        request=RuleSerializer,
        responses={"200": RulePreviewSerializer, **faults()},
    )
    def post(self, request: Request) -> Response:
        """The same as the editor shows."""
        spec = read_rule(request, name="preview", channels=[])
        # No rule has an empty name, so that this one stands in no other's way.
        rule, _ = apply_spec(msgspec.structs.replace(spec, name=""), Rule(workspace=self.workspace))
        found = preview(self.workspace, definition_of(rule), self.values.get("days", DAYS[1]), timezone.now())
        return Response(self.serializer().to_representation(told(found)))


def told(found: Preview) -> dict[str, Any]:
    """What `RulePreviewSerializer` says."""
    source = METRICS[found.definition.metric].source
    newest = list(reversed(found.intervals))[:MOST_TOLD]
    names = ("since", "until", "matched", "others", "cut", "fired", "groups", "worst", "suggested")
    return {name: getattr(found, name) for name in names} | {
        "sentence": sentence(found.definition),
        "outcome": outcome(found),
        "events": EVENTS[source],
        "intervals": [_interval(each, EVIDENCE.get(source)) for each in newest],
    }


def outcome(found: Preview) -> str:
    """A rule about silence may fire where nothing matched."""
    if found.fired:
        return "fires"
    return "would_not_fire" if found.matched else "nothing_matched"


def _interval(interval: Interval, kind: str | None) -> dict[str, Any]:
    places = [{"kind": kind, "id": place.id, "at": place.at} for place in interval.places] if kind else []
    names = ("group", "state", "severity", "since", "until", "value", "peak", "threshold")
    return {name: getattr(interval, name) for name in names} | {"places": places}
