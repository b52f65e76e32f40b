"""Take bytes in: checked, stored durably, answered. Rows are made of them later, by `digest`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import IO, Any

import msgspec
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from conversations.errors import TooLarge, UnknownFormat
from conversations.ingest import inbox
from conversations.ingest.events import CompactionEvent, ConversationEvent, Event, MessageEvent, Problem, RequestEvent
from conversations.ingest.formats import HEAD_BYTES, recognise, source_key
from conversations.ingest.formats.native import Item, decode_batch
from conversations.ingest.formats.native_checks import Limits
from conversations.ingest.inbox import EVENTS, LEASE
from conversations.models import ApiKey, Batch, Workspace
from conversations.vocabulary import BatchState

#: Earlier batches of one file that a new upload is compared with, longest first.
_MOST_CANDIDATES = 8
_TABLES = {
    MessageEvent: "conversations_message",
    RequestEvent: "conversations_request",
    CompactionEvent: "conversations_compaction",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event. `status`: accepted, duplicate (its id is in the store already) or rejected."""

    index: int
    id: str
    status: str
    problem: Problem | None = None
    conversation: str = ""  # of an exchange: where it belongs

    def as_dict(self) -> dict[str, Any]:
        """As the API answers."""
        answer: dict[str, Any] = {"index": self.index, "id": self.id, "status": self.status}
        if self.conversation:
            answer["conversation"] = self.conversation
        if self.problem:
            problem = self.problem
            answer |= {"code": problem.code, "field": problem.field, "message": problem.message, "mend": problem.mend}
        return answer


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was taken in. `is_new`: there is something to digest that was not there before."""

    batch: Batch
    is_new: bool
    results: Sequence[Result] = ()
    conversations: Sequence[str] = ()  # ids that events name; exchanges have theirs in the results
    unread: Batch | None = None  # of exchanges: what could not be understood, kept as a batch of its own


# --- events ---------------------------------------------------------------------------------------------------------


def accept_events(
    *, workspace: Workspace, body: bytes, api_key: ApiKey | None = None, claimed: bool = False
) -> Receipt:
    """Store a batch of our own events. `claimed`: the caller digests it at once, no worker shall take it.

    The same body again makes no new batch. Raises BadInput for what is no batch, TooLarge for too many events."""
    items = decode_batch(body, limits())
    digest = sha256(body).digest()
    known = _known(workspace, digest, [item.result for item in items])
    if known.batch_id is not None:
        earlier = workspace.batches.get(pk=known.batch_id)
        again = [_result(item, known=True) for item in items]
        return Receipt(earlier, is_new=_try_again(earlier), results=again, conversations=_named(items))
    results = [_result(item, known=_is_known(item, known.events)) for item in items]
    batch = Batch(workspace=workspace, api_key=api_key, format=EVENTS, byte_count=len(body), sha256=digest)
    batch.accepted = sum(result.status == "accepted" for result in results)
    batch.duplicates = sum(result.status == "duplicate" for result in results)
    batch.rejected = sum(result.status == "rejected" for result in results)
    claim_for(batch, claimed=claimed)
    inbox.store_whole(batch, body)
    return Receipt(batch, is_new=True, results=results, conversations=_named(items))


def _named(items: Sequence[Item]) -> list[str]:
    """The conversations that they speak of, each once."""
    events = (item.result for item in items if not isinstance(item.result, Problem))
    return list(dict.fromkeys(event.conversation for event in events))


def limits() -> Limits:
    """What the settings allow."""
    return Limits(events=settings.MAX_EVENTS, event_bytes=settings.MAX_EVENT_BYTES, depth=settings.MAX_DEPTH)


def _result(item: Item, *, known: bool) -> Result:
    if isinstance(item.result, Problem):
        return Result(item.index, "", "rejected", item.result)
    return Result(item.index, item.result.id, "duplicate" if known else "accepted")


@dataclass(slots=True)
class _Known:
    """What of a batch is in the store already: the batch itself, or events as (type, conversation, id)."""

    batch_id: int | None = None
    events: set[tuple[type, str, str]] = field(default_factory=set)


_SAME_BATCH = (
    "SELECT 0, min(id)::text, NULL FROM conversations_batch WHERE workspace_id = %s AND format = %s AND sha256 = %s"
)
#: Ids by conversation travel as one JSON text: psycopg takes 0.8 ms to make two arrays of 100, msgspec 0.05. Of a
#: conversation that is new no id is looked for.
_SAME_EVENTS = """
    SELECT {number}, c.external_id, t.external_id FROM json_each(%s::json) g
    JOIN conversations_conversation c ON c.workspace_id = %s AND c.source = %s AND c.external_id = g.key
    CROSS JOIN LATERAL json_array_elements_text(g.value) p (id)
    JOIN {table} t ON t.workspace_id = c.workspace_id AND t.conversation_id = c.id AND t.external_id = p.id
