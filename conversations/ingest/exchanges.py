"""Take exchanges in: each is compared with what is known of its conversation, and what is new is stored as events.

The events are an ordinary batch, which digestion takes as any other. They are stored in the transaction that notes what
is known from now on: whatever is killed, an exchange is taken wholly or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
from django.db import transaction
from django.utils import timezone

from conversations.ingest import inbox
from conversations.ingest.accept import Receipt, Result, claim_for, limits
from conversations.ingest.contexts import Taken, take
from conversations.ingest.contexts.likeness import number_of
from conversations.ingest.contexts.marks import marks_after, marks_of, recognised
from conversations.ingest.events import Event, Problem
from conversations.ingest.exchange import Exchange
from conversations.ingest.formats.exchange_batch import read_batch
from conversations.ingest.remembering import Memory, Remembered
from conversations.ingest.unread import keep_unread
from conversations.models import ApiKey, Batch, Workspace
from conversations.vocabulary import BatchState

_FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Taking:
    """What a batch of exchanges becomes."""

    results: dict[int, Result] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def count(self, status: str) -> int:
        """Exchanges with that result."""
        return sum(result.status == status for result in self.results.values())


def accept_exchanges(
    *,
    workspace: Workspace,
    exchanges: Sequence[Exchange | Problem],
    source: str,
    api_key: ApiKey | None = None,
    claimed: bool = False,
    unread: Sequence[bytes] = (),
    unread_source: str = "",
) -> Receipt:
    """Store what is new in the exchanges. `claimed`: the caller digests the batch at once, no worker shall take it.

    `source` is the format of the batch and names where the conversations come from. `unread`: the bytes of what could
    not be understood; they are kept as a batch of their own, of `unread_source` where they came in another form. One
    result an exchange, in order; `is_new` is False where nothing was new."""
    taking = _Taking()
    with transaction.atomic():
        memory = _memory(workspace, source, [each for each in exchanges if isinstance(each, Exchange)])
        for index, exchange in _by_time(exchanges):
            _take(taking, memory, index, exchange)
        problems = [(index, each) for index, each in enumerate(exchanges) if isinstance(each, Problem)]
        for index, problem in problems:
            taking.results[index] = Result(index, "", "rejected", problem)
        memory.save()
        kept = keep_unread(workspace, unread_source or source, unread, [problem for _, problem in problems], api_key)
        batch = _store(workspace, taking, source, api_key, claimed=claimed) if taking.events or not kept else None
    results = [taking.results[index] for index in sorted(taking.results)]
    stored = batch or kept
    assert stored is not None  # noqa: S101 -- for the type checker: without the one there is the other
    return Receipt(stored, is_new=bool(taking.events), results=results, unread=kept)


def accept_exchange_bodies(
    *, workspace: Workspace, body: bytes, api_key: ApiKey | None = None, claimed: bool = False
) -> Receipt:
    """The same for a POST's body. Raises BadInput for what is no batch of exchanges, TooLarge for too many."""
    read = read_batch(body, limits())
    return accept_exchanges(
        workspace=workspace,
        exchanges=[each.result for each in read],
        source=inbox.EXCHANGES,
        api_key=api_key,
        claimed=claimed,
        # One a line: in JSON a line break says nothing.
        unread=[each.raw.replace(b"\n", b" ") for each in read if isinstance(each.result, Problem)],
    )


def _memory(workspace: Workspace, source: str, exchanges: Sequence[Exchange]) -> Memory:
    memory = Memory(workspace, source)
    named = {exchange.conversation for exchange in exchanges if exchange.conversation}
    memory.load(named, [marks_of(exchange) for exchange in exchanges if not exchange.conversation])
    return memory


def _by_time(exchanges: Sequence[Exchange | Problem]) -> list[tuple[int, Exchange]]:
    """As the agent sent them: a recorder that delivers late, or several threads, mix them up."""
    ours = [(index, each) for index, each in enumerate(exchanges) if isinstance(each, Exchange)]
    if any(exchange.at is None for _, exchange in ours):
        return ours
    return sorted(ours, key=lambda pair: _aware(pair[1].at))


def _aware(at: datetime | None) -> datetime:
    if at is None:
        return _FAR
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _take(taking: _Taking, memory: Memory, index: int, exchange: Exchange) -> None:
    row = _row_of(memory, exchange)
    taken = take(row.known, exchange, row.external_id, timezone.now())
    if row.marks is not None and taken.is_new:
        row.marks = marks_after(exchange, row.marks)
    taking.events += taken.events
    taking.results[index] = Result(index, exchange.id, _status(taken), conversation=taken.conversation)


def _row_of(memory: Memory, exchange: Exchange) -> Remembered:
    """The conversation it names, or is recognised by its beginning to go on, or a new one."""
    if exchange.conversation:
        return memory.of(exchange.conversation)
    candidates = [(row.external_id, row.marks, row.known) for row in memory.unnamed() if row.marks is not None]
    name = recognised(exchange, candidates) or f"unnamed-{number_of(exchange.id) % 2**64:016x}"
    row = memory.of(name)
    row.marks = row.marks or marks_after(exchange, None)
    return row


def _status(taken: Taken) -> str:
    return "accepted" if taken.is_new else "duplicate"


def _store(workspace: Workspace, taking: _Taking, source: str, api_key: ApiKey | None, *, claimed: bool) -> Batch:
    """The events as a batch; one without any is done as it is."""
    body = msgspec.json.encode(taking.events)
    batch = Batch(workspace=workspace, api_key=api_key, format=source, byte_count=len(body))
    batch.sha256 = sha256(body).digest()
    batch.accepted, batch.duplicates = taking.count("accepted"), taking.count("duplicate")
    if taking.events:
        claim_for(batch, claimed=claimed)
    else:
        batch.state, batch.digested_at = BatchState.DIGESTED, timezone.now()
    inbox.store_whole(batch, body)
    return batch
