"""Forget the contexts of conversations that nobody has gone on with for long."""

import logging
from datetime import timedelta

from django.db import connection
from django.utils import timezone

log = logging.getLogger(__name__)

#: Days after the last exchange. They are only there to compare the next one with; one that comes later still is taken
#: as the first of its conversation, whose messages up to its first compaction are known by the same ids.
DAYS = 90
#: Conversations a transaction: whoever brings an exchange of one of them waits meanwhile.
_AT_ONCE = 200


def purge_known_contexts() -> int:
    """Delete what is known of contexts that have not gone on for DAYS days. Returns of how many conversations.

    One whose exchange is being taken at this moment is left alone."""
    purged = 0
    while deleted := _delete_some():
        purged += deleted
    if purged:
        log.info("known contexts purged conversations=%s", purged)
    return purged


def _delete_some() -> int:
    with connection.cursor() as cursor:
        cursor.execute(  # the pages go with their row
            "DELETE FROM conversations_knowncontexts WHERE id IN (SELECT id FROM conversations_knowncontexts"
            " WHERE updated_at < %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)",
            [timezone.now() - timedelta(days=DAYS), _AT_ONCE],
        )
        return int(cursor.rowcount)
