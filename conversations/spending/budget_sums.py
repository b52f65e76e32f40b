"""What was spent in windows of time, by whom: two statements, however many windows and budgets there are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from conversations.spending.queries import DayRow
from conversations.spending.tally import COUNTED, Sums
from conversations.spending.windows import LIFE, Window

#: A conversation or an agent by its id, a tag by its name; None = everybody who is not told apart.
Who = int | str | None
#: Conversation, agent or tag → its sums by model and by times in which no price changed.
Spent = dict[Who, list[DayRow]]


@dataclass(frozen=True, slots=True)
class Span:
    """A window to be added up. `priced`: by times in which no price changed, which over a whole life is slower."""

    window: Window
    priced: bool = False


@dataclass(frozen=True, slots=True)
class Whose:
    """Tables of the sums of conversations, of agents, or of tags."""

    days: str
    slots: str
    column: str
    totals: str = ""  # over all days, where they are kept
    kind: type[int] | type[str] = int  # of the column


CONVERSATIONS = Whose("conversationday", "conversationslot", "conversation_id")
AGENTS = Whose("agentday", "agentslot", "agent_id", "agenttotal")
TAGS = Whose("tagday", "tagslot", "tag", kind=str)

_SUMS = ", ".join(f"sum({name})::bigint" for name in COUNTED)
_COLUMNS = ", ".join(f"t.{name}" for name in COUNTED)
#: Whole days of a window from the days, its edges from the quarters of an hour; a window without bounds from the days
#: too, or where no price is asked for from the totals: compiling this with the ORM takes longer than running it.
_SPENT = """
    WITH days AS (SELECT * FROM unnest(%(numbers)s::int[], %(firsts)s::date[], %(afters)s::date[])
            AS d (number, first, after)),
        edges AS (SELECT * FROM unnest(%(edge_numbers)s::int[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
            AS e (number, start, stop)),
        spent AS (
            SELECT number, {who} AS who, t.model, t.day, {columns} FROM days d
            JOIN conversations_{days} t ON t.workspace_id = %(w)s AND t.day >= d.first AND t.day < d.after {only}
            UNION ALL
            SELECT number, {who}, t.model, (t.start AT TIME ZONE 'UTC')::date, {columns} FROM edges e
            JOIN conversations_{slots} t ON t.workspace_id = %(w)s AND t.start >= e.start AND t.start < e.stop {only}
            {totals}
        )
    SELECT number, who, model, min(day), {sums} FROM spent
    GROUP BY number, who, model, width_bucket(day, %(changes)s::date[])
"""
_FROM_TOTALS = """
            UNION ALL
            SELECT number, {who}, t.model, NULL, {columns} FROM unnest(%(lives)s::int[]) AS l (number)
            JOIN conversations_{totals} t ON t.workspace_id = %(w)s {only}
"""
_SOME_DAY = date(1970, 1, 1)


def spent_in(
    workspace_id: int,
    whose: Whose,
    spans: Sequence[Span],
    *,
    changes: Sequence[date] = (),
    only: Iterable[Who] | None = None,
    apart: Iterable[int] | None = None,
) -> dict[Span, Spent]:
    """What each conversation, agent or tag spent in each of the spans. One query. `only` these ids; where it is
    everybody's, only those of `apart` are told apart and all others stand together under None. `changes`: the days on
    which prices changed."""
    found: dict[Span, Spent] = {span: defaultdict(list) for span in spans}
    if not spans:
        return found
    values = _values(spans, has_totals=bool(whose.totals)) | {"w": workspace_id, "changes": list(changes)}
    given = {"only": only, "apart": apart}
    values |= {name: list(ids) for name, ids in given.items() if ids is not None}
    with connection.cursor() as cursor:
        cursor.execute(_statement(whose, limited=only is not None, lumped=apart is not None), values)
        rows = cursor.fetchall()
    for number, who, model, day, *sums in rows:
        found[spans[number]][who].append((model, day or _SOME_DAY, Sums(**dict(zip(COUNTED, sums, strict=True)))))
    return found


def _statement(whose: Whose, *, limited: bool, lumped: bool) -> str:
    only = f"AND t.{whose.column} = ANY(%(only)s)" if limited else ""
    who = f"CASE WHEN t.{whose.column} = ANY(%(apart)s) THEN t.{whose.column} END" if lumped else f"t.{whose.column}"
    parts = {"who": who, "columns": _COLUMNS, "only": only}
    totals = _FROM_TOTALS.format(totals=whose.totals, **parts) if whose.totals else ""
    return _SPENT.format(days=whose.days, slots=whose.slots, sums=_SUMS, **parts | {"totals": totals})


def _values(spans: Sequence[Span], *, has_totals: bool) -> dict[str, Any]:
    numbered = list(enumerate(spans))
    lives = [number for number, span in numbered if has_totals and span == Span(LIFE)]
    days = [(number, *span.window.days()) for number, span in numbered if number not in lives]
    edges: list[tuple[int, datetime, datetime]] = [
        (number, *edge) for number, span in numbered for edge in span.window.edges()
    ]
    return {
        "lives": lives,
        **_columns(("numbers", "firsts", "afters"), [row for row in days if row[1] < row[2]]),
        **_columns(("edge_numbers", "starts", "ends"), edges),
    }


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Mapping[str, list[Any]]:
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}
