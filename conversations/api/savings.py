"""GET /api/v1/savings and …/conversations/{id}/savings: what was sent, and what would have been without compaction."""

from datetime import date
from typing import Any

from django.http import HttpResponseBase
from django.utils.dateparse import parse_date
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.conversations import conversation_of
from conversations.api.parameters import Parameter
from conversations.api.reading import ReadView
from conversations.spending.queries import (
    ConversationSavings,
    price_table,
    savings_by_agent,
    savings_of_conversation,
    savings_of_workspace,
)
from conversations.spending.savings import Savings
from conversations.spending.tally import NAMES


class SavingsSerializer(serializers.Serializer[Savings]):
    """Input tokens and US dollars, as sent and as they would have been. null = not known, never zero."""

    billed_input_tokens = serializers.IntegerField(source="billed", help_text="Cache and summarising calls included.")
    would_input_tokens = serializers.IntegerField(
        source="would", allow_null=True, help_text="What the same turns would have sent without compaction."
    )
    at_least_input_tokens = serializers.IntegerField(source="at_least", help_text="The same, as far as it is known.")
    saved_input_tokens = serializers.IntegerField(source="saved", help_text="As far as it is known; may be below zero.")
    saved_share = serializers.FloatField(allow_null=True)
    cost_usd = serializers.FloatField(source="cost", allow_null=True)
    would_cost_usd = serializers.FloatField(source="would_cost", allow_null=True)
    unpriced_models = serializers.ListField(child=serializers.CharField(), source="unpriced")
    sums = serializers.SerializerMethodField(help_text="What it is worked out from; docs/savings.md explains each.")

    def get_sums(self, row: Savings) -> dict[str, int]:
        """By name."""
        return dict(zip(NAMES, row.sums.values(), strict=True))


class ConversationSavingsSerializer(serializers.Serializer[ConversationSavings]):
    """Of one conversation."""

    savings = SavingsSerializer()
    largest_context_tokens = serializers.IntegerField(source="peak", allow_null=True)
    would_largest_context_tokens = serializers.IntegerField(source="would_peak", allow_null=True)
    context_window = serializers.IntegerField(source="window", allow_null=True)


class AgentSavingsSerializer(serializers.Serializer[Any]):
    """Of one agent."""

    agent = serializers.CharField()
    version = serializers.CharField()
    savings = SavingsSerializer()


class WorkspaceSavingsSerializer(serializers.Serializer[Any]):
    """Of the workspace and each of its agents."""

    since = serializers.DateField(allow_null=True)
    savings = SavingsSerializer()
    agents = AgentSavingsSerializer(many=True)


def _day(text: str) -> date:
    day = parse_date(text)
    if day is None:
        raise ValueError(text)
    return day


class ConversationSavingsView(ReadView):
    """What compaction saved in one conversation."""

    serializer_class = ConversationSavingsSerializer

    def get(self, request: Request, conversation_id: int) -> HttpResponseBase:
        """The model behind the figures is told in docs/savings.md."""
        found = savings_of_conversation(conversation_of(self.workspace, conversation_id))
        return Response(self.serializer().to_representation(found))


class SavingsView(ReadView):
    """What compaction saved, of the workspace and by agent."""

    serializer_class = WorkspaceSavingsSerializer
    known = (Parameter("since", "From this day on (UTC), as 2026-11-01.", read=_day),)

    def get(self, request: Request) -> HttpResponseBase:
        """Of everything that was digested, or of what was sent since a day."""
        since = self.values.get("since")
        table = price_table(self.workspace)
        agents = savings_by_agent(self.workspace, table, since)
        body = {
            "since": since,
            "savings": savings_of_workspace(self.workspace, table, since),
            "agents": [{"agent": name, "version": version, "savings": savings} for name, version, savings in agents],
        }
        return Response(self.serializer().to_representation(body))
