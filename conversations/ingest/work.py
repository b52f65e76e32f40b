"""Gather what batches say about each conversation, so that it can be written at once. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec

from conversations.ingest.events import (
    Block,
    BudgetReport,
    CompactionEvent,
    ConversationEvent,
    Event,
    Image,
    MessageEvent,
    Problem,
    RequestEvent,
    Summary,
    ToolCall,
)
from conversations.ingest.redacting import redacted
from conversations.redaction.redactor import KeepingRedactor, Redactor
from conversations.spending.budgets import Asker
from conversations.spending.reports import Reported
from conversations.vocabulary import BudgetEventKind, Origin, Role

KEY_CHARACTERS = 512
EXCERPT_CHARACTERS = 600
LARGE = 20_000  # characters; a message beyond this is shown in lists by its excerpt

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encode = msgspec.json.Encoder().encode
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Key:
    """Which conversation, across all workspaces."""

    workspace_id: int
    source: str
    external_id: str


@dataclass(slots=True)
class Incoming(Generic[E]):
    """One event with what its batch adds to it. `again`: its id came before in the same digestion."""

    event: E
    batch_id: int
    at: datetime
    position: int
    index: int  # in its batch, or line
    again: bool = False
    original: "Original | None" = None  # of a message from which something was redacted


@dataclass(frozen=True, slots=True)
class Original:
    """By what a message is known again that was stored without its secrets: what is stored is `fingerprint`, which
    nobody can guess back; `digest` is what was stored when nothing was redacted yet."""

    fingerprint: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """A message's blocks as they are stored. `size` in characters of text; `known_as` holds the digests by which the
    same message may be stored already."""

    blocks: bytes
    digest: bytes
    size: int
    excerpt: str
    known_as: frozenset[bytes]


@dataclass(slots=True)
class Work:
    """All that is to be written to one conversation, each id once: of messages the first, of the others the last."""

    key: Key
    facts: list[ConversationEvent] = field(default_factory=list)
    messages: dict[str, Incoming[MessageEvent]] = field(default_factory=dict)
    requests: dict[str, Incoming[RequestEvent]] = field(default_factory=dict)
    compactions: dict[str, Incoming[CompactionEvent]] = field(default_factory=dict)
    received: datetime | None = None  # our clock, when the first of it came
    first_at: datetime | None = None  # the agent's clock; None where no event tells it
    last_at: datetime | None = None
    hidden: dict[str, str] = field(default_factory=dict)  # secrets by placeholder, where they are kept


@dataclass(slots=True)
class Found:
    """What one batch held, each thing once."""

    conversations: set[str] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)  # hashes of (type, conversation, id): 60 bytes an event, not its ids
    messages: int = 0
    requests: int = 0
    compactions: int = 0
    problems: list[Problem] = field(default_factory=list)

    def first(self, event: MessageEvent | RequestEvent | CompactionEvent) -> bool:
        """Whether this is the first event of its type, conversation and id; counts it if so."""
        key = hash((type(event), event.conversation, event.id))
        if key in self.seen:
            return False
        self.seen.add(key)
        self.messages += isinstance(event, MessageEvent)
        self.requests += isinstance(event, RequestEvent)
        self.compactions += isinstance(event, CompactionEvent)
        return True


class Gathering:
    """Collects events of one or several batches until they are written, without the secrets of workspaces that have
    them redacted: `redactors` by workspace."""

    def __init__(self, redactors: Mapping[int, Redactor] | None = None) -> None:
        self._redactors = redactors or {}
        self.works: dict[Key, Work] = {}
        self.reports: list[Reported] = []
        self.size = 0  # events
        self._hidden: dict[int, dict[str, str]] = {}  # by workspace: of what belongs to no conversation

    def add(self, event: Event, *, key: Key, batch_id: int, received: datetime, index: int, found: Found) -> None:
        """Take one event; `received` and `index` place one that has neither sequence nor time."""
        problem = _unfit(event, index)
        if problem:
            found.problems.append(problem)
            return
        redactor = self._redactors.get(key.workspace_id)
        came, event = event, redacted(event, redactor) if redactor else event
        taken = redactor.take() if isinstance(redactor, KeepingRedactor) else {}
        if isinstance(event, BudgetReport):
            self._hidden.setdefault(key.workspace_id, {}).update(taken)
            self.reports.append(_reported(key.workspace_id, event, received))
            return
        work = self.works.get(key) or self.works.setdefault(key, Work(key))
        found.conversations.add(key.external_id)
        work.hidden |= taken
        self.size += 1
        work.received = work.received or received
        if event.at is not None:
            _stretch(work, aware(event.at))
        if isinstance(event, ConversationEvent):
            work.facts.append(event)
            return
        at = aware(event.at or received)
        incoming = Incoming(event, batch_id, at, _position(event, at, index), index, again=not found.first(event))
        if redactor and event is not came and isinstance(came, MessageEvent):
            incoming.original = _original(came, redactor)
        _place(work, incoming, found, index)

    def take_reports(self) -> list[Reported]:
        """What agents did about budgets, since the last time."""
        reports, self.reports = self.reports, []
        return reports

    def take_hidden(self) -> dict[int, dict[str, str]]:
        """What was taken out of reports and is kept, by workspace, since the last time."""
        hidden, self._hidden = self._hidden, {}
        return hidden

    def clear(self) -> list[Work]:
        """What was gathered since the last time."""
        works, self.works, self.size = list(self.works.values()), {}, 0
        return works


def _original(message: MessageEvent, redactor: Redactor) -> Original:
    encoded = _encode(message.blocks())
    return Original(redactor.fingerprint(encoded), digest_of(encoded))


def _reported(workspace_id: int, report: BudgetReport, received: datetime) -> Reported:
    return Reported(
        workspace_id=workspace_id,
        external_id=report.id,
        kind=BudgetEventKind(report.happened),
        asker=Asker(report.agent[:200], report.agent_version[:100], report.conversation),
        at=aware(report.at or received),
        budget_id=report.budget,
        budget_name=report.name[:120],
        used=report.used,
        limit=report.limit,
        message=report.message[:4000],
    )


def _place(
    work: Work, incoming: "Incoming[MessageEvent | RequestEvent | CompactionEvent]", found: Found, index: int
) -> None:
    event = incoming.event
    if isinstance(event, RequestEvent):
        work.requests[event.id] = incoming  # type: ignore[assignment]  # narrowed by its event
    elif isinstance(event, CompactionEvent):
        work.compactions[event.id] = incoming  # type: ignore[assignment]
    elif event.id not in work.messages:
        work.messages[event.id] = incoming  # type: ignore[assignment]
    elif work.messages[event.id].event.blocks() != event.blocks():
        found.problems.append(conflict(event, index))


def conflict(event: MessageEvent, line: int) -> Problem:
    """The same id with other content: a message is stored once, the first one stays."""
    return Problem(
        code="conflict",
        message=f'Message "{event.id}" of conversation "{event.conversation}" was sent before with other content.',
        mend="The first one was kept. Give every message an id of its own.",
        line=line,
        field="id",
    )


def _unfit(event: Event, index: int) -> Problem | None:
    """Ids come from files that anybody can write; what Postgres would refuse must not take the batch with it."""
    for name, value in (("id", event.id), ("conversation", event.conversation)):
        if len(value) > KEY_CHARACTERS:
            message = f"The {name} has {len(value):,} characters; at most {KEY_CHARACTERS} are taken."
            return Problem(code="bad_field", message=message, line=index, field=name, raw=value[:500])
    if not event.conversation:
        return Problem(code="bad_field", message="The conversation's id is empty.", line=index, field="conversation")
    return None


def _position(event: MessageEvent | RequestEvent | CompactionEvent, at: datetime, index: int) -> int:
    if event.sequence is not None:
        return event.sequence
    # Events without a time get that of their batch; the index keeps their order.
    return (at - _EPOCH) // _MICROSECOND + (index if event.at is None else 0)


def _stretch(work: Work, at: datetime) -> None:
    work.first_at = at if work.first_at is None else min(work.first_at, at)
    work.last_at = at if work.last_at is None else max(work.last_at, at)


def aware(at: datetime) -> datetime:
    """A time without a zone is UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def summary_of(incoming: Incoming[CompactionEvent]) -> Incoming[MessageEvent] | None:
    """The message that carries the summary of an event that brings its text itself."""
    event = incoming.event
    if event.summary is None or event.summary_message:
        return None
    message = MessageEvent(
        id=summary_id(event),
        conversation=event.conversation,
        role=Role.USER,
        content=[Summary(event.summary)],
        origin=Origin.SUMMARY,
    )
    # At the compaction's own position: what stands there counts as after it (see segments.py).
    return Incoming(message, incoming.batch_id, incoming.at, incoming.position, incoming.index, incoming.again)


