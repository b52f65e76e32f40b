"""Check compactions against the ledger, and the past against an entry that is new or was changed; twice is as once."""

import logging
import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from conversations.audit.audit import AUDITOR_VERSION
from conversations.audit.ledger import Check, Entry, check_entries
from conversations.audit.ledger_queries import compactions_in, entries_for, entry_value, known_before, next_conversation
from conversations.audit.model import Detail, Segment
from conversations.audit.queries import compactions_to_audit, segment_of
from conversations.models import Compaction, LedgerCheck, LedgerEntry
from conversations.vocabulary import LedgerOutcome

log = logging.getLogger(__name__)

#: Compactions that a new or changed entry is held against, the newest conversations first: at 0.1 to 0.3 s each, some
#: five minutes of one worker. What is audited later is checked anyway.
MOST_PAST = 2_000
#: Of one conversation only the last: a window that slides is a compaction with every request.
MOST_OF_ONE = 200
#: A worker is taken for dead that has not noted anything for so long: more than any one conversation takes.
LEASE = timedelta(seconds=300)
#: Nothing follows a rule afterwards but what the harness puts back at once.
FOLLOWING = 100
_FAILED = "The check failed on this compaction; the server's log says where."


def check_at_audit(compaction: Compaction, segment: Segment) -> None:
    """Hold a compaction that is about to be audited against the ledger. A failure is stored and told, and does not
    keep it from being audited."""
    entries = entries_for(compaction)
    try:
        check_compaction(compaction, segment, entries)
    except Exception:
        log.exception("ledger_check_failed compaction=%s version=%s", compaction.pk, AUDITOR_VERSION)
        failed = (LedgerOutcome.UNVERIFIABLE, Detail.NONE, 0.5, "", "failed", _FAILED)
        _write(compaction, entries, [Check(entry.pk, *failed) for entry in entries])


def check_compaction(compaction: Compaction, segment: Segment, entries: Sequence[LedgerEntry]) -> None:
    """Check it against `entries` and store what became of each. A copy has no checks: its original has them."""
    if compaction.copy_of_id is not None:
        LedgerCheck.objects.filter(workspace=compaction.workspace_id, compaction=compaction).delete()
        return
    if entries:
        values = [entry_value(entry) for entry in entries]
        _write(compaction, entries, check_entries(values, segment, known_before(compaction, entries)))


def _write(compaction: Compaction, entries: Sequence[LedgerEntry], checks: Sequence[Check]) -> None:
    """What was said of entries that nobody has changed or deleted meanwhile; they stand still while it is stored."""
    with transaction.atomic():
        held = LedgerEntry.objects.filter(pk__in=[entry.pk for entry in entries]).order_by("pk")
        now = dict(held.select_for_update(no_key=True).values_list("pk", "revision"))
        current = {entry.pk for entry in entries if now.get(entry.pk) == entry.revision}
        rows = [_row(compaction, check, now[check.entry]) for check in checks if check.entry in current]
        LedgerCheck.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["workspace", "entry", "compaction"],
            update_fields=["at", "outcome", "detail", "passage", "reason", "probability", "detector", "version",
                           "revision", "checked_at"],
        )  # fmt: skip
        _forget_others(compaction, current, rows)


def _forget_others(compaction: Compaction, entries: Collection[int], rows: Sequence[LedgerCheck]) -> None:
    """What an earlier check said and this one does not: the compaction has failed, as it turned out."""
    gone = set(entries) - {row.entry_id for row in rows}
    if gone:
        LedgerCheck.objects.filter(workspace=compaction.workspace_id, compaction=compaction, entry__in=gone).delete()


def _row(compaction: Compaction, check: Check, revision: int) -> LedgerCheck:
    return LedgerCheck(
        workspace_id=compaction.workspace_id,
        entry_id=check.entry,
        conversation_id=compaction.conversation_id,
        compaction=compaction,
        at=compaction.at,
        outcome=check.outcome,
        detail=check.detail,
        passage=check.passage,
        reason=check.reason,
        probability=check.probability,
        detector=check.detector,
        version=AUDITOR_VERSION,
        revision=revision,
    )


