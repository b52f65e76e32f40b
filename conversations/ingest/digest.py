"""Turn accepted batches into rows. Doing it again changes nothing: every row has its source's own id."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
from django.db import DatabaseError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from conversations.errors import ObservatoryError
from conversations.ingest import copies, states
from conversations.ingest.events import Problem
from conversations.ingest.forgetting import take_out_again
from conversations.ingest.formats import Output, Parser, parser_for, resume_parser
from conversations.ingest.formats.native import decode_batch
from conversations.ingest.formats.native_checks import UNLIMITED
from conversations.ingest.inbox import EVENT_FORMATS, LEASE, Line, lines_of, load, load_all
from conversations.ingest.redacting import redacted_problem
from conversations.ingest.rereading import accept_unread
from conversations.ingest.settle import settle
from conversations.ingest.unread import is_unread, problem_row
from conversations.ingest.work import Found, Gathering, Key
from conversations.ingest.writers import Changes, write
from conversations.models import Batch, BatchProblem
from conversations.redaction.hidden import keep
from conversations.redaction.redactor import KeepingRedactor, Redactor
from conversations.redaction.settings import redactor_at_ingest
from conversations.spending.budget_events import save_reports
from conversations.spending.counting import count_grown
from conversations.spending.grown import Grown
from conversations.vocabulary import BatchState, Redaction

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
#: Events held in memory until they are written: 4,000 of 4 kB are 16 MB, and larger groups are no faster.
GROUP_EVENTS = 4000
GROUP_BYTES = 16_000_000
GROUP_BATCHES = 64
_MOST_PROBLEMS = 10_000  # rows a batch; the rest is only counted


@dataclass(slots=True)
class Digested:
    """What a digestion touched, for whatever comes next."""

    batch_ids: list[int] = field(default_factory=list)
    conversation_ids: set[int] = field(default_factory=set)
    compacted_ids: set[int] = field(default_factory=set)  # of conversations in which a compaction is new or changed
    compaction_ids: set[int] = field(default_factory=set)
    refused: set[Key] = field(default_factory=set)  # conversations that were deleted for good

    def add(self, other: "Digested") -> None:
        """Take another one's in."""
        self.batch_ids += other.batch_ids
        self.conversation_ids |= other.conversation_ids
        self.compacted_ids |= other.compacted_ids
        self.compaction_ids |= other.compaction_ids
        self.refused |= other.refused


# --- claiming -------------------------------------------------------------------------------------------------------


def claim(*, most: int = GROUP_BATCHES, only: int | None = None) -> list[Batch]:
    """Batches that are nobody's, oldest first, now ours for LEASE; at most GROUP_BYTES of them.

    One that failed before, or is large, comes alone: it shall not take others with it."""
    with transaction.atomic():
        # With its workspace, which says whether something is to be redacted.
        ours = _claimable(only).select_related("workspace").select_for_update(skip_locked=True, of=("self",))
        batches = list(ours.order_by("id")[:most])
        claimed = _together(_without_worn(batches))
        _take(claimed)
    return claimed


def _claimable(only: int | None) -> QuerySet[Batch]:
    free = Batch.objects.pending().exclude(claimed_until__gt=timezone.now())
    return free if only is None else free.filter(pk=only)


def _without_worn(batches: Sequence[Batch]) -> list[Batch]:
    """Those that may be tried again. The others ended their worker every time, so that nobody could put them back."""
    worn = [batch.pk for batch in batches if batch.attempts >= MOST_ATTEMPTS]
    if worn:
        log.error("digest given up batches=%s attempts=%s", worn, MOST_ATTEMPTS)
        error = "Digestion was broken off every time: it took too long, or the server was stopped or killed."
        Batch.objects.filter(pk__in=worn).update(state=BatchState.FAILED, error=error, claimed_until=None)
    return [batch for batch in batches if batch.attempts < MOST_ATTEMPTS]


def _together(batches: Sequence[Batch]) -> list[Batch]:
    ours: list[Batch] = []
    size = 0
    for batch in batches:
        alone = batch.attempts > 0 or batch.format not in EVENT_FORMATS
        size += batch.byte_count
        if ours and (alone or size > GROUP_BYTES):
            break
        ours.append(batch)
        if alone:
            break
    return ours


def _take(batches: Sequence[Batch]) -> None:
    """Attempts are counted now: a batch that kills its worker is given up like one that raises."""
    until = timezone.now() + LEASE
    for batch in batches:
        batch.attempts += 1
        batch.claimed_until = until
    Batch.objects.filter(pk__in=[batch.pk for batch in batches]).update(attempts=F("attempts") + 1, claimed_until=until)


# --- digesting ------------------------------------------------------------------------------------------------------


