"""Delete what was kept long enough: the bytes of digested batches."""

import logging
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from conversations.models import Workspace
from conversations.vocabulary import BatchState

log = logging.getLogger(__name__)

#: Batches a transaction: their pieces may be 4 MB each, and a long delete would hold up the digestion of new ones.
_AT_ONCE = 50
#: Bytes that could not be digested, or of which something was not understood, are what a mended parser is for.
_LONGER = 4


def purge_raw() -> int:
    """Delete the bytes of batches older than their workspace's `raw_days` (four times that where there were problems;
    never of a batch that is still to be digested). The batch itself and its problems stay. Returns how many."""
    purged = 0
    for workspace_id, days in Workspace.objects.values_list("pk", "raw_days"):
        while ids := _due(workspace_id, days):
            _delete(ids)
            purged += len(ids)
    if purged:
        log.info("raw bytes purged batches=%s", purged)
    return purged


def _due(workspace_id: int, days: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM conversations_batch b WHERE workspace_id = %s AND raw_deleted_at IS NULL AND ("
            " (state = %s AND received_at < %s AND rejected = 0"
            "   AND NOT EXISTS (SELECT 1 FROM conversations_batchproblem p"
            "     WHERE p.workspace_id = b.workspace_id AND p.batch_id = b.id))"
            " OR (state <> %s AND received_at < %s)) ORDER BY id LIMIT %s",
            [
                workspace_id, BatchState.DIGESTED, timezone.now() - timedelta(days=days),
                BatchState.PENDING, timezone.now() - timedelta(days=days * _LONGER), _AT_ONCE,
            ],
        )  # fmt: skip
        return [row[0] for row in cursor.fetchall()]


def _delete(ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM conversations_batchchunk WHERE batch_id = ANY(%s))"
            " UPDATE conversations_batch SET raw_deleted_at = now() WHERE id = ANY(%s)",
            [ids, ids],
        )
