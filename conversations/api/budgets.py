"""GET /api/v1/budgets/status: what an agent is to know before its next request."""

from typing import Any

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.parameters import Parameter
from conversations.api.reading import MayReadOrMember, ReadView
from conversations.models import ApiKey
from conversations.spending.budget_queries import Status, budget_status
from conversations.spending.budgets import Standing
from conversations.vocabulary import BudgetMetric, BudgetScope


class AnyKeyOrMember(MayReadOrMember):
    """A key of any scope, for the agent that sends is the one that asks; or a person who is signed in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether there is anybody."""
        return isinstance(request.auth, ApiKey) or super().has_permission(request, view)


class StandingSerializer(serializers.Serializer[Standing]):
    """How one budget stands."""

    id = serializers.IntegerField(source="rule.id")
    name = serializers.CharField(source="rule.name")
    scope = serializers.ChoiceField(
        source="rule.scope", choices=list(BudgetScope), help_text="Whose spending it counts."
    )
    metric = serializers.ChoiceField(source="rule.metric", choices=list(BudgetMetric), help_text="What it counts.")
    limit = serializers.FloatField(
        source="rule.limit", help_text="In tokens, US dollars or a number, as the metric is."
    )
    used = serializers.FloatField(allow_null=True, help_text="null = not known, for want of a price or a count.")
    warn_at = serializers.FloatField(source="rule.warn_at")
    state = serializers.CharField(help_text="ok, warn, wrap_up or block.")
    message = serializers.CharField(help_text="Empty while it is ok.")

    def to_representation(self, instance: Standing) -> dict[str, Any]:
        """Whole numbers as such."""
        body = super().to_representation(instance)
        return body | {name: _plain(body[name]) for name in ("limit", "used", "warn_at")}


def _plain(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() else value


class StatusSerializer(serializers.Serializer[Status]):
    """The worst of the budgets that it comes under, and all of them."""

    state = serializers.CharField(
        help_text="ok; warn: near a limit; wrap_up: finish and stop; block: send nothing more.",
    )
    message = serializers.CharField(help_text="The team's words for that state; empty while it is ok.")
    budgets = StandingSerializer(many=True, source="standings")


class BudgetStatusView(ReadView):
    """How the budgets stand that a conversation comes under."""

    permission_classes = (AnyKeyOrMember,)
    serializer_class = StatusSerializer
    known = (
        Parameter("agent", "The agent's name. May be left out for a conversation that is known."),
        Parameter("conversation", "The source's id of the conversation."),
    )

    def get(self, request: Request) -> HttpResponseBase:
        """Counts what was digested. A conversation or agent that is not known yet has used nothing."""
        status = budget_status(
            self.workspace, agent=self.values.get("agent", ""), conversation=self.values.get("conversation", "")
        )
        return Response(self.serializer().to_representation(status))
