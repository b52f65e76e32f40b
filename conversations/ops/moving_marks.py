"""Marks of people stay on their words when those are made anew: placeholders are longer or shorter than secrets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from conversations.audit.segment import lines_of
from conversations.ingest.events import Block, MessageEvent
from conversations.models import Mark, Message
from conversations.ops.renewing import Renewal
from conversations.vocabulary import Origin, Role


@dataclass(frozen=True, slots=True)
class Renewed:
    """A message with its blocks as they were and as they are now."""

    row: Message
    before: Sequence[Block]
    after: Sequence[Block]


def move_marks(messages: Sequence[Renewed], renewal: Renewal) -> None:
    """Those on these messages, and on these summaries. Their quotes are made anew here as well."""
    moved = [mark for each in messages for mark in _marks_on(each.row) if _move(mark, each, renewal)]
    Mark.objects.bulk_update(moved, ["start", "end", "quote"])


def place_in(text: str, was: str, quote: str, quoted: str, start: int) -> int | None:
    """Where `quote` begins in `text`, that began at `start` of `was` as `quoted`: the same occurrence of it."""
    earlier, at = 0, was.find(quoted)
    while 0 <= at < start:
        earlier, at = earlier + 1, was.find(quoted, at + 1)
    place = text.find(quote)
    for _ in range(earlier):
        place = text.find(quote, place + 1) if place >= 0 else -1
    return place if place >= 0 else None


def _marks_on(row: Message) -> "QuerySet[Mark]":
    in_summary = Q(
        message=None,
        compaction__conversation=row.conversation_id,
        compaction__summary_external_id=row.external_id,
    )
    return Mark.objects.filter(Q(message=row.pk) | in_summary, workspace=row.workspace_id).select_for_update(
        of=("self",)
    )


def _move(mark: Mark, renewed: Renewed, renewal: Renewal) -> bool:
    """Whether the mark has changed. One whose words are not found again, because half of a secret was marked, keeps
    its place."""
    was, text = (_text(mark, renewed.row, blocks) for blocks in (renewed.before, renewed.after))
    quote = renewal.text(mark.quote)
    place = place_in(text, was, quote, mark.quote, mark.start)
    if place is None:
        return False
    mark.start, mark.end, mark.quote = place, place + len(quote), quote
    return True


def _text(mark: Mark, row: Message, blocks: Iterable[Block]) -> str:
    """That the mark's offsets point into."""
    event = MessageEvent(
        id=row.external_id, conversation="", role=Role(row.role), origin=Origin(row.origin), content=list(blocks)
    )
    lines = lines_of(event)
    if mark.message_id is None:
        return "\n".join(line.text for line in lines)
    return next((line.text for line in lines if line.block == mark.block), "")
