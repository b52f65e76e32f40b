"""Write what was gathered: new rows by COPY, changed rows by UPDATE. In a transaction that locked the conversations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper

from conversations.ingest import copying
from conversations.ingest.events import CompactionEvent, MessageEvent, Problem, RequestEvent, Usage
from conversations.ingest.sparkline import Turn
from conversations.ingest.states import State
from conversations.ingest.work import Content, Incoming, Work, conflict, content_of, summary_id, summary_of
from conversations.redaction.settings import is_known_redacted
from conversations.spending.terms import tier_of
from conversations.vocabulary import SummaryState

_MANY = 500  # rows of one conversation, from which on a bad plan would be felt
_COUNTS = {"messages": "message_count", "requests": "request_count", "compactions": "compaction_count"}
_MESSAGE_COLUMNS = (
    "workspace_id, conversation_id, batch_id, external_id, position, role, origin, at, blocks, size, excerpt, "
    "content_hash"
)
_REQUEST_COLUMNS = (
    "workspace_id, conversation_id, batch_id, external_id, position, at, model, purpose, input_tokens, "
    "cache_read_tokens, cache_write_tokens, output_tokens, context_tokens, "
    "cache_write_1h_tokens, stop_reason, duration_ms, service_tier"
)


@dataclass(slots=True)
class Changes:
    """What a digestion changed in one conversation: all that `settle` has to look at."""

    state: State
    work: Work
    new_messages: int = 0
    new_requests: int = 0
    turns: list[Turn] = field(default_factory=list)  # new ones
    turns_changed: bool = False  # known ones have other values now, so that nothing can simply be added
    compactions: list[int] = field(default_factory=list)  # positions of new and changed ones, old positions included
    requests: list[int] = field(default_factory=list)  # the same of requests, whatever their purpose
    moved: list[int] = field(default_factory=list)  # positions of new and changed messages
    problems: list[tuple[int, Problem]] = field(default_factory=list)  # batch id, problem


def write(states: Sequence[tuple[State, Work]]) -> list[Changes]:
    """The rows of every conversation given, each locked by the caller."""
    changes = [Changes(state, work) for state, work in states]
    with connection.cursor() as cursor:
        _write_compactions(cursor, changes)
        _write_messages(cursor, changes)
        _write_requests(cursor, changes)
    return changes


# --- messages -------------------------------------------------------------------------------------------------------


def _write_messages(cursor: CursorWrapper, changes: Sequence[Changes]) -> None:
    known = _known(cursor, "conversations_message", "batch_id, position, content_hash", changes, "messages")
    rows = []
    for change in changes:
        for incoming in change.work.messages.values():
            content = content_of(incoming.event.blocks(), incoming.original)
            row = known.get((change.state.id, incoming.event.id))
            if row is None:
                rows.append(_message_row(change.state, incoming, content))
                change.new_messages += 1
                change.moved.append(incoming.position)
            elif not _is_known(change.state, content, bytes(row[2])):
                _meet_other_content(cursor, change, incoming, content, row)
    _copy(cursor, "conversations_message", _MESSAGE_COLUMNS, rows)


def _is_known(state: State, content: Content, digest: bytes) -> bool:
    return digest in content.known_as or is_known_redacted(state.workspace_id, content.blocks, digest)


def _message_row(state: State, incoming: Incoming[MessageEvent], content: Content) -> bytes:
    event = incoming.event
    return copying.row(
        copying.int8(state.workspace_id),
        copying.int8(state.id),
        copying.int8(incoming.batch_id),
        copying.text(event.id),
        copying.int8(incoming.position),
        copying.text(event.role),
        copying.text(event.origin),
        copying.timestamp(incoming.at),
        copying.bytea(content.blocks),
        copying.int4(content.size),
        copying.text(content.excerpt),
        copying.bytea(content.digest),
    )


def _meet_other_content(
    cursor: CursorWrapper, change: Changes, incoming: Incoming[MessageEvent], content: Content, row: tuple[Any, ...]
) -> None:
    """A message that is known with other content. The batch that brought it may say it anew (its bytes are digested
    again, by a parser that understands more), and so may a compaction its summary; anybody else is told."""
    batch_id, position, _ = row
    is_summary = any(summary_id(c.event) == incoming.event.id for c in change.work.compactions.values())
    if (batch_id == incoming.batch_id and not incoming.again) or (is_summary and incoming.batch_id >= (batch_id or 0)):
        values: list[Any] = [
            incoming.batch_id, incoming.position, incoming.event.role, incoming.event.origin, incoming.at,
            content.blocks.decode(), content.size, content.excerpt, content.digest,
            change.state.workspace_id, change.state.id, incoming.event.id,
        ]  # fmt: skip
        cursor.execute(
            "UPDATE conversations_message SET batch_id = %s, position = %s, role = %s, origin = %s, at = %s,"
            " blocks = %s, size = %s, excerpt = %s, content_hash = %s"
            " WHERE workspace_id = %s AND conversation_id = %s AND external_id = %s",
            values,
        )
        change.moved += [position, incoming.position]
    else:
        change.problems.append((incoming.batch_id, conflict(incoming.event, incoming.index)))


# --- requests -------------------------------------------------------------------------------------------------------

RequestValues = tuple[Any, ...]  # position, at, model, purpose, 6 token counts, stop reason, duration, tier


def _request_values(incoming: Incoming[RequestEvent]) -> RequestValues:
    event, usage = incoming.event, incoming.event.usage
    context = event.context_tokens if event.context_tokens is not None else _context(usage)
    return (
        incoming.position, incoming.at, event.model[:200], event.purpose[:20],
        usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens, usage.output_tokens, context,
        usage.cache_write_1h_tokens, event.stop_reason[:60], event.duration_ms, tier_of(usage.service_tier),
    )  # fmt: skip


def _context(usage: Usage) -> int | None:
    """What the model read, as far as it is known; None if nothing is."""
    parts = (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
    return None if parts == (None, None, None) else sum(part or 0 for part in parts)


def _write_requests(cursor: CursorWrapper, changes: Sequence[Changes]) -> None:
    columns = _REQUEST_COLUMNS.split(", ", 4)
    known = _known(cursor, "conversations_request", f"batch_id, {columns[4]}", changes, "requests")
    rows = []
    for change in changes:
        for incoming in change.work.requests.values():
            values = _request_values(incoming)
            row = known.get((change.state.id, incoming.event.id))
            if row is None:
                rows.append(_request_row(change.state, incoming, values))
                _count_request(change, values)
            elif row[1:] != values and incoming.batch_id >= (row[0] or 0):
                _rewrite_request(cursor, change, incoming, values)
                change.requests += [row[1], incoming.position]
    _copy(cursor, "conversations_request", _REQUEST_COLUMNS, rows)


def _count_request(change: Changes, values: RequestValues) -> None:
    position, purpose, context = values[0], values[3], values[8]
    change.state.add_model(values[2])
    change.requests.append(position)
    if purpose != "turn":
        return
    change.new_requests += 1
    if context is not None:
        change.turns.append(Turn(position, context))


def _request_row(state: State, incoming: Incoming[RequestEvent], values: RequestValues) -> bytes:
    position, at, model, purpose, *tokens, stop_reason, duration, tier = values
    return copying.row(
        copying.int8(state.workspace_id),
        copying.int8(state.id),
        copying.int8(incoming.batch_id),
        copying.text(incoming.event.id),
        copying.int8(position),
        copying.timestamp(at),
        copying.text(model),
        copying.text(purpose),
        *map(copying.int8, tokens),
        copying.text(stop_reason),
        copying.int8(duration),
        copying.text(tier),
    )


def _rewrite_request(
    cursor: CursorWrapper, change: Changes, incoming: Incoming[RequestEvent], values: RequestValues
) -> None:
    """The last version wins: a response is logged line by line while it is written."""
    names = _REQUEST_COLUMNS.split(", ")[4:]
    cursor.execute(
        f"UPDATE conversations_request SET batch_id = %s, {', '.join(f'{name} = %s' for name in names)}"  # noqa: S608 -- constants
        " WHERE workspace_id = %s AND conversation_id = %s AND external_id = %s",
        [incoming.batch_id, *values, change.state.workspace_id, change.state.id, incoming.event.id],
    )
    change.state.add_model(values[2])
    change.turns_changed = True


# --- compactions ----------------------------------------------------------------------------------------------------

_COMPACTION_COLUMNS = (
    "position", "at", "kind", "trigger", "trigger_tokens", "instructions", "model", "duration_ms", "error",
    "summary_state", "summary_external_id", "tokens_before_reported", "tokens_after_reported", "cost_input_tokens",
    "cost_cache_read_tokens", "cost_cache_write_tokens", "cost_output_tokens", "dropped_ids", "kept_ids", "cleared_ids",
    "complete", "raw",
)  # fmt: skip
_UPSERT_COMPACTION = f"""
    INSERT INTO conversations_compaction (workspace_id, conversation_id, external_id, batch_id, number, dropped_count,
        kept_count, {", ".join(_COMPACTION_COLUMNS)})
    VALUES (%s, %s, %s, %s, 0, 0, 0, {", ".join(["%s"] * len(_COMPACTION_COLUMNS))})
    ON CONFLICT (workspace_id, conversation_id, external_id) DO UPDATE
    SET batch_id = excluded.batch_id, {", ".join(f"{name} = excluded.{name}" for name in _COMPACTION_COLUMNS)}
    WHERE (conversations_compaction.batch_id IS NULL OR conversations_compaction.batch_id <= excluded.batch_id)
    AND ({", ".join(f"conversations_compaction.{name}" for name in _COMPACTION_COLUMNS)})
        IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _COMPACTION_COLUMNS)})
    RETURNING id
