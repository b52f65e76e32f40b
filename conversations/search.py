"""What lists are asked for, as conditions for Postgres: words that people type, and what stood in a context."""

import re

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q

from conversations.models import Compaction

_BETWEEN_PARTS = re.compile(r"[/\-_.]+")  # as the column `search` is cut


def search_query(text: str) -> SearchQuery | None:
    """Every word must begin some word of the title, id or folder; as it is or, of a path, in all its parts. None when
    there is nothing to look for."""
    words = [re.sub(r"['\\\0]", "", word) for word in text.split()]
    wanted = [_wanted(word) for word in words if re.search(r"\w", word)]
    return SearchQuery(" & ".join(wanted), search_type="raw", config="simple") if wanted else None


def _wanted(word: str) -> str:
    parts = [part for part in _BETWEEN_PARTS.split(word) if re.search(r"\w", part)]
    if parts in ([], [word]):
        return f"'{word}':*"
    in_parts = " & ".join(f"'{part}':*" for part in parts)
    return f"('{word}':* | ({in_parts}))"


def in_context_before(compaction: Compaction) -> Q:
    """Messages that stood in the context just before it."""
    return _there(compaction, Q(position__gte=compaction.position))


def in_context_after(compaction: Compaction) -> Q:
    """Messages that stood before it and stayed."""
    return _there(compaction, Q(position__gt=compaction.position))


def _there(compaction: Compaction, left: Q) -> Q:
    """The compactions at which the others left are read once, as a subquery: joined, each message would cost a look."""
    ours = Compaction.objects.filter(workspace=compaction.workspace_id, conversation=compaction.conversation_id)
    later = Q(dropped_by=None) | Q(dropped_by__in=ours.filter(left).values("id"))
    return later & Q(position__lt=compaction.position)
