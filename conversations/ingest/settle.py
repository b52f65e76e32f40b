"""After rows are in: what each compaction dropped, its number and observed tokens, and the conversation's totals.

Only what can have changed is looked at: compactions after the earliest changed position, and the messages that were
still in the context there. A conversation to whose end messages are added costs one UPDATE.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from msgspec.json import decode

from conversations.ingest.segments import PlacedCompaction, PlacedMessage, drops
from conversations.ingest.sparkline import Turn, empty, extend
from conversations.ingest.states import State
from conversations.ingest.writers import Changes
from conversations.vocabulary import CLEARING_KINDS, SummaryState, abandoned_in

_FAR = 2**62


@dataclass(slots=True)
class Boundary:
    """A compaction's row, as far as settling needs it."""

    id: int
    position: int
    kind: str
    summary_state: str
    number: int
    summary_external_id: str
    summary_message_id: int | None
    dropped_count: int
    kept_count: int
    tokens_before: int | None
    tokens_after: int | None

    @property
    def failed(self) -> bool:
        """A failed compaction replaced nothing."""
        return self.summary_state == SummaryState.FAILED


def settle(change: Changes) -> list[int]:
    """Bring everything derived up to date in memory (the state) and in the store (the rest). Returns the ids of the
    compactions that are new or of which something changed. Call inside the transaction that wrote the rows."""
    state = change.state
    state.message_count += change.new_messages
    state.request_count += change.new_requests
    with connection.cursor() as cursor:
        boundaries = _boundaries(cursor, state) if state.compaction_count or change.compactions else []
        state.compaction_count = len(boundaries)
        state.has_grown = bool(boundaries and change.moved)
        touched = _settle_boundaries(cursor, change, boundaries) if boundaries else set()
        _settle_turns(cursor, change, boundaries)
    return sorted(touched)


def _boundaries(cursor: CursorWrapper, state: State) -> list[Boundary]:
    cursor.execute(
        "SELECT id, position, kind, summary_state, number, summary_external_id, summary_message_id, dropped_count,"
        " kept_count, tokens_before_observed, tokens_after_observed FROM conversations_compaction"
        " WHERE workspace_id = %s AND conversation_id = %s ORDER BY position, external_id",
        [state.workspace_id, state.id],
    )
    return [Boundary(*row) for row in cursor.fetchall()]


def _settle_boundaries(cursor: CursorWrapper, change: Changes, boundaries: list[Boundary]) -> set[int]:
    touched = {boundary.id for boundary in boundaries if boundary.position in change.compactions}
    if change.compactions:
        touched |= _settle_numbers(cursor, boundaries)
    if any(boundary.summary_external_id and not boundary.summary_message_id for boundary in boundaries):
        touched |= _link_summaries(cursor, change.state)
    earliest = min((*change.compactions, *change.moved), default=_FAR)
    # A message at a compaction's own position stands after it; a changed compaction is affected itself.
    affected = [b for b in boundaries if b.position > earliest or b.position in change.compactions]
    if affected:
        touched |= _settle_drops(cursor, change.state, affected)
    if change.compactions or change.turns or change.turns_changed:
        touched |= _settle_tokens(cursor, change, boundaries)
    return touched


def _settle_numbers(cursor: CursorWrapper, boundaries: list[Boundary]) -> set[int]:
    changed = [(number, boundary.id) for number, boundary in enumerate(boundaries, 1) if boundary.number != number]
    cursor.executemany("UPDATE conversations_compaction SET number = %s WHERE id = %s", changed)
    return {pk for _, pk in changed}


def _link_summaries(cursor: CursorWrapper, state: State) -> set[int]:
    """The message that is the summary may have come before its compaction, with it, or later."""
    cursor.execute(
        "UPDATE conversations_compaction c SET summary_message_id = m.id FROM conversations_message m"
        " WHERE c.workspace_id = %s AND c.conversation_id = %s AND c.summary_message_id IS NULL"
        " AND c.summary_external_id <> '' AND m.workspace_id = c.workspace_id"
        " AND m.conversation_id = c.conversation_id AND m.external_id = c.summary_external_id"
        " AND NOT EXISTS (SELECT 1 FROM conversations_compaction o WHERE o.summary_message_id = m.id) RETURNING c.id",
        [state.workspace_id, state.id],
    )
    return {row[0] for row in cursor.fetchall()}


# --- what was dropped -----------------------------------------------------------------------------------------------


