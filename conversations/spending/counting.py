"""Keep the sums of conversations, agents and tags up to date: from what follows on what is counted, or else anew.

Called inside the transaction that wrote the rows and locked the conversations. The statements are the same for any
number of conversations; what they read is what is new, except where a late or changed row, or what a summary cost,
makes one conversation be counted anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper

from conversations.spending.grown import BEGINNING, Count, Grown
from conversations.spending.steps import steps_of
from conversations.spending.storing import RUN, store
from conversations.spending.tally import Call, Cut, Run, Usage
from conversations.vocabulary import CLEARING_KINDS, CompactionKind, SummaryState

#: Nobody wrote a summary for these, so that none has to be paid for.
_WITHOUT_SUMMARY = (*CLEARING_KINDS, CompactionKind.TRUNCATION)


def count_grown(conversations: Iterable[Grown]) -> None:
    """Bring the sums of these conversations, and of their agents and tags, up to date."""
    with connection.cursor() as cursor:
        counts = _known(cursor, list(conversations))
        moved = [each for each in counts if each.has_moved]
        growing = [each for each in counts if each.grown.earliest is not None]
        for each in growing:
            if each.grown.earliest is not None and each.grown.earliest <= each.frontier:
                each.start_anew()
        _read(cursor, growing)
        again = [each for each in growing if each.frontier > BEGINNING and each.has_side_costs]
        for each in again:
            each.start_anew()
        _read(cursor, again)
        store(cursor, growing, moved)
        retagged = [each for each in counts if each.is_retagged]
        _note(cursor, {each.grown.workspace_id for each in (*growing, *moved, *retagged)})


# --- what is known ----------------------------------------------------------------------------------------------------


def _known(cursor: CursorWrapper, conversations: Sequence[Grown]) -> list[Count]:
    cursor.execute(
        f"SELECT conversation_id, agent_id, frontier, {', '.join(RUN)} FROM conversations_conversationcount c"  # noqa: S608 -- constants
        " JOIN unnest(%s::bigint[], %s::bigint[]) AS w (workspace_id, conversation_id)"
        " USING (workspace_id, conversation_id)",
        [[each.workspace_id for each in conversations], [each.id for each in conversations]],
    )
    rows = {row[0]: row[1:] for row in cursor.fetchall()}
    return [_count_of(each, rows.get(each.id)) for each in conversations]


def _count_of(grown: Grown, row: tuple[Any, ...] | None) -> Count:
    if row is None:
        return Count(grown, grown.agent_id)
    return Count(grown, row[0], row[1], Run(*row[2:]))


def _read(cursor: CursorWrapper, counts: Sequence[Count]) -> None:
    """The calls and compactions after what is counted."""
    if counts:
        by_id = {each.grown.id: each for each in counts}
        keys = [(each.grown.workspace_id, each.grown.id, each.frontier) for each in counts]
        after = [list(column) for column in zip(*keys, strict=True)]
        _read_calls(cursor, by_id, after)
        _read_cuts(cursor, by_id, after)


_AFTER = """
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS f (workspace_id, conversation_id, frontier)
    JOIN conversations_{} r ON r.workspace_id = f.workspace_id AND r.conversation_id = f.conversation_id
        AND r.position > f.frontier
    ORDER BY r.conversation_id, r.position, r.id
"""
_CALLS = (
    "SELECT r.conversation_id, r.position, date_bin('15 minutes', coalesce(r.at, to_timestamp(0)), to_timestamp(0)),"
    " r.model, r.purpose, r.input_tokens, r.cache_read_tokens, r.cache_write_tokens, r.output_tokens, r.context_tokens,"
    " r.cache_write_1h_tokens, r.service_tier"
) + _AFTER.format("request")
_CUTS = (
    "SELECT r.conversation_id, r.position, date_bin('15 minutes', r.at, to_timestamp(0)), r.model, r.kind,"
    " r.summary_state, r.copy_of_id IS NOT NULL, r.cost_input_tokens, r.cost_cache_read_tokens,"
    " r.cost_cache_write_tokens, r.cost_output_tokens,"
    " CASE WHEN r.raw->>'found_by' = 'difference' THEN r.raw END"
) + _AFTER.format("compaction")


def _read_calls(cursor: CursorWrapper, by_id: Mapping[int, Count], after: list[list[int]]) -> None:
    cursor.execute(_CALLS, after)
    for pk, position, slot, model, purpose, *usage, context, written_1h, tier in cursor.fetchall():
        by_id[pk].calls.append(Call(position, slot, model, purpose, Usage(*usage), context, written_1h, tier))


def _read_cuts(cursor: CursorWrapper, by_id: Mapping[int, Count], after: list[list[int]]) -> None:
    cursor.execute(_CUTS, after)
    for pk, position, slot, model, kind, state, copied, *cost, raw in cursor.fetchall():
        last, *before = steps_of(position, raw and msgspec.json.decode(raw))
        by_id[pk].cuts.append(
            Cut(position, slot, model, Usage(*cost), failed=state == SummaryState.FAILED,
                summarised=kind not in _WITHOUT_SUMMARY, copied=copied, freed=last.freed, earlier=tuple(before))
        )  # fmt: skip


# --- who remembers an answer ------------------------------------------------------------------------------------------


def _note(cursor: CursorWrapper, workspaces: Iterable[int]) -> None:
    """That sums were added to. Last, for until the commit everybody else who counts in these workspaces waits here."""
    cursor.execute(
        "INSERT INTO conversations_spendingversion AS v (workspace_id, counted, changed)"
        " SELECT w, 1, 0 FROM unnest(%s::bigint[]) AS w ORDER BY w"
        " ON CONFLICT (workspace_id) DO UPDATE SET counted = v.counted + 1",
        [list(workspaces)],
    )