def summary_id(event: CompactionEvent) -> str:
    """External id of the message that is the summary; empty if there is none."""
    if event.summary_message:
        return event.summary_message
    return "" if event.summary is None else f"{event.id[: KEY_CHARACTERS - 8]}/summary"


def content_of(blocks: list[Block], original: Original | None = None) -> Content:
    """The blocks as JSON, and what is kept beside it; `original` where they came with secrets."""
    encoded = _encode(blocks)
    size = sum(map(_characters, blocks))
    excerpt = _excerpt(blocks) if size > LARGE else ""
    if original is None:
        digest = digest_of(encoded)
        return Content(encoded, digest, size, excerpt, frozenset([digest]))
    known_as = frozenset([original.fingerprint, original.digest])
    return Content(encoded, original.fingerprint, size, excerpt, known_as)


def digest_of(encoded: bytes) -> bytes:
    """By which a content is known again."""
    return blake2b(encoded, digest_size=16).digest()


def _characters(block: Block) -> int:
    if isinstance(block, ToolCall):
        return len(block.name) + len(_encode(block.input))
    return 0 if isinstance(block, Image) else len(block.text)


def _excerpt(blocks: Iterable[Block]) -> str:
    texts = (
        _encode(b.input).decode() if isinstance(b, ToolCall) else "" if isinstance(b, Image) else b.text for b in blocks
    )
    return next(filter(None, texts), "")[:EXCERPT_CHARACTERS]
