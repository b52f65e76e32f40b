"""Ask about batches: what is waiting, what became of one."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from conversations.models import Batch, Conversation

#: A batch that has waited so long without being claimed: whoever was to digest it is not alive, or was never asked.
UNHEARD = timedelta(seconds=2)


def is_left_behind() -> bool:
    """Whether a batch waits although its digestion should have begun."""
    waiting = Batch.objects.pending().exclude(claimed_until__gt=timezone.now())
    return waiting.filter(received_at__lt=timezone.now() - UNHEARD).exists()


def batch_summary(batch: Batch) -> dict[str, Any]:
    """What the API tells of a batch wherever it is named."""
    return {
        "id": batch.pk,
        "url": f"/api/v1/batches/{batch.pk}",
        "state": batch.state,
        "format": batch.format,
        "name": batch.name,
        "bytes": batch.byte_count,
        "received_at": batch.received_at,
        "digested_at": batch.digested_at,
        "accepted": batch.accepted,
        "duplicates": batch.duplicates,
        "rejected": batch.rejected,
        "found": batch.found or None,
        "error": batch.error,
    }


def batch_conversations(batch: Batch, most: int = 100) -> list[Conversation]:
    """The conversations it speaks of, as far as they are rows; one query."""
    found = batch.found.get("conversations", [])
    ours = Conversation.objects.filter(
        workspace_id=batch.workspace_id, source=batch.format, external_id__in=found[:most]
    )
    return list(ours.select_related("workspace").order_by("-last_at", "-id"))
