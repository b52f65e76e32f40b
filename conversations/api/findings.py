"""GET …/findings and …/life-lines: what became of what was known, at one compaction and over all of a conversation."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from conversations.api.conversations import conversation_of
from conversations.api.export import CHUNK
from conversations.api.pagination import Keyset, Page
from conversations.api.parameters import Parameter, chosen, equal, yes_or_no
from conversations.api.ranked import Ranked
from conversations.api.reading import ListView
from conversations.api.serializers import AuditSerializer
from conversations.audit.model import FactKind
from conversations.audit.queries import counts_of, summary_of, with_messages
from conversations.errors import Refused
from conversations.models import Addition, Compaction, Finding, LifeLine
from conversations.review.desk import refuse_the_blind
from conversations.review.veiling import has_veiled
from conversations.vocabulary import Outcome

_TEXT, _WHOLE = {"type": "string"}, {"type": "integer"}
_OR_NULL = {"type": ["integer", "null"]}
_PLACE = {
    "type": "object",
    "properties": {
        "message": _TEXT | {"description": "The message's external id."},
        "id": _OR_NULL | {"description": "Its id here; null = it is no longer in the data."},
        "url": {"type": ["string", "null"]},
        "block": _WHOLE | {"description": "Which block of it, from 0."},
        "start": _WHOLE | {"description": "Characters into the block's text."},
        "end": _WHOLE,
    },
}
_PARTS = {"type": "object", "additionalProperties": {"type": "number"}}
_EVIDENCE = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "signal": _TEXT,
            "text": _TEXT,
            "messages": {"type": "array", "items": _TEXT},
            "cost_tokens": _OR_NULL,
            "base_rate": {"type": ["number", "null"], "description": "How often it happens without a compaction."},
        },
    },
}
_STAGE = {
    "type": "object",
    "properties": {
        "number": _WHOLE | {"description": "The compaction's number within the conversation."},
        "outcome": {"type": "string", "enum": list(Outcome)},
        "detail": _TEXT,
        "fact": _TEXT | {"description": "The id of the finding there."},
        "came_back": {"type": ["string", "null"], "description": "How it was known again before."},
        "came_back_at": _OR_NULL,
        "followed": {"type": "boolean"},
        "harmful": {"type": "boolean"},
    },
}


def evidence_of(row: Finding | Addition) -> list[dict[str, Any]]:
    """Signs of harm as in the report of `manage.py audit`."""
    names = ("signal", "text", "messages", "cost_tokens", "base_rate")
    return [{name: sign.get(name) for name in names} for sign in row.evidence]


class FindingSerializer(serializers.ModelSerializer[Finding]):
    """What became of one fact at one compaction, as in the report of `manage.py audit --json`."""

    id = serializers.CharField(source="fact_id", help_text="The same at every compaction the fact is met at.")
    html_url = serializers.SerializerMethodField(help_text="The page for people.")
    messages = serializers.SerializerMethodField(help_text="External ids of where it was said, the best place first.")
    places = serializers.SerializerMethodField(help_text="The same, with ids of ours and the words' place.")
    probability = serializers.FloatField(help_text="That the summary lets the agent know it.")
    summary_quote = serializers.SerializerMethodField(help_text="The nearest words of the summary; empty = none.")
    rank_parts = serializers.SerializerMethodField(help_text="What makes up the rank.")
    importance_parts = serializers.SerializerMethodField(help_text="What makes up the importance.")
    evidence = serializers.SerializerMethodField(help_text="Signs of harm afterwards.")

    class Meta:
        model = Finding
        fields = (
            "id", "number", "html_url", "kind", "text", "quote", "author", "state", "messages", "places", "first",
            "last", "count", "outcome", "detail", "probability", "importance", "importance_parts", "summary_quote",
            "summary_start", "summary_end", "reason", "detector", "rank", "rank_parts", "evidence",
        )  # fmt: skip

    def get_html_url(self, row: Finding) -> str:
        """Made without asking the store."""
        return f"/w/{self.context['workspace'].slug}/compactions/{row.compaction_id}/?fact={row.number}"

    @extend_schema_field({"type": "array", "items": _TEXT})
    def get_messages(self, row: Finding) -> list[str]:
        """Each once."""
        return list(dict.fromkeys(span.message for span, _ in row.placed))

    @extend_schema_field({"type": "array", "items": _PLACE})
    def get_places(self, row: Finding) -> list[dict[str, Any]]:
        """Each span with its message."""
        return [
            {
                "message": span.message,
                "id": message and message.pk,
                "url": message and f"/api/v1/messages/{message.pk}",
                "block": span.block,
                "start": span.start,
                "end": span.end,
            }
            for span, message in row.placed
        ]

    def get_summary_quote(self, row: Finding) -> str:
        """Cut out of the summary."""
        return _quoted(self.context["summary"], row.summary_start, row.summary_end)

    @extend_schema_field(_PARTS)
    def get_rank_parts(self, row: Finding) -> dict[str, float]:
        """Name to contribution."""
        return dict(row.parts.get("rank", {}))

    @extend_schema_field(_PARTS)
    def get_importance_parts(self, row: Finding) -> dict[str, float]:
        """Name to contribution."""
        return dict(row.parts.get("importance", {}))

    @extend_schema_field(_EVIDENCE)
    def get_evidence(self, row: Finding) -> list[dict[str, Any]]:
        """As `evidence_of` says."""
        return evidence_of(row)


class AdditionSerializer(serializers.ModelSerializer[Addition]):
    """A statement of the summary that has no source in what it covers."""

    id = serializers.CharField(source="fact_id")
    summary_quote = serializers.SerializerMethodField(help_text="Its words.")
    probability = serializers.FloatField(help_text="That it has no source.")
    evidence = serializers.SerializerMethodField(help_text="Signs of harm afterwards.")

    class Meta:
        model = Addition
        fields = (
            "id", "kind", "text", "summary_quote", "summary_start", "summary_end", "reason", "probability", "evidence",
        )  # fmt: skip

    def get_summary_quote(self, row: Addition) -> str:
        """Cut out of the summary."""
        return _quoted(self.context["summary"], row.summary_start, row.summary_end)

    @extend_schema_field(_EVIDENCE)
    def get_evidence(self, row: Addition) -> list[dict[str, Any]]:
        """As `evidence_of` says."""
        return evidence_of(row)


def _quoted(summary: str, start: int | None, end: int | None) -> str:
    return "" if start is None or end is None else summary[start:end]


# --- findings of a compaction ---------------------------------------------------------------------------------------


def share(text: str) -> float:
    """A number from 0 to 1."""
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


_LOST = Q(outcome__in=[Outcome.FORGOTTEN, Outcome.ALTERED])


class FindingListView(ListView):
    """What became of each fact at one compaction, worst first; beside it the audit, and what the summary added."""

    serializer_class = FindingSerializer
    keyset = Keyset("number")
    file_name = "findings"
    beside = {  # for the OpenAPI document
        "compaction": _WHOLE,
        "audit": {
            "oneOf": [{"$ref": "#/components/schemas/Audit"}, {"type": "null"}],
            "description": "null = not yet.",
        },
        "counts": {
            "type": "object",
            "description": "Findings by outcome; `kind`: by kind and outcome. Filters change nothing here.",
            "additionalProperties": True,
        },
        "added": AdditionSerializer,
    }
    known = (
        chosen("outcome", "What became of it.", Outcome, "outcome"),
        chosen("kind", "What it is.", FactKind, "kind"),
        equal("id", "The fact's id, exactly.", "fact_id"),
        Parameter(
            "lost", "true: forgotten or altered; false: everything else.",
            keeps=lambda wanted: _LOST if wanted else ~_LOST, read=yes_or_no, type="boolean",
        ),
        Parameter(
            "harm", "Whether something afterwards shows that it hurt.", keeps=lambda wanted: Q(harmful=wanted),
            read=yes_or_no, type="boolean",
        ),
        Parameter(
            "min_importance", "At least so important, 0 to 1.",
            keeps=lambda least: Q(importance__gte=least), read=share, type="number",
        ),
    )  # fmt: skip

    def rows(self, compaction_id: int) -> QuerySet[Any]:
        """All of the compaction's."""
        joined = Compaction.objects.filter(workspace=self.workspace).select_related("audit", "summary_message")
        self.compaction: Compaction = get_object_or_404(joined, pk=compaction_id)
        refuse_the_blind(self.request.user, self.compaction)
        return Finding.objects.filter(workspace=self.workspace, compaction=self.compaction)

    def serializer(self) -> serializers.BaseSerializer[Any]:
        """Quotes are cut out of the summary."""
        return FindingSerializer(context=self._context())

    def _context(self) -> dict[str, Any]:
        return {"workspace": self.workspace, "summary": summary_of(self.compaction)}

    def page(self, rows: QuerySet[Any]) -> Page:
        """With the messages they were said in."""
        page = super().page(rows)
        with_messages(page.rows)
        return page

    def whole(self, rows: QuerySet[Any]) -> Iterator[Finding]:
        """Every row, with the messages of some at a time."""
        left = iter(super().whole(rows))
        while some := list(islice(left, CHUNK)):
            yield from with_messages(some)

    def links(self, request: Request, page: Page) -> dict[str, Any]:
        """And the audit, the counts and the added statements, which exports leave out."""
        return super().links(request, page) | self._beside()

    def _beside(self) -> dict[str, Any]:
        audit = getattr(self.compaction, "audit", None)
        added = Addition.objects.filter(workspace=self.workspace, compaction=self.compaction)
        statements = AdditionSerializer(added.order_by("summary_start", "id"), many=True, context=self._context())
        return {
            "compaction": self.compaction.pk,
            "audit": audit and AuditSerializer(audit).data,
            "counts": counts_of(self.compaction),
            "added": statements.data,
        }