"""


def _known(workspace: Workspace, digest: bytes, results: Sequence[Event | Problem]) -> _Known:
    """One query, whatever the batch holds: a statement costs more than what it looks up."""
    statements: list[str] = [_SAME_BATCH]
    values: list[Any] = [workspace.pk, EVENTS, digest]
    for number, (kind, table) in enumerate(_TABLES.items(), 1):
        ids: dict[str, list[str]] = {}
        for event in results:
            if type(event) is kind:
                ids.setdefault(event.conversation, []).append(event.id)
        if ids:
            statements.append(_SAME_EVENTS.format(number=number, table=table))
            values += [msgspec.json.encode(ids).decode(), workspace.pk, EVENTS]
    known, kinds = _Known(), list(_TABLES)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(statements), values)
        for number, first, second in cursor:
            if number:
                known.events.add((kinds[number - 1], first, second))
            elif first is not None:
                known.batch_id = int(first)
    return known


def _is_known(item: Item, known: set[tuple[type, str, str]]) -> bool:
    event = item.result
    if isinstance(event, ConversationEvent | Problem):
        return False
    return (type(event), event.conversation, event.id) in known


# --- transcripts ------------------------------------------------------------------------------------------------------


def accept_transcript(
    *, workspace: Workspace, file: IO[bytes], name: str = "", api_key: ApiKey | None = None, claimed: bool = False
) -> Receipt:
    """Store a transcript from a file that can be read twice. Of one that grew only the new part is stored.

    Raises UnknownFormat, TooLarge. Memory does not depend on the file's size."""
    head = file.read(HEAD_BYTES)
    source = recognise(head)
    if source is None:
        raise UnknownFormat(
            "This is no transcript that is read here.",
            mend="Send a Claude Code session file (.jsonl) or a Codex rollout (.jsonl), unchanged.",
        )
    key = (source_key(head) or "")[:600]
    candidates = _candidates(workspace, key)
    file.seek(0)
    outline = _outline(file, [candidate.digested_bytes for candidate in candidates])
    earlier = _same_bytes(workspace, source, outline.sha256)
    if earlier:
        return Receipt(earlier, is_new=_try_again(earlier))
    continues = next(
        (c for c in candidates if outline.prefixes.get(c.digested_bytes) == bytes(c.digested_sha256 or b"")), None
    )
    batch = Batch(workspace=workspace, api_key=api_key, format=source, name=name[:500], source_key=key)
    batch.byte_count, batch.sha256 = outline.size, outline.sha256
    batch.digested_bytes, batch.digested_sha256 = outline.lines_size, outline.lines_sha256
    batch.continues, batch.offset = continues, continues.digested_bytes if continues else 0
    file.seek(batch.offset)
    _store(batch, inbox.pieces_of(file), claimed=claimed)
    return Receipt(batch, is_new=True)


def _candidates(workspace: Workspace, key: str) -> list[Batch]:
    """Digested batches of the same file, the one that knows most of it first."""
    if not key:
        return []
    digested = workspace.batches.filter(source_key=key, state=BatchState.DIGESTED, checkpoint__isnull=False)
    return list(digested.order_by("-digested_bytes", "-id")[:_MOST_CANDIDATES])


@dataclass(slots=True)
class Outline:
    """Sizes and hashes of a file, of its whole lines, and of its beginnings of the sizes asked for."""

    size: int
    sha256: bytes
    lines_size: int
    lines_sha256: bytes
    prefixes: dict[int, bytes]


def _outline(file: IO[bytes], sizes: Sequence[int]) -> Outline:
    digest = sha256()
    lines, lines_size, size = digest.copy(), 0, 0
    prefixes: dict[int, bytes] = {}
    wanted = sorted(set(sizes))
    for piece in inbox.pieces_of(file):
        newline = size + piece.rfind(b"\n") + 1
        stops = [stop for stop in (*wanted, newline) if size < stop < size + len(piece)]
        for stop in (*sorted(set(stops)), size + len(piece)):
            digest.update(piece[: stop - size])
            piece, size = piece[stop - size :], stop  # noqa: PLW2901 -- eaten from the front
            if stop in wanted:
                prefixes[stop] = digest.digest()
            if stop == newline:
                lines, lines_size = digest.copy(), stop
        if size > settings.MAX_TRANSCRIPT_BYTES:
            raise TooLarge(
                f"The transcript has more than {settings.MAX_TRANSCRIPT_BYTES:,} bytes.",
                mend="Raise OBSERVATORY_MAX_TRANSCRIPT_BYTES, or split the file.",
            )
    return Outline(size, digest.digest(), lines_size, lines.digest(), prefixes)


# --- both -----------------------------------------------------------------------------------------------------------


def _store(batch: Batch, pieces: Any, *, claimed: bool) -> None:
    """The row and its bytes, on disk when this returns."""
    claim_for(batch, claimed=claimed)
    with transaction.atomic():
        batch.save(force_insert=True)
        inbox.store(batch, pieces)


def claim_for(batch: Batch, *, claimed: bool) -> None:
    """Claim it for whoever accepts it, if they digest it at once."""
    if claimed:
        batch.claimed_until = timezone.now() + LEASE
        batch.attempts = 1


def _same_bytes(workspace: Workspace, source: str, digest: bytes) -> Batch | None:
    return workspace.batches.filter(sha256=digest, format=source).order_by("id").first()


def _try_again(batch: Batch) -> bool:
    """A batch that was given up is digested once more when its bytes come again."""
    given_up = Batch.objects.filter(pk=batch.pk, state=BatchState.FAILED, raw_deleted_at=None)
    return bool(given_up.update(state=BatchState.PENDING, attempts=0, claimed_until=None))
