"""The rows of the conversations being written: found or made, locked, changed in memory, saved once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper
from msgspec import UNSET, UnsetType

from conversations.ingest.events import ConversationEvent, MessageEvent
from conversations.ingest.sparkline import Sparkline, empty
from conversations.ingest.work import Key, Work
from conversations.models import Agent
from conversations.tags import merged, tags_of

MOST_MODELS = 50  # names kept of one conversation

_FIELDS = (
    "agent_id", "parent_external_id", "title", "cwd", "context_window", "complete", "incomplete_reason", "started_at",
    "last_at", "model_names", "tags", "tags_taken_off", "message_count", "request_count", "compaction_count",
    "tokens_now", "tokens_peak", "last_request_position", "sparkline",
)  # fmt: skip
#: A conversation that was deleted for good has left its hash behind; see `forgetting`.
_NOT_DELETED = (
    "NOT EXISTS (SELECT 1 FROM conversations_deletedconversation d WHERE d.workspace_id = n.workspace_id"
    " AND d.key_hash = sha256(convert_to(n.source || E'\\n' || n.external_id, 'UTF8')))"
)
_COLUMNS = ", ".join(f"c.{name}" for name in ("id", "workspace_id", "source", "external_id", *_FIELDS))


@dataclass(slots=True)
class State:
    """One conversation's row. `is_new`: made in this transaction, so that no other row can point to it yet."""

    id: int
    workspace_id: int
    source: str
    external_id: str
    agent_id: int | None
    parent_external_id: str
    title: str
    cwd: str
    context_window: int | None
    complete: bool
    incomplete_reason: str
    started_at: datetime | None
    last_at: datetime
    model_names: list[str]
    tags: list[str]
    tags_taken_off: list[str]
    message_count: int
    request_count: int
    compaction_count: int
    tokens_now: int | None
    tokens_peak: int | None
    last_request_position: int | None
    sparkline: Sparkline
    agent_name: str | None
    agent_version: str | None
    tags_before: tuple[str, ...] = ()  # as they are stored: in whose sums its own are
    is_new: bool = False
    has_grown: bool = False  # messages came after a compaction: what followed may show that something was forgotten

    @property
    def key(self) -> Key:
        """Which conversation it is."""
        return Key(self.workspace_id, self.source, self.external_id)

    def add_model(self, name: str) -> None:
        """Remember a model, once."""
        if name and name not in self.model_names and len(self.model_names) < MOST_MODELS:
            self.model_names = sorted((*self.model_names, name))

    def saved(self) -> tuple[Any, ...]:
        """The values of `_FIELDS` as they are written."""
        values = {name: getattr(self, name) for name in _FIELDS}
        values["sparkline"] = msgspec.json.encode(self.sparkline).decode()
        return tuple(values.values())


def lock(works: Sequence[Work]) -> list[tuple[State, Work]]:
    """Every work with its conversation's row, made where there is none, locked until the transaction ends; without
    those of conversations that were deleted for good.

    In one order everywhere, so that two workers with the same conversations wait and do not deadlock."""
    if not works:
        return []
    by_key = {work.key: work for work in works}
    with connection.cursor() as cursor:
        states = _select(cursor, by_key)
        missing = sorted(by_key.keys() - {state.key for state in states}, key=lambda key: key.external_id)
        if missing:
            made = _insert(cursor, [by_key[key] for key in missing])
            late = _select(cursor, missing)
            for state in late:
                state.is_new = state.id in made
            states += late
    return [(state, by_key[state.key]) for state in states]


def _select(cursor: CursorWrapper, keys: Iterable[Key]) -> list[State]:
    columns = [list(column) for column in zip(*((k.workspace_id, k.source, k.external_id) for k in keys), strict=True)]
    # NO KEY UPDATE: other workers wait, rows that point to the conversation can be inserted meanwhile.
    cursor.execute(
        f"SELECT {_COLUMNS}, a.name, a.version FROM conversations_conversation c"  # noqa: S608 -- constants
        " LEFT JOIN conversations_agent a ON a.id = c.agent_id WHERE (c.workspace_id, c.source, c.external_id) IN"
        " (SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[])) ORDER BY c.id FOR NO KEY UPDATE OF c",
        columns,
    )
    return [_state(row) for row in cursor.fetchall()]


