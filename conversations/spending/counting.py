"""Keep the sums of conversations and agents up to date: from what follows on what is counted, or else anew.

Called inside the transaction that wrote the rows and locked the conversations. The statements are the same for any
number of conversations; what they read is what is new, except where a late or changed row, or what a summary cost,
makes one conversation be counted anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from conversations.spending.tally import NAMES, TURN, Call, Cut, Run, Sums, Tally, Usage, count
from conversations.vocabulary import CLEARING_KINDS, CompactionKind, SummaryState

_BEGINNING = -(2**62)
#: Nobody wrote a summary for these, so that none has to be paid for.
_WITHOUT_SUMMARY = (*CLEARING_KINDS, CompactionKind.TRUNCATION)
_RUN = ("standing", "open", "freed", "certain", "model", "peak", "would_peak")


@dataclass(frozen=True, slots=True)
class Grown:
    """A conversation that was written to. `earliest`: position of the first new or changed call or compaction, None
    when there is none."""

    workspace_id: int
    id: int
    agent_id: int | None
    earliest: int | None


@dataclass(slots=True)
class _Count:
    """What is known of one conversation's calls, and what is to be added."""

    grown: Grown
    agent_id: int | None  # whose sums its own are in
    frontier: int = _BEGINNING
    run: Run = field(default_factory=Run)
    calls: list[Call] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    anew: bool = False

    @property
    def has_side_costs(self) -> bool:
        """Whether a summary's cost is among what is read: the same may have been told before, in another way."""
        return any(call.purpose != TURN for call in self.calls) or any(cut.cost.is_known for cut in self.cuts)

    def start_anew(self) -> None:
        """Forget what was counted."""
        self.anew, self.frontier, self.run = True, _BEGINNING, Run()
        self.calls, self.cuts = [], []


Deltas = dict[tuple[int, int | None, date, str], Sums]


def count_grown(conversations: Iterable[Grown]) -> None:
    """Bring the sums of these conversations, and of their agents, up to date."""
    with connection.cursor() as cursor:
        counts = _known(cursor, list(conversations))
        moved = [each for each in counts if each.agent_id != each.grown.agent_id and each.frontier > _BEGINNING]
        growing = [each for each in counts if each.grown.earliest is not None]
        for each in growing:
            if each.grown.earliest is not None and each.grown.earliest <= each.frontier:
                each.start_anew()
        _read(cursor, growing)
        again = [each for each in growing if each.frontier > _BEGINNING and each.has_side_costs]
        for each in again:
            each.start_anew()
        _read(cursor, again)
        _store(cursor, growing, moved)


# --- what is known ----------------------------------------------------------------------------------------------------


def _known(cursor: CursorWrapper, conversations: Sequence[Grown]) -> list[_Count]:
    cursor.execute(
        f"SELECT conversation_id, agent_id, frontier, {', '.join(_RUN)} FROM conversations_conversationcount c"  # noqa: S608 -- constants
        " JOIN unnest(%s::bigint[], %s::bigint[]) AS w (workspace_id, conversation_id)"
        " USING (workspace_id, conversation_id)",
        [[each.workspace_id for each in conversations], [each.id for each in conversations]],
    )
    rows = {row[0]: row[1:] for row in cursor.fetchall()}
    return [_count_of(each, rows.get(each.id)) for each in conversations]


def _count_of(grown: Grown, row: tuple[Any, ...] | None) -> _Count:
    if row is None:
        return _Count(grown, grown.agent_id)
    return _Count(grown, row[0], row[1], Run(*row[2:]))


def _read(cursor: CursorWrapper, counts: Sequence[_Count]) -> None:
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
    "SELECT r.conversation_id, r.position, (coalesce(r.at, to_timestamp(0)) AT TIME ZONE 'UTC')::date, r.model,"
    " r.purpose, r.input_tokens, r.cache_read_tokens, r.cache_write_tokens, r.output_tokens, r.context_tokens"
) + _AFTER.format("request")
_CUTS = (
    "SELECT r.conversation_id, r.position, (r.at AT TIME ZONE 'UTC')::date, r.model, r.kind, r.summary_state,"
    " r.copy_of_id IS NOT NULL, r.cost_input_tokens, r.cost_cache_read_tokens, r.cost_cache_write_tokens,"
    " r.cost_output_tokens"
) + _AFTER.format("compaction")


def _read_calls(cursor: CursorWrapper, by_id: Mapping[int, _Count], after: list[list[int]]) -> None:
    cursor.execute(_CALLS, after)
    for pk, position, day, model, purpose, *usage, context in cursor.fetchall():
        by_id[pk].calls.append(Call(position, day, model, purpose, Usage(*usage), context))


def _read_cuts(cursor: CursorWrapper, by_id: Mapping[int, _Count], after: list[list[int]]) -> None:
    cursor.execute(_CUTS, after)
    for pk, position, day, model, kind, state, copied, *cost in cursor.fetchall():
        by_id[pk].cuts.append(
            Cut(position, day, model, Usage(*cost), failed=state == SummaryState.FAILED,
                summarised=kind not in _WITHOUT_SUMMARY, copied=copied)
        )  # fmt: skip


# --- what changes -----------------------------------------------------------------------------------------------------