# --- life-lines of a conversation -----------------------------------------------------------------------------------


class LifeLineSerializer(serializers.ModelSerializer[LifeLine]):
    """One fact over all compactions of its conversation."""

    id = serializers.CharField(source="fact_id")
    born = serializers.IntegerField(help_text="Position of the first mention.")
    born_before = serializers.IntegerField(help_text="Number of the first compaction it met.")
    died_at = serializers.IntegerField(
        allow_null=True, help_text="Number of the compaction that lost it for good; null = it lives."
    )
    stages = serializers.SerializerMethodField(help_text="What became of it at each compaction.")

    class Meta:
        model = LifeLine
        fields = ("id", "kind", "text", "born", "born_before", "died_at", "generations_kept", "importance", "stages")

    @extend_schema_field({"type": "array", "items": _STAGE})
    def get_stages(self, row: LifeLine) -> list[dict[str, Any]]:
        """As they were written."""
        return list(row.stages)


class LifeLineListView(ListView):
    """Facts followed through all compactions of a conversation, the most important first."""

    serializer_class = LifeLineSerializer
    keyset = Ranked("importance")
    file_name = "life-lines"
    known = (
        chosen("kind", "What it is.", FactKind, "kind"),
        Parameter(
            "dead", "true: lost for good; false: still known.", keeps=lambda wanted: Q(died_at__isnull=not wanted),
            read=yes_or_no, type="boolean",
        ),
        Parameter(
            "min_importance", "At least so important, 0 to 1.",
            keeps=lambda least: Q(importance__gte=least), read=share, type="number",
        ),
    )  # fmt: skip

    def rows(self, conversation_id: int) -> QuerySet[Any]:
        """All of the conversation's."""
        conversation = conversation_of(self.workspace, conversation_id)
        if has_veiled(conversation.pk, self.veil):
            raise Refused(
                "You are judging a compaction of this conversation blindly.", mend="Hand in your review first."
            )
        return LifeLine.objects.filter(workspace=self.workspace, conversation=conversation)
