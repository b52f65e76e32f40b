"""The same compaction in several conversations: a forked or resumed session begins with a copy of what was before it.

Which of them counts as the original does not depend on which came first: a complete one before one whose covered
messages are not in its own file, then the first by the conversation's id.
"""

from collections.abc import Sequence

from django.db import connection

from conversations.ingest.work import Work
from conversations.ingest.writers import Changes

#: Sources whose compactions have ids that no other conversation gives to something else.
_WORLDWIDE = ("claude_code",)

_LINK = """
    UPDATE conversations_compaction c SET copy_of_id = nullif(f.first, f.id) FROM (
        SELECT s.id,
            first_value(s.id) OVER (PARTITION BY s.external_id ORDER BY s.complete DESC, v.external_id) AS first
        FROM conversations_compaction s
        JOIN conversations_conversation v ON v.workspace_id = s.workspace_id AND v.id = s.conversation_id
        WHERE s.workspace_id = %s AND v.source = %s AND s.external_id = ANY(%s)
    ) f WHERE c.id = f.id AND c.copy_of_id IS DISTINCT FROM nullif(f.first, f.id)
"""


def lock(works: Sequence[Work]) -> None:
    """Let nobody else write these compactions, wherever they stand, until the transaction ends.

    Otherwise two workers, one with the original and one with the copy, would not see each other's row."""
    keys = {(work.key.workspace_id, key) for work in works if work.key.source in _WORLDWIDE for key in work.compactions}
    with connection.cursor() as cursor:
        for workspace_id, external_id in sorted(keys):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [external_id, workspace_id])


def link(changes: Sequence[Changes]) -> None:
    """Point every copy of these compactions to its original."""
    with connection.cursor() as cursor:
        for change in changes:
            key = change.work.key
            if key.source in _WORLDWIDE and change.work.compactions:
                cursor.execute(_LINK, [key.workspace_id, key.source, list(change.work.compactions)])
