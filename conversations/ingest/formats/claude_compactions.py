"""Read Claude Code's boundary records, of the transcript and of stream-json, as compactions."""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from conversations.ingest.events import CompactionEvent
from conversations.ingest.formats.base import STRIDE, key_of, keys_of, list_of, mapping_of, moment, text_of, tokens_of
from conversations.ingest.formats.claude_records import Record, Thread
from conversations.vocabulary import ABANDONED, CompactionKind, SummaryState, Trigger


def compaction_of(record: Record, number: int, thread: Thread, instructions: str) -> CompactionEvent:
    """A full or partial compaction; its summary and more are learnt from later records.

    Its span is incomplete if it is the first of a conversation whose beginning is not in the file.
    """
    meta = mapping_of(record.compact_metadata) or mapping_of(record.stream_compact_metadata)
    trigger = _trigger(meta)
    typed = instructions if trigger is Trigger.MANUAL else ""
    return CompactionEvent(
        id=key_of(record.uuid) or f"line-{number}",
        conversation=thread.id,
        at=moment(record.timestamp),
        sequence=number * STRIDE,
        kind=CompactionKind.CLIENT,
        trigger=trigger,
        instructions=typed or text_of(_either(meta, "userContext", "user_context")),
        kept=_kept(mapping_of(_either(meta, "preservedMessages", "preserved_messages"))),
        tokens_before=tokens_of(_either(meta, "preTokens", "pre_tokens")),
        tokens_after=tokens_of(_either(meta, "postTokens", "post_tokens")),
        duration_ms=tokens_of(_either(meta, "durationMs", "duration_ms")),
        model=thread.model,
        complete=not (thread.incomplete and thread.boundaries == 1),
        raw=meta,
    )


def microcompaction_of(record: Record, number: int, thread: Thread) -> CompactionEvent:
    """Old tool results blanked by the harness. The attachments it cleared are listed as dropped."""
    meta = mapping_of(record.microcompact_metadata)
    before, saved = tokens_of(meta.get("preTokens")), tokens_of(meta.get("tokensSaved"))
    return CompactionEvent(
        id=key_of(record.uuid) or f"line-{number}",
        conversation=thread.id,
        at=moment(record.timestamp),
        sequence=number * STRIDE,
        kind=CompactionKind.MICROCOMPACT,
        trigger=_trigger(meta),
        cleared=keys_of(meta.get("compactedToolIds")),
        dropped=keys_of(meta.get("clearedAttachmentUUIDs")) or None,
        tokens_before=before,
        tokens_after=before - saved if before is not None and saved is not None and saved <= before else None,
        raw=meta,
    )


def failure_of(record: Record, number: int, thread: Thread) -> CompactionEvent:
    """A compaction that stream-json reports as failed: nothing was replaced."""
    return CompactionEvent(
        id=key_of(record.uuid) or f"line-{number}",
        conversation=thread.id,
        at=moment(record.timestamp),
        sequence=number * STRIDE,
        summary_state=SummaryState.FAILED,
        error=text_of(record.stream_compact_error) or "The harness reported that the compaction failed.",
        model=thread.model,
    )


def last_before(record: Record) -> str:
    """The last record before a full compaction as the boundary names it; "" for a partial one, which names another."""
    meta = mapping_of(record.compact_metadata)
    return "" if "messagesSummarized" in meta else key_of(record.logical_parent_uuid)


def without_abandoned(event: CompactionEvent, thread: Thread) -> CompactionEvent:
    """Told which messages before it had been taken back: it neither dropped nor kept those."""
    kept = set(event.kept)
    abandoned = [key for key in thread.branches.abandoned() if key not in kept]
    return structs.replace(event, raw={**event.raw, ABANDONED: abandoned}) if abandoned else event


def missing_beginning(record: Record) -> str:
    """Why a conversation that opens with this record lacks its beginning; "" if it does not."""
    if record.subtype == "compact_boundary":
        return "The file begins at a compaction copied from another session: what it replaced is not in the data."
    if record.is_compact_summary is True:
        return "The file begins with the summary of an earlier part that is not in the data."
    if isinstance(record.parent_uuid, str) and record.parent_uuid:
        return "The file begins in mid-session: its first record answers one that is not in the data."
    return ""


def _either(meta: Mapping[str, Any], camel: str, snake: str) -> Any:
    return meta.get(camel, meta.get(snake))


def _trigger(meta: Mapping[str, Any]) -> Trigger:
    value = meta.get("trigger")
    return Trigger(value) if value in ("auto", "manual") else Trigger.UNKNOWN


def _kept(preserved: Mapping[str, Any]) -> list[str]:
    """`uuids` are the messages as sent; `allUuids` adds records folded into them. Both stay."""
    return keys_of([*list_of(preserved.get("uuids")), *list_of(_either(preserved, "allUuids", "all_uuids"))])
