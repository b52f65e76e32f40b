"""Write what was counted: the same differences to the sums of conversations, agents and tags, by day and by slot."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.backends.utils import CursorWrapper

from conversations.spending.grown import Count
from conversations.spending.tally import COUNTED, NAMES, Sums, Tally

#: Fields of `tally.Run`, as they are stored.
RUN = ("standing", "open", "freed", "certain", "model", "peak", "would_peak")
_RUN_KINDS = ("bigint", "boolean", "bigint", "boolean", "text", "bigint", "bigint")

When = date | datetime


@dataclass(frozen=True, slots=True)
class Grain:
    """How finely sums are kept: tables of conversations, agents and tags, the column of time, and what is summed."""

    own: str
    agents: str
    tags: str
    column: str
    kind: str
    names: tuple[str, ...]

    def of(self, tally: Tally) -> Mapping[tuple[str, Any], Sums]:
        """What was counted, as finely."""
        return tally.sums if self is SLOTS else tally.by_day()


DAYS = Grain("conversationday", "agentday", "tagday", "day", "date", NAMES)
SLOTS = Grain("conversationslot", "agentslot", "tagslot", "start", "timestamptz", COUNTED)

#: (workspace, agent or tag, when, model) → what is to be added
_Key = tuple[int, int | str | None, When, str]
Deltas = dict[_Key, Sums]
_Changed = list[tuple[_Key, Sums]]


def store(cursor: CursorWrapper, growing: Sequence[Count], moved: Sequence[Count]) -> None:
    """Count what is new of `growing`, and put the sums of `moved` under their new agents.

    Rows are written in one order everywhere, after the conversations' locks: two workers wait for each other and do not
    deadlock."""
    old = {each.grown.id: each for each in (*moved, *(each for each in growing if each.anew))}
    added = [(each, each.add()) for each in growing]
    for grain in (DAYS, SLOTS):
        agents, tags = _deltas(cursor, grain, old, added)
        _save_own(cursor, grain, added)
        _save_agents(cursor, grain, agents)
        _save_tags(cursor, grain, tags)
    _save_counts(cursor, list({each.grown.id: each for each in (*growing, *moved)}.values()))


def _deltas(
    cursor: CursorWrapper, grain: Grain, old: Mapping[int, Count], added: Sequence[tuple[Count, Tally]]
) -> tuple[Deltas, Deltas]:
    """What changes in the sums of agents, and in those of tags."""
    agents: Deltas = defaultdict(Sums)
    tags: Deltas = defaultdict(Sums)
    for each, model, when, sums in _take_back(cursor, grain, old):
        workspace = each.grown.workspace_id
        _add(agents, tags, (workspace, each.agent_id, each.grown.tags_before), (when, model), -sums)
        if not each.anew:  # moved only: what stays counted is now another's
            _add(agents, tags, (workspace, each.grown.agent_id, each.grown.tags), (when, model), sums)
    for each, tally in added:
        grown = each.grown
        for (model, when), sums in grain.of(tally).items():
            _add(agents, tags, (grown.workspace_id, grown.agent_id, grown.tags), (when, model), sums)
    return agents, tags


def _add(
    agents: Deltas, tags: Deltas, whose: tuple[int, int | None, Sequence[str]], key: tuple[When, str], sums: Sums
) -> None:
    workspace, agent, names = whose
    agents[workspace, agent, *key] += sums
    for tag in names:
        tags[workspace, tag, *key] += sums


def _take_back(
    cursor: CursorWrapper, grain: Grain, old: Mapping[int, Count]
) -> Iterator[tuple[Count, str, When, Sums]]:
    """The sums that stand, of conversations that moved or are counted anew; the latter's are deleted."""
    if not old:
        return
    cursor.execute(
        f"SELECT conversation_id, model, {grain.column}, {', '.join(grain.names)} FROM conversations_{grain.own}"  # noqa: S608 -- constants
        " JOIN unnest(%s::bigint[], %s::bigint[]) AS w (workspace_id, conversation_id)"
        " USING (workspace_id, conversation_id)",
        [[each.grown.workspace_id for each in old.values()], list(old)],
    )
    rows = cursor.fetchall()
    anew = [each.grown for each in old.values() if each.anew]
    if anew:
        cursor.execute(
            f"DELETE FROM conversations_{grain.own} d USING unnest(%s::bigint[], %s::bigint[])"  # noqa: S608 -- as above
            " AS w (workspace_id, id) WHERE d.workspace_id = w.workspace_id AND d.conversation_id = w.id",
            [[grown.workspace_id for grown in anew], [grown.id for grown in anew]],
        )
    for pk, model, when, *values in rows:
        yield old[pk], model, when, Sums(**dict(zip(grain.names, values, strict=True)))