def _settle_drops(cursor: CursorWrapper, state: State, affected: Sequence[Boundary]) -> set[int]:
    compactions = _placed_compactions(cursor, affected)
    cleared = any(compaction.cleared for compaction in compactions)
    rows = _messages_in_context(cursor, state, affected, with_tools=cleared)
    gone = drops([row.placed for row in rows], compactions)
    moved = [(row.id, int(gone[row.placed.key])) for row in rows if _moved(row, gone)]
    returned = [(row.id, None) for row in rows if row.dropped_by is not None and row.placed.key not in gone]
    _store_drops(cursor, state, [*moved, *returned])
    counted = _store_counts(cursor, affected, rows, gone, {each.key: each.abandoned for each in compactions})
    was = {
        row.dropped_by for row in rows if row.dropped_by is not None and str(row.dropped_by) != gone.get(row.placed.key)
    }
    return counted | {compaction for _, compaction in moved} | was


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    dropped_by: int | None
    placed: PlacedMessage


def _moved(row: _Row, gone: dict[str, str]) -> bool:
    return row.placed.key in gone and gone[row.placed.key] != str(row.dropped_by)


def _placed_compactions(cursor: CursorWrapper, affected: Sequence[Boundary]) -> list[PlacedCompaction]:
    cursor.execute(
        "SELECT id, position, kind, kept_ids, dropped_ids, cleared_ids, summary_external_id, summary_state, raw"
        " FROM conversations_compaction WHERE id = ANY(%s)",
        [[boundary.id for boundary in affected]],
    )
    return [
        PlacedCompaction(
            key=str(pk), position=position, kind=kind, kept=kept, dropped=dropped, cleared=cleared, summary=summary,
            failed=state == SummaryState.FAILED, abandoned=abandoned_in(raw),
        )
        for pk, position, kind, kept, dropped, cleared, summary, state, raw in _decoded(cursor.fetchall(), {3, 4, 5, 8})
    ]  # fmt: skip


def _decoded(rows: list[tuple[Any, ...]], columns: set[int]) -> list[list[Any]]:
    """Django has psycopg return jsonb as text."""
    return [
        [decode(value) if index in columns and isinstance(value, str) else value for index, value in enumerate(row)]
        for row in rows
    ]


def _messages_in_context(
    cursor: CursorWrapper, state: State, affected: Sequence[Boundary], *, with_tools: bool
) -> list[_Row]:
    """Messages before the last of these compactions that no earlier compaction had dropped."""
    tools = (
        "jsonb_path_query_array(blocks::jsonb, '$[*] ? (@.type == \"tool_result\").id'),"
        " NOT jsonb_path_exists(blocks::jsonb, '$[*] ? (@.type != \"tool_result\")')"
        if with_tools
        else "'[]'::jsonb, false"
    )
    cursor.execute(
        f"SELECT id, dropped_by_id, external_id, position, {tools} FROM conversations_message"  # noqa: S608 -- constants
        " WHERE workspace_id = %s AND conversation_id = %s AND position < %s"
        " AND (dropped_by_id IS NULL OR dropped_by_id = ANY(%s)) ORDER BY position",
        [state.workspace_id, state.id, max(b.position for b in affected), [b.id for b in affected]],
    )
    return [
        _Row(pk, dropped_by, PlacedMessage(key, position, tool_ids, only_results=only_results))
        for pk, dropped_by, key, position, tool_ids, only_results in _decoded(cursor.fetchall(), {4})
    ]


def _store_drops(cursor: CursorWrapper, state: State, pairs: Sequence[tuple[int, int | None]]) -> None:
    if pairs:
        cursor.execute(
            "UPDATE conversations_message m SET dropped_by_id = p.compaction"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS p (id, compaction)"
            " WHERE m.id = p.id AND m.workspace_id = %s",
            [*map(list, zip(*pairs, strict=True)), state.workspace_id],
        )


def _store_counts(
    cursor: CursorWrapper,
    affected: Sequence[Boundary],
    rows: Sequence[_Row],
    gone: Mapping[str, str],
    abandoned: Mapping[str, Sequence[str]],
) -> set[int]:
    """Dropped at each compaction, and what then was left of what had stood before it in its context."""
    counts = dict.fromkeys((boundary.id for boundary in affected), 0)
    for compaction in gone.values():
        counts[int(compaction)] += 1
    positions = [row.placed.position for row in rows]
    places = {row.placed.key: row.placed.position for row in rows} if any(abandoned.values()) else {}
    changed, dropped_before = [], 0
    done: set[str] = set()
    for boundary in affected:
        dropped = counts[boundary.id]
        dropped_before += dropped
        done.add(str(boundary.id))
        before = [key for key in abandoned[str(boundary.id)] if places.get(key, _FAR) < boundary.position]
        aside = sum(gone.get(key) not in done for key in before)
        kept = bisect_left(positions, boundary.position) - dropped_before - aside
        if (dropped, kept) != (boundary.dropped_count, boundary.kept_count):
            changed.append((dropped, kept, boundary.id))
    cursor.executemany("UPDATE conversations_compaction SET dropped_count = %s, kept_count = %s WHERE id = %s", changed)
    return {pk for *_, pk in changed}