def _store(cursor: CursorWrapper, growing: Sequence[_Count], moved: Sequence[_Count]) -> None:
    """Write the counts, and the same differences to the sums of the conversations and of the agents."""
    deltas: Deltas = defaultdict(Sums)
    old = {each.grown.id: each for each in (*moved, *(each for each in growing if each.anew))}
    for each, model, day, sums in _take_back(cursor, old, [each.grown.id for each in growing if each.anew]):
        deltas[each.grown.workspace_id, each.agent_id, day, model] += -sums
        if not each.anew:  # moved only: what stays counted is another agent's now
            deltas[each.grown.workspace_id, each.grown.agent_id, day, model] += sums
    added = [(each, _add(each, deltas)) for each in growing]
    _save_conversation_days(cursor, added)
    _save_agent_days(cursor, deltas)
    _save_counts(cursor, list({each.grown.id: each for each in (*growing, *moved)}.values()))


def _add(each: _Count, deltas: Deltas) -> Tally:
    """Count what is new; the differences go to the agent, too."""
    tally = count(each.run, each.calls, each.cuts)
    places = [*(call.position for call in each.calls), *(cut.position for cut in each.cuts)]
    each.frontier = max(each.frontier, *places, _BEGINNING)
    for (model, day), sums in tally.sums.items():
        deltas[each.grown.workspace_id, each.grown.agent_id, day, model] += sums
    return tally


def _take_back(
    cursor: CursorWrapper, old: Mapping[int, _Count], anew: Sequence[int]
) -> list[tuple[_Count, str, date, Sums]]:
    """The sums that stand, of conversations that moved or are counted anew; the latter's are deleted."""
    if not old:
        return []
    cursor.execute(
        f"SELECT conversation_id, model, day, {', '.join(NAMES)} FROM conversations_conversationday"  # noqa: S608 -- constants
        " JOIN unnest(%s::bigint[], %s::bigint[]) AS w (workspace_id, conversation_id)"
        " USING (workspace_id, conversation_id)",
        [[each.grown.workspace_id for each in old.values()], list(old)],
    )
    rows = [(old[row[0]], row[1], row[2], Sums(*row[3:])) for row in cursor.fetchall()]
    if anew:
        workspaces = [old[pk].grown.workspace_id for pk in anew]
        cursor.execute(
            "DELETE FROM conversations_conversationday d USING unnest(%s::bigint[], %s::bigint[])"
            " AS w (workspace_id, id) WHERE d.workspace_id = w.workspace_id AND d.conversation_id = w.id",
            [workspaces, list(anew)],
        )
    return rows


_ADDED = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in NAMES)


def _save_conversation_days(cursor: CursorWrapper, added: Sequence[tuple[_Count, Tally]]) -> None:
    rows = [
        (each.grown.workspace_id, each.grown.id, model, day, *sums.values())
        for each, tally in added
        for (model, day), sums in sorted(tally.sums.items())
    ]
    _upsert(cursor, "conversationday", "conversation_id, model, day", rows, kinds="bigint text date")


def _save_agent_days(cursor: CursorWrapper, deltas: Deltas) -> None:
    """In one order everywhere, after the conversations' locks: two workers wait for each other and do not deadlock."""
    nothing = Sums()
    changed = [(key, sums) for key, sums in sorted(deltas.items(), key=_in_order) if sums != nothing]
    totals: dict[tuple[int, int | None, str], Sums] = defaultdict(Sums)
    for (workspace, agent, _, model), sums in changed:
        totals[workspace, agent, model] += sums
    days = [(*key, *sums.values()) for key, sums in changed]
    _upsert(cursor, "agentday", "agent_id, day, model", days, kinds="bigint date text")
    rows = [(*key, *sums.values()) for key, sums in sorted(totals.items(), key=lambda each: _agent_first(each[0]))]
    _upsert(cursor, "agenttotal", "agent_id, model", rows, kinds="bigint text")


def _agent_first(key: tuple[int, int | None, str]) -> tuple[int, int, str]:
    workspace, agent, model = key
    return (workspace, agent or 0, model)


def _in_order(item: tuple[tuple[int, int | None, date, str], Sums]) -> tuple[int, int, date, str]:
    (workspace, agent, day, model), _ = item
    return (workspace, agent or 0, day, model)


def _upsert(cursor: CursorWrapper, table: str, columns: str, rows: Sequence[tuple[Any, ...]], *, kinds: str) -> None:
    if not rows:
        return
    arrays = ", ".join(f"%s::{kind}[]" for kind in ["bigint", *kinds.split(), *["bigint"] * len(NAMES)])
    cursor.execute(
        f"INSERT INTO conversations_{table} AS t (workspace_id, {columns}, {', '.join(NAMES)})"  # noqa: S608 -- constants
        f" SELECT * FROM unnest({arrays}) ON CONFLICT (workspace_id, {columns}) DO UPDATE SET {_ADDED}",
        [list(column) for column in zip(*rows, strict=True)],
    )


def _save_counts(cursor: CursorWrapper, counts: Sequence[_Count]) -> None:
    values = ", ".join(f"{name} = excluded.{name}" for name in ("agent_id", "frontier", *_RUN))
    if not counts:
        return
    rows = [
        (each.grown.workspace_id, each.grown.id, each.grown.agent_id, each.frontier,
         *(getattr(each.run, name) for name in _RUN))
        for each in counts
    ]  # fmt: skip
    kinds = (
        "bigint",
        "bigint",
        "bigint",
        "bigint",
        "bigint",
        "boolean",
        "bigint",
        "boolean",
        "text",
        "bigint",
        "bigint",
    )
    cursor.execute(
        "INSERT INTO conversations_conversationcount"  # noqa: S608 -- constants
        f" (workspace_id, conversation_id, agent_id, frontier, {', '.join(_RUN)})"
        f" SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in kinds)})"
        f" ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET {values}",
        [list(column) for column in zip(*rows, strict=True)],
    )
