"""Put batches back to be digested again, for instance by a parser that understands more."""

from django.db.models import QuerySet

from conversations.models import Batch
from conversations.vocabulary import BatchState


def redigest(batches: QuerySet[Batch]) -> int:
    """Mark those whose bytes are still there as pending; returns how many. The caller has them digested."""
    return batches.filter(raw_deleted_at=None).update(
        state=BatchState.PENDING, attempts=0, claimed_until=None, error=""
    )
