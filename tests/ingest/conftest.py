import json

import pytest

from conversations.ingest import services
from conversations.models import Compaction, Conversation, Message, Request


@pytest.fixture
def send(acme):
    """Accepts and digests a list of events, or lines of a transcript; returns the batch."""

    def send_events(events, workspace=acme):
        body = json.dumps({"events": events}).encode()
        receipt = services.accept_events(workspace=workspace, body=body, claimed=True)
        if receipt.is_new:
            services.digest_claimed([receipt.batch])
        receipt.batch.refresh_from_db()
        return receipt.batch

    return send_events


@pytest.fixture
def accept(acme):
    """Accepts and digests exchanges; returns the receipt."""

    def accept_all(*exchanges, workspace=acme, source="exchanges"):
        receipt = services.accept_exchanges(workspace=workspace, exchanges=exchanges, source=source, claimed=True)
        if receipt.is_new:
            services.digest_claimed([receipt.batch])
        receipt.batch.refresh_from_db()
        return receipt

    return accept_all


@pytest.fixture
def snapshot():
    """Everything the store says, without its own ids and clocks."""
    return take_snapshot


def take_snapshot():
    messages = Message.objects.order_by("conversation__external_id", "position", "external_id")
    compactions = Compaction.objects.order_by("conversation__external_id", "position", "external_id")
    conversations = Conversation.objects.order_by("external_id")
    return {
        "messages": list(
            messages.values_list(
                "conversation__external_id", "external_id", "position", "role", "origin", "at", "size", "content_hash",
                "dropped_by__external_id",
            )
        ),
        "requests": list(
            Request.objects.order_by("conversation__external_id", "position", "external_id").values_list(
                "conversation__external_id", "external_id", "position", "context_tokens", "output_tokens", "model"
            )
        ),
        "compactions": list(
            compactions.values_list(
                "external_id", "number", "position", "kind", "trigger", "summary_state", "summary_message__external_id",
                "tokens_before_observed", "tokens_after_observed", "dropped_count", "kept_count", "complete",
            )
        ),
        "conversations": list(
            conversations.values_list(
                "external_id", "title", "agent__name", "message_count", "request_count", "compaction_count",
                "tokens_now", "tokens_peak", "started_at", "last_at", "model_names",
            )
        ),
        "sparklines": list(conversations.values_list("sparkline", flat=True)),
    }  # fmt: skip
