"""What is known of conversations' contexts in the store: found, locked, and written back when it has changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from conversations.ingest.contexts import Known, pack, unpack
from conversations.ingest.contexts.known import Pages
from conversations.ingest.contexts.marks import Marks
from conversations.models import Workspace

#: Conversations without an id that an exchange is compared with: short ones may have a beginning or an end in common.
_MOST_CANDIDATES = 20


@dataclass(slots=True)
class Remembered:
    """One conversation's contexts, locked. `state` and `pages` are as stored; `marks` only where it has no id."""

    external_id: str
    id: int | None = None
    state: bytes = b""
    pages: Pages = field(default_factory=dict)
    known: Known = field(default_factory=Known)
    marks: Marks | None = None


class Memory:
    """The contexts that a batch of exchanges may go on from. Use inside a transaction: the rows stay locked."""

    def __init__(self, workspace: Workspace, source: str) -> None:
        self.workspace, self.source = workspace, source
        self.named: dict[str, Remembered] = {}

    def load(self, names: Iterable[str], marks: Sequence[Marks]) -> None:
        """Lock those of these ids, made where there are none, and those that the marks may belong to."""
        wanted = sorted(set(names))
        with connection.cursor() as cursor:
            _lock_openings(cursor, self.workspace.pk, marks)
            rows = self._select(cursor, wanted, marks)
            missing = [name for name in wanted if name not in {row.external_id for row in rows}]
            if missing:
                self._insert(cursor, missing)
                rows += self._select(cursor, missing, [])
            self.named = {row.external_id: row for row in rows}
            self._read_pages(cursor)

    def of(self, name: str) -> Remembered:
        """The one of this id, new if there is none."""
        return self.named.setdefault(name, Remembered(name))

    def unnamed(self) -> list[Remembered]:
        """Those whose conversations have no id of their own."""
        return [row for row in self.named.values() if row.marks is not None]

    def _select(self, cursor: CursorWrapper, names: list[str], marks: Sequence[Marks]) -> list[Remembered]:
        """In one order everywhere, so that two requests with the same conversations wait and do not deadlock."""
        openings = [mark.opening for mark in marks if mark.opening is not None]
        endings = sorted({number for mark in marks for number in mark.endings})
        latest = sorted({number for mark in marks for number in mark.latest})
        found = "SELECT id FROM conversations_knowncontexts WHERE workspace_id = %s AND source = %s"
        newest = f"ORDER BY id DESC LIMIT {_MOST_CANDIDATES}"
        values: list[Any] = [self.workspace.pk, self.source]
        cursor.execute(
            "SELECT id, external_id, state, opening, ending, latest FROM conversations_knowncontexts WHERE id IN ("  # noqa: S608 -- constants
            f"{found} AND external_id = ANY(%s) UNION ALL ({found} AND opening = ANY(%s) {newest})"
            f" UNION ALL ({found} AND ending = ANY(%s) {newest}) UNION ALL ({found} AND latest = ANY(%s) {newest}))"
            " ORDER BY id FOR NO KEY UPDATE",
            [*values, names, *values, openings, *values, endings, *values, latest],
        )
        return [
            Remembered(name, pk, bytes(state), marks=None if last is None else Marks(opening, [ending], [last]))
            for pk, name, state, opening, ending, last in cursor.fetchall()
        ]

    def _insert(self, cursor: CursorWrapper, names: list[str]) -> None:
        cursor.execute(
            "INSERT INTO conversations_knowncontexts (workspace_id, source, external_id, state, updated_at)"
            " SELECT %s, %s, name, '', now() FROM unnest(%s::text[]) AS n (name)"
            " ON CONFLICT (workspace_id, source, external_id) DO NOTHING",
            [self.workspace.pk, self.source, names],
        )

    def _read_pages(self, cursor: CursorWrapper) -> None:
        """After the lock: a page read before it could be older than the state."""
        by_id = {row.id: row for row in self.named.values()}
        cursor.execute(
            "SELECT contexts_id, head, part, number, body FROM conversations_contextpage"
            " WHERE workspace_id = %s AND contexts_id = ANY(%s)",
            [self.workspace.pk, list(by_id)],
        )
        for pk, head, part, number, body in cursor.fetchall():
            by_id[pk].pages[head, part, number] = bytes(body)
        for row in by_id.values():
            row.known = unpack(row.state, row.pages)

    # --- writing back -------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write what has changed."""
        packed = [(row, *pack(row.known)) for row in self.named.values()]
        changed = [(row, state, pages) for row, state, pages in packed if state != row.state or pages != row.pages]
        with connection.cursor() as cursor:
            self._make([row for row, *_ in changed if row.id is None])
            self._write_states(cursor, [(row, state) for row, state, _ in changed])
            self._write_pages(cursor, [(row, pages) for row, _, pages in changed])
        for row, state, pages in changed:
            row.state, row.pages = state, pages

    def _make(self, rows: list[Remembered]) -> None:
        if not rows:
            return
        with connection.cursor() as cursor:
            self._insert(cursor, sorted(row.external_id for row in rows))
            cursor.execute(
                "SELECT external_id, id FROM conversations_knowncontexts WHERE workspace_id = %s AND source = %s"
                " AND external_id = ANY(%s)",
                [self.workspace.pk, self.source, [row.external_id for row in rows]],
            )
            ids = dict(cursor.fetchall())
        for row in rows:
            row.id = ids[row.external_id]

    def _write_states(self, cursor: CursorWrapper, states: Sequence[tuple[Remembered, bytes]]) -> None:
        if states:
            rows = [(row.id, state, *_columns(row.marks)) for row, state in states]
            cursor.execute(
                "UPDATE conversations_knowncontexts k SET state = n.state, opening = n.opening, ending = n.ending,"
                " latest = n.latest, updated_at = now() FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[],"
                " %s::bigint[], %s::bigint[]) AS n (id, state, opening, ending, latest) WHERE k.id = n.id",
                [list(column) for column in zip(*rows, strict=True)],
            )

    def _write_pages(self, cursor: CursorWrapper, changed: Sequence[tuple[Remembered, Pages]]) -> None:
        new = [
            (self.workspace.pk, row.id, *place, body)
            for row, pages in changed
            for place, body in pages.items()
            if row.pages.get(place) != body
        ]
        if new:
            cursor.execute(
                "INSERT INTO conversations_contextpage (workspace_id, contexts_id, head, part, number, body)"
                " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::text[], %s::int[], %s::bytea[])"
                " ON CONFLICT (workspace_id, contexts_id, head, part, number) DO UPDATE SET body = excluded.body",
                [list(column) for column in zip(*new, strict=True)],
            )
        gone = [(row.id, *place) for row, pages in changed for place in row.pages if place not in pages]
        if gone:
            cursor.execute(
                "DELETE FROM conversations_contextpage p USING unnest(%s::bigint[], %s::int[], %s::text[], %s::int[])"
                " AS g (contexts_id, head, part, number) WHERE p.workspace_id = %s AND p.contexts_id = g.contexts_id"
                " AND p.head = g.head AND p.part = g.part AND p.number = g.number",
                [*(list(column) for column in zip(*gone, strict=True)), self.workspace.pk],
            )


def _columns(marks: Marks | None) -> tuple[int | None, int | None, int | None]:
    if marks is None:
        return None, None, None
    return marks.opening, next(iter(marks.endings), None), next(iter(marks.latest), None)


def _lock_openings(cursor: CursorWrapper, workspace_id: int, marks: Sequence[Marks]) -> None:
    """Two requests may bring the beginning of one conversation, of which there is no row yet to be locked."""
    openings = sorted({mark.opening for mark in marks if mark.opening is not None})
    if openings:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s::int, hashint8(n)) FROM unnest(%s::bigint[]) AS o (n)",
            [workspace_id % 2**31, openings],
        )