# --- tokens ---------------------------------------------------------------------------------------------------------


def _settle_tokens(cursor: CursorWrapper, change: Changes, boundaries: Sequence[Boundary]) -> set[int]:
    """Observed before: context and output of the last turn since the replacement before; after: context of the first
    turn up to the next replacement. Failed ones replaced nothing; clearing ones leave most of the context standing."""
    edges = [-_FAR, *(b.position for b in boundaries if not b.failed and b.kind not in CLEARING_KINDS), _FAR]
    earliest = min((*(turn.position for turn in change.turns), *change.compactions), default=-_FAR)
    if change.turns_changed:
        earliest = -_FAR
    spans = []
    for boundary in boundaries:
        before = edges[bisect_left(edges, boundary.position) - 1]
        after = next(edge for edge in edges if edge > boundary.position)
        if after > earliest:
            spans.append((boundary.id, before, boundary.position, after))
    return _store_tokens(cursor, change.state, spans) if spans else set()


def _store_tokens(cursor: CursorWrapper, state: State, spans: Sequence[tuple[int, int, int, int]]) -> set[int]:
    turn = (
        "FROM conversations_request r WHERE r.workspace_id = %s AND r.conversation_id = %s AND r.purpose = 'turn'"
        " AND r.context_tokens IS NOT NULL"
    )
    cursor.execute(
        "UPDATE conversations_compaction c SET tokens_before_observed = o.tokens_before,"  # noqa: S608 -- constants
        " tokens_after_observed = o.tokens_after FROM (SELECT s.id,"
        f" (SELECT r.context_tokens + coalesce(r.output_tokens, 0) {turn} AND r.position >= s.start"
        " AND r.position < s.position ORDER BY r.position DESC, r.id DESC LIMIT 1) AS tokens_before,"
        f" (SELECT r.context_tokens {turn} AND r.position >= s.position"
        " AND r.position < s.stop ORDER BY r.position, r.id LIMIT 1) AS tokens_after"
        " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS s (id, start, position, stop)) o"
        " WHERE c.id = o.id AND (c.tokens_before_observed, c.tokens_after_observed)"
        " IS DISTINCT FROM (o.tokens_before, o.tokens_after) RETURNING c.id",
        [state.workspace_id, state.id] * 2 + [list(column) for column in zip(*spans, strict=True)],
    )
    return {row[0] for row in cursor.fetchall()}


# --- the conversation's own totals ------------------------------------------------------------------------------------


def _settle_turns(cursor: CursorWrapper, change: Changes, boundaries: Sequence[Boundary]) -> None:
    """Add to the sparkline what comes after everything in it; anything else builds it anew."""
    state = change.state
    standing = {boundary.position for boundary in boundaries if not boundary.failed}
    changed = set(change.compactions)
    last_turn = -_FAR if state.last_request_position is None else state.last_request_position
    edge = max(last_turn, *(standing - changed), -_FAR)
    added = [*change.turns, *(Turn(position, None) for position in standing & changed)]
    if change.turns_changed or not changed <= standing or any(turn.position <= edge for turn in added):
        _rebuild_turns(cursor, state, boundaries)
    elif added:
        _add_turns(state, added)


def _rebuild_turns(cursor: CursorWrapper, state: State, boundaries: Sequence[Boundary]) -> None:
    """Something changed in the middle: read all turns, 16 bytes each."""
    cursor.execute(
        "SELECT position, context_tokens FROM conversations_request WHERE workspace_id = %s AND conversation_id = %s"
        " AND purpose = 'turn' AND context_tokens IS NOT NULL ORDER BY position, id",
        [state.workspace_id, state.id],
    )
    turns = [Turn(*row) for row in cursor.fetchall()]
    state.sparkline, state.tokens_now, state.tokens_peak, state.last_request_position = empty(), None, None, None
    _add_turns(state, [*turns, *(Turn(b.position, None) for b in boundaries if not b.failed)])


def _add_turns(state: State, turns: Sequence[Turn]) -> None:
    state.sparkline = extend(state.sparkline, turns)
    calls = [turn for turn in turns if turn.tokens is not None]
    if calls:
        last = max(calls, key=lambda turn: turn.position)
        state.tokens_now, state.last_request_position = last.tokens, last.position
        state.tokens_peak = max(state.tokens_peak or 0, *(turn.tokens or 0 for turn in calls))
