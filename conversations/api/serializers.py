"""What the rows look like from outside. Every field is documented where the OpenAPI document finds it."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from conversations.models import Agent, Compaction, CompactionAudit, Conversation, Message, Request, Workspace


class _Linked(serializers.ModelSerializer[Any]):
    """Rows that have an address of their own, here and on a page for people."""

    url = serializers.SerializerMethodField(help_text="Where this row is read.")
    html_url = serializers.SerializerMethodField(help_text="The page for people.")

    path = ""
    page = ""

    def get_url(self, row: Any) -> str:
        return f"/api/v1/{self.path}/{row.pk}"

    def get_html_url(self, row: Any) -> str:
        workspace: Workspace = self.context["workspace"]  # not the row's: that would be a query a row
        return f"/w/{workspace.slug}/{self.path}/{row.pk}/"


class AgentSerializer(serializers.ModelSerializer[Agent]):
    """A program that converses, in one version."""

    class Meta:
        model = Agent
        fields = ("id", "name", "version")


class ConversationSerializer(_Linked):
    """One run of an agent."""

    path = "conversations"
    agent = AgentSerializer(allow_null=True)
    models = serializers.ListField(child=serializers.CharField(), source="model_names")

    class Meta:
        model = Conversation
        fields = (
            "id", "external_id", "source", "title", "url", "html_url", "agent", "parent_external_id", "cwd",
            "context_window", "complete", "incomplete_reason", "started_at", "last_at", "models", "message_count",
            "request_count", "compaction_count", "tokens_now", "tokens_peak", "tags",
        )  # fmt: skip


class MessageSerializer(_Linked):
    """One message. `dropped_by` is the id of the compaction at which it left the context, null while it is in it."""

    path = "messages"
    conversation = serializers.IntegerField(source="conversation_id", help_text="The id of its conversation.")
    dropped_by = serializers.IntegerField(
        source="dropped_by_id",
        allow_null=True,
        help_text="The compaction that dropped it; null = still in the context.",
    )
    blocks = serializers.SerializerMethodField(
        help_text="What it is made of; null in a list where it has more than 65,536 characters: then see `url`."
    )
    excerpt = serializers.CharField(help_text="The first 600 characters of a large message, else empty.")

    class Meta:
        model = Message
        fields = (
            "id", "external_id", "conversation", "url", "html_url", "position", "at", "role", "origin", "size",
            "dropped_by", "excerpt", "blocks",
        )  # fmt: skip

    @extend_schema_field({"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Block"}})
    def get_blocks(self, row: Any) -> Any:
        """All of them, or what the list left of them."""
        return row.shown_blocks if hasattr(row, "shown_blocks") else row.blocks


class RequestSerializer(serializers.ModelSerializer[Request]):
    """One model call. `input_tokens` excludes the cache; `context_tokens` is all that the model read."""

    class Meta:
        model = Request
        fields = (
            "id", "external_id", "position", "at", "model", "purpose", "context_tokens", "input_tokens",
            "cache_read_tokens", "cache_write_tokens", "output_tokens", "stop_reason", "duration_ms",
        )  # fmt: skip


def _count(source: str) -> serializers.IntegerField:
    return serializers.IntegerField(source=source, allow_null=True)


class TokensBeforeSerializer(serializers.Serializer[Any]):
    """Context tokens before it: as the source says, and as the last request before it shows."""

    reported = _count("tokens_before_reported")
    observed = _count("tokens_before_observed")


class TokensAfterSerializer(serializers.Serializer[Any]):
    """Context tokens after it: as the source says (often only the summary's), and as the first request shows."""

    reported = _count("tokens_after_reported")
    observed = _count("tokens_after_observed")


class CostSerializer(serializers.Serializer[Any]):
    """Tokens of the call that wrote the summary; null = not known."""

    input_tokens = _count("cost_input_tokens")
    cache_read_tokens = _count("cost_cache_read_tokens")
    cache_write_tokens = _count("cost_cache_write_tokens")
    output_tokens = _count("cost_output_tokens")


class AuditSerializer(serializers.ModelSerializer[CompactionAudit]):
    """What the auditor counted; null = not audited yet. `risk` orders "worst first"; `harm_checkable` false = nothing
    followed that could show harm."""

    llm_cost_usd = serializers.FloatField(help_text="What asking a language model about it has cost, in US dollars.")

    class Meta:
        model = CompactionAudit
        fields = (
            "state", "version", "audited_at", "retention", "retention_low", "retention_high", "facts", "kept",
            "altered", "forgotten", "added", "harmful", "open_losses", "risk", "harm_checkable", "error", "llm_state",
            "llm_reason", "llm_cost_usd",
        )  # fmt: skip


class _ConversationOfCompaction(serializers.ModelSerializer[Conversation]):
    class Meta:
        model = Conversation
        fields = ("id", "external_id", "title")
        ref_name = "ConversationName"


class CompactionSerializer(_Linked):
    """One replacement of older messages, without the long texts."""

    path = "compactions"
    conversation = _ConversationOfCompaction()
    agent = AgentSerializer(source="conversation.agent", allow_null=True)
    tokens_before = TokensBeforeSerializer(source="*")
    tokens_after = TokensAfterSerializer(source="*")
    cost = CostSerializer(source="*")
    audit = AuditSerializer(allow_null=True, default=None)

    class Meta:
        model = Compaction
        fields: tuple[str, ...] = (
            "id", "external_id", "url", "html_url", "conversation", "agent", "number", "position", "at", "kind",
            "trigger", "trigger_tokens", "model", "duration_ms", "error", "summary_state", "tokens_before",
            "tokens_after", "cost", "dropped_count", "kept_count", "complete", "audit",
        )  # fmt: skip


class OneCompactionSerializer(CompactionSerializer):
    """One replacement of older messages: everything that is known of it."""

    summary = serializers.SerializerMethodField(help_text="The text, where it can be read; see `summary_state`.")
    summary_message = serializers.IntegerField(
        source="summary_message_id", allow_null=True, help_text="The message that carries the summary."
    )
    dropped_ids = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="External ids, where the source lists them."
    )
    kept_ids = serializers.ListField(child=serializers.CharField(), help_text="External ids the source says were kept.")
    cleared_ids = serializers.ListField(child=serializers.CharField(), help_text="Tool calls whose results went.")

    class Meta(CompactionSerializer.Meta):
        fields = (
            *CompactionSerializer.Meta.fields, "instructions", "summary", "summary_message", "dropped_ids", "kept_ids",
            "cleared_ids", "raw",
        )  # fmt: skip

    @extend_schema_field(OpenApiTypes.STR)
    def get_summary(self, row: Compaction) -> str | None:
        """Its text stands in the message."""
        if row.summary_message is None:
            return None
        texts = [block.get("text", "") for block in row.summary_message.blocks if block.get("type") == "summary"]
        return "\n".join(texts)


class MarkSerializer(serializers.ModelSerializer[Compaction]):
    """A compaction on a timeline."""

    tokens_before = serializers.IntegerField(allow_null=True, help_text="Observed where there is such a figure.")
    tokens_after = serializers.IntegerField(allow_null=True, help_text="Observed where there is such a figure.")

    class Meta:
        model = Compaction
        fields = (
            "id", "number", "position", "at", "kind", "trigger", "trigger_tokens", "summary_state", "tokens_before",
            "tokens_after",
        )  # fmt: skip
