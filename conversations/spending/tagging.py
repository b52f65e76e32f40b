"""Put tags on a conversation and take them off; what was spent on it moves with them, in one transaction."""

from collections.abc import Sequence

from django.db import transaction

from conversations.models import Conversation, TagDay, Workspace
from conversations.spending.counting import count_grown
from conversations.spending.grown import Grown
from conversations.tags import MOST_TAGS, tags_of

#: Names offered while typing.
_MOST_OFFERED = 200


class TooManyTags(ValueError):
    """More than MOST_TAGS."""


@transaction.atomic
def set_tags(conversation: Conversation, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """Give a conversation these tags and no others, as a person says; returns what was put on and what was taken off.
    What a person took off is not put on again by what agents send. Raises TooManyTags."""
    tags = tags_of(wanted)
    if len(tags) > MOST_TAGS:
        raise TooManyTags(f"A conversation has at most {MOST_TAGS} tags.")
    row = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    before, off = row.tags, set(row.tags_taken_off)
    added, removed = sorted(set(tags) - set(before)), sorted(set(before) - set(tags))
    row.tags = conversation.tags = tags
    row.tags_taken_off = sorted(off.union(removed).difference(tags))
    row.save(update_fields=["tags", "tags_taken_off"])
    count_grown([Grown(row.workspace_id, row.pk, row.agent_id, None, tuple(tags), tuple(before))])
    return added, removed


def known_tags(workspace: Workspace) -> list[str]:
    """Those under which anything was spent, in order, the first 200. One query."""
    rows = TagDay.objects.filter(workspace=workspace).order_by("tag").values_list("tag", flat=True)
    return list(rows.distinct()[:_MOST_OFFERED])