def _save_own(cursor: CursorWrapper, grain: Grain, added: Sequence[tuple[Count, Tally]]) -> None:
    rows = [
        (each.grown.workspace_id, each.grown.id, model, when, *sums.values(grain.names))
        for each, tally in added
        for (model, when), sums in sorted(grain.of(tally).items())
    ]
    _upsert(
        cursor, grain.own, f"conversation_id, model, {grain.column}", rows, f"bigint text {grain.kind}", grain.names
    )


def _save_agents(cursor: CursorWrapper, grain: Grain, deltas: Deltas) -> None:
    changed = _changed(deltas)
    rows = [(*key, *sums.values(grain.names)) for key, sums in changed]
    columns = f"agent_id, {grain.column}, model"
    _upsert(cursor, grain.agents, columns, rows, f"bigint {grain.kind} text", grain.names)
    if grain is DAYS:
        _save_totals(cursor, changed)


def _changed(deltas: Deltas) -> _Changed:
    """In the one order, without what stays as it was."""
    nothing = Sums()
    return [(key, sums) for key, sums in sorted(deltas.items(), key=_in_order) if sums != nothing]


def _save_tags(cursor: CursorWrapper, grain: Grain, deltas: Deltas) -> None:
    rows = [(*key, *sums.values(COUNTED)) for key, sums in _changed(deltas)]
    _upsert(cursor, grain.tags, f"tag, {grain.column}, model", rows, f"text {grain.kind} text", COUNTED)


def _save_totals(cursor: CursorWrapper, changed: _Changed) -> None:
    totals: dict[tuple[int, int | str | None, str], Sums] = defaultdict(Sums)
    for (workspace, agent, _, model), sums in changed:
        totals[workspace, agent, model] += sums
    rows = [(*key, *sums.values()) for key, sums in sorted(totals.items(), key=lambda each: _agent_first(each[0]))]
    _upsert(cursor, "agenttotal", "agent_id, model", rows, "bigint text", NAMES)


def _agent_first(key: tuple[int, int | str | None, str]) -> tuple[int, Any, str]:
    workspace, agent, model = key
    return (workspace, agent or 0, model)


def _in_order(item: tuple[_Key, Sums]) -> tuple[int, Any, Any, str]:
    (workspace, whose, when, model), _ = item
    return (workspace, whose or 0, when, model)


def _upsert(
    cursor: CursorWrapper, table: str, columns: str, rows: Sequence[tuple[Any, ...]], kinds: str, names: Sequence[str]
) -> None:
    if not rows:
        return
    arrays = ", ".join(f"%s::{kind}[]" for kind in ["bigint", *kinds.split(), *["bigint"] * len(names)])
    added = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in names)
    cursor.execute(
        f"INSERT INTO conversations_{table} AS t (workspace_id, {columns}, {', '.join(names)})"  # noqa: S608 -- constants
        f" SELECT * FROM unnest({arrays}) ON CONFLICT (workspace_id, {columns}) DO UPDATE SET {added}",
        [list(column) for column in zip(*rows, strict=True)],
    )


def _save_counts(cursor: CursorWrapper, counts: Sequence[Count]) -> None:
    if not counts:
        return
    values = ", ".join(f"{name} = excluded.{name}" for name in ("agent_id", "frontier", *RUN))
    rows = [
        (each.grown.workspace_id, each.grown.id, each.grown.agent_id, each.frontier,
         *(getattr(each.run, name) for name in RUN))
        for each in counts
    ]  # fmt: skip
    arrays = ", ".join(f"%s::{kind}[]" for kind in (*["bigint"] * 4, *_RUN_KINDS))
    cursor.execute(
        "INSERT INTO conversations_conversationcount"  # noqa: S608 -- constants
        f" (workspace_id, conversation_id, agent_id, frontier, {', '.join(RUN)})"
        f" SELECT * FROM unnest({arrays}) ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET {values}",
        [list(column) for column in zip(*rows, strict=True)],
    )