# --- the past ---------------------------------------------------------------------------------------------------------


def begin_past(entry: LedgerEntry) -> None:
    """Have the compactions that are there checked anew. What was said of an earlier wording goes; saves the entry."""
    entry.past_total = min(compactions_in(entry)[: MOST_PAST + 1].count(), MOST_PAST)
    entry.past_done, entry.past_below, entry.past_finished_at, entry.claimed_until = 0, None, None, None
    entry.save()
    LedgerCheck.objects.filter(workspace=entry.workspace_id, entry=entry).delete()


def check_past(entry_id: int, seconds: float) -> bool:
    """Go on checking the past of an entry for so long; whether more is left. Nothing where another worker is at it."""
    end = time.monotonic() + seconds
    entry = _claim(entry_id, timezone.now())
    while entry is not None and entry.past_finished_at is None:
        if time.monotonic() > end:
            LedgerEntry.objects.filter(pk=entry.pk, revision=entry.revision).update(claimed_until=None)
            return True
        entry = _check_next(entry)
    return False


def _claim(entry_id: int, now: datetime) -> LedgerEntry | None:
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    rows = LedgerEntry.objects.filter(free, pk=entry_id, past_finished_at=None, retired_at=None)
    if not rows.update(claimed_until=now + LEASE):
        return None
    return LedgerEntry.objects.get(pk=entry_id)


def _check_next(entry: LedgerEntry) -> LedgerEntry | None:
    """Check the next conversation, or note that none is left. None: the entry was changed, and is begun anew."""
    conversation = next_conversation(entry) if entry.past_done < MOST_PAST else None
    if conversation is None:
        return _noted(entry, past_finished_at=timezone.now(), claimed_until=None)
    checked = 0
    for compaction in compactions_to_audit(conversation)[-MOST_OF_ONE:]:
        _check_one(compaction, entry)
        checked += compaction.copy_of_id is None
    done = min(entry.past_done + checked, MOST_PAST)
    return _noted(entry, past_done=done, past_below=conversation.pk, claimed_until=timezone.now() + LEASE)


def _check_one(compaction: Compaction, entry: LedgerEntry) -> None:
    """As at an audit, with a failure stored and told."""
    try:
        check_compaction(compaction, segment_of(compaction, following=FOLLOWING), [entry])
    except Exception:
        log.exception("ledger_check_failed compaction=%s entry=%s", compaction.pk, entry.pk)
        failed = (LedgerOutcome.UNVERIFIABLE, Detail.NONE, 0.5, "", "failed", _FAILED)
        _write(compaction, [entry], [Check(entry.pk, *failed)])


def _noted(entry: LedgerEntry, **values: object) -> LedgerEntry | None:
    rows = LedgerEntry.objects.filter(pk=entry.pk, revision=entry.revision, retired_at=None)
    return LedgerEntry.objects.get(pk=entry.pk) if rows.update(**values) else None


def left_behind() -> list[int]:
    """Ids of entries whose past is not checked to the end and at which nobody is."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=timezone.now())
    rows = LedgerEntry.objects.filter(free, past_finished_at=None, retired_at=None)
    return list(rows.order_by("id").values_list("id", flat=True))


# --- how it would be --------------------------------------------------------------------------------------------------

#: What a preview looks at, at most, and for how long.
PREVIEWED, PREVIEW_SECONDS = 20, 1.5


def preview(entry: Entry, compactions: Sequence[Compaction]) -> list[tuple[Compaction, Check]]:
    """What would have become of an entry at the newest of `compactions`, the newest first, as far as time allows."""
    end = time.monotonic() + PREVIEW_SECONDS
    found: list[tuple[Compaction, Check]] = []
    for compaction in compactions[:PREVIEWED]:
        found += [(compaction, check) for check in check_entries([entry], segment_of(compaction, following=FOLLOWING))]
        if time.monotonic() > end:
            break
    return found
