"""GET /api/v1/rules/{rule_id}/runs: what the evaluations of an alert rule came to, also those that did not fire."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from conversations.alerts.history import runs_of
from conversations.alerts.metrics import EVIDENCE, METRICS
from conversations.api.pagination import Keyset
from conversations.api.parameters import chosen
from conversations.api.reading import ListView
from conversations.models import Rule, RuleRun
from conversations.vocabulary import RunState


class PlaceSerializer(serializers.Serializer[Any]):
    """An event that a figure rests on."""

    kind = serializers.CharField(help_text="compaction or batch.")
    id = serializers.IntegerField()
    at = serializers.DateTimeField()


class RuleRunSerializer(serializers.ModelSerializer[RuleRun]):
    """Evaluations that followed each other within an hour and came to the same."""

    since = serializers.DateTimeField(help_text="When the first of them was made.")
    until = serializers.DateTimeField(help_text="When the last of them was made.")
    state = serializers.CharField(help_text="firing, ok, no_data or failed.")
    matched = serializers.IntegerField(help_text="Events that were new and that the rule looks at, all together.")
    groups = serializers.IntegerField(help_text="Groups that fired or were silent, at most at once.")
    value = serializers.FloatField(
        allow_null=True, help_text="The new figure nearest to firing, or furthest beyond; null = none was due."
    )
    worst = serializers.CharField(help_text="The group that it is of; empty = everything together.")
    evidence = serializers.SerializerMethodField(help_text="Events that it owes most to: kind, id and when.")
    told = serializers.IntegerField(help_text="How often incidents were opened, brought up to date or ended.")
    longest_pause_s = serializers.FloatField(
        source="gap.total_seconds", default=None, allow_null=True, help_text="The longest since the evaluation before."
    )
    slowest_ms = serializers.FloatField(help_text="Of one evaluation, in milliseconds.")
    problem = serializers.CharField(help_text="Why they failed.")

    class Meta:
        model = RuleRun
        fields = (
            "id", "since", "until", "evaluations", "state", "matched", "groups", "value", "worst", "evidence", "told",
            "longest_pause_s", "slowest_ms", "problem",
        )  # fmt: skip

    @extend_schema_field(PlaceSerializer(many=True))
    def get_evidence(self, row: RuleRun) -> list[dict[str, Any]]:
        """Three at most."""
        metric = METRICS.get(row.rule.metric)
        kind = EVIDENCE.get(metric.source, "") if metric else ""
        return [{"kind": kind, "id": pk, "at": at} for pk, at in row.places if kind]


class RuleRunListView(ListView):
    """What the evaluations of a rule came to in the last 14 days, the newest first."""

    serializer_class = RuleRunSerializer
    keyset = Keyset("id", descending=True)
    file_name = "rule-runs"
    known = (chosen("state", "What they came to.", RunState, "state"),)

    def rows(self, *_: Any, rule_id: int = 0, **ids: Any) -> QuerySet[RuleRun]:
        """Of one rule."""
        rule = get_object_or_404(Rule, workspace=self.workspace, pk=rule_id)
        return runs_of(rule).select_related("rule")