"""  # noqa: S608 -- column names are constants


def _write_compactions(cursor: CursorWrapper, changes: Sequence[Changes]) -> None:
    known = _known(cursor, "conversations_compaction", "batch_id, position", changes, "compactions")
    for change in changes:
        for incoming in change.work.compactions.values():
            row = known.get((change.state.id, incoming.event.id))
            keys: list[Any] = [change.state.workspace_id, change.state.id, incoming.event.id, incoming.batch_id]
            cursor.execute(_UPSERT_COMPACTION, keys + _compaction_values(incoming))
            if cursor.fetchone():
                change.compactions += [incoming.position] if row is None else [row[1], incoming.position]
            if row is None or incoming.batch_id >= (row[0] or 0):
                _carry_summary(change.work, incoming)


def _carry_summary(work: Work, incoming: Incoming[CompactionEvent]) -> None:
    message = summary_of(incoming)
    if message:
        work.messages[message.event.id] = message


def _compaction_values(incoming: Incoming[CompactionEvent]) -> list[Any]:
    event, cost = incoming.event, incoming.event.cost
    return [
        incoming.position, incoming.at, event.kind, event.trigger, event.trigger_tokens, event.instructions,
        event.model[:200], event.duration_ms, event.error, _summary_state(event), summary_id(event),
        event.tokens_before, event.tokens_after, cost.input_tokens, cost.cache_read_tokens, cost.cache_write_tokens,
        cost.output_tokens, _json(event.dropped), _json(event.kept), _json(event.cleared), event.complete,
        _json(event.raw),
    ]  # fmt: skip


def _summary_state(event: CompactionEvent) -> SummaryState:
    if event.summary_state is not None:
        return event.summary_state
    return SummaryState.TEXT if summary_id(event) else SummaryState.ABSENT


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


# --- both -----------------------------------------------------------------------------------------------------------


def _known(
    cursor: CursorWrapper, table: str, columns: str, changes: Sequence[Changes], kind: str
) -> dict[tuple[int, str], tuple[Any, ...]]:
    """(conversation id, external id) → the columns, of the rows that are there. No query for new conversations."""
    pairs = [
        (change.state.workspace_id, change.state.id, key)
        for change in changes
        if not change.state.is_new
        for key in getattr(change.work, kind)
    ]
    if not pairs:
        return {}
    _mend_statistics(cursor, table, at_least=max(getattr(change.state, _COUNTS[kind]) for change in changes) // 2)
    cursor.execute(
        f"SELECT t.conversation_id, t.external_id, {', '.join(f't.{name}' for name in columns.split(', '))}"  # noqa: S608 -- constants
        " FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS p (workspace_id, conversation_id, external_id)"
        f" JOIN {table} t USING (workspace_id, conversation_id, external_id)",
        [list(column) for column in zip(*pairs, strict=True)],
    )
    return {(row[0], row[1]): row[2:] for row in cursor.fetchall()}


def _mend_statistics(cursor: CursorWrapper, table: str, *, at_least: int) -> None:
    """Analyse a table that Postgres takes for smaller than one of its conversations is known to be.

    Before the first analysis, or after one of an empty table, it expects one row a conversation and looks through all
    of them for each id: the first 55 MB transcript of a new server took 36 s, not 4. Half of what is known, so that a
    conversation that grows alone has its table analysed each time it has doubled, and not each time."""
    if at_least < _MANY:
        return
    cursor.execute("SELECT reltuples < %s FROM pg_class WHERE oid = %s::regclass", [at_least, table])
    if cursor.fetchone() == (True,):
        cursor.execute(f"ANALYZE {table}")


def _copy(cursor: CursorWrapper, table: str, columns: str, rows: Iterable[bytes]) -> None:
    body = copying.document(rows)
    if len(body) > len(copying.HEADER) + len(copying.TRAILER):
        # Django wraps the driver's errors for execute() only, and digestion is put back by Django's.
        sql = f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)"
        with cursor.db.wrap_database_errors, cursor.copy(sql) as copy:
            copy.write(body)
