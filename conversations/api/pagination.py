"""Pages of long lists by key: what was there at the first page is visited once, whatever comes in meanwhile."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from django.db.models import Model, Q, QuerySet

from conversations.errors import BadInput

PAGE_SIZE = 50
MOST = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Keyset:
    """Sorted by a field (a time or a whole number) and the id, both the same way."""

    field: str
    descending: bool = False

    def names(self) -> list[str]:
        """Fields for order_by."""
        sign = "-" if self.descending else ""
        return [f"{sign}{self.field}", f"{sign}id"] if self.field != "id" else [f"{sign}id"]

    def reversed(self) -> "Keyset":
        """The same, the other way round."""
        return Keyset(self.field, not self.descending)

    def beyond(self, cursor: str) -> Q:
        """Rows after the cursor. The first condition alone is what an index can seek to. Raises BadInput."""
        value, pk = self._read(cursor)
        side = "lt" if self.descending else "gt"
        tie = Q(**{f"{self.field}__{side}": value}) | Q(**{f"id__{side}": pk})
        return Q(**{f"{self.field}__{side}e": value}) & tie

    def cursor(self, row: Any) -> str:
        """Where a row, or a named tuple of one, stands: opaque to clients, and only good for a list of this order."""
        value = getattr(row, self.field)
        number = (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value
        return base64.urlsafe_b64encode(f"{self.field}:{number}:{row.id}".encode()).decode().rstrip("=")

    def _read(self, cursor: str) -> tuple[Any, int]:
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
            field, number, pk = text.split(":")
            value = _EPOCH + int(number) * _MICROSECOND if field.endswith("at") else int(number)
            known = field == self.field and 0 <= int(pk) < 2**63 and abs(int(number)) < 2**63
        except (binascii.Error, ValueError, OverflowError):
            known = False
        if not known:
            raise BadInput(
                "This cursor is not one of this list.", mend='Follow the "next" of the page before.', at="cursor"
            )
        return value, int(pk)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in order, and the cursors of those beside them (empty = there are none, or none were looked for)."""

    rows: Sequence[Any]
    next: str = ""
    previous: str = ""


class First(Protocol):
    """Reads the first `most` of the rows, which all stand beyond a cursor."""

    def __call__(self, rows: QuerySet[Any], beyond: Q, /, *, most: int) -> list[Any]:
        """In the order of the list."""


def page_of(rows: QuerySet[Any], keyset: Keyset, *, cursor: str, limit: int, first: First | None = None) -> Page:
    """The rows after the cursor. One query: a row more than shown tells whether it goes on. `first` reads otherwise."""
    beyond = keyset.beyond(cursor) if cursor else Q()
    if first:
        found = first(rows.filter(beyond), beyond, most=limit + 1)
    else:
        found = list(rows.filter(beyond).order_by(*keyset.names())[: limit + 1])
    shown = found[:limit]
    return Page(shown, next=keyset.cursor(shown[-1]) if len(found) > limit else "")


def page_around(rows: QuerySet[Any], keyset: Keyset, target: Model, *, limit: int) -> Page:
    """A page with the target in its first quarter. Two queries."""
    here = keyset.cursor(target)
    before = page_of(rows, keyset.reversed(), cursor=here, limit=max(1, limit // 4))
    own = rows.filter(pk=target.pk) | rows.filter(keyset.beyond(here))
    after = page_of(own, keyset, cursor="", limit=max(1, limit - len(before.rows)))
    shown = [*reversed(before.rows), *after.rows]
    previous = keyset.reversed().cursor(shown[0]) if before.next else ""
    return Page(shown, next=after.next, previous=previous)