def digest_claimed(batches: Sequence[Batch]) -> Digested:
    """Digest batches that were claimed. One that fails is put back, or given up after MOST_ATTEMPTS; the others are
    digested without it."""
    try:
        if batches and is_unread(batches[0]):
            return _digest_unread(batches[0])
        if batches and batches[0].format not in EVENT_FORMATS:
            return _digest_transcript(batches[0])
        return _digest_events(batches)
    except (
        ObservatoryError,
        DatabaseError,
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        RecursionError,
    ) as error:
        if len(batches) == 1:
            _put_back(batches[0], error)
            return Digested()
        log.warning("digest retried one by one batches=%s error=%r", len(batches), error)
    digested = Digested()
    for batch in batches:
        digested.add(digest_claimed([batch]))
    return digested


def _put_back(batch: Batch, error: Exception) -> None:
    """Later again, each time twice as late; or no more."""
    if batch.workspace.redaction != Redaction.OFF:  # its words may quote what is to be redacted
        log.error("digest failed batch=%s attempt=%s error=%s", batch.pk, batch.attempts, type(error).__name__)
        batch.error = type(error).__name__
    else:
        log.error("digest failed batch=%s attempt=%s", batch.pk, batch.attempts, exc_info=error)
        batch.error = f"{type(error).__name__}: {error}"[:2000].replace("\x00", "")
    batch.claimed_until = timezone.now() + timedelta(seconds=2**batch.attempts)
    if batch.attempts >= MOST_ATTEMPTS:
        batch.state = BatchState.FAILED
    batch.save(update_fields=["error", "claimed_until", "state"])


def _digest_events(batches: Sequence[Batch]) -> Digested:
    bodies = load_all(batches)
    redactors = _redactors(batches)
    gathering, founds = Gathering(redactors), {}
    for batch in batches:
        found = founds[batch.pk] = Found()
        for item in decode_batch(bodies.pop(batch.pk), UNLIMITED, sound=not batch.rejected):
            if isinstance(item.result, Problem):
                found.problems.append(item.result)
            else:
                key = Key(batch.workspace_id, batch.format, item.result.conversation)
                gathering.add(
                    item.result, key=key, batch_id=batch.pk, received=batch.received_at, index=item.index, found=found
                )
    with transaction.atomic():
        digested = _write(gathering, founds)
        for batch in batches:
            _finish(batch, founds[batch.pk], redactors.get(batch.workspace_id))
        take_out_again(digested.refused)
    digested.batch_ids = [batch.pk for batch in batches]
    return digested


def _redactors(batches: Sequence[Batch]) -> dict[int, Redactor]:
    """Of the workspaces that have what comes redacted before it is stored."""
    workspaces = {batch.workspace_id: batch.workspace for batch in batches}
    found = {pk: redactor_at_ingest(workspace) for pk, workspace in workspaces.items()}
    return {pk: redactor for pk, redactor in found.items() if redactor}


def _digest_unread(batch: Batch) -> Digested:
    """What could not be understood when it came is read once more. What can be now becomes a batch of its own, which
    may be digested at once; the problems of the others are told anew."""
    receipts, problems = accept_unread(batch)
    with transaction.atomic():
        _finish(batch, Found(problems=problems), redactor_at_ingest(batch.workspace))
    digested = Digested(batch_ids=[batch.pk])
    for receipt in receipts:
        if receipt.is_new:
            digested.add(digest_claimed([receipt.batch]))
    return digested


def _write(gathering: Gathering, founds: dict[int, Found]) -> Digested:
    """Everything gathered, in the transaction that is open."""
    digested = Digested()
    with connection.cursor() as cursor:
        # A crash may lose the last transactions, never only the earlier of two: a batch that counts as digested is.
        cursor.execute("SET LOCAL synchronous_commit = off")
    save_reports(gathering.take_reports())
    for workspace_id, secrets in gathering.take_hidden().items():
        keep(workspace_id, None, secrets)
    works = gathering.clear()
    locked = states.lock(works)
    digested.refused = {work.key for work in works} - {state.key for state, _ in locked}
    copies.lock(works)
    for state, work in locked:
        states.apply_facts(state, work)
        keep(state.workspace_id, state.id, work.hidden)
    changes = write(locked)
    copies.link(changes)
    for change in changes:
        digested.conversation_ids.add(change.state.id)
        if touched := settle(change):
            digested.compacted_ids.add(change.state.id)
            digested.compaction_ids.update(touched)
        for batch_id, problem in change.problems:
            founds[batch_id].problems.append(problem)
    count_grown(map(_grown, changes))
    states.save(state for state, _ in locked)
    return digested


def _grown(change: Changes) -> Grown:
    """As far as tokens and costs are concerned."""
    state = change.state
    earliest = min((*change.requests, *change.compactions), default=None)
    return Grown(state.workspace_id, state.id, state.agent_id, earliest, tuple(state.tags), state.tags_before)