def _state(row: tuple[Any, ...]) -> State:
    state = State(*row)
    state.tags_before = tuple(state.tags)
    line = msgspec.json.decode(state.sparkline) if isinstance(state.sparkline, str) else state.sparkline
    state.sparkline = line or empty()
    return state


def _insert(cursor: CursorWrapper, works: Sequence[Work]) -> set[int]:
    """Ids of the rows that this made; another worker may be making the same ones."""
    rows = [(w.key.workspace_id, w.key.source, w.key.external_id, w.first_at, w.last_at or w.received) for w in works]
    cursor.execute(
        "INSERT INTO conversations_conversation (workspace_id, source, external_id, started_at, last_at,"  # noqa: S608 -- a constant
        " parent_external_id, title, cwd, complete, incomplete_reason, model_names, message_count, request_count,"
        " compaction_count, sparkline, created_at) SELECT *, '', '', '', true, '', '{}', 0, 0, 0, '{}', now()"
        " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])"
        " AS n (workspace_id, source, external_id)"
        f" WHERE {_NOT_DELETED} ON CONFLICT (workspace_id, source, external_id) DO NOTHING RETURNING id",
        [list(column) for column in zip(*rows, strict=True)],
    )
    return {row[0] for row in cursor.fetchall()}


def save(states: Iterable[State]) -> None:
    """Write the rows back."""
    assignments = ", ".join(f"{name} = %s" for name in _FIELDS)
    due = "CASE WHEN %s THEN coalesce(audit_due_at, now() + interval '60 seconds') ELSE audit_due_at END"
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE conversations_conversation SET {assignments}, audit_due_at = {due} WHERE id = %s",  # noqa: S608 -- constants
            [(*state.saved(), state.has_grown, state.id) for state in states],
        )


# --- what is known of a conversation as a whole -----------------------------------------------------------------------


def apply_facts(state: State, work: Work) -> None:
    """Overwrite what the events say; what they leave out stays."""
    for fact in work.facts:
        _apply(state, fact)
    spoken = [message.event for message in work.messages.values() if message.event.agent is not UNSET]
    sayings: list[ConversationEvent | MessageEvent] = [*work.facts, *spoken[-1:]]
    for said in sayings:
        if said.agent is not UNSET or said.agent_version is not UNSET:
            _set_agent(state, said.agent, said.agent_version)
    if work.first_at is not None and work.last_at is not None:
        # Without a start the last time was only ours, for want of the agent's.
        state.last_at = max(state.last_at, work.last_at) if state.started_at else work.last_at
        state.started_at = min(state.started_at or work.first_at, work.first_at)


def _apply(state: State, fact: ConversationEvent) -> None:
    for name in ("title", "cwd", "complete", "incomplete_reason", "context_window"):
        value = getattr(fact, name)
        if value is not UNSET:
            setattr(state, name, value)
    if fact.tags is not UNSET:
        state.tags = merged(state.tags, tags_of(fact.tags), state.tags_taken_off)
    if fact.parent is not UNSET:
        state.parent_external_id = fact.parent[:512]
    if fact.complete is True:
        state.incomplete_reason = ""


def _set_agent(state: State, name: str | UnsetType, version: str | UnsetType) -> None:
    """What is new about the agent; a version alone is the known agent's."""
    known = (state.agent_name or "", state.agent_version or "")
    new_name = known[0] if name is UNSET else name[:200]
    new_version = (known[1] if new_name == known[0] else "") if version is UNSET else version[:100]
    if state.agent_id is None or (new_name, new_version) != known:
        agent, _ = Agent.objects.get_or_create(workspace_id=state.workspace_id, name=new_name, version=new_version)
        state.agent_id, state.agent_name, state.agent_version = agent.pk, new_name, new_version