def _finish(batch: Batch, found: Found, redactor: Redactor | None) -> None:
    """Note in the batch's own row what was in it, and that it is done."""
    if redactor:
        _redact(batch, found, redactor)
    if batch.digested_at is not None:
        batch.problems.all().delete()
    if found.problems:
        rows = [problem_row(batch, problem) for problem in found.problems[:_MOST_PROBLEMS]]
        BatchProblem.objects.bulk_create(rows, batch_size=1000)
    batch.state = BatchState.DIGESTED
    batch.digested_at = timezone.now()
    batch.claimed_until, batch.error, batch.attempts = None, "", 0
    batch.found = _found(found)
    names = ["state", "digested_at", "claimed_until", "error", "attempts", "found"]
    if redactor:
        names += ["name", "raw_deleted_at"]  # else others may have written the name meanwhile
    if batch.format not in EVENT_FORMATS:
        batch.accepted = found.messages + found.requests + found.compactions
        batch.rejected = len(found.problems)
        names += ["accepted", "rejected", "checkpoint", "digested_bytes", "digested_sha256"]
    batch.save(update_fields=names)


def _redact(batch: Batch, found: Found, redactor: Redactor) -> None:
    """Keep nothing of what came that was quoted; nor, unless it can be shown again, the bytes."""
    batch.name = redactor.text(batch.name)
    if isinstance(redactor, KeepingRedactor):  # nobody is shown the bytes and how far they were read
        keep(batch.workspace_id, None, redactor.take())
    else:
        batch.chunks.all().delete()
        batch.raw_deleted_at = timezone.now()
        batch.checkpoint = redactor.value(batch.checkpoint)
    found.problems = [redacted_problem(problem, redactor) for problem in found.problems]


def _found(found: Found) -> dict[str, object]:
    return {
        "conversations": sorted(found.conversations),
        "messages": found.messages,
        "requests": found.requests,
        "compactions": found.compactions,
        "problems": len(found.problems),
    }


# --- transcripts ------------------------------------------------------------------------------------------------------


def _digest_transcript(batch: Batch) -> Digested:
    """Line by line; what is gathered is written in groups, each in a transaction of its own."""
    reading, redactors = _Reading(batch), _redactors([batch])
    gathering, digested = Gathering(redactors), Digested(batch_ids=[batch.pk])
    found = Found()
    for line in reading.lines():
        for output in reading.parser.feed(line, reading.number):
            _gather(gathering, batch, output, reading.number, found)
        if gathering.size >= GROUP_EVENTS or reading.pending_bytes >= GROUP_BYTES:
            digested.add(_flush(batch, gathering, found))
            reading.pending_bytes = 0
    reading.remember()
    for output in (*reading.parser.finish(), *reading.cut_off()):
        _gather(gathering, batch, output, reading.number, found)
    with transaction.atomic():
        digested.add(_write(gathering, {batch.pk: found}))
        _finish(batch, found, redactors.get(batch.workspace_id))
        take_out_again(digested.refused)
    return digested


def _gather(gathering: Gathering, batch: Batch, output: Output, number: int, found: Found) -> None:
    if isinstance(output, Problem):
        found.problems.append(output)
        return
    key = Key(batch.workspace_id, batch.format, output.conversation)
    gathering.add(output, key=key, batch_id=batch.pk, received=batch.received_at, index=number, found=found)


def _flush(batch: Batch, gathering: Gathering, found: Found) -> Digested:
    with transaction.atomic():
        digested = _write(gathering, {batch.pk: found})
        Batch.objects.filter(pk=batch.pk).update(claimed_until=timezone.now() + LEASE)
    return digested


class _Reading:
    """The lines of a transcript's batch, from where an earlier batch of the same file ended."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.pending_bytes = 0
        before = batch.continues.checkpoint if batch.continues else None
        state = before or {"line": 0, "open": False}
        self.number: int = state["line"]
        self._open: bool = state["open"]  # the last line had no newline yet
        self.parser: Parser = resume_parser(batch.format, state["parser"]) if before else parser_for(batch.format)
        self._end = 0  # of what was read whole, in bytes of what this batch stores
        self._rest = b""

    def lines(self) -> Iterator[bytes]:
        """Whole lines; one at the end that is still being written is left for the next upload."""
        for line in lines_of(load(self.batch)):
            if self._open and line.body == b"\n" and self._end == 0:
                self._open, self._end = False, line.end
                continue
            if not line.body.endswith(b"\n") and not _is_whole(line):
                self._rest = line.body[:500]
                return
            self.number += 1
            self.pending_bytes += len(line.body)
            self._open, self._end = not line.body.endswith(b"\n"), line.end
            yield line.body

    def remember(self) -> None:
        """Where the next batch of this file goes on."""
        batch = self.batch
        batch.checkpoint = {"line": self.number, "open": self._open, "parser": self.parser.checkpoint()}
        if not self._rest:  # what was noted when it came is the end of the last line that has a newline
            batch.digested_bytes, batch.digested_sha256 = batch.byte_count, batch.sha256

    def cut_off(self) -> Iterator[Problem]:
        """Tell of a last line that is not all there."""
        if self._rest:
            yield Problem(
                code="cut_off",
                message="The last line is not complete: it ends in the middle of its JSON.",
                mend="Send the file again once it has grown; only what is new is read then.",
                line=self.number + 1,
                raw=self._rest.decode("utf-8", "replace").replace("\x00", "\ufffd"),
            )


def _is_whole(line: Line) -> bool:
    try:
        msgspec.json.decode(line.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
